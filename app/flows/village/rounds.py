"""Which doors an agent goes to: households with something left to do, house by house, who was visited and why it is not
done yet, and when he comes again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from sqlalchemy import Row, insert, text

from app.flows.parts import Parts
from app.flows.village.people import Standing, Villager, villagers
from app.policy.words import short_day
from app.registry.door_notes import REASONS, DoorNote
from core.errors import BadInput, NotFound

TO_DO = frozenset({Standing.UNPAID, Standing.TIER_OPEN, Standing.FREE, Standing.UNLISTED, Standing.NOT_NOW})
SHOWN = {"today": "今天要去", "new": "还没去过", "all": "全部没办完"}


class NoSuchDoor(NotFound):
    """A household of another village, or none."""

    text = "没有找到这一户，或者不归您负责。"


class BadNote(BadInput):
    """No reason, or an appointment without a day on which the agent still collects."""

    text = "请选一个原因。约好再来的要写哪一天：从今天起，到村里代收的最后一天（{last}）。"


@dataclass(frozen=True)
class House:
    """A household with something left to do: whose, what was found at its door last. `due_again`: the day has come."""

    id: int
    number: str
    people: Sequence[Villager]
    reason: str
    visited: Row | None
    due_again: bool


def houses(parts: Parts, village_code: str) -> list[House]:
    """By household number: everybody of it who is not done."""
    lines, _ = villagers(parts, village_code)
    open_lines = [line for line in lines if line.standing in TO_DO]
    open_lines.sort(key=lambda line: (line.subject.household_number, line.subject.household_id))
    found, today = _last(parts, village_code), parts.clocks.today()
    return [
        _house(household, list(people), found.get(household), today)
        for household, people in groupby(open_lines, key=lambda line: line.subject.household_id)
    ]


def shown(found: Sequence[House], show: str) -> list[House]:
    """Of these what the agent asks for, by the word of its address; today's in the order of their days. Pure."""
    if show == "today":
        return sorted((house for house in found if house.due_again), key=lambda house: _day(house.visited))
    return [house for house in found if show == "all" or house.visited is None]


def note(parts: Parts, villages: Sequence[str], household: int, reason: str, again: str, *, by: str) -> None:
    """What was found at a door. NoSuchDoor, BadNote."""
    last = parts.rules.dates.concentrated_end
    day = _again_on(again)
    late = day is not None and not parts.clocks.today() <= day <= last
    if reason not in REASONS or late or (again and day is None) or (reason == "LATER" and day is None):
        raise BadNote(last=short_day(last))
    if reason == "NONE":
        day = None
    with parts.engine.begin() as connection:
        mine = {"id": household, "villages": list(villages)}
        if connection.execute(_MINE, mine).one_or_none() is None:
            raise NoSuchDoor
        row = {"household_id": household, "reason": reason, "again_on": day, "by": by}
        at = {"at": parts.clocks.now(), "kept_from": parts.clocks.wall()}
        connection.execute(insert(DoorNote).values(row | at))


def _again_on(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        return None


def _last(parts: Parts, village_code: str) -> Mapping[int, Row]:
    """What was noted last at each door, since this year's collection began."""
    asked = {"village": village_code, "since": parts.rules.dates.self_open}
    with parts.reading() as connection:
        rows = connection.execute(_NOTES, asked).all()
    return {row.household_id: row for row in rows}


def _house(household: int, people: Sequence[Villager], visited: Row | None, today: date) -> House:
    due_again = visited is not None and visited.again_on is not None and visited.again_on <= today
    reason = REASONS[visited.reason] if visited else ""
    return House(household, people[0].subject.household_number, people, reason, visited, due_again)


def _day(visited: Row | None) -> date:
    return visited.again_on if visited else date.max


_MINE = text("select from household where id = :id and village_code = any (:villages)")
_NOTES = text(  # NONE takes back the one before it, and that alone
    "select distinct on (household_id) household_id, reason, again_on, at from ("
    "  select n.*, lead(n.reason) over (partition by n.household_id order by n.id) as next from door_note n"
    "  join household h on h.id = n.household_id where h.village_code = :village"
    "  and n.at >= cast(:since as timestamp) at time zone 'Asia/Shanghai') noted"
    " where reason <> 'NONE' and next is distinct from 'NONE' order by household_id, id desc"
)
