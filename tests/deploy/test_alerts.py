"""Whatever wakes somebody has a page that says what to do, and is told in time."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.alarms import DAY, NOW, WAKES

HERE = Path(__file__).parents[2]
PAGES = HERE / "docs" / "runbooks"
RULES = (HERE / "deploy" / "prometheus" / "liangxian.rules.yml").read_text(encoding="utf-8")
RULE = re.compile(r"- alert: (\w+)\n(?:(?! +- alert:).*\n)*?.*labels: \{wakes: \"?([^\"}]+?)\"?\}", re.MULTILINE)
WITHOUT_A_WORD = {"README"} | {path.stem for path in PAGES.glob("R[0-9]*.md")}  # read when somebody decides to
REFUND_WORDS = ("unknown", "doubt", "abnormal", "failed", "twice")  # of f"refund_{word}" in give_back.py


def _said() -> Iterator[str]:
    """The words of every call of an alarm in the code: written out, or, where a file picks one, those it names."""
    for folder in ("app", "payments", "notifications", "miniprogram", "core"):
        for path in (HERE / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and node.args and _name(node.func) in {"alert", "_alert", "alarm"}:
                    yield from _words(node.args[0], tree)


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _words(said: ast.expr, tree: ast.Module) -> list[str]:
    if isinstance(said, ast.Constant):
        return [said.value]
    if ast.unparse(said) == "f'refund_{word}'":
        return [f"refund_{word}" for word in REFUND_WORDS]
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in set(WAKES)}
    assert named, f"a word of an alarm is written out: {ast.unparse(said)}"
    return sorted(named)


def test_every_word_of_an_alarm_says_how_soon_somebody_must_come() -> None:
    assert set(_said()) == set(WAKES)
    assert set(WAKES.values()) == {NOW, DAY}


def test_every_alarm_has_its_page_and_no_page_is_of_nothing() -> None:
    named = set(WAKES) | {name for name, _ in RULE.findall(RULES) if name != "said"}
    assert {path.stem for path in PAGES.glob("*.md")} - WITHOUT_A_WORD == named


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_says_what_to_look_at_what_to_do_and_who_decides(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+\.md)\)", text):
        assert (page.parent / link).exists(), link
    if page.stem in WITHOUT_A_WORD:
        assert page.stem == "README" or text.startswith(f"# {page.stem.split('-')[0]} ")
        return
    assert text.startswith(f"# {page.stem} ")
    for part in ("## 先看\n", "## 怎么办\n", "\n1. ", "**谁定**：", "**好了没有**："):
        assert part in text
    wakes = WAKES.get(page.stem) or dict(RULE.findall(RULES)).get(page.stem)
    if wakes:  # a word may also be a rule
        assert text.splitlines()[2].startswith("**马上处理。**" if wakes == NOW else "**上班时处理。**")


def test_the_commands_of_the_pages_are_there() -> None:
    from app.cli import GROUPS  # noqa: PLC0415 only this test needs them

    groups = {group.name: set(group.list_commands(None)) for group in GROUPS}  # type: ignore[arg-type]
    for page in PAGES.glob("*.md"):
        for group, verb in re.findall(
            r"\bliangxian (?!liangxian)([a-z]+) ([a-z][a-z-]+)", page.read_text(encoding="utf-8")
        ):
            assert verb in groups.get(group, set()), f"{page.name}: {group} {verb}"


def test_the_dashboard_and_the_rules_name_figures_that_are_shown(running_figures: str) -> None:
    shown = set(re.findall(r"^# TYPE (\w+)", running_figures, re.MULTILINE))
    shown |= {f"{name}_bucket" for name in shown}
    panels = json.loads((HERE / "deploy" / "grafana" / "liangxian.json").read_text(encoding="utf-8"))["panels"]
    asked = RULES + "".join(target["expr"] for panel in panels for target in panel["targets"])
    assert set(re.findall(r"liangxian_[a-z_]+[a-z](?=[{\[) ])", asked)) - {"liangxian_web", "liangxian_worker"} <= shown


def test_what_was_asked_for_one_answer_stays_in_no_folder(tmp_path: Path) -> None:
    """A process that is gone, or that nobody asked since, must not go on saying that the database can be read."""
    asking = (
        "from app.web.door.health import Asked\n"
        "asked = Asked()\n"
        "asked.figure('book_readable', 'words').add_metric([], 1)\n"
        "assert [sample.value for figure in asked.collect() for sample in figure.samples] == [1]"
    )
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", asking], env=environ, cwd=HERE, check=True, timeout=60)

    assert [left.name for left in tmp_path.iterdir() if left.name.startswith("gauge_all")] == []


def test_an_alarm_that_never_rang_is_shown_as_none(running_figures: str) -> None:
    for what, wakes in WAKES.items():
        assert f'liangxian_alerts_total{{wakes="{wakes}",what="{what}"}}' in running_figures
