"""Whose paid bill might be less by what the register says of him today."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, Row, text

from core.money import Fen


def maybe_entitled(
    connection: Connection,
    *,
    levy_year: int,
    newest: bool,
    ages: Sequence[tuple[date, Fen]],
    asked_by: str,
    people: Sequence[int] | None = None,
) -> Sequence[Row]:
    """Settled bills of the year's premium, of living persons (of these, or None: of all) who stand on a list, have a
    bureau's yes, or are old enough, and for which `asked_by` has not asked before and no refund is under way. `newest`:
    the year whose register the register is.

    `ages`: (born by this day, pays this much in fen) of the medical insurance: who pays more is looked at."""
    return connection.execute(
        _QUERY,
        {
            "year": levy_year,
            "newest": newest,
            "born_by": [day for day, _ in ages],
            "rest": [rest for _, rest in ages],
            "asked_by": asked_by,
            "people": list(people) if people is not None else None,
        },
    ).all()


_QUERY = text(
    "select b.* from bill b join person p on p.id = b.person_id"
    " where b.levy_year = :year and b.determination is null and b.raised_from is null and b.state = 'settled'"
    " and b.personal_due > 0 and p.alive"
    " and not exists (select from police_word w where w.person_id = p.id and w.code = 'DIED' and w.stands = 'counts')"
    " and p.restricted_at is null"
    " and (cast(:people as bigint[]) is null or b.person_id = any (:people))"
    " and (exists (select from helped_category c where c.person_id = p.id and c.insurance = b.insurance"
    "              and c.levy_year = b.levy_year)"
    "   or :newest and exists (select from category c where c.person_id = p.id and c.insurance = b.insurance)"
    "   or not :newest and exists (select from former_category c where c.person_id = p.id and c.insurance = b.insurance"
    "                                 and c.levy_year = b.levy_year)"
    "   or exists (select from determination d where d.person_id = p.id and d.insurance = b.insurance"
    "              and d.levy_year = b.levy_year and d.state = 'approved'"
    "              and d.kind in ('newborn', 'late_waiver', 'enrolment_history'))"
    "   or (b.insurance = 'RES_MEDICAL' and exists ("
    "        select from unnest(cast(:born_by as date[]), cast(:rest as bigint[])) as age (born_by, rest)"
    "         where p.birth_date <= age.born_by and (b.personal_due > age.rest or exists ("
    "           select from pledge_share s where s.household_id = b.household_id and s.bill_id = b.id"
    "              and s.state = 'used')))))"
    " and not exists (select from refund_bill rb join refund r using (household_id, number)"
    "   where rb.household_id = b.household_id and rb.bill_id = b.id and (rb.live or r.applied_by = :asked_by))"
    " order by b.person_id, b.insurance"
)
