"""Money is whole fen: nothing that knows a price or a balance can round, because it has nothing to round with."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import python, tree

ROOMS = ("payments", "app/policy")
SECONDS = {  # files whose fractions are seconds, never money
    "payments/sandbox/__main__.py": "the factor of the pauses between callbacks",
    "payments/sandbox/config.py": "the factor of the pauses between callbacks",
    "payments/sandbox/controls.py": "the factor of the pauses between callbacks",
    "payments/sandbox/notifier.py": "pauses and time-outs",
}
NAMES = {"float", "Decimal", "Fraction", "round", "decimal", "fractions", "numbers"}


def broken(node: ast.AST) -> bool:
    """Is this a number, a name or a division that is not whole?"""
    match node:
        case ast.Constant(value=float() | complex()):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name in NAMES
        case ast.ImportFrom(module=module):
            return module in NAMES
        case ast.AugAssign(op=ast.Div()):
            return True
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return not (_joins_paths(left) or _joins_paths(right))
    return False


def _joins_paths(node: ast.AST) -> bool:
    """A `/` beside a text or a folder joins paths."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in {"folder", "HERE", "YEARS", "parent"}
    return False


def found(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if broken(node):
            yield f"{path}:{getattr(node, 'lineno', '?')} {ast.unparse(node)}"


def test_no_fraction_comes_near_money() -> None:
    assert [hit for path in python(*ROOMS) if str(path) not in SECONDS for hit in found(path)] == []


def test_no_file_is_excused_that_needs_no_excuse() -> None:
    assert [name for name in SECONDS if not list(found(Path(name)))] == []


def test_the_rule_sees_what_it_forbids() -> None:
    forbidden = (
        "1.5",
        "float(x)",
        "from decimal import Decimal",
        "import decimal",
        "a / b",
        "round(a)",
        "a /= 2",
        "x.Decimal",
    )

    for line in forbidden:
        assert any(broken(node) for node in ast.walk(ast.parse(line))), line
    for line in ("a // b", "folder / 'a.pem'", "15", "'1.5'"):
        assert not any(broken(node) for node in ast.walk(ast.parse(line))), line
