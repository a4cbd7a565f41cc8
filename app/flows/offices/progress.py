"""How far the collection has come, village by village; and who of a village is still to do, as a list to work with."""

from collections.abc import Sequence
from datetime import timedelta

from app.access import disclosures
from app.access.sessions import Officer
from app.documents.spreadsheet import Cell, as_csv, as_xlsx
from app.flows.due.coverage import Row, coverage, left_in
from app.flows.offices.people import NobodyFound, allow_reading, good_reason
from app.flows.parts import Parts
from app.flows.village.people import TITLES, villagers_in
from app.flows.village.people import villages as named_villages
from app.policy.facts import Insurance
from app.policy.year import NoSuchYear
from app.registry.find import Subject
from core.clock import beijing
from core.redact import mask_name, mask_phone

WEEK = timedelta(days=7)
HEAD = (
    *("镇街", "村（居）", "险种", "登记人数", "应参保", "已缴费", "不用交已办好", "还没办", "登记正在核对"),
    *("不在这里交", "其中核实在外地交了", "办好率", "近七天办好"),
)


def progress(parts: Parts, officer: Officer, *, year: int | None = None) -> list[Row]:
    """Every village of the officer's towns, both insurances, by code; of a levy year that is or was collected, the
    newest where none is said. NoSuchYear."""
    towns = sorted(officer.towns)
    return coverage(parts, since=parts.clocks.now() - WEEK, towns=towns, year=collected(parts, year))


def collected(parts: Parts, year: int | None) -> int:
    """This levy year if it is or was collected here, the newest for None. NoSuchYear."""
    if year is not None and year not in parts.levy.ever.all:
        raise NoSuchYear(str(year))
    return parts.levy.years.newest if year is None else year


def totals(rows: Sequence[Row]) -> list[Row]:
    """The same for all of them together, one line an insurance. Pure."""
    return [
        _total(own, insurance) for insurance in TITLES if (own := [row for row in rows if row.insurance == insurance])
    ]


def progress_file(parts: Parts, officer: Officer, kind: str, *, year: int | None = None) -> bytes:
    """The table as XLSX or CSV. No person is in it. NoSuchYear."""
    rows = [
        (
            *(row.town, row.village, TITLES[Insurance(row.insurance)], row.everybody, row.due, row.paid, row.free),
            *(row.left, row.doubted, row.excluded, row.elsewhere, row.rate, row.week),
        )
        for row in progress(parts, officer, year=year)
    ]
    return _file(kind, f"{collected(parts, year)}年参保缴费进度", HEAD, rows, _mark(parts, officer))


def to_do_file(
    parts: Parts,
    officer: Officer,
    village_code: str,
    kind: str,
    *,
    reason: str,
    phones: bool = False,
    year: int | None = None,
) -> bytes:
    """Who of a village is still to do for a levy year (the newest), for whoever goes from door to door: names masked,
    households whole, phones masked unless they are asked for (`phones`). It is written down who took it and why.

    BadReadingReason, NobodyFound, TooOften, NoSuchYear."""
    why, asked = good_reason(reason), collected(parts, year)
    if (officer.towns and village_code[:9] not in officer.towns) or not named_villages(parts, [village_code]):
        raise NobodyFound
    allow_reading(parts, officer)
    noted = f"{why}（带完整手机号）" if phones else why
    with parts.engine.begin() as connection:
        disclosures.note(connection, session=officer.session, reason=noted, at=parts.clocks.wall(), place=village_code)
    left = left_in(parts, village_code, year=asked)
    to_do = [line for line in villagers_in(parts, village_code, asked) if line.subject.id in left]
    rows = [
        (
            line.subject.household_number,
            mask_name(line.subject.name),
            line.subject.relation_to_head,
            line.words if line.year_open else "现在不能交",
            line.due_words,
            "外出" if line.subject.is_migrant else "",
            _phone(parts, line.subject, whole=phones),
        )
        for line in to_do
    ]
    return _file(
        kind,
        f"{asked}年还没办的",
        ("户号", "姓名", "关系", "状态", "要交", "是否外出", "手机号"),
        rows,
        _mark(parts, officer),
    )


def _phone(parts: Parts, subject: Subject, *, whole: bool) -> str:
    if subject.phone_sealed is None:
        return "没有登记"
    number = parts.vault.open(subject.phone_sealed, bound_to=f"person.phone:{subject.id}")
    return number if whole else mask_phone(number)


_SUMS = ("due", "paid", "free", "doubted", "excluded", "elsewhere", "week")


def _total(rows: Sequence[Row], insurance: str) -> Row:
    sums = {name: sum(getattr(row, name) for row in rows) for name in _SUMS}
    return Row(town="合计", village="", village_code="", insurance=insurance, **sums)


def _mark(parts: Parts, officer: Officer) -> str:
    return f"{officer.login} 于 {beijing(parts.clocks.now()):%Y-%m-%d %H:%M} 导出，只供办公使用"


def _file(kind: str, name: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], mark: str) -> bytes:
    return as_csv(head, rows, mark=mark) if kind == "csv" else as_xlsx(name, head, rows, mark=mark)
