"""What was sent to a person's household, and of him."""

from collections.abc import Sequence

from sqlalchemy import Connection, Row, text


def notices_of(connection: Connection, household_id: int, person_id: int) -> Sequence[Row]:
    """The latest of his household, and of what he paid where he lived before; `own`: is a bill of his among those it is
    about (None: it is about no bill)."""
    return connection.execute(_NOTICES, {"household": household_id, "person": person_id}).all()


_NOTICES = text(
    "select kind, fields, rank, channel, last_error, queued_at, sent_at, delivered_at, asks, attempts, next_try_at,"
    " visited_by, visited_at, cause, phone,"
    " (select bool_or(b.person_id = :person) from bill b"
    "   left join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id"
    "   left join refund_bill rb on rb.household_id = b.household_id and rb.bill_id = b.id"
    "  where b.household_id = notice.household_id"
    "    and split_part(notice.cause, ':', 2) in (pb.number, rb.number, b.id::text)) as own"
    " from notice"
    " where household_id = :household or (household_id, split_part(cause, ':', 2)) in ("  # where he lived when he paid
    "   select pb.household_id, unnest(array[pb.number, pb.bill_id::text]) from bill b join payment_bill pb"
    "     on pb.household_id = b.household_id and pb.bill_id = b.id where b.person_id = :person)"
    " order by queued_at desc limit 50"
)
