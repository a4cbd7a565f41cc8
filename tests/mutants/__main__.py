"""python -m tests.mutants [--only WORDS] [--lanes N]: try every mistake; exit status 1 if one goes unnoticed."""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.catalogue import MUTANTS, Mutant
from tests.mutants.trial import noticed_by


def main() -> int:
    """Print a line for each mistake."""
    asked = argparse.ArgumentParser(prog="python -m tests.mutants")
    asked.add_argument("--only", default="", help="words in the name")
    asked.add_argument("--lanes", type=int, default=2)
    asked.add_argument("--out", type=Path, default=Path("out") / "mutants.json")
    words = asked.parse_args()
    chosen = [one for one in MUTANTS if words.only in one.name]
    with ThreadPoolExecutor(words.lanes) as lanes:
        results = list(lanes.map(_try, chosen))
    missed = [one.name for one, by in results if by is None]
    words.out.parent.mkdir(parents=True, exist_ok=True)
    words.out.write_text(json.dumps({one.name: by for one, by in results}, ensure_ascii=False, indent=1))
    print(f"{len(results) - len(missed)} of {len(results)} noticed" + "".join(f"\n  missed: {name}" for name in missed))
    return 1 if missed or not results else 0


def _try(mutant: Mutant) -> tuple[Mutant, str | None]:
    began = time.monotonic()
    by = noticed_by(mutant)
    print(
        f"{'noticed' if by else 'MISSED ':<8} {mutant.name:<50} {by or ''}  ({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    return mutant, by


if __name__ == "__main__":
    sys.exit(main())
