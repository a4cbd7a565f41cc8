"""The repository as text and as syntax trees, for the rules a machine can check."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = ("app", "config", "core", "migrations", "notifications", "payments")
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository, committed or about to be, from its root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    found = (Path(name) for name in listed.split("\0") if name)
    return tuple(sorted(path for path in found if (ROOT / path).is_file()))


@cache
def words(path: Path) -> str:
    """The text of a file; empty for one that is none."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree(path: Path) -> ast.Module:
    """A Python file's syntax."""
    return ast.parse(words(path), str(path))


def python(*rooms: str) -> list[Path]:
    """Python files, in these folders only if any are named."""
    return [path for path in files() if path.suffix == ".py" and (not rooms or within(path, rooms))]


def shipped() -> list[Path]:
    """Python files of the program: no tests, and no versions, which are history."""
    return [path for path in python(*SHIPPED) if path.parent != Path("migrations/versions")]


def within(path: Path, rooms: tuple[str, ...]) -> bool:
    """Does the file lie in one of these folders, or is it one of them?"""
    return any(path == Path(room) or Path(room) in path.parents for room in rooms)


def functions(path: Path) -> Iterator[FUNCTIONS]:
    """Every function and method of a file, nested ones too."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, FUNCTIONS))


def public(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """(name, node) of the classes and functions at the top of a file and of the methods of its public classes."""
    for node in tree(path).body:
        if not isinstance(node, FUNCTIONS | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node.name, node
        for inner in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(inner, FUNCTIONS) and not inner.name.startswith("_"):
                yield f"{node.name}.{inner.name}", inner
