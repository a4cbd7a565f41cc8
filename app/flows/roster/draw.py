"""Rosters from the register as it stands in one snapshot: everybody's name is masked here, all else is the database's.
The same register draws nothing twice."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import Any

import psycopg
from sqlalchemy import Connection, Row, text

from app.flows.hand_in.work import Job, Progress
from app.flows.parts import Parts
from app.policy.facts import Insurance
from core.db import may_take
from core.errors import BadInput, Conflict
from core.redact import mask_name
from core.vault import Vault
from payments.refusals import as_errors

TOGETHER = 2_000  # names that go to the database at once
_DIGITS = re.compile(r"\d")


class NothingToDraw(BadInput):
    """A place, a year or an insurance that has no rosters."""

    text = "请选正在征缴的年度、险种，镇街或村居从列表里选。"


class DrawingUnderWay(Conflict):
    """Another drawing, or somebody who signs at this moment."""

    text = "另一次出清册正在进行，或者有人正在审。请过一分钟再试。"


@dataclass(frozen=True)
class Asked:
    """What is to be drawn: of a place's code (town or village; empty: the whole district). `medical`: if these are the
    first of their year, the medical bureau signs too."""

    year: int
    insurances: tuple[str, ...]
    place: str = ""
    medical: bool = False


def draw_rosters(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """What an office asked for at its page. NothingToDraw, DrawingUnderWay."""
    about = job.about
    asked = Asked(about["year"], tuple(about["insurances"]), about["place"], about["medical"])
    return draw(parts, asked, by=job.by, job=job.id, progress=progress)


def draw(
    parts: Parts,
    asked: Asked,
    *,
    by: str,
    job: int | None = None,
    progress: Callable[[int, int], None] = lambda _rows, _about: None,
) -> dict[str, Any]:
    """What came of it: rosters asked for, `drawn` anew, `same` as before, `busy` in somebody's hands; by insurance how
    many are registered, listed, left out and why, and what is odd. NothingToDraw, DrawingUnderWay."""
    snapshot = parts.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, as_errors(_REFUSED):
        may_take(connection, inf)
        villages = _villages(parts, connection, asked)
        held = connection.execute(_HOLD, {**_words(asked), "villages": villages}).one()
        named = stage_names(parts.vault, connection, villages, progress)
        connection.execute(text("select roster_gather(:rosters)"), {"rosters": held.rosters})
        told = {row.insurance: dict(row._mapping) for row in connection.execute(_TOLD)}
        before = {"rosters": held.rosters, "today": parts.clocks.today(), "now": parts.clocks.now()}
        drawn = connection.execute(_WRITE, before | {"by": by, "job": job}).scalar_one()
        odd = connection.execute(_ODD, {"rosters": held.rosters}).all()
        connection.commit()
    progress(named, named)
    return {
        "year": asked.year,
        "place": asked.place,
        "drawn": drawn,
        "same": len(held.rosters) - drawn,
        "busy": held.busy,
        "counts": told,
        "odd": {row.kind: row.number for row in odd},
        "batches": [dict(row._mapping) for row in _batches(parts)],
    }


def stage_names(vault: Vault, connection: Connection, villages: list[str], progress: Callable[[int, int], None]) -> int:
    """Everybody's masked name of these villages, by COPY, for the drawing that this transaction makes; how many."""
    about = connection.execute(_ABOUT, {"villages": villages}).scalar_one()
    raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    lines, number = list[bytes](), 0
    with raw.cursor() as cursor:
        cursor.execute("set local enable_nestloop = off")  # after an import the statistics are of an empty register
        with cursor.copy(_NAMES, {"villages": villages}) as copy:
            for number, line in enumerate(_masked(vault, copy), 1):
                lines.append(line)
                if not number % 20_000:
                    progress(number, about)
        cursor.execute("truncate new_roster_name")
        with cursor.copy("copy new_roster_name from stdin") as copy:
            for at in range(0, len(lines), TOGETHER):
                copy.write(b"".join(lines[at : at + TOGETHER]))
    return number


def _villages(parts: Parts, connection: Connection, asked: Asked) -> list[str]:
    """Those of the place. NothingToDraw."""
    rules = parts.levy.rules(asked.year)
    offered = {insurance for insurance in Insurance if rules.offers(insurance)}
    found = connection.execute(_PLACES, {"place": asked.place}).scalars().all()
    if (
        asked.year not in parts.levy.ever.all
        or not asked.insurances
        or not set(asked.insurances) <= offered
        or not found
    ):
        raise NothingToDraw
    return list(found)


def _masked(vault: Vault, rows: Any) -> Iterator[bytes]:
    opened, key = vault.open, secrets.token_bytes(16)  # by which equal names of this drawing are equal
    for row in rows:
        person, sealed = bytes(row).rstrip(b"\n").decode().split("\t")
        name = opened(bytes.fromhex(sealed), bound_to=f"person.name:{person}")
        alike = int.from_bytes(blake2b(name.encode(), digest_size=8, key=key).digest(), signed=True)
        yield f"{person}\t{_posted(name)}\t{alike}\n".encode()


def _posted(name: str) -> str:
    """As it may hang on a wall: masked, no digit, nothing that COPY reads otherwise."""
    return _DIGITS.sub("*", mask_name(name)).replace("\\", "*").replace("\t", " ").replace("\n", " ").replace("\r", " ")


def _batches(parts: Parts) -> list[Row]:
    """What the bureaus' files brought in, all told: kind, how many, rows that were new, when the last one came."""
    with parts.reading() as connection:
        return list(connection.execute(_BATCHES, {"ahead": parts.clocks.ahead()}).all())


def _words(asked: Asked) -> dict[str, object]:
    return {"year": asked.year, "insurances": list(asked.insurances), "medical": asked.medical}


_REFUSED = dict.fromkeys(("LX144", "40001", "55P03"), DrawingUnderWay)  # others who are at it
_PLACES = text("select code from village where :place in ('', code, town_code) order by code")
_HOLD = text("select * from roster_hold(:year, :insurances, :villages, :medical)")
_ABOUT = text(
    "select count(*) from person p join household h on h.id = p.household_id where h.village_code = any (:villages)"
)
_NAMES = (
    "copy (select p.id, encode(p.name, 'hex') from person p join household h on h.id = p.household_id"
    " where h.village_code = any (%(villages)s) and p.restricted_at is null and p.alive) to stdout"
)
_WRITE = text("select roster_write(:rosters, :by, :job, :today, :now)")
_TOLD = text(
    "select r.insurance, count(*) as registered, count(*) filter (where g.reason is null) as listed,"
    " count(*) filter (where g.reason = 'DEAD') as dead, count(*) filter (where g.reason = 'ENDED') as ended,"
    " count(*) filter (where g.reason = 'RESTRICTED') as restricted"
    " from new_roster_row g join roster r on r.id = g.roster_id group by 1 order by 1"
)
_ODD = text(
    "select o.kind, count(*) as number from roster_odd o join roster r on r.id = o.roster_id and r.no = o.no"
    " where r.id = any (:rosters) group by 1 order by 1"
)
_BATCHES = text(
    "select kind, count(*) as files, sum(added) as added,"
    " to_char(max((imported_at + :ahead) at time zone 'Asia/Shanghai'), 'YYYY年FMMM月FMDD日') as last"
    " from import_batch where kind <> 'police' group by kind order by kind"
)
