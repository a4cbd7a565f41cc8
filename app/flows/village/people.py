"""A village as its agent sees it: who still owes something, who does not, and how far it has come. Reads only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from sqlalchemy import select, text

from app.access import acts
from app.flows.due.coverage import Row, coverage
from app.flows.due.item import Due
from app.flows.due.quote import AGENT, all_due, dues_of_year
from app.flows.parts import Parts
from app.policy.facts import Insurance
from app.policy.terms import Dates
from app.policy.words import short_day
from app.registry import find
from app.registry.find import Subject
from app.registry.models import Town, Village
from app.registry.years import Years
from core.money import Fen, plain_yuan


class Standing(IntEnum):
    """Where a person stands, in the order of the list: what is still to do comes first."""

    UNPAID = 0
    TIER_OPEN = 1
    FREE = 2
    WAITS = 3
    UNLISTED = 4
    NOT_NOW = 5
    NOT_HERE = 6
    DONE = 7


STANDING_WORDS = {
    Standing.UNPAID: "还没交",
    Standing.TIER_OPEN: "没选档",
    Standing.FREE: "不用交，还没办",
    Standing.WAITS: "先不要交，等医保局核实",
    Standing.UNLISTED: "清册上没有，村里不能收",
    Standing.NOT_NOW: "还没交，现在不能交",
    Standing.NOT_HERE: "不在这里交",
    Standing.DONE: "办好了",
}
IN_DOUBT = "先不要交，登记正在核对"
ON_HIS_PHONE = "还没交，村里不收，他自己可以交"
SAID_DEAD = "有人报他去世了，人社局在核对，先不要催"
NO_ROSTER = "清册没生效，村里还不能收"
AMOUNT_OPEN = "没选金额"  # where there are no tiers to choose from
SHOWN: Mapping[str, tuple[str, frozenset[Standing]]] = {  # what an agent asks his list for, by the word of its address
    "all": ("全部", frozenset(Standing)),
    "open": ("还没办", frozenset(Standing) - {Standing.NOT_HERE, Standing.DONE}),
    "unlisted": ("清册上没有", frozenset(Standing)),  # of these whoever has an item that is not
    "done": ("办好了", frozenset({Standing.DONE})),
    "elsewhere": ("不在这里交", frozenset({Standing.NOT_HERE})),
}


@dataclass(frozen=True)
class Villager:
    """One line of the list, of the newest levy year or the one that was asked for. `words`: the standing as it is said;
    `amount` in fen, what can be paid now; `year_open`: something of the year itself can be done now, whatever is
    back-paid. `late`: what is still to be paid for a former year, a word of its own: it makes nobody's year undone.
    `unlisted`: the roster by which the agent collects is in force without something of his."""

    subject: Subject
    standing: Standing
    words: str
    amount: Fen
    due_words: str
    year_open: bool
    late: str = ""
    unlisted: bool = False


@dataclass(frozen=True)
class Progress:
    """Of one insurance: how many are done, of how many that could be; and of how many beside them offices contradict
    each other."""

    title: str
    done: int
    of: int
    doubted: int = 0


@dataclass(frozen=True)
class VillageName:
    """A village with its town."""

    code: str
    name: str
    town: str


def villages(parts: Parts, codes: Sequence[str]) -> list[VillageName]:
    """The villages of these codes, by code."""
    named = select(Village.code, Village.name, Town.name.label("town")).join(Town, Town.code == Village.town_code)
    query = named.where(Village.code.in_(list(codes))).order_by(Village.code)
    with parts.reading() as connection:
        return [VillageName(*row) for row in connection.execute(query)]


def villagers(parts: Parts, village_code: str, *, channel: str = AGENT) -> tuple[list[Villager], list[Progress]]:
    """Everybody of a village, what is still to do through this channel first, and the progress of each insurance: of
    the newest levy year."""
    with parts.reading() as connection:
        people = find.by_village(connection, parts.vault, village_code, years=parts.levy.years)
    counted = {row.insurance: row for row in coverage(parts, since=parts.clocks.now(), village=village_code)}
    own = {insurance: title for insurance, title in TITLES.items() if parts.rules.offers(insurance)}
    progress = [_progress(title, counted.get(insurance)) for insurance, title in own.items()]
    return standings(parts, people, channel=channel), progress


def villagers_in(parts: Parts, village_code: str, year: int) -> list[Villager]:
    """Where everybody of a village stands for one levy year, whichever it is."""
    newest = parts.levy.years.newest
    asked = Years(newest, () if year == newest else (year,))
    with parts.reading() as connection:
        people = find.by_village(connection, parts.vault, village_code, years=asked)
    now = parts.clocks.now()
    return _in_order(
        _villager(person, dues_of_year(parts, person.in_year(year), at=now, channel=AGENT), year)
        for person in people
        if person.alive or person.conflicts  # of whom offices disagree, the agent may know best
    )


def standings(parts: Parts, people: Sequence[Subject], *, channel: str) -> list[Villager]:
    """Where the living of these, and those of whom offices disagree, stand for the newest levy year: what is still to
    do through this channel first."""
    now, newest = parts.clocks.now(), parts.levy.years.newest
    return _in_order(
        _villager(person, all_due(parts, person, at=now, channel=channel), newest)
        for person in people
        if person.alive or person.conflicts
    )


def closed_words(dates: Dates, today: date) -> str | None:
    """What an agent is told on a day on which he collects nothing; None in his weeks. Pure."""
    if today < dates.self_open:
        return f"还没开始缴费：{short_day(dates.self_open)}起可以自己交，{short_day(dates.agent_open)}起村里代收。"
    if today < dates.agent_open:
        return f"村里代收{short_day(dates.agent_open)}才开始。急着交的，可以用手机、银行或办税大厅自己交。"
    if today > dates.concentrated_end:
        return f"村里代收{short_day(dates.concentrated_end)}结束了，这里只看办到哪里。还要交的，请他自己用手机查。"
    return None


def in_words(progress: Sequence[Progress], year: int) -> str:
    """2022年医保 12 / 30 人办好（另有 1 人登记正在核对），养老 3 / 18 人办好。 Pure."""
    beside = [f"（另有 {each.doubted} 人登记正在核对）" if each.doubted else "" for each in progress]
    said = [f"{each.title} {each.done} / {each.of} 人办好{more}" for each, more in zip(progress, beside, strict=True)]
    return f"{year}年" + "，".join(said) + "。"


def just_settled(parts: Parts, village_code: str) -> list[int]:
    """Whose bills were settled in the last half hour, by id: what a list that is open may not know yet."""
    wanted = {"village": village_code, "since": parts.clocks.now() - FRESH}
    with parts.reading() as connection:
        return list(connection.execute(_JUST_SETTLED, wanted).scalars())


FRESH = timedelta(minutes=30)
_JUST_SETTLED = text(
    "select distinct p.id from household h join person p on p.household_id = h.id join bill b on b.person_id = p.id"
    " where h.village_code = :village and b.state = 'settled' and b.settled_at > :since order by p.id"
)


def household(parts: Parts, household_id: int) -> list[Subject]:
    """Everybody of it."""
    with parts.reading() as connection:
        return find.by_household(connection, parts.vault, household_id, years=parts.levy.years)


def search_noted(parts: Parts, by: str, wanted: str, *, place: str, network: str) -> None:
    """An agent searches his list: that he does is noted, what for as a digest."""
    with parts.engine.begin() as connection:
        acts.note_search(connection, parts.vault, wanted, by=by, place=place, at=parts.clocks.wall(), network=network)


def matching(lines: Sequence[Villager], wanted: str, show: str, *, by_house: bool = False) -> list[Villager]:
    """The lines whose name or household number contains what was typed, of those that the list was asked to `show`;
    house by house if asked. Pure."""
    sought, standings = "".join(wanted.split()), SHOWN[show][1]
    found = [
        line
        for line in lines
        if line.standing in standings and (sought in line.subject.name or sought in line.subject.household_number)
    ]
    found = [line for line in found if line.unlisted or show != "unlisted"]
    return sorted(found, key=lambda line: line.subject.household_number) if by_house else found


TITLES = {Insurance.RES_MEDICAL: "医保", Insurance.RES_PENSION: "养老"}


def _in_order(lines: Iterable[Villager]) -> list[Villager]:
    return sorted(lines, key=lambda line: (line.standing, line.subject.household_number, line.subject.id))


def _villager(person: Subject, found: Sequence[Due], year: int) -> Villager:
    dues = [due for due in found if due.levy_year == year]
    if person.said_dead and not all(due.settled for due in dues):
        return Villager(person, Standing.WAITS, SAID_DEAD, 0, "", False)
    years_own = [due for due in dues if due.determination is None]
    payable = [due for due in dues if due.payable]
    amount = sum(due.quote.to_pay for due in payable)
    if amount:
        standing = Standing.UNPAID
    elif any(due.choice_open for due in dues):
        standing = Standing.TIER_OPEN
    elif payable:
        standing = Standing.FREE
    else:
        standing = _closed(person, years_own)
    year_open = any(due.payable or due.choice_open for due in years_own)
    late = _late([due for due in found if due.levy_year != year])
    due_words = "；".join(filter(None, map(_word, dues)))
    unlisted = any(due.unlisted and not due.waits_for_roster for due in years_own)
    return Villager(person, standing, _words(standing, dues), amount, due_words, year_open, late, unlisted)


def _words(standing: Standing, dues: Sequence[Due]) -> str:
    if standing is Standing.WAITS and any(due.in_doubt or due.settled for due in dues):
        return IN_DOUBT
    if standing is Standing.UNLISTED and all(due.waits_for_roster for due in dues if due.unlisted):
        return NO_ROSTER
    if standing is Standing.NOT_NOW and any(due.not_now and due.can_be_done for due in dues):
        return ON_HIS_PHONE
    tiered = any(due.choice_open and not _is_any_amount(due) for due in dues)
    return AMOUNT_OPEN if standing is Standing.TIER_OPEN and not tiered else STANDING_WORDS[standing]


def _is_any_amount(due: Due) -> bool:
    return due.amounts is not None and not due.choices


def _closed(person: Subject, years_own: Sequence[Due]) -> Standing:
    left = [due for due in years_own if not due.settled]
    if any(due.waits or due.in_doubt for due in left) or _lives(person, years_own):
        return Standing.WAITS
    if any(due.is_spared for due in left):
        return Standing.FREE
    if any(due.unlisted for due in left):
        return Standing.UNLISTED
    if any(due.not_now for due in left):
        return Standing.NOT_NOW
    return Standing.DONE if any(due.settled for due in years_own) else Standing.NOT_HERE


def _lives(person: Subject, years_own: Sequence[Due]) -> bool:
    """Is it asked whether he lives, whose premium is paid? He is counted as one in dispute."""
    return any(due.settled and due.insurance in person.called_dead for due in years_own)


def _late(dues: Sequence[Due]) -> str:
    """2022年医保、养老逾期未交. Whom the government may owe it waits for its bureau, and is not said to owe."""
    left = [due for due in dues if due.determination is None and not due.settled]
    left = [due for due in left if not due.waits and not due.in_doubt and not due.is_spared]
    titles: dict[int, list[str]] = {}
    for due in left:
        titles.setdefault(due.levy_year, []).append(TITLES[due.insurance])
    return "；".join(f"{year}年{'、'.join(own)}逾期未交" for year, own in titles.items())


def _word(due: Due) -> str:
    if due.is_rise:
        return ""  # its premium is said already
    title = _title(due)
    said = (
        (due.settled, "办好了"),
        (due.choice_open, "定好数再交" if _is_any_amount(due) else "选档后交"),
        (due.waits or due.in_doubt, "先不要交"),
        (due.is_spared, "不用交"),
        (due.waits_for_roster, "清册没生效"),
        (due.unlisted, "清册上没有"),
        (due.not_now, "还没交"),
        (due.payable, f" {plain_yuan(due.quote.to_pay)} 元"),
    )
    return next((f"{title}{words}" for so, words in said if so), "")


def _title(due: Due) -> str:
    """医保; of who pays for another fund alone that one: 长期护理保险."""
    if due.determination is not None:
        return due.title
    alone = due.payable and due.quote.to_pay and not due.quote.personal_due
    return "、".join(fund.words for fund in due.quote.funds) if alone else TITLES[due.insurance]


def _progress(title: str, row: Row | None) -> Progress:
    return Progress(title, row.done, row.due, row.doubted) if row else Progress(title, 0, 0)
