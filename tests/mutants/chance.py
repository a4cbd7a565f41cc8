"""Mistakes nobody chose: small changes at places picked by chance in the code that handles money.

In Python and in SQL alike one comparison, conjunction, sign, number or statement is another one. Each draws its lot
from the seed and the words of its own line: a seed's mistakes stay while the code around them changes or moves."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from hashlib import sha256
from operator import itemgetter
from pathlib import Path

from tests.house.tree import files, words
from tests.mutants.catalogue import MONEY, NO_MISTAKES, Mutant, Room

_SQL = re.compile(
    r"(?P<skip>--[^\n]*|'(?:[^']|'')*'|\$\$|:=|=>|->>?|::|#>>?|\$\d+|%%?\w?|\bhas_\w+)"
    r"|(?P<is_not_null>\bis not null\b)|(?P<is_null>\bis null\b)|(?P<distinct>\bis (?:not )?distinct from\b)"
    r"|(?P<not_exists>\bnot exists\b)|(?P<exists>(?<!if )\bexists(?= \())|(?P<and>\band\b)|(?P<or>(?<!create )\bor\b)"
    r"|(?P<true>\btrue\b)|(?P<false>\bfalse\b)|(?P<min>\bmin\()|(?P<max>\bmax\()"
    r"|(?P<perform>\bperform [^;]*;)"
    r"|(?P<ne><>)|(?P<le><=)|(?P<ge>>=)|(?P<lt><)|(?P<gt>>)|(?P<eq>=)|(?P<plus> \+ )|(?P<minus> - )"
    r"|(?P<number>(?<![\w.:(\[])\b\d{1,6}\b(?![\w.:\]]))"
)
_SQL_INSTEAD = {
    "is_not_null": "is null", "is_null": "is not null", "not_exists": "exists", "exists": "not exists", "and": "or",
    "or": "and", "true": "false", "false": "true", "min": "max(", "max": "min(", "perform": "null;", "ne": "=",
    "le": "<", "ge": ">", "lt": "<=", "gt": ">=", "eq": "<>", "plus": " - ", "minus": " + ",
}  # fmt: skip
_CLAUSE = re.compile(r"\b(?:set|where|and|or|on|when|then|else|if|select|using|having|case|end|not|;)\b")
_IS_SQL = re.compile(r"^\s*(select|insert|update|delete|with)\b|\bwhere\b|^ (from|join|on|and|where|order)\b")
_OPERATORS = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.In: "not in",
    ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is", ast.And: "or", ast.Or: "and", ast.Add: "-", ast.Sub: "+",
    ast.Mult: "//", ast.FloorDiv: "*",
}  # fmt: skip


def mistakes(wanted: int, seed: int) -> Sequence[Mutant]:
    """`wanted` mistakes at places picked by `seed`, none that is known to be no mistake."""
    drawn = []
    alike: Counter[tuple[str, ...]] = Counter()
    for room in MONEY:
        for path in _of(room):
            for words_of_it, mistake in _in(path, room):
                alike[words_of_it] += 1
                lot = sha256(repr((seed, words_of_it, alike[words_of_it])).encode()).digest()
                drawn.append((lot, mistake))
    return [mistake for _, mistake in sorted(drawn, key=itemgetter(0))[:wanted]]


def _of(room: Room) -> list[Path]:
    named = [path for path in files() if any(fnmatch(path.as_posix(), pattern) for pattern in room.files)]
    assert named, f"no file is {room.files}"
    return sorted(named)


def _in(path: Path, room: Room) -> Iterator[tuple[tuple[str, ...], Mutant]]:
    """Each mistake of a file, with the words by which it draws its lot."""
    written = words(path)
    found = _python(written) if path.suffix == ".py" else _sql(written, 0)
    for begin, end, instead in sorted(found):
        old, new = _widened(written, begin, end, instead)
        line = written.count("\n", 0, begin) + 1
        name = f"{path}:{line} {_short(written[begin:end])} → {_short(instead)}"
        said = _line(written, begin)
        if (path.as_posix(), said, instead.strip()) not in NO_MISTAKES:
            yield (said, written[begin:end], instead), Mutant(name, path.as_posix(), old, new, room.told)


def _short(said: str) -> str:
    return " ".join(said.split())[:60]


def _line(written: str, place: int) -> str:
    return written[written.rfind("\n", 0, place) + 1 :].partition("\n")[0].strip()


def _widened(written: str, begin: int, end: int, instead: str) -> tuple[str, str]:
    """The change with as many lines around it as make its place the only one."""
    first, last = begin, end
    while written.count(written[first:last]) > 1:
        first = max(0, written.rfind("\n", 0, max(0, first - 1)))
        last = written.find("\n", last + 1) % (len(written) + 1)
    return written[first:last], written[first:begin] + instead + written[end:last]


def _sql(written: str, offset: int) -> Iterator[tuple[int, int, str]]:
    for match in _SQL.finditer(written):
        kind = match.lastgroup or ""
        if kind == "eq" and _assigns(written[: match.start()]):
            continue
        if kind in _SQL_INSTEAD:
            instead = _SQL_INSTEAD[kind]
        elif kind == "distinct":
            instead = "is distinct from" if "not" in match[0] else "is not distinct from"
        elif kind == "number":
            instead = str(int(match[0]) + 1)
        else:
            continue
        yield offset + match.start(), offset + match.end(), instead


def _assigns(before: str) -> bool:
    """Does the = behind this give a column its value?"""
    word = ""
    for found in _CLAUSE.finditer(before[-600:]):
        word = found[0]
    return word in ("set", "end")


def _python(written: str) -> Iterator[tuple[int, int, str]]:
    starts = [0]
    for line in written.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    source = written.encode()

    def place(node: ast.AST) -> tuple[int, int]:
        begin = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return len(source[:begin].decode()), len(source[:end].decode())

    tree = ast.parse(written)
    spoken = _spoken(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _between(written, place(node.left)[1], place(node.comparators[0])[0], node.ops[0])
        elif isinstance(node, ast.BoolOp):
            yield from _between(written, place(node.values[0])[1], place(node.values[1])[0], node.op)
        elif isinstance(node, ast.BinOp):
            yield from _between(written, place(node.left)[1], place(node.right)[0], node.op)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield place(node)[0], place(node)[0] + len("not "), ""
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield *place(node), "pass"
        elif isinstance(node, ast.Constant) and id(node) not in spoken:
            yield from _constant(written, *place(node), node.value)


def _spoken(tree: ast.AST) -> set[int]:
    """Values that do nothing: docstrings, and whether a value may be changed, which no code tries."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) or (isinstance(node, ast.keyword) and node.arg == "frozen")
    }


def _between(written: str, begin: int, end: int, operator: ast.AST) -> Iterator[tuple[int, int, str]]:
    """The operator that stands between two operands, as another one; brackets around it stay."""
    instead = _OPERATORS.get(type(operator))
    found = re.search(r"not\s+in|is\s+not|[=!<>]=|//|\band\b|\bor\b|\bin\b|\bis\b|[<>+*-]", written[begin:end])
    if instead and found:
        yield begin + found.start(), begin + found.end(), instead


def _constant(written: str, begin: int, end: int, value: object) -> Iterator[tuple[int, int, str]]:
    if isinstance(value, bool):
        yield begin, end, str(not value)
    elif isinstance(value, int):
        yield begin, end, str(value + 1)
    elif isinstance(value, str) and _IS_SQL.search(value):
        yield from _sql(written[begin + 1 : end - 1], begin + 1)
