"""A database that holds money goes on: its rows are still true, and what the new rules ask for is written of them."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from psycopg.rows import tuple_row

from config.postgres import Server, create_database, drop_database
from core.db import connect
from migrations.upgrade import _config, upgrade

BEFORE = "liangxian_before"
RECEIPTS = """
set session_replication_role = replica;
insert into entry values
  (7, 'refund:YT1:paid', '2021-11-05', '2021-11-05 12:00+08', now(), 1),
  (7, 'refund:YT2:external', '2021-11-05', '2021-11-05 12:00+08', now(), 1),
  (7, 'refund:YT2:twice', '2021-11-05', '2021-11-05 13:00+08', now(), 1),
  (7, 'refund:wechat:500:unasked', '2021-11-05', '2021-11-05 12:00+08', now(), 1);
insert into posting values
  (7, 'refund:wechat:500:unasked', 1, 'receivable:resident', 32000, null),
  (7, 'refund:wechat:500:unasked', 2, 'clearing:wechat', -32000, null);
insert into refund (household_id, number, receipt, gateway, payment, reference, ordered_at, paid, amount, why, reason,
                    sent_as, applied_by, applied_at, decided_by, decided_at, state, paid_at, refund_reference)
  select 7, number, 'receipt:wechat:42', 'wechat', 'YC1', '42', now(), 32000, 32000, 'twice', 'x', sent_as, 'a', now(),
         'b', now(), state, case state when 'paid' then now() end, theirs
    from (values ('YT1', 'YT9', 'paid', '501'), ('YT2', 'YT2', 'paid', '502'), ('YT3', 'YT3', 'paying', null))
         as given (number, sent_as, state, theirs);
insert into sealed_day (day, entries, postings, digest, previous, closed_by, closed_at)
  select '2021-11-04', 0, 0, sha256(zeros || convert_to('2021-11-04|0|0', 'UTF8')), zeros, 'staff:wang', now()
    from (values (decode(repeat('00', 32), 'hex'))) as given (zeros);
insert into statement (gateway, day, state, lines, received, refunded, fetched_at, matched_at) values
  ('wechat', '2021-11-05', 'whole', 1, 0, 32000, now(), now()),
  ('wechat', '2021-11-06', 'whole', 1, 0, 0, now(), now()),
  ('alipay', '2021-11-05', 'whole', 0, 0, 0, now(), now() - interval '1 s');
insert into statement_row values
  ('wechat', '2021-11-05', 1, 'refund', 'YC1', '42', '', '500', 32000, 0, now(), 'SUCCESS');
insert into discrepancy (books, channel, day, kind, what, subject, owner, opened_at, deadline, seen_at) values
  ('channel', 'wechat', '2021-11-05', 'MISSING_IN_BANK', 'refund', 'YT2', 'refund_desk', now(), now(), now());
insert into determination (id, person_id, insurance, levy_year, kind, state, requested_by, applied_at, decided_by,
                           decided_at, amount, years) overriding system value
  select id, 31, 'RES_PENSION', 2022, kind, 'approved', 'a', now(), 'b', now(), amount, years
    from (values (1, 'policy_backpay', 150000, array[2019, 2020]), (2, 'interrupted_backpay', 90000, array[2021]))
         as given (id, kind, amount, years);
insert into bill (household_id, id, person_id, insurance, levy_year, total, personal_due, reason_code, price_until)
  values (7, 1, 31, 'RES_PENSION', 2022, 150000, 150000, 'BACKPAY_APPROVED', now()),
         (7, 2, 31, 'RES_MEDICAL', 2022, 90000, 32000, 'OK', now()),
         (7, 3, 32, 'RES_PENSION', 2022, 30000, 30000, 'OK', now());
"""


@pytest.fixture(scope="module")
def upgraded(server: Server) -> Iterator[psycopg.Connection]:
    """A database of the version before, with money in it, brought to the present."""
    drop_database(server, BEFORE)
    create_database(server, BEFORE)
    owner = connect(server.owner_url(BEFORE), pool_size=1)
    with owner.begin() as connection:
        command.upgrade(_config(connection), "0022")
    owner.dispose()
    address = server.admin_url().replace("/postgres?", f"/{BEFORE}?")
    with psycopg.connect(address, autocommit=True, row_factory=tuple_row) as admin:
        admin.execute(RECEIPTS)
        admin.execute("set session_replication_role = origin")
        upgrade(server.owner_url(BEFORE))
        yield admin


def test_refunds_and_lists_of_before_are_known_by_the_new_rules(upgraded: psycopg.Connection) -> None:
    numbers = "select sent_as, number, reference, booked from refund_number order by sent_as"
    assert upgraded.execute(numbers).fetchall() == [
        ("YT1", "YT1", None, None),
        ("YT2", "YT2", "502", "refund:YT2:twice"),
        ("YT3", "YT3", None, None),
        ("YT9", "YT1", "501", "refund:YT1:paid"),
    ]
    by_hand = "select cause, reference, receipt, amount from unasked_refund"
    assert upgraded.execute(by_hand).fetchall() == [("refund:wechat:500:unasked", "500", "receipt:wechat:42", 32000)]
    anew = "select gateway, day::text from statement where matched_at is null order by 1, 2"
    assert upgraded.execute(anew).fetchall() == [("alipay", "2021-11-05"), ("wechat", "2021-11-05")]


def test_a_back_payment_of_before_names_its_determination(upgraded: psycopg.Connection) -> None:
    """B3: the one of its amount; the year's premiums, his and another's, name none."""
    found = upgraded.execute("select id, determination, years from bill order by id").fetchall()
    assert found == [(1, 1, [2019, 2020]), (2, None, None), (3, None, None)]


def test_a_rise_stands_beside_a_premium_of_before_and_once(upgraded: psycopg.Connection) -> None:
    """The index of levy items was replaced beside the rows that were there."""
    indexes = "select indexname, indexdef ~ 'raised_from' from pg_indexes where indexname ~ '^uq__bill__levy_item'"
    assert upgraded.execute(indexes).fetchall() == [("uq__bill__levy_item", True)]
    risen = (
        "insert into bill (household_id, id, person_id, insurance, levy_year, tier, raised_from, total, personal_due,"
        " reason_code, price_until) values (7, {id}, 32, 'RES_PENSION', 2022, 50000, 30000, 20000, 20000, 'OK', now())"
    )
    upgraded.execute("set session_replication_role = replica")  # its premium is of another shape
    upgraded.execute(risen.format(id=4))
    with pytest.raises(psycopg.errors.UniqueViolation, match="uq__bill__levy_item"):
        upgraded.execute(risen.format(id=5))
    upgraded.execute("delete from bill where id = 4")
    upgraded.execute("set session_replication_role = origin")


def test_a_day_closed_before_is_what_was_closed(upgraded: psycopg.Connection) -> None:
    """M6: its digest stays as it was made; who closed it is in the digest of days closed since."""
    assert upgraded.execute("select version from sealed_day").fetchall() == [(1,)]
    assert upgraded.execute("select * from sealed_day_broken()").fetchall() == []
