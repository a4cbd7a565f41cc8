"""A levy year as a document that whoever signs it can read: tables in plain Chinese, the same for the terminal, the
page and the paper; and what changed against another year, line by line. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from app.policy.assumed import Assumed
from app.policy.facts import Insurance
from app.policy.lines import chinese_day
from app.policy.terms import Mode, PolicyYear
from app.policy.told_examples import example_row
from app.policy.told_medical import medical_rows
from app.policy.told_pension import pension_rows
from app.policy.told_who import Row, in_yuan
from app.policy.words import phrases
from app.policy.year import Written
from core.clock import beijing

_ORDER = (  # of the tables, whichever of the two insurances the year has
    *("changes", "source", "dates", "prices", "windows", "late", "gap", "newborn", "grounds", "funds", "medical"),
    *("pension", "tiers", "bands", "substitute", "extras", "bonus", "channels", "campaign", "examples", "clauses"),
    "assumed",
)
_ORDERED = frozenset({"prices", "windows", "late", "newborn", "grounds", "substitute"})  # the first that fits counts
_LONG = frozenset({"examples", "clauses"})  # new or gone is said in one word
_MOVES = frozenset({("examples", "什么人"), ("examples", "哪天、哪里交")})  # with the year, and change nothing
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT = re.compile(r"[0-9]+_[0-9]{2}")
_INSIDE = re.compile(r"(\w+) = (\[[^\]]*\]|\"[^\"]*\"|[^,} ]+)")


@dataclass(frozen=True)
class Table:
    """Rows under their columns; the first column names the row. Without rows there is nothing of it in the year."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Document:
    """A year in words. `note` beside the title, empty if there is nothing to say; `sign`: the line to sign on."""

    year: int
    title: str
    note: str
    tables: tuple[Table, ...]
    sign: str


def tell(
    written: Written, *, against: Written | None = None, departments: Mapping[str, str] = MappingProxyType({})
) -> Document:
    """The whole year; with `against` first what changed since that one. `departments`: the district's names of those
    that pay, by the codes of the file; a code that has none stands for itself."""
    rules, words = written.rules, phrases("told")
    tables = _tables(written, departments)
    note = ""
    if against is not None:
        other = against.rules.year
        note = words["against"].format(other=other, year=rules.year)
        changed = tuple(_changes(_tables(against, departments), tables))
        tables = [_table("changes", changed, other=other), *tables]
    return Document(
        rules.year,
        words["title"].format(place=rules.source.district, year=rules.year, what=_what(rules)),
        note,
        tuple(tables),
        words["sign"],
    )


def in_lines(document: Document) -> Iterator[str]:
    """The same as text, a line for each row."""
    yield document.title
    if document.note:
        yield document.note
    for table in document.tables:
        yield ""
        yield f"══ {table.title} ══"
        if not table.rows:
            yield phrases("told")["nothing"]
        for name, *cells in table.rows:
            if len(cells) == 1:
                yield f"  ● {name}：{cells[0]}"
            else:
                told = [f"{column}：{cell}" for column, cell in zip(table.columns[1:], cells, strict=True) if cell]
                yield f"  ● {name}　{'；'.join(told)}"
    yield ""
    yield document.sign


def _what(rules: PolicyYear) -> str:
    offered = [insurance for insurance in Insurance if rules.offers(insurance)]
    return phrases("told")["both"] if len(offered) > 1 else phrases("names")[offered[0]]


def _tables(written: Written, departments: Mapping[str, str]) -> list[Table]:
    rules = written.rules
    rows: dict[str, list[Row]] = {
        "source": _source(rules),
        "dates": [(name, chinese_day(getattr(rules.dates, key))) for key, name in phrases("told_dates").items()],
        "channels": [(phrases("told")[mode], _channels(rules, mode)) for mode in Mode],
        "campaign": _campaign(rules),
        "examples": [example_row(example, rules) for example in written.examples],
        "clauses": [
            (number, clause.place or phrases("told")["district_practice"], clause.words)
            for number, clause in rules.clauses.items()
        ],
        "assumed": [_assumed(each) for each in written.assumed],
    }
    if rules.has_medical:
        rows |= medical_rows(rules, rules.has_medical, departments)
    if rules.has_pension:
        rows |= pension_rows(rules, rules.has_pension, departments)
    return [_table(key, tuple(rows[key])) for key in _ORDER if key in rows]


def _table(key: str, rows: tuple[Row, ...], **filled: object) -> Table:
    title, *columns = phrases("told_tables")[key].format(**filled).split("|")
    assert all(len(row) == len(columns) for row in rows), key
    return Table(key, title, tuple(columns), rows)


def _source(rules: PolicyYear) -> list[Row]:
    words, source = phrases("told"), rules.source
    return [
        (words["number"], source.number),
        (words["document"], source.title),
        (words["issuer"], source.issuer),
        (words["printed"], chinese_day(source.printed)),
        (words["rules_of"], source.district if source.district == source.city else f"{source.city}{source.district}"),
    ]


def _channels(rules: PolicyYear, mode: Mode) -> str:
    words = phrases("told_channels")
    return "、".join(words.get(code, code) for code, by in rules.channels.items() if by is mode)


def _campaign(rules: PolicyYear) -> list[Row]:
    words, campaign = phrases("told"), rules.campaign
    until = beijing(campaign.receipts_until)
    rows = [
        (words["notice_days"], words["many_days"].format(days=campaign.notice_days)),
        (words["retained_warn_hours"], words["many_hours"].format(hours=campaign.retained_warn_hours)),
        (words["retained_red_hours"], words["many_hours"].format(hours=campaign.retained_red_hours)),
        (words["retained_red_amount"], in_yuan(campaign.retained_red_amount)),
        (words["order_minutes"], words["many_minutes"].format(minutes=campaign.order_minutes)),
        (words["receipts_until"], f"{chinese_day(until.date())} {until:%H:%M}"),
        (words["agents_by_roster"], words["yes_roster" if campaign.agents_by_roster else "no_roster"]),
        (words["agents_take_cash"], words["yes_cash" if campaign.agents_take_cash else "no_cash"]),
    ]
    if campaign.closing_until:
        rows.append((words["closing_until"], chinese_day(campaign.closing_until)))
    return rows


def _assumed(each: Assumed) -> Row:
    """'日程，医保补交最后一天', '2025年8月31日', and what the comment says."""
    words = phrases("told")
    place = "，".join(_key(part) for part in each.place.split(".")) if each.place else words["whole_file"]
    return place, value_words(each) if each.written else "", each.why


def value_words(each: Assumed) -> str:
    """What stands at a marked place: a day, an amount, or each key of a table with its own."""
    if not each.written:
        return phrases("told")["whole_file"]
    if len(each.written) == 1:
        return _said(next(iter(each.written.values())))
    return "，".join(f"{_key(key)}{_said(text)}" for key, text in each.written.items())


def _key(part: str) -> str:
    name, _, number = part.rstrip("]").partition("[")
    pattern = {**phrases("told_dates"), **phrases("told_keys")}.get(name, name)
    return pattern.format(n=int(number) + 1 if number else "")


def _said(text: str) -> str:
    """A value as it stands in the file: a day, an amount and a known word in words, a table inside key by key."""
    if _DAY.fullmatch(text):
        return chinese_day(date.fromisoformat(text))
    if _AMOUNT.fullmatch(text):
        return in_yuan(int(text))
    if text.startswith("{"):
        return "，".join(f"{_key(key)}{_said(inner)}" for key, inner in _INSIDE.findall(text))
    word = text.strip('"')
    return phrases("told_values").get(word, word)


def _changes(old: Sequence[Table], new: Sequence[Table]) -> Iterator[Row]:
    """Table, row and column, then the old words and the new ones."""
    was, now = ({table.key: table for table in tables} for tables in (old, new))
    for key in (key for key in _ORDER if key in was or key in now):
        table = now.get(key) or was[key]
        before, after = (_by_name(tables[key].rows) if key in tables else {} for tables in (was, now))
        for where, one, other in _changed_rows(table, before, after):
            yield table.title, where, one, other
        stay = [[name for name in rows if name in before and name in after] for rows in (before, after)]
        if key in _ORDERED and stay[0] != stay[1]:
            yield table.title, phrases("told")["order"], "、".join(before), "、".join(after)


def _changed_rows(table: Table, before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[Row]:
    words, columns = phrases("told"), table.columns[1:]
    for name in dict.fromkeys((*after, *before)):
        if name not in before:
            yield name, "", words["added"] + _short(table, after[name])
        elif name not in after:
            yield name, words["gone"] + _short(table, before[name]), ""
        else:
            for column, one, other in zip(columns, before[name], after[name], strict=True):
                if one != other and (table.key, column) not in _MOVES:
                    yield name if len(columns) == 1 else f"{name}：{column}", one, other


def _by_name(rows: Sequence[Row]) -> dict[str, Row]:
    """The first cell → the others; a name that stands twice is told apart by its number."""
    found: dict[str, Row] = {}
    words = phrases("told")
    for first, *cells in rows:
        # The rule for everybody else is the same one, whether or not others stand before it.
        name = words["everybody"] if first == words["others"] else first
        again = sum(each == name or each.startswith(f"{name}（第") for each in found)
        found[f"{name}（第{again + 1}条）" if again else name] = tuple(cells)
    return found


def _short(table: Table, cells: Row) -> str:
    if table.key in _LONG:
        return ""
    told = (
        cells
        if len(cells) == 1
        else [f"{name} {cell}" for name, cell in zip(table.columns[1:], cells, strict=True) if cell]
    )
    return f"：{'；'.join(told)}"
