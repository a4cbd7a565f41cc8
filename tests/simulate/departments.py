"""Departments hand lists of helped people in: rows that are wrong, people who paid, people on two lists; the same list
again; a row taken back. What each list must give and refuse is known to who wrote it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.builders import an_id_number
from tests.simulate.offices import Office
from tests.simulate.owed import MEDICAL, NOTICES
from tests.simulate.people import NAME

HEAD = ("序号", "姓名", "身份证号", "人员类别", "残疾等级/证号", "镇街", "代缴险种")
THEIRS: Mapping[str, Sequence[tuple[str, str, str]]] = {  # department → word, grade, category
    "civil": (("低保户", "", "DIBAO"), ("特困供养", "", "TEKUN")),
    "rural": (("脱贫户", "", "POVERTY"),),
    "cdpf": (("残疾", "一级", "DIS1"), ("残疾", "二级", "DIS2")),
}
NOBODYS = ("优抚对象", "", "YOUFU")  # a category for which nobody pays
_OVER = "已经有人办过"
_COUNTS = re.compile(r"名单(\d+)：(\d+) 行，可以办 (\d+) 行，不能办 (\d+) 行")
_CODE = re.compile(r"（([A-Z_]+)） (\d+) 行")
_TAKEN = re.compile(r"名单(\d+)：办成 (\d+) 行，没有办成 (\d+) 行")


class Row(NamedTuple):
    """A row as it was written, and how it must fare: `code` None: it is good, and gives `person` a `category`."""

    number: str
    name: str
    word: str
    grade: str
    category: str
    person: int | None
    code: str | None


@dataclass
class List:
    """One that was taken in. `back`: rows of whom the department said that they were named by mistake; `ended`: how
    each failed row ended, by its place."""

    batch: int
    department: str
    year: int
    rows: Sequence[Row]
    path: object
    taken: int = 0
    back: set[int] = field(default_factory=set)
    ended: dict[int, str] = field(default_factory=dict)

    @property
    def failed(self) -> Mapping[int, Row]:
        """By place."""
        return {no: row for no, row in enumerate(self.rows, 1) if row.code}


class Departments(Office):
    """Who hands lists in."""

    name = "departments"

    def __init__(self, season: object) -> None:
        super().__init__(season)  # type: ignore[arg-type]
        self.lists: list[List] = []

    def act(self) -> None:
        """A list; or one that was handed in before, or a row of it taken back."""
        dice = self.chance.random()
        if self.lists and dice < 0.15:
            self._again(self.chance.choice(self.lists))
        elif self.lists and dice < 0.35:
            self._take_back(self.chance.choice(self.lists))
        else:
            self._hand_in()

    def judge(self) -> Mapping[str, Sequence[str]]:
        """Each list and row as it was handed in and led to its end."""
        return {**super().judge(), "lists as they were taken": self._lists(), "rows as they ended": self._rows()}

    # A list comes

    def _hand_in(self) -> None:
        department, year = self.chance.choice(sorted(THEIRS)), self.chance.choice(sorted(self.owed.open))
        rows = self._written(department, year)
        lines = [(no, r.name, r.number, r.word, r.grade, "榴园镇", "医疗") for no, r in enumerate(rows, 1)]
        path = self.a_file([("2022年度代缴人员名单",), HEAD, *lines, ("合计", len(lines))], "list")
        asked = ("--department", department, "--insurance", MEDICAL, "--year", year, "--by", department)
        said = self.ask("helped", "check", path, *asked)
        if self.today > NOTICES[year].normal_until:
            self.must("收到" in said and "为止" in said, f"a list after the normal price ended: {said}")
            return
        counted = _COUNTS.search(said)
        if not self.must(counted is not None, f"list of {department}: {said}"):
            return
        batch, *counts = map(int, counted.groups())  # type: ignore[union-attr]
        good = sum(row.code is None for row in rows)
        told = Counter({code: int(number) for code, number in _CODE.findall(said) if code in set(_codes(rows))})
        self.must(
            counts == [len(rows), good, len(rows) - good], f"list {batch}: {counts}, {good} of {len(rows)} are good"
        )
        self.must(told == Counter(_codes(rows)), f"list {batch} tells {told} of {Counter(_codes(rows))}")
        self._drop_what_was_struck(batch)
        if self.chance.random() < 0.1:
            self.ask("helped", "drop", batch, "--by", department)
        else:
            self._take(List(batch, department, year, rows, path))

    def _written(self, department: str, year: int) -> list[Row]:
        rows = [self._row(department, year) for _ in range(self.chance.randint(2, 5))]
        rows += [self._bad_row(department, year, rows, sort) for sort in self.chance.sample(range(6), 2)]
        self.chance.shuffle(rows)
        seen: set[tuple[str, str]] = set()
        for place, row in enumerate(rows):  # the second of two alike is the one too many
            if row.code in (None, "DUP_ROW"):
                double = (row.number, row.category) in seen
                rows[place] = row._replace(code="DUP_ROW" if double else None)
                seen.add((row.number, row.category))
        return rows

    def _row(self, department: str, year: int) -> Row:
        person, number = self.anybody()
        word, grade, category = self.chance.choice((*THEIRS[department], *THEIRS[department], NOBODYS))
        code = None
        if person in self.owed.dead:
            code = "DECEASED"
        elif (person, MEDICAL, year) in self.owed.elsewhere:
            code = "DUP_ELSEWHERE"
        elif person in self.owed.ended.get(year, ()):
            code = "NOT_REGISTERED"
        return Row(number, NAME, word, grade, category, person, code)

    def _bad_row(self, department: str, year: int, rows: Sequence[Row], sort: int) -> Row:
        row = self._row(department, year)
        stranger = an_id_number(sequence=900 + self.chance.randrange(90))
        other = next(each for each in sorted(THEIRS) if each != department)
        word, grade, category = THEIRS[other][0]
        return (
            row._replace(
                number=row.number[:-1] + ("0" if row.number[-1] != "0" else "1"), code="ID_CHECKSUM", person=None
            ),
            row._replace(number=stranger, code="NOT_REGISTERED", person=None),
            row._replace(name="李示范", code="NAME_ID_MISMATCH"),
            row._replace(word="好人", grade="", code="CATEGORY_UNKNOWN"),
            row._replace(word=word, grade=grade, category=category, code="NOT_YOURS"),
            self.chance.choice(rows),
        )[sort]

    def _drop_what_was_struck(self, batch: int) -> None:
        """A list that was judged and whose number nobody heard: he finds it in his list, and throws it away."""
        for row in self.stage.eye.execute(_WAITING, (batch,)).fetchall():
            self.ask("helped", "drop", row.id, "--by", row.department)

    def _take(self, one: List) -> None:
        said = self.ask("helped", "take", one.batch, "--by", one.department)
        good = sum(row.code is None for row in one.rows)
        taken = _TAKEN.search(said)
        fits = taken is not None and list(map(int, taken.groups())) == [one.batch, good, len(one.rows) - good]
        self.must(fits or "以前办过" in said, f"list {one.batch} taken: {said}")
        one.taken = self.now
        for row in one.rows:
            if row.code is None and row.person is not None:
                self.owed.gives(one.year, row.person, one.batch, {row.category}, self.now)
        self.lists.append(one)
        self.season.later(self.chance.uniform(20, 4000), lambda: self._lead(one))

    # What follows

    def _lead(self, one: List) -> None:
        """The people of its failed rows are told, each row is ended, the list closed."""
        by = ("--by", one.department)
        for no, row in one.failed.items():
            told = self.ask("helped", "told", one.batch, no, "--how", self.chance.choice(("phone", "visit")), *by)
            gives_up = self.chance.random() < 0.5
            end = self.ask("helped", "end", one.batch, no, "--why", "本人知道了", *["--give-up"] * gives_up, *by)
            one.ended[no] = "GIVEN_UP" if gives_up else "RESOLVED"
            if _OVER in told and _OVER in end and (row.code == "DUP_ROW" or self._settled_meanwhile(one, row)):
                one.ended[no] = "RESOLVED"
            self.must(_OVER in told + end or told == end == "已记下。", f"list {one.batch} row {no}: {told} {end}")
        self.must("已办结" in self.ask("helped", "close", one.batch, *by), f"list {one.batch} is not closed")

    def _settled_meanwhile(self, one: List, row: Row) -> bool:
        """A later list of the same department took the same number in, and he has what this row asked for."""
        later = [each for each in self.lists if each.batch > one.batch
                 and (each.department, each.year) == (one.department, one.year)]  # fmt: skip
        asked = set() if row.code == "CATEGORY_UNKNOWN" else {row.category}
        return any(
            other.code is None
            and other.number == row.number
            and asked <= self.owed.categories(one.year, other.person or 0)
            for each in later
            for other in each.rows
        )

    def _again(self, one: List) -> None:
        if self.today > NOTICES[one.year].normal_until or one.year not in self.owed.open:
            return
        asked = ("--department", one.department, "--insurance", MEDICAL, "--year", one.year, "--by", one.department)
        said = self.ask("helped", "check", one.path, *asked)
        self.must(f"已经办过了（名单{one.batch}）" in said, f"the same list as {one.batch}: {said}")

    def _take_back(self, one: List) -> None:
        """Somebody was named by mistake: not once he settled by it."""
        given = [row for row in one.rows if row.code is None and row.person not in one.back]
        if not given:
            return
        row = self.chance.choice(given)
        assert row.person is not None
        used = self.stage.eye.execute(_USED, (row.person, one.year, one.department)).fetchone() is not None
        asked = ("--insurance", MEDICAL, "--why", "报错了人", "--by", one.department)
        said = self.ask("helped", "back-out", one.batch, *asked, typed=f"{row.number}\n")
        if used:
            self.must("今年不收回" in said, f"list {one.batch} of {row.person} is used: {said}")
        elif self.must("已收回" in said or "已经收回了" in said, f"list {one.batch} of {row.person}: {said}"):
            one.back.add(row.person)
            self.owed.takes_back(one.year, row.person, one.batch, self.now)

    # The judgement

    def _lists(self) -> list[str]:
        held = {row.id: row for row in self.stage.eye.execute(_LISTS).fetchall()}
        ours = {one.batch: (one.department, one.year, len(one.rows), len(one.failed)) for one in self.lists}
        theirs = {row.id: (row.department, row.levy_year, row.rows, row.failed) for row in held.values()}
        wrong = [f"list {one}: {theirs.get(one)}, not {ours.get(one)}" for one in ours.keys() | theirs.keys()
                 if ours.get(one) != theirs.get(one)]  # fmt: skip
        given = {(row.person_id, row.levy_year, row.code) for row in self.stage.eye.execute(_GIVEN).fetchall()}
        said = {(who, year, code) for (year, who), held_ in self.owed.helped.items() for _, code in held_}
        return wrong + [f"category {each} of {len(given ^ said)}" for each in sorted(given ^ said)]

    def _rows(self) -> list[str]:
        wrong = []
        states = {(row.batch_id, row.no): row.state for row in self.stage.eye.execute(_ROWS).fetchall()}
        ours = {(one.batch, no): state for one in self.lists for no, state in one.ended.items()}
        wrong += [f"row {key}: {states.get(key)}, not {ours.get(key)}" for key in sorted(states.keys() | ours.keys())
                  if states.get(key) != ours.get(key)]  # fmt: skip
        return wrong


def _codes(rows: Sequence[Row]) -> list[str]:
    return [row.code for row in rows if row.code]


_WAITING = "select id, department from special_batch where state = 'VALIDATED' and id <> %s order by id"
_USED = """
select 1 from bill l where l.person_id = %s and l.levy_year = %s and l.insurance = 'RES_MEDICAL' and l.state = 'settled'
   and (exists (select from bill_line x where x.household_id = l.household_id and x.bill_id = l.id
                   and x.part = 'gov_substitute' and split_part(x.payer, ':', 1) = %s)
        or exists (select from refund_bill k where k.household_id = l.household_id and k.bill_id = l.id and k.live
                      and k.replacement is not null))"""
_LISTS = """
select b.id, b.department, b.levy_year, b.rows,
       (select count(*) from special_row r where r.batch_id = b.id and r.state <> 'OK') as failed
  from special_batch b where b.taken_by is not null"""
_GIVEN = "select person_id, levy_year, code from helped_category"
_ROWS = "select batch_id, no, state from special_row where state <> 'OK'"
