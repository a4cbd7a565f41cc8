"""A policy clerk's changed copies of the 2022 file, examples included."""

import re
from pathlib import Path

from app.policy.year import YEARS

TEXT = (YEARS / "2022.toml").read_text(encoding="utf-8")


def dearer(path: Path) -> Path:
    """Personal 320 → 380, treasury 580 → 520, the top band's 80 → 90, and ILLNESS no longer waived."""
    head, *examples = TEXT.split("[[examples]]")
    head = head.replace("personal = 320_00", "personal = 380_00").replace("subsidy = 580_00", "subsidy = 520_00")
    head = head.replace("subsidy = 80_00", "subsidy = 90_00")
    head = re.sub(r'\[\[medical\.grounds\]\]\ncode = "ILLNESS"\n(?:[^\[\n].*\n)+\n', "", head)
    assert 'code = "ILLNESS"' not in head
    kept = [_dearer(example) for example in examples if '"ILLNESS"' not in example]
    assert len(kept) == len(examples) - 1
    path.write_text("[[examples]]".join((head, *kept)), encoding="utf-8")
    return path


def without_example(path: Path, *titles: str) -> Path:
    """The file without some of its examples."""
    head, *examples = TEXT.split("[[examples]]")
    kept = [example for example in examples if not any(f'"{title}"' in example for title in titles)]
    assert len(kept) == len(examples) - len(titles)
    path.write_text("[[examples]]".join((head, *kept)), encoding="utf-8")
    return path


def _dearer(example: str) -> str:
    if "RES_MEDICAL" in example:
        for old, new in (("320_00", "380_00"), ("580_00", "520_00"), ("160_00", "190_00"), ("80_00", "95_00")):
            example = re.sub(rf"(?<![0-9]){old}", new, example)
        return example
    if "gov_subsidy = 80_00" not in example:
        return example
    example = example.replace("gov_subsidy = 80_00", "gov_subsidy = 90_00")
    return re.sub(r"account_credit = ([0-9]*)80_00", r"account_credit = \g<1>90_00", example)
