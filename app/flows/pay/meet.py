"""Whoever begins to pay meets the people of his wish first: until his transaction ends nobody else begins a bill of
theirs. What is so he reads only then, in the same message to the server."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.flows.parts import Parts
from app.registry.read_subject import Said, subject_of
from app.registry.subject import Subject
from app.registry.years import Years
from core.errors import NotFound
from payments.errors import DifferentHouseholds


@dataclass(frozen=True)
class Met:
    """`used`: the digest of the wish for which the key was used, and the payment it started ('' if nothing was due);
    `paused`: each channel that takes no new payment, with the words residents see."""

    used: tuple[bytes, str] | None
    paused: Mapping[str, str]
    people: Mapping[int, Subject]
    wanted: Collection[int]

    def household(self) -> int:
        """Of all who were asked for. NotFound if one is nobody, or restricted; DifferentHouseholds."""
        if len(self.people) != len(self.wanted) or any(each.restricted_at for each in self.people.values()):
            raise NotFound("person")
        households = {each.household_id for each in self.people.values()}
        if len(households) != 1:
            raise DifferentHouseholds
        return households.pop()


def meet(parts: Parts, connection: Connection, people: Collection[int], *, key: bytes, years: Years) -> Met:
    """The people of these ids as they are for `years`; which years there are is known from now on (`parts.levy`)."""
    wanted = sorted(set(people))
    asked = {"people": wanted, "key": key, "years": list(years.all), "former": list(years.former)}
    rows = connection.execute(_MEET, asked).all()
    body_hash, number, said, paused = rows[0][:4]
    parts.levy.heard(said or ())
    found = [subject_of(Said._make(row[4:]), parts.vault, years) for row in rows if row.id is not None]
    used = (bytes(body_hash), number) if body_hash is not None else None
    return Met(used, paused or {}, {each.id: each for each in found}, wanted)


_MEET = text(
    "select m.body_hash, m.number, m.levy_years, m.paused, m.id, m.name, m.id_number, m.phone, m.restricted_at, m.facts"
    " from meet_and_read(:people, :key, :years, :former) m"
)
