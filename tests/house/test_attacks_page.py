"""docs/attacks.md names a test for each attack, and the test is there."""

import ast
import re

from tests.house.tree import ROOT, python, tree

PAGE = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")
ASKED = {*range(27, 31), *range(32, 51), *range(52, 92)} - {31, 51}  # the catalogue's numbers have gaps
UNBUILT = {52, 85, 86}  # no break-glass account, the proxy's work


def rows() -> list[tuple[set[int], str]]:
    found = re.findall(r"^\| (A[^|]+) \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE)
    return [({int(number) for number in re.findall(r"A(\d+)", numbers)}, test.strip(" `")) for numbers, test in found]


def test_every_attack_of_the_catalogue_stands_there_once() -> None:
    numbers = [number for found, _ in rows() for number in found]

    assert sorted(numbers) == sorted(ASKED)


def test_every_test_that_is_named_is_there() -> None:
    missing = []
    for numbers, named in rows():
        if named == "–":
            assert numbers <= UNBUILT, numbers
            continue
        path, _, name = named.partition("::")
        source = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).exists() else ""
        if not source or (name and f"def {name}(" not in source):
            missing.append(named)
    assert missing == []


def test_nothing_is_unpickled() -> None:
    """A88: JSON is the only thing that is read from outside; YAML and pickles would run what they say."""
    forbidden = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}
    found = [
        f"{path}: {name}"
        for path in python("app", "payments", "notifications", "core", "config")
        for node in ast.walk(tree(path))
        for name in _imported(node)
        if name.partition(".")[0] in forbidden
    ]

    assert found == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
