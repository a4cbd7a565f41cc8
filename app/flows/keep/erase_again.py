"""After a restore to an earlier moment: who was erased since then is erased again, by the list that was outside."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, insert, select, text

from app.access import erasures
from app.access.erasures import Erasure
from app.flows.keep.erase import ErasureHindered, carry_out
from app.flows.keep.erased_list import read_list, write_list
from app.flows.parts import Parts

RULE = "rule:erased_list"  # two people agreed to it, before it was lost
REASON = "恢复以后照库外的删除名单重做"


@dataclass(frozen=True)
class Again:
    """How many were erased again; the numbers of those for whom something is under way at this moment: they wait, asked
    for, until somebody agrees."""

    done: int
    waiting: tuple[int, ...] = ()


NOBODY = Again(0)


def erase_again(parts: Parts, owner: Engine, *, by: str) -> Again:
    """Everybody in the list who is not restricted here, one after another. Doing it again changes nothing."""
    listed = read_list(parts)
    with owner.connect() as connection:
        wanted = {"those": list(listed)}
        people = connection.execute(_BACK, wanted).all() if listed else []
    done, waiting = 0, []
    for person in people:
        with owner.begin() as connection:
            held = _asked(parts, connection, person.id, listed[bytes.fromhex(person.id_index)], by)
        try:
            with owner.begin() as connection:
                carry_out(parts, connection, held, by=RULE)
        except ErasureHindered:
            waiting.append(held.id)
        else:
            done += 1
    write_list(parts)
    return Again(done, tuple(waiting))


def _asked(parts: Parts, connection: Connection, person: int, ground: str, by: str) -> Row:
    """What was asked for and is here still, or it is asked for anew."""
    standing = erasures.of_person(connection, person)
    if standing is not None:
        return standing
    row = {"person_id": person, "ground": ground, "reason": REASON, "asked_by": by, "asked_at": parts.clocks.wall()}
    made = connection.execute(insert(Erasure).values(**row).returning(Erasure.id)).scalar_one()
    return connection.execute(select(Erasure.__table__).where(Erasure.id == made)).one()


_BACK = text(
    "with known as (select id, id_index from person"
    " union all select person_id, index from birth_certificate)"
    " select id, min(encode(k.id_index, 'hex')) as id_index from known k join person p using (id)"
    " where k.id_index = any (:those) and p.restricted_at is null group by id order by id"
)
