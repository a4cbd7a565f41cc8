"""One row of the enrolment file, judged. Pure: no database, no clock; what only the register knows is judged later.

Four hundred thousand rows pass here: what recurs is read once and remembered (cells.Memo)."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.registry import cells as read
from app.registry.cells import Bad, Memo, words
from app.registry.codes import ALIVE, CHANGE, FAMILY, INSURANCE, RESIDENCE, SCHOOL, SEX, STATUS, YES_NO
from app.registry.columns import FIELDS
from app.registry.identity import (
    CHECK,
    EARLIEST_YEAR,
    WEIGHTS,
    birth_date_of,
    clean_id_number,
    clean_name,
    id_number_problem,
    invisible,
    is_certificate,
    new_name_problem,
)
from app.registry.no_names import NONE, TWO_NAMES
from app.registry.seen import Seen
from app.registry.workbook import DAY_0

_ROW = (1 << 40) - 1
# Nearly every name; what ends like a note or has a letter that stands for a lost one is looked at closely.
_PLAIN_NAME = re.compile(r"(?!.*[囗锟])[\u4e00-\u9fa5]{1,3}(?![故世亡出迁走主销复废定某子女妻夫])[\u4e00-\u9fa5]")
_AS_NUMBER = re.compile(r"[0-9](?:\.[0-9]{1,17})?[Ee]\+?1[4-7]|[1-9][0-9]{14}000|[0-9]{18}\.0{1,4}")


@dataclass(slots=True)
class Row:
    """A row that can be right. None in a person's field: the file does not say. Months are yyyymm, the tier is fen,
    `elsewhere` is codes joined by | or 'none', `change` is ADD, UPDATE, END or ''; `permit_to` is the last day of the
    residence permit (an accompanying child's: the parent's), `parent` the parent's identity number; `medical_years` are
    the levy years with the medical insurance, () none."""

    table: str
    number: int
    id_number: str
    name: str
    birth_date: date
    sex: int
    residence: str
    alive: bool
    insurance: str
    status: str
    village_code: str
    household_no: str
    source_person_no: str
    pay_from: str
    pay_to: str
    categories: tuple[str, ...]
    last_tier: int | None
    relation: str | None
    mobile: str | None
    change: str
    student: bool | None
    is_migrant: bool | None
    employee_insured: bool
    elsewhere: str
    family_type: str | None
    spouse_birth: date | None
    permit_to: date | None
    parent: str | None
    school: str | None
    medical_years: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one cell: the field, the failure's code, and the words its sentence needs."""

    field: str
    code: str
    words: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Collects:
    """What is collected for the levy year that a file is about: the insurances, and the groups that only this year
    names, code → words."""

    year: int
    insurances: Collection[str] = frozenset(INSURANCE.values())
    groups: Mapping[str, str] = field(default_factory=dict)


_BAD = object()


class Judge:
    """Judges the rows of one file. Remembers whom it has passed, so that a second row of the same person and
    insurance is found (about 40 bytes a row). `today` is the Beijing date after which nobody is born, `day_0` what the
    file means by day number 0."""

    def __init__(self, villages: Collection[str], collects: Collects, *, today: date, day_0: date = DAY_0) -> None:
        self._villages, self._collects = villages, collects
        self._today, self._day_0 = today, day_0
        self._seen = Seen()
        self._tables: dict[str, int] = {}
        self._births = Memo(self._born)
        self._areas = Memo(lambda part: _weigh(part, 0))
        self._orders = Memo(lambda part: _weigh(part, 14))
        self._days = Memo(lambda cell: read.day(cell, today=today, day_0=day_0))
        self._readers: tuple[Callable[[Any], Any], ...] = tuple(
            reader.__getitem__ if isinstance(reader, Memo) else reader
            for reader in (self._reader(field) for field in FIELDS)
        )

    def _reader(self, field: str) -> Memo | Callable[[Any], Any]:
        yes_no = words(YES_NO, "YES_NO_UNKNOWN")
        return {
            "source_person_no": read.person_no,
            "id_type": Memo(read.id_type),
            "id_number": self._id_number,
            "name": name_of,
            "sex": words(SEX, "SEX_UNKNOWN"),
            "birth_date": self._days,
            "residence": words(RESIDENCE, "RESIDENCE_UNKNOWN"),
            "alive_status": words(ALIVE, "ALIVE_UNKNOWN"),
            "insurance": words(INSURANCE, "INSURANCE_UNKNOWN"),
            "insured_status": words(STATUS, "STATUS_UNKNOWN"),
            "pay_from": Memo(read.month),
            "pay_to": Memo(read.month),
            "categories": Memo(lambda cell: read.categories(cell, self._collects.groups)),
            "last_tier": Memo(read.tier),
            "village_code": Memo(self._village),
            "household_no": Memo(read.household),
            "relation_to_head": Memo(read.short_text),
            "mobile": read.mobile,
            "change_type": words(CHANGE, "CHANGE_UNKNOWN"),
            "student": yes_no,
            "is_migrant": yes_no,
            "employee_insured": yes_no,
            "insured_elsewhere": Memo(read.elsewhere),
            "family_type": words(FAMILY, "FAMILY_UNKNOWN"),
            "spouse_birth": self._days,
            "residence_permit_valid_to": Memo(lambda cell: read.day(cell, today=date.max, day_0=self._day_0)),
            "parent_id_number": self._parent,
            "school": words(SCHOOL, "SCHOOL_UNKNOWN"),
            "medical_years": Memo(lambda cell: read.years(cell, last=self._collects.year)),
        }[field]

    def read(self, picked: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...] | None]:
        """What the cells of many rows say, None for a row with a bad one; each row in the order of FIELDS. Column by
        column: a call for a column costs less than half of a call for each of its cells."""
        columns, bad = [], set()
        for reader, cells in zip(self._readers, zip(*picked, strict=True), strict=True):
            try:
                columns.append(list(map(reader, cells)))
            except Bad:
                columns.append([_or_bad(reader, cell) for cell in cells])
                bad |= {at for at, value in enumerate(columns[-1]) if value is _BAD}
        return [None if at in bad else values for at, values in enumerate(zip(*columns, strict=True))]

    def judge(
        self, table: str, number: int, picked: tuple[Any, ...], values: tuple[Any, ...] | None
    ) -> Row | list[Wrong]:
        """The row, or everything that is wrong with it. `values` as `read` gave them of `picked`, `table` the sheet's
        name."""
        if values is None:
            return self._all_wrong(picked)
        row, wrong = self._row(table, number, values)
        if wrong:
            return wrong
        here = self._tables.setdefault(table, len(self._tables)) << 40 | number
        former = self._seen.first(int(row.id_number[:17]) * 2 + (row.insurance == "RES_MEDICAL"), here)
        if former != here:
            sheet = f"“{list(self._tables)[former >> 40]}”" if table else ""
            return [Wrong("id_number", "DUP_ROW", {"where": f"{sheet}第{former & _ROW}行"})]
        return row

    def _row(self, table: str, number: int, values: tuple[Any, ...]) -> tuple[Row, list[Wrong]]:
        person_no, _, id_number, name, sex, birth, residence, alive, insurance, status = values[:10]
        pay_from, pay_to, categories, tier, village, household, relation, mobile, change = values[10:19]
        student, migrant, employee, elsewhere, family, spouse, permit_to, parent, school, years = values[19:]
        born, own_sex = self._births[id_number[6:14]][1], 1 if id_number[16] in "13579" else 2
        row = Row(  # in the order of its fields; by name it would cost twice as much
            *(table, number, id_number, name, born, own_sex, residence, alive, insurance),
            *("ENDED" if change == "END" else status, village, household, person_no, pay_from, pay_to, categories),
            *(tier, relation, mobile, change),
            *(True if school not in (None, "none") and student is None else student, migrant, bool(employee)),
            *(elsewhere, family, spouse, permit_to, parent, school, years),
        )
        wrong = []
        if insurance not in self._collects.insurances:
            wrong.append(Wrong("insurance", "INSURANCE_NOT_COLLECTED", {}))
        if birth is not None and birth != born:
            wrong.append(Wrong("birth_date", "BIRTH_MISMATCH", {}))
        if sex is not None and sex != own_sex:
            wrong.append(Wrong("sex", "SEX_MISMATCH", {}))
        if not alive and row.status != "ENDED":
            wrong.append(Wrong("alive_status", "DECEASED", {}))
        if pay_from and pay_to and pay_to < pay_from:
            wrong.append(Wrong("pay_to", "PERIOD_BACKWARDS", {}))
        if parent and parent[6:14] >= id_number[6:14]:
            wrong.append(Wrong("parent_id_number", "PARENT_NOT_OLDER", {}))
        if student is False and school not in (None, "none"):
            wrong.append(Wrong("school", "SCHOOL_NO_STUDENT", {}))
        if years is not None and insurance != "RES_MEDICAL":
            wrong.append(Wrong("medical_years", "YEARS_OF_MEDICAL", {}))
        return row, wrong

    def _all_wrong(self, picked: tuple[Any, ...]) -> list[Wrong]:
        wrong = []
        for name, reader, cell in zip(FIELDS, self._readers, picked, strict=True):
            try:
                reader(cell)
            except Bad as bad:
                code = "CELL_ERROR" if read.shows_error(cell) else bad.code
                wrong.append(Wrong(name, code, bad.words))
        return wrong

    def _id_number(self, cell: Any) -> str:
        """Nearly every number is right: three look-ups and a sum say so. The others are asked what is wrong."""
        try:
            total = self._areas[cell[:6]] + self._births[cell[6:14]][0] + self._orders[cell[14:17]]
        except (TypeError, ValueError):
            return id_number_of(cell, today=self._today)
        return str(cell) if CHECK[total % 11] == cell[17:] else id_number_of(cell, today=self._today)

    def _parent(self, cell: Any) -> str | None:
        return self._id_number(cell) if read.plain(cell) else None

    def _born(self, part: str) -> tuple[int, date]:
        born = birth_date_of("......" + part)
        if born is None or not born.year >= EARLIEST_YEAR or born > self._today:
            raise ValueError
        return _weigh(part, 6), born

    def _village(self, cell: Any) -> str:
        code = read.plain(cell)
        if code in self._villages:
            return code
        raise Bad("VILLAGE_UNKNOWN" if code else "EMPTY")


def _or_bad(reader: Callable[[Any], Any], cell: Any) -> Any:
    try:
        return reader(cell)
    except Bad:
        return _BAD


def id_number_of(cell: Any, *, today: date) -> str:
    """A cell's identity number, clean and right; Bad says what is wrong with it."""
    if isinstance(cell, int | float):
        raise Bad("ID_AS_NUMBER")
    number = clean_id_number(str(cell))
    if not number:
        raise Bad("EMPTY")
    if invisible(number):
        raise Bad("TEXT_INVISIBLE")
    problem = id_number_problem(number, today=today)
    if problem and _AS_NUMBER.fullmatch(number):
        raise Bad("ID_AS_NUMBER")
    if problem:
        raise Bad("ID_15" if len(number) == 15 and number.isdecimal() else problem)
    return number


def identity_of(cell: Any, *, today: date) -> str:
    """A cell's identity number or birth certificate's, clean and right; Bad says what is wrong with it."""
    number = clean_id_number(str(cell))
    return number if is_certificate(number) else id_number_of(cell, today=today)


def name_of(cell: Any) -> str:
    """A cell's name, clean; Bad says what is wrong with it."""
    if isinstance(cell, str) and _PLAIN_NAME.fullmatch(cell) and cell not in NONE:
        return cell
    text = read.plain(cell) if not isinstance(cell, str) else cell
    if TWO_NAMES.fullmatch(text.strip()):
        raise Bad("NAME_SEVERAL")
    name = clean_name(text)
    if problem := new_name_problem(name):
        raise Bad("EMPTY" if problem == "NAME_EMPTY" else problem)
    return name


def _weigh(digits: str, start: int) -> int:
    """The part of the check sum that these digits make at their place; ValueError if they are none."""
    if not (digits.isascii() and digits.isdecimal()) or (start == 0 and digits[0] == "0"):
        raise ValueError
    return sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS[start:], strict=False))
