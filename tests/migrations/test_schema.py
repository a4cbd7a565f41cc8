"""The migrations make what the code declares, once, and nothing the application owns."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from psycopg import Connection
from sqlalchemy import Engine, create_engine, text

from config.postgres import Server, create_database
from migrations.standing import serves
from migrations.upgrade import _config, differences, upgrade
from payments.states import MOVES, REFUND_MOVES
from tests.builders import DEPARTMENTS


def test_the_migrated_schema_equals_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert differences(connection) == []
        assert serves(connection)


def test_upgrading_again_changes_nothing(database: Server, engine: Engine) -> None:
    upgrade(database.owner_url("liangxian_test"))

    with engine.connect() as connection:
        assert serves(connection)


def test_an_upgrade_brings_a_new_department_and_a_new_name_and_takes_nobody_away(
    database: Server, engine: Engine
) -> None:
    url, accounts = database.owner_url("liangxian_test"), text("select code, name from account")
    with engine.connect() as connection:
        before = {row.code: row.name for row in connection.execute(accounts)}
    upgrade(url, departments={"mars": "火星办", "civil": "民政和火星局"})
    with engine.connect() as connection:
        after = {row.code: row.name for row in connection.execute(accounts)}
    with psycopg.connect(url) as owner:  # as it was, for whoever comes next
        owner.execute("delete from account where code like '%:mars:%'")
    upgrade(url, departments=DEPARTMENTS)

    assert before.keys() < after.keys(), "the departments that the file has no more keep their accounts"
    changed = {code: name for code, name in after.items() if before.get(code) != name}
    assert changed == {
        "receivable:gov_substitute:mars:RES_MEDICAL": "应收火星办代缴居民医疗保险",
        "receivable:gov_substitute:mars:RES_PENSION": "应收火星办代缴居民养老保险",
        "receivable:gov_substitute:civil:RES_MEDICAL": "应收民政和火星局代缴居民医疗保险",
        "receivable:gov_substitute:civil:RES_PENSION": "应收民政和火星局代缴居民养老保险",
    }


@pytest.fixture
def former(database: Server) -> Iterator[Connection]:
    """A database as it was before a person had one effective bill, open to a superuser."""
    name = "liangxian_former"
    create_database(database, name)
    owner = create_engine(database.owner_url(name).replace("postgresql://", "postgresql+psycopg://", 1))
    with owner.begin() as connection:
        command.upgrade(_config(connection), "0022")
    owner.dispose()
    admin_url = database.admin_url().replace("/postgres?", f"/{name}?")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        yield admin
    with psycopg.connect(database.admin_url(), autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")


def a_former_bill(admin: Connection, *, home: int, key: int, person: int, state: str) -> None:
    settled = "'receipt:wechat:x', now()" if state == "settled" else "null, null"
    admin.execute(
        "insert into bill (household_id, id, person_id, insurance, levy_year, total, personal_due, reason_code,"
        f" price_until, state, settled_by, settled_at) values ({home}, {key}, {person}, 'RES_MEDICAL', 2022, 900, 320,"
        f" 'OK', now(), '{state}', {settled})"
    )


def test_who_has_two_open_bills_keeps_one_by_the_upgrade(database: Server, former: Connection) -> None:
    """M1: the paid one, else the latest; somebody else's single bill stays."""
    a_former_bill(former, home=1, key=11, person=1, state="settled")
    a_former_bill(former, home=2, key=12, person=1, state="open")
    a_former_bill(former, home=1, key=21, person=2, state="open")
    former.execute("update bill set issued_at = now() - interval '1 day'")
    a_former_bill(former, home=2, key=22, person=2, state="open")
    a_former_bill(former, home=1, key=31, person=3, state="open")

    upgrade(database.owner_url("liangxian_former"))

    held = dict(former.execute("select id, state from bill").fetchall())
    assert held == {11: "settled", 12: "withdrawn", 21: "withdrawn", 22: "open", 31: "open"}


def test_who_paid_twice_stops_the_upgrade_by_name(database: Server, former: Connection) -> None:
    """M1: money is given back by people, not by a migration; nothing is changed."""
    a_former_bill(former, home=1, key=11, person=7, state="settled")
    a_former_bill(former, home=2, key=12, person=7, state="settled")

    with pytest.raises(RuntimeError, match=r"persons \[7\]"):
        upgrade(database.owner_url("liangxian_former"))

    assert former.execute("select version_num from alembic_version").fetchone() == ("0022",)


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
