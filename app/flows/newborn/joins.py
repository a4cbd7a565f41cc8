"""Certificates and numbers to be joined, as the bureaus' desks see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, func, select, text

from app.access import disclosures
from app.access.sessions import Officer
from app.flows.newborn.desk import SEXES, Step
from app.flows.parts import Parts
from app.registry import find
from app.registry.find import Subject
from app.registry.newborns import Joining
from core.errors import NotFound
from core.money import plain_yuan
from core.redact import mask_id, mask_name

PAGE = 50
OPEN = ("offered", "asked")
WORDS = {
    "offered": "登记里另有一行，等看是不是同一个人",
    "asked": "等第二个人定",
    "done": "并好了",
    "refused": "不是同一个人",
    "withdrawn": "撤回了",
}
_HINDERS = {
    "payment": "有一笔正在付（{}）",
    "refund": "有一笔退费没有办完（{}）",
    "suspense": "有一笔待查款（{}）",
    "correction": "姓名正在更正（{}）",
    "determination": "有一件核定（{}）",
    "matter": "反映的一件事没有答复（{}）",
    "elsewhere": "核实过在外地交了（{}）",
    "list": "部门名单里有他（{}），请部门先收回",
    "pledge": "有一笔资助点名给他（{}）",
    "conflict": "还有登记冲突没有定（{}）",
    "newborn": "他名下有孩子的登记申请（{}）",
    "restricted": "有一个已限制处理（{}）",
}


class NoSuchJoiningPage(NotFound):
    """A number that none has."""

    text = "没有这件并号。"


@dataclass(frozen=True)
class Listed:
    """One as the list shows it, masked."""

    id: int
    name: str
    place: str
    born: str
    state: str
    offered: bool
    asked_by: str | None
    opened_at: datetime


@dataclass(frozen=True)
class Paid:
    """What one of the two rows has of its own."""

    who: str
    name: str
    place: str
    paid: Sequence[str]


@dataclass(frozen=True)
class One:
    """One in full, as it is compared with the paper. `differs`: what is not alike; `rows`: the two of the register, if
    the number is somebody's; `hinders`: what must end first; `goes_on`: whose row is kept."""

    head: Listed
    name: str
    number: str
    registered: str
    certificate: str
    differs: Sequence[str]
    proof: str
    why: str
    rows: Sequence[Paid]
    hinders: Sequence[str]
    goes_on: str
    steps: Sequence[Step]


def queue(parts: Parts, *, done: bool, page: int) -> tuple[list[Listed], int]:
    """A page of what is open, the oldest first, or of what is over, the latest first. And how many there are."""
    mine = _TABLE.c.state.not_in(OPEN) if done else _TABLE.c.state.in_(OPEN)
    order = _TABLE.c.id.desc() if done else _TABLE.c.id
    with parts.reading() as connection:
        count = connection.execute(select(func.count()).select_from(_TABLE).where(mine)).scalar_one()
        query = select(_TABLE).where(mine).order_by(order).limit(PAGE).offset((page - 1) * PAGE)
        rows = connection.execute(query).all()
        people = _people(parts, connection, rows)
    return [_listed(parts, row, people) for row in rows], count


def waiting_count(parts: Parts, who: Officer) -> int:
    """How many wait for this desk; never what he asked for."""
    asked = _TABLE.c.state.in_(OPEN), func.coalesce(_TABLE.c.asked_by, "") != who.by
    with parts.reading() as connection:
        return connection.execute(select(func.count()).select_from(_TABLE).where(*asked)).scalar_one()


def one(parts: Parts, number: int, *, reader: Officer | None) -> One:
    """In clear for the `reader` who compares it with the paper, once somebody has one, and it is written down that he
    did. NoSuchJoiningPage."""
    with parts.reading() as connection:
        row = connection.execute(select(_TABLE).where(_TABLE.c.id == number)).one_or_none()
        if row is None:
            raise NoSuchJoiningPage(str(number))
        people = _people(parts, connection, [row])
        two = _two(parts, connection, row, people) if row.other_id else []
        open_, kept = row.state in OPEN, row.kept_id
        if open_ and row.other_id:
            kept = connection.execute(_KEPT, {"person": row.person_id, "other": row.other_id}).scalar_one()
        ended = row.other_id if kept == row.person_id else row.person_id
        found = hindrances(connection, kept, ended) if open_ and row.other_id and kept else []
    person, clear = people[row.person_id], reader is not None and row.state == "asked"
    if reader is not None and clear:
        with parts.engine.begin() as connection:
            noted = {"session": reader.session, "reason": f"并号{number}，对照户口簿", "at": parts.clocks.wall()}
            disclosures.note(connection, person_id=row.person_id, **noted)
    name, held = joining_name(parts, row), _number(parts, row)
    goes_on = "" if not row.other_id else _GOES_ON[kept == row.person_id] if kept else _APART
    return One(
        head=_listed(parts, row, people),
        name=name if clear else mask_name(name),
        number=held if clear else mask_id(held) if held else "",
        registered=person.name if clear else mask_name(person.name),
        certificate=person.id_masked,
        differs=differences(person, person.name, birth_date=row.birth_date, sex=row.sex, name=name) if open_ else [],
        proof=row.proof or "",
        why=row.why or "",
        rows=two,
        hinders=found,
        goes_on=goes_on,
        steps=_steps(row),
    )


def differences(person: Row | Subject, registered: str, *, birth_date: date | None, sex: int, name: str) -> list[str]:
    """What of the household register is not as the certificate's person has it. Pure."""
    said = (
        ("姓名", registered, name),
        ("出生日期", person.birth_date, birth_date),
        ("性别", SEXES[person.sex], SEXES[sex]),
    )
    return [words for words, one, other in said if one != other]


def hindrances(connection: Connection, kept: int, ended: int) -> list[str]:
    """What must end before the two can be one, in words."""
    rows = connection.execute(_HINDRANCES, {"kept": kept, "ended": ended})
    return [_HINDERS[row.what].format(row.number) for row in rows]


def joining_name(parts: Parts, row: Row) -> str:
    """The name as the household register has it; empty once it was let go of."""
    return parts.vault.open(row.name, bound_to=f"joining.name:{row.id}") if row.name else ""


_TABLE = Joining.__table__
_KEPT = text("select joining_kept(:person, :other)")
_HINDRANCES = text("select what, number from joining_hindrances(:kept, :ended)")
_GOES_ON = {
    True: "按出生证登记的一行留下，身份证号的一行停掉",
    False: "身份证号的一行留下（只有它交过费），按出生证登记的一行停掉",
}
_OPENED = {"import": "登记文件带来", "newborn": "登记孩子时发现"}
_APART = "两边各交了不同的费，要先退掉一边的"
_BILLS = text(
    "select person_id, insurance, levy_year, personal_due from bill"
    " where person_id = any (:people) and state = 'settled' order by levy_year, insurance"
)
_INSURANCES = {"RES_PENSION": "居民养老", "RES_MEDICAL": "居民医保"}


def _number(parts: Parts, row: Row) -> str:
    return parts.vault.open(row.number, bound_to=f"joining.number:{row.id}") if row.number else ""


def _people(parts: Parts, connection: Connection, rows: Sequence[Row]) -> dict[int, Subject]:
    ids = sorted({each for row in rows for each in (row.person_id, row.other_id, row.kept_id) if each})
    return {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}


def _listed(parts: Parts, row: Row, people: dict[int, Subject]) -> Listed:
    person = people[row.kept_id or row.person_id]
    return Listed(
        id=row.id,
        name=mask_name(joining_name(parts, row)),
        place=f"{person.town}{person.village}",
        born=f"{row.birth_date:%Y-%m-%d} ",
        state=row.state,
        offered=not row.opened_by.startswith("staff:"),
        asked_by=row.asked_by,
        opened_at=row.opened_at,
    )


def _two(parts: Parts, connection: Connection, row: Row, people: dict[int, Subject]) -> list[Paid]:
    both = {row.person_id: "按出生证登记的", row.other_id: "身份证号登记的"}
    bills = connection.execute(_BILLS, {"people": list(both)}).all()
    return [
        Paid(
            words,
            mask_name(people[key].name),
            f"{people[key].town}{people[key].village}第{people[key].household_number}户",
            [
                f"{each.levy_year}年{_INSURANCES[each.insurance]} {plain_yuan(each.personal_due)} 元"
                for each in bills
                if each.person_id == key
            ],
        )
        for key, words in both.items()
    ]


def _steps(row: Row) -> list[Step]:
    opened = _OPENED.get(row.opened_by.partition(":")[0], "")
    said = [
        (opened, row.opened_by if opened else None, row.opened_at),
        ("提出并号", row.asked_by, row.asked_at),
        (WORDS[row.state], row.decided_by, row.decided_at),
    ]
    return [Step(words, by, at) for words, by, at in said if by is not None]
