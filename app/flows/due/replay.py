"""Every person of the register under two years' rules, on as many cores as there are. Nothing is written, no name and
no number is read. Memory stays small: people stream by, and only different answers are kept."""

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from typing import Any, cast

import psycopg
from sqlalchemy import text

from app.flows.due.facts import determined
from app.flows.due.item import costs_nothing
from app.flows.parts import Parts
from app.policy.facts import Category, Elsewhere, Employment, Facts, FamilyType, Insurance, Residence, School, Sex
from app.policy.levels import quote_chosen
from app.policy.replay import CHANNEL, Change, Side, Totals, side, together, totals
from app.policy.terms import PolicyYear
from app.registry.bulk import Share, people
from core.errors import TryLater

PROCESSES = 2
_TOLD_EVERY = 2_000  # people between two words on progress
REMEMBERED = 100_000  # answers by facts and insurance, so that memory has an end


class ReplayBroken(TryLater):
    """A share of the register could not be reckoned."""

    text = "推演中断了，什么都没有改。请再试一次；还不行请找管理员。"


@dataclass(frozen=True)
class Place:
    """A village and its town."""

    code: str
    name: str
    town_code: str
    town: str


@dataclass(frozen=True)
class Replayed:
    """The sums of every village, at one moment (aware). Places in order of code; people are counted once.

    `names`: how the asker calls the two years."""

    names: tuple[str, str]
    before: PolicyYear
    after: PolicyYear
    at: datetime
    people: int
    places: Sequence[Place]
    villages: Mapping[str, Totals]

    def towns(self) -> Mapping[str, tuple[str, Totals]]:
        """Town code → name and sums."""
        names = {place.town_code: place.town for place in self.places}
        return {
            code: (name, together(self.villages[each.code] for each in self.places if each.town_code == code))
            for code, name in names.items()
        }

    def whole(self) -> Totals:
        """The district's sums."""
        return together(self.villages.values())


@dataclass(frozen=True)
class Asked:
    """Two years' rules, the moment at which both are asked, and what the register may say in some year."""

    before: PolicyYear
    after: PolicyYear
    at: datetime
    groups: frozenset[str]  # all that somebody may be in

    @property
    def years(self) -> tuple[int, int]:
        """The levy years whose bills count as paid."""
        return self.before.year, self.after.year


Counts = Mapping[str, Counter[Change]]  # village code → how many people have which change


def replay(
    parts: Parts,
    before: PolicyYear,
    after: PolicyYear,
    *,
    at: datetime,
    names: tuple[str, str] | None = None,
    progress: Callable[[int, int], None] = lambda done, about: None,
    processes: int = PROCESSES,
) -> Replayed:
    """Quote everybody's two insurances under both years' rules at one moment of the business clock.

    `progress` is told how many people are done, of about how many. ReplayBroken if a process ends early."""
    rules = [before, after, *(parts.levy.rules(year) for year in parts.levy.ever.all)]
    asked = Asked(before, after, at, frozenset(Category).union(*(each.groups for each in rules)))
    with parts.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
        snapshot = connection.execute(text("select pg_export_snapshot()")).scalar_one()
        about = connection.execute(text("select count(*) from person")).scalar_one()
        places = [
            Place(*row)
            for row in connection.execute(
                text(
                    "select v.code, v.name, t.code, t.name from village v join town t on t.code = v.town_code"
                    " where exists (select from household h join person p on p.household_id = h.id"
                    " where h.village_code = v.code) order by v.code"
                )
            )
        ]
        url = parts.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        shares = [Share(number, processes, snapshot) for number in range(processes)]
        counted = _in_processes(url, shares, asked, lambda done: progress(done, about))
    villages = {place.code: together(totals(counts.get(place.code, {})) for counts in counted) for place in places}
    number = sum(village[Insurance.RES_MEDICAL].asked for village in villages.values())
    assert number == about, "everybody of the snapshot is asked once"
    names = names or (str(before.year), str(after.year))
    return Replayed(names, before, after, at, number, places, villages)


def reckon(
    connection: "psycopg.Connection[Any]", share: Share, asked: Asked, tell: Callable[[int], None] = lambda done: None
) -> Counts:
    """One share's changes by village. `tell` hears now and then how many people are done."""
    kinds: dict[Change, int] = {}
    known: tuple[dict[bytes, int], dict[bytes, int]] = {}, {}
    insurances = Insurance.RES_PENSION, Insurance.RES_MEDICAL
    counted: Counter[tuple[bytes, int]] = Counter()
    done = 0
    for village, *lines in people(connection, share, asked.years):
        for insurance, line, seen in zip(insurances, lines, known, strict=True):
            kind = seen.get(line)
            if kind is None:
                if len(seen) >= REMEMBERED:
                    seen.clear()
                change = change_of(asked, insurance, line)
                kind = seen[line] = kinds.setdefault(change, len(kinds))
            counted[village, kind] += 1
        done += 1
        if done % _TOLD_EVERY == 0:
            tell(done)
    tell(done)
    changes = list(kinds)
    found: dict[str, Counter[Change]] = {}
    for (village, kind), number in counted.items():
        found.setdefault(village.decode(), Counter())[changes[kind]] = number
    return found


def change_of(asked: Asked, insurance: Insurance, line: bytes) -> Change:
    """Two answers for facts as `bulk.people` gives them."""
    sides = (side_of(rules, asked.groups, insurance, line, at=asked.at) for rules in (asked.before, asked.after))
    return Change(insurance, *sides)


def side_of(rules: PolicyYear, groups: frozenset[str], insurance: Insurance, line: bytes, *, at: datetime) -> Side:
    """The answer of one year's rules; `groups`: all that somebody may be in."""
    facts, last_tier, paid = _read(groups, insurance, line)
    years = {year: level for year, _, level in (each.partition(":") for each in paid.split("|"))}
    level = max(((year, int(level)) for year, level in years.items() if level), default=(None, None))[1]
    return side(
        rules,
        replace(facts, already_paid=True) if str(rules.year) in years else facts,
        at=at,
        last_tier=int(last_tier) if last_tier else None,
        last_level=level,
    )


def pays_nothing(rules: PolicyYear, groups: frozenset[str], insurance: Insurance, line: bytes, *, at: datetime) -> bool:
    """Does the page of one who has not paid say 不用交? It names no tier and no level, whichever he had before."""
    facts, _, _ = _read(groups, insurance, line)
    return costs_nothing(quote_chosen(rules, facts, at=at, channel=CHANNEL, tier=None, level=None)[0])


def _read(groups: frozenset[str], insurance: Insurance, line: bytes) -> tuple[Facts, str, str]:
    """The facts, the tier he had last, the years that are paid."""
    cells = line.decode().split("\t")
    facts = _facts(insurance, cells)
    if not facts.categories <= groups:
        raise ValueError(f"groups of no year: {facts.categories - groups}")
    return facts, cells[4], cells[5]


def _facts(insurance: Insurance, cells: Sequence[str]) -> Facts:
    """Of a person who has not paid."""
    common, elsewhere, status, categories, _, _, words, enrolled = cells
    special_case, determination, late_waiver = determined(insurance, json.loads(words) if words else {})
    born, sex, residence, alive, student, family, spouse, pension, medical, permit_to, parent, school = common.split(
        "|"
    )
    return Facts(
        insurance=insurance,
        birth_date=date.fromisoformat(born),
        sex=Sex.M if sex == "1" else Sex.F,
        residence=Residence(residence),
        permit_to=date.fromisoformat(permit_to) if permit_to else None,
        parent_known=parent == "1",
        registered=status == "NORMAL",
        alive=alive == "1",
        categories=frozenset(code for code in categories.split("|") if code),
        student=student == "1",
        employee_insured=_EMPLOYMENT[pension, medical],
        insured_elsewhere=frozenset(Elsewhere(code) for code in elsewhere.split("|") if code not in ("", "none")),
        already_paid=False,
        family_type=FamilyType(family),
        spouse_birth=date.fromisoformat(spouse) if spouse else None,
        special_case=special_case,
        determination=determination,
        late_waiver=late_waiver,
        school=School(school),
        enrolled=None if enrolled == "-" else frozenset(int(year) for year in enrolled.split("|") if year),
    )


_EMPLOYMENT = {
    ("0", "0"): Employment.NONE,
    ("1", "0"): Employment.PENSION,
    ("0", "1"): Employment.MEDICAL,
    ("1", "1"): Employment.BOTH,
}


def _in_processes(url: str, shares: Sequence[Share], asked: Asked, tell: Callable[[int], None]) -> list[Counts]:
    """Each share in a process of its own, started afresh so that it inherits no connection; their counts in order."""
    fresh = multiprocessing.get_context("spawn")
    pipes: list[Pipe] = []
    children = []
    for share in shares:
        mine, theirs = fresh.Pipe(duplex=False)
        child = fresh.Process(target=_share, args=(theirs, url, share, asked), daemon=True)
        child.start()
        theirs.close()
        pipes.append(mine)
        children.append(child)
    try:
        return _collected(pipes, tell)
    finally:
        for child, pipe in zip(children, pipes, strict=True):
            child.terminate()
            child.join()
            pipe.close()


def _collected(pipes: Sequence[Pipe], tell: Callable[[int], None]) -> list[Counts]:
    done: list[int] = [0] * len(pipes)
    found: dict[int, Counts] = {}
    while len(found) < len(pipes):
        for ready in wait([pipe for at, pipe in enumerate(pipes) if at not in found]):
            pipe = cast(Pipe, ready)
            at = pipes.index(pipe)
            try:
                word = pipe.recv()
            except EOFError as error:
                raise ReplayBroken(f"share {at} ended early") from error
            if isinstance(word, int):
                done[at] = word
                tell(sum(done))
            else:
                found[at] = word
    return [found[at] for at in range(len(pipes))]


def _share(pipe: Pipe, url: str, share: Share, asked: Asked) -> None:
    """What a process does: tell numbers, then give the counts."""
    with psycopg.connect(url, autocommit=True) as connection:
        pipe.send(reckon(connection, share, asked, pipe.send))
    pipe.close()
