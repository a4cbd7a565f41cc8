"""What is over its time goes, a day before nothing does; who is not asked for keeps everything, and the book is as it
was."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access import accounts
from app.flows.keep import erase
from app.flows.keep.reseal import needed
from app.flows.keep.retention import LINES, gone_lately, let_go, table
from core.clock import utc_now
from core.db import connect
from migrations.declared import TABLES
from tests.app.flows.test_reseal import lived_in
from tests.builders import a_person, an_id_number
from tests.conftest import DATABASE
from tests.house.tree import ROOT
from tests.refunding import rows

__all__ = ["lived_in"]
GOING = {line.let_go: line for line in LINES if line.let_go}
DAY = timedelta(days=1)
OLD_ROWS = {  # makes the rows of a line so old, and what is left of them
    "request_keys": ("update request_key set used_at = :at", "select count(*) from request_key"),
    "refused_words": (
        "update received set received_at = :at where result = 'refused'",
        "select count(*) from received where result = 'refused' and body <> ''",
    ),
    "door_notes": ("update door_note set kept_from = :at", "select count(*) from door_note"),
    "upload_pieces": ("update upload set at = :at", "select count(*) from upload_piece"),
    "shown_rows": (
        "update office_job set ended_at = :at where state = 'done'",
        "select count(*) from office_job"
        " where exists (select from jsonb_each(outcome) said where jsonb_array_length(nullif(value, '1')) > 0)",
    ),
    "notice_addresses": (
        "update notice set queued_at = :at, rank = 2, ask_at = null",
        "select count(*) from notice where phone is not null",
    ),
    "payment_addresses": (
        "update payment set started_at = :at",
        "select count(*) from payment where memo #>> '{notice,phone}' is not null",
    ),
    "complaint_words": (
        "update complaint set ended_at = :at",
        "select (select count(*) from complaint where told <> '' or phone is not null)"
        " + (select count(*) from complaint_line where words is not null)",
    ),
    "evidence": (
        "update determination_evidence set at = :at",
        "select count(*) from determination_evidence",
    ),
    "newborn_words": (
        "update newborn set kept_from = :at",
        "select count(*) from newborn where certificate <> ''",
    ),
    "helped_previews": (
        "update special_batch set at = :at where state = 'VALIDATED'",
        "select count(*) from special_row r join special_batch b on b.id = r.batch_id where b.state = 'VALIDATED'",
    ),
    "helped_rows": (
        "update special_batch set ended_at = :at where state = 'CLOSED'",
        "select count(*) from special_row r join special_batch b on b.id = r.batch_id where b.state = 'CLOSED'"
        " and r.cells is not null",
    ),
    "objection_words": (
        "update roster_objection set kept_from = :at, told_at = coalesce(told_at, answered_at)",
        "select count(*) from roster_objection where words <> ''",
    ),
    "matter_words": (
        "update matter set kept_from = :at",
        "select count(*) from matter where words <> ''",
    ),
    "unused_accounts": (
        "update resident_account set used_at = :at",
        "select count(*) from resident_account where phone is not null",
    ),
    "restricted_names": (
        "update person set restricted_at = :at where restricted_at is not null",
        "select count(*) from erasure where let_go_at is null",
    ),
}


@pytest.fixture
def old(lived_in, owner_engine):
    """Makes the rows of a line as old as is said, as nobody else could."""
    lived_in.write(
        lambda c: c.execute(
            text(
                "insert into received (household_id, id, gateway, headers, body, event_id, number, verdict, result)"
                " values (0, 1, 'wechat', '{}', 'forged', '', '', 'signature', 'refused')"
            )
        )
    )

    with owner_engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))  # as if the office process had done it
        connection.execute(
            text(
                "insert into office_job (kind, by, at, state, began_at, ended_at, outcome)"
                " select kind, by, now(), 'done', now(), now(), outcome from (select by from upload limit 1) u, (values"
                "   ('helped_check', jsonb '{\"rows\": 1, \"columns\": [1]}'),"
                "   ('agents_look', '{\"rows\": [1], \"there\": [1]}'), ('register_look', '{\"twice\": [1]}')"
                " ) shown (kind, outcome)"
            )
        )
    asked = {"ground": "asked", "reason": "本人书面申请", "by": "staff:a"}
    number = an_id_number(sequence=41)
    lived_in.write(lambda c: a_person(c, id_number=number, phone=None))
    erasure = erase.ask(lived_in.office, id_number=number, **asked)
    erase.agree(lived_in.office, erasure, by="staff:b")
    at_the_door = (
        "insert into door_note (household_id, reason, by, at, kept_from)"
        " select min(household_id), 'AWAY', 'agent:wang', now(), now() from person where restricted_at is null"
    )
    lived_in.write(lambda c: c.execute(text(at_the_door)))

    def make(what, age):
        with owner_engine.begin() as connection:
            connection.execute(text("set local session_replication_role = replica"))
            connection.execute(text(OLD_ROWS[what][0]), {"at": utc_now() - age})
            connection.execute(text("delete from register_change where by = 'role:postgres'"))  # ours (INV-81)

    return make


@pytest.fixture
def owner_engine(database):
    engine = connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"))
    yield engine
    engine.dispose()


def left(running):
    return {what: running.one(query)[0] for what, (_, query) in OLD_ROWS.items()}


def test_every_table_stands_in_a_line():
    named = {table for line in LINES for table in line.tables}

    assert named == set(TABLES.tables)


def test_the_page_is_the_table_and_the_database_knows_the_same_times(running):
    assert table() in (ROOT / "docs" / "retention.md").read_text(encoding="utf-8")
    for what, line in GOING.items():
        assert running.one("select shortest_kept(:what)", what=what)[0] == line.after
    assert set(GOING) == set(OLD_ROWS)


@pytest.mark.parametrize("what", OLD_ROWS)
def test_a_day_before_its_time_a_thing_is_there_and_a_day_after_it_is_gone(lived_in, old, what):
    before = left(lived_in)
    assert before[what] > 0
    book = rows(lived_in, "select * from entry"), rows(lived_in, "select * from posting")
    old(what, GOING[what].after - DAY)
    assert {each.line.let_go: each.rows for each in let_go(lived_in.parts)} == dict.fromkeys(GOING, 0)
    assert left(lived_in) == before

    old(what, GOING[what].after + DAY)
    counted = {each.line.let_go: each.rows for each in let_go(lived_in.parts, dry=True)}
    assert left(lived_in) == before  # only counted
    went = {each.line.let_go: each.rows for each in let_go(lived_in.parts)}

    assert went == counted and went[what] > 0 and sum(went.values()) == went[what]
    assert left(lived_in) == before | {what: 0}
    assert [(row.what, row.rows) for row in gone_lately(lived_in.parts)] == [(what, went[what])]
    assert (rows(lived_in, "select * from entry"), rows(lived_in, "select * from posting")) == book
    assert needed(lived_in.parts)  # what is left is read as before
    assert sum(each.rows for each in let_go(lived_in.parts)) == 0


def test_a_sibling_who_was_here_lately_keeps_his_account(lived_in, old):
    vault, now = lived_in.parts.vault, utc_now()
    old("unused_accounts", GOING["unused_accounts"].after + DAY)
    own = lived_in.write(lambda c: accounts.of_phone(c, vault, "13900000003", now=now)[0])
    person = lived_in.write(lambda c: a_person(c, id_number=an_id_number(sequence=90)))
    lived_in.write(lambda c: accounts.bind(c, own, person, own=True, now=now))

    let_go(lived_in.parts)

    with lived_in.parts.engine.connect() as connection:
        assert accounts.phone_of(connection, vault, own) == "13900000003"
        assert accounts.people_of(connection, own) == {person: True}


def test_what_a_forgotten_wechat_user_agreed_to_goes_with_his_account_and_a_siblings_stays(lived_in, old):
    for digest in (b"his", b"a sibling's"):
        agreed = "insert into subscription values (:openid, 'paid', 1)"
        lived_in.write(lambda c, agreed=agreed, digest=digest: c.execute(text(agreed), {"openid": digest}))
    his = "update resident_account set openid_index = 'his' where id = (select min(id) from resident_account)"
    lived_in.write(lambda c: c.execute(text(his)))
    old("unused_accounts", GOING["unused_accounts"].after + DAY)

    let_go(lived_in.parts)

    left_over = {bytes(row.openid_index) for row in rows(lived_in, "select * from subscription")}
    assert b"his" not in left_over and b"a sibling's" in left_over


def test_whom_an_account_without_phone_paid_for_goes_too_and_a_siblings_stays(lived_in, old):
    """Its number was given to somebody else, who has an account of his own."""
    vault, now = lived_in.parts.vault, utc_now()
    person = lived_in.write(lambda c: a_person(c, id_number=an_id_number(sequence=91)))
    his = lived_in.write(lambda c: accounts.of_phone(c, vault, "13900000004", now=now)[0])
    lived_in.write(lambda c: accounts.bind(c, his, person, own=True, now=now))
    gone = "update resident_account set phone = null, phone_index = null, openid_index = null where id = :id"
    lived_in.write(lambda c: c.execute(text(gone), {"id": his}))
    old("unused_accounts", GOING["unused_accounts"].after + DAY)
    own = lived_in.write(lambda c: accounts.of_phone(c, vault, "13900000005", now=now)[0])
    lived_in.write(lambda c: accounts.bind(c, own, person, own=True, now=now))

    let_go(lived_in.parts)

    assert {row.account_id for row in rows(lived_in, "select account_id from resident_person")} == {own}
    assert sum(each.rows for each in let_go(lived_in.parts)) == 0


def test_what_waits_to_be_said_keeps_its_address(lived_in, old, owner_engine):
    old("notice_addresses", GOING["notice_addresses"].after + DAY)
    with owner_engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("update notice set rank = 1"))

    assert sum(each.rows for each in let_go(lived_in.parts)) == 0


def test_nobody_lets_go_of_anything_too_early(lived_in, old):
    """The application's role calls the function by hand."""
    before = left(lived_in)

    for what, line in GOING.items():
        early = {"what": what, "before": utc_now() - line.after + DAY}
        with pytest.raises(DBAPIError, match="too early"), lived_in.parts.engine.begin() as connection:
            connection.execute(text("select let_go_of(:what, :before, 100)"), early)
    assert left(lived_in) == before


def test_the_application_writes_no_line_of_what_went(running):
    with pytest.raises(DBAPIError, match="permission denied"), running.parts.engine.begin() as connection:
        connection.execute(text("insert into let_go (what, before, rows, at) values ('x', now(), 1, now())"))
