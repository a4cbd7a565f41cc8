"""The migrations make what the code declares, once, and nothing the application owns."""

import pytest
from sqlalchemy import Engine, text

from config.postgres import Server
from migrations.upgrade import differences, is_current, upgrade
from payments.states import MOVES, REFUND_MOVES


def test_the_migrated_schema_equals_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert differences(connection) == []
        assert is_current(connection)


def test_upgrading_again_changes_nothing(database: Server, engine: Engine) -> None:
    upgrade(database.owner_url("liangxian_test"))

    with engine.connect() as connection:
        assert is_current(connection)


def test_the_application_owns_nothing(engine: Engine) -> None:
    owned = "select count(*) from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = 'liangxian_app'"

    with engine.connect() as connection:
        assert connection.execute(text(owned)).scalar_one() == 0


@pytest.mark.parametrize(("table", "moves"), [("payment_move", MOVES), ("refund_move", REFUND_MOVES)])
def test_the_database_knows_the_same_moves_as_the_code(engine: Engine, table: str, moves: dict) -> None:
    with engine.connect() as connection:
        held = {tuple(row) for row in connection.execute(text(f"select from_state, to_state from {table}"))}

    assert held == {(old, new) for old, allowed in moves.items() for new in allowed}


def test_every_table_of_the_payment_path_carries_the_household_first(engine: Engine) -> None:
    leading = text(
        "select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]"
        " where i.indrelid = cast(:table as regclass) and i.indisprimary"
    )
    path = ("bill", "bill_line", "payment", "payment_bill", "received", "suspense", "entry", "posting", "notice")
    path += ("refund", "refund_bill")

    with engine.connect() as connection:
        keys = {table: connection.execute(leading, {"table": table}).scalar_one() for table in path}

    assert keys == dict.fromkeys(path, "household_id")


def test_a_new_job_rings_no_bell(engine: Engine) -> None:
    rings = text(
        "select tgname from pg_trigger t join pg_proc p on p.oid = t.tgfoid"
        " where t.tgrelid = 'procrastinate_jobs'::regclass and p.prosrc like '%notify%' and t.tgenabled <> 'D'"
        " and (t.tgtype & 4) = 4"  # on insert
    )

    with engine.connect() as connection:
        assert connection.execute(rings).scalars().all() == []
