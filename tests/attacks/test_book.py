"""Somebody who has the application's role, or the owner's, goes for the book directly. Everything is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from config.postgres import Server
from payments.taking.settle import collect
from tests.builders import NOON, a_bill, a_message, a_paid_word, a_started_payment
from tests.conftest import DATABASE, emptied

ROLE = (
    # as the application's role: what it is asked to do, by which right it is refused
    ("insert into entry values (41, 'receipt:wechat:MINE', '2021-11-05', now(), now(), 1)", "42501"),
    ("insert into posting values (41, 'receipt:wechat:MINE', 1, 'clearing:wechat', 1, null)", "42501"),
    ("update posting set amount = 1", "42501"),
    ("update entry set booked_on = '2021-11-04'", "42501"),
    ("delete from posting", "42501"),
    ("delete from entry", "42501"),
    ("truncate entry cascade", "42501"),
    ("select ledger_post(41, 'mine:1:paid', '2021-11-05', now(), '{clearing:wechat,clearing:alipay}', '{1,-1}',"
     " '{null,null}')", "42501"),
    ("select post_settlement(41, 'mine:1:paid', 'clearing:wechat', '{1}', '2021-11-05', now())", "42501"),
    ("select hold_money(41, 'wechat', 'N', 'R', 1, 'surplus', 'surplus', 'me', now(), '2021-11-05')", "42501"),
    ("select take_outcome(41, 'wechat', 'N', '{}', now(), '2021-11-05')", "42501"),
    ("insert into account values ('clearing:mine', 'asset', 'mine')", "42501"),
    ("delete from account", "42501"),
    ("insert into payment_move values ('closed', 'pending')", "42501"),
    ("insert into suspense (household_id, cause, doubt, owner, gateway, number)"
     " values (41, 'x', 'd', 'o', 'wechat', 'n')",
     "42501"),
    ("update suspense set solved_at = now()", "42501"),
    ("delete from received", "42501"),
    ("update received set body = ''", "42501"),
    ("delete from payment", "42501"),
    ("delete from bill", "42501"),
    ("update bill_line set amount = 1", "42501"),
    ("update payment_bill set live = false", "42501"),
    ("alter table posting disable trigger all", "42501"),
    ("drop trigger balances on entry", "42501"),
    ("set session_replication_role = replica", "42501"),
    ("create function mine() returns int language sql as 'select 1'", "42501"),
    ("update payment set amount = amount + 1 where household_id = 41", "LX006"),
    ("update payment set merchant = 'mine' where household_id = 41", "LX006"),
    ("update payment set household_id = 42 where household_id = 41", "LX006"),
    ("update payment set reference = 'mine' where household_id = 41", "LX006"),
    ("update payment set state = 'pending' where household_id = 41", "LX005"),
    ("update payment set state = 'closed' where household_id = 41", "LX005"),
    ("update payment set state = 'paid', reference = (select reference from payment where household_id = 41),"
     " gateway = 'wechat' where household_id = 42", "LX005"),
    ("update payment set state = 'paid', reference = '42000PAIDTWICE' where household_id = 41", "LX006"),
    ("update bill set personal_due = 1 where household_id = 41", "LX006"),
    ("update bill set personal_due = 1 where household_id = 42", "LX006"),  # nobody has paid it yet
    ("update bill set state = 'open' where household_id = 41", "LX006"),
    ("update bill set state = 'refunded' where household_id = 41", "LX006"),
    ("update bill set state = 'settled', settled_by = (select cause from entry where household_id = 41 limit 1),"
     " settled_at = now() where household_id = 42", "LX006"),
    ("insert into bill_line select household_id, id, 9, 'personal', 'resident', 'RES_MEDICAL', 1, '', '' from bill",
     "LX006"),
    ("insert into payment_bill select p.household_id, p.number, b.id, true from payment p join bill b"
     " on b.household_id = p.household_id where p.state = 'paid'", "LX006"),
    ("insert into bill select b.household_id, 9, 9, b.insurance, b.levy_year, b.tier, b.total, b.personal_due,"
     " b.reason_code, b.price_until, b.benefit_start, b.state, b.settled_by, b.settled_at from bill b"
     " where state = 'settled'", "LX006"),
    ("insert into payment (household_id, number, gateway, merchant, app, kind, amount, description, state, reference,"
     " started_by, started_at, ordered_at, expires_at, check_code) select household_id, 'YC', gateway, merchant, app,"
     " kind, amount, description, state, reference, started_by, started_at, ordered_at, expires_at, check_code"
     " from payment where state = 'paid'", "LX005"),
    ("update refund set amount = 1", "42501"),
    ("insert into refund select r.* from refund r", "42501"),
    ("update book_check set number = 'INV-00'", ""),
)  # fmt: skip
OFFICIAL = (
    # as the application's role, which makes nobody an official and changes no register (M7)
    "insert into staff (login, name, role, password_hash) values ('mine', 'x', 'tax_lead', 'x')",
    "update staff set role = 'tax_lead'",
    "update staff set password_hash = 'mine'",
    "update staff set active = true",
    "update staff set second_step = 0",
    "update staff set recovery = '{x}'",
    "update agent set password_hash = 'mine'",
    "update agent set second_step = 0",
    "insert into agent (login, name, password_hash) values ('mine', 'x', 'x')",
    "insert into agent_village values (1, '370404103901')",
    "delete from agent_village",
    "insert into village values ('370404103999', '370404103', 'mine')",
    "update town set name = 'mine'",
    "insert into household (village_code, number) values ('370404103901', '9')",
    "update household set village_code = '370404103902'",
    "update person set alive = false",
    "update person set phone = null",
    "delete from person",
    "update enrolment set employee_insured = true",
    "insert into category values (1, 'RES_MEDICAL', 'LOW_INCOME')",
    "delete from category",
    "insert into import_batch (kind, file_hash, file_name, rows_in, added, changed, same, refused)"
    " values ('enrolment', 'x', 'x', 0, 0, 0, 0, 0)",
    "truncate new_person",
    "update determination set state = 'approved', decided_by = 'staff:mine', decided_at = now()",
    "insert into disclosure (by, what, place, reason, at) values ('staff:other', 'list', '1', 'mine', now())",
    "delete from disclosure",
    "update received set result = 'nothing'",
    "truncate procrastinate_jobs cascade",
    "create trigger mine before insert on procrastinate_jobs for each row execute function ledger_is_append_only()",
    "set role liangxian_office",
    "grant liangxian_office to liangxian_app",
)
OWNER = (
    # as the owner of the tables, who may do much: the book still takes nothing back
    ("update posting set amount = amount + 1", "LX003"),
    ("update entry set happened_at = now()", "LX003"),
    ("delete from posting", "LX003"),
    ("delete from entry", "LX003"),
    ("truncate posting", "LX003"),
    ("truncate entry cascade", "LX003"),
    ("insert into posting select household_id, cause, 99, account, 1, null from posting limit 1", "LX003"),
    ("insert into entry values (41, 'mine:1:paid', '2021-11-05', now(), now(), pg_current_xact_id()::text::bigint)",
     "LX004"),
    ("insert into entry values (41, 'mine:1:paid', '2021-11-05', now(), now(), pg_current_xact_id()::text::bigint);"
     " insert into posting values (41, 'mine:1:paid', 1, 'clearing:wechat', 5, null),"
     " (41, 'mine:1:paid', 2, 'clearing:alipay', -4, null)", "LX004"),
    ("select ledger_post(41, (select cause from entry where household_id = 41 limit 1), '2021-11-05', now(),"
     " '{clearing:wechat,clearing:alipay}', '{1,-1}', '{null,null}')", "LX001"),
    ("select ledger_post(41, 'mine:1:paid', '2021-11-05', now(), '{clearing:mine,clearing:alipay}', '{1,-1}',"
     " '{null,null}')", "LX002"),
    ("select ledger_post(41, 'mine:1:paid', '2021-11-05', now(), '{clearing:wechat,clearing:alipay}', '{1,1}',"
     " '{null,null}')", "LX004"),
    ("select ledger_post(41, 'mine:1:paid', '2021-11-05', now(), '{clearing:wechat,clearing:alipay}', '{0,0}',"
     " '{null,null}')", "23514"),
    ("update payment set state = 'pending' where household_id = 41", "LX005"),
    ("delete from payment where household_id = 41", "LX006"),
    ("update bill set state = 'open', settled_by = null where household_id = 41", "LX006"),
    ("update suspense set owner = ''", "23514"),
    ("update received set result = 'nothing' where result = 'paid'", "LX081"),
    ("update received set body = 'mine'", "LX081"),
    ("delete from received", "LX081"),
    ("truncate received", "LX003"),
)  # fmt: skip


@pytest.fixture(scope="module")
def book(database: Server) -> Iterator[Server]:
    """A paid payment of household 41, paid twice, and an open one of household 42."""
    with emptied(database) as engine:
        with engine.begin() as connection:
            paid, _ = (
                a_started_payment(connection, a_bill(connection, household_id=household, person_id=household))
                for household in (41, 42)
            )
        words = [a_paid_word(paid), a_paid_word(paid, reference="42000PAIDTWICE")]
        with engine.begin() as connection:
            collect(
                connection, [a_message(word) for word in words], now=NOON, booked_on=NOON.date(), wall=datetime.now(UTC)
            )
        yield database


@contextmanager
def who(url: str) -> Iterator[Connection]:
    engine: Engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            connection.execute(text("set liangxian.places = '*'"))  # who has the role's password says so himself
            connection.commit()
            yield connection
    finally:
        engine.dispose()


def refusal(connection: Connection, attack: str) -> str:
    """The SQLSTATE that answers an attack, tried to its commit; empty if nothing came of it."""
    before = connection.execute(_BOOK).one()
    connection.rollback()
    try:
        connection.execute(text(attack.replace(":", "\\:")))
        connection.commit()
    except DBAPIError as error:
        connection.rollback()
        assert connection.execute(_BOOK).one() == before
        return str(getattr(error.orig, "sqlstate", ""))
    assert connection.execute(_BOOK).one() == before, "it got through"
    return ""


_BOOK = text(
    "select (select md5(string_agg(p\\:\\:text, ' ' order by household_id, cause, line)) from posting p),"
    " (select md5(string_agg(e\\:\\:text, ' ' order by household_id, cause)) from entry e),"
    " (select md5(string_agg(concat(household_id, number, state, amount, reference), ' ' order by number))"
    "    from payment),"
    " (select md5(string_agg(b\\:\\:text, ' ' order by id)) from bill b),"
    " (select count(*) from bill_line), (select count(*) from payment_bill where live)"
)


@pytest.mark.parametrize(("attack", "state"), ROLE)
def test_the_applications_role_gets_nowhere(book: Server, attack: str, state: str) -> None:
    with who(book.app_url(DATABASE)) as connection:
        assert refusal(connection, attack) == state


@pytest.mark.parametrize("attack", OFFICIAL)
def test_the_applications_role_makes_nobody_an_official(book: Server, attack: str) -> None:
    """M7."""
    with who(book.app_url(DATABASE)) as connection:
        assert refusal(connection, attack) == "42501"


def test_a_reading_is_noted_in_the_name_of_the_sessions_officer_only(book: Server) -> None:
    """M7: the name is the session's; without a live session of an office nothing is noted."""
    with who(book.office_url(DATABASE)) as connection:
        made = "insert into staff (login, name, role, password_hash) values ('li', 'x', 'auditor', 'x') returning id"
        staff = connection.execute(text(made)).scalar_one()
        for token, ends in (("live", "1 hour"), ("over", "-1 hour")):
            connection.execute(
                text(
                    "insert into session (token_hash, staff_id, expires_at, ends_at)"
                    f" values ('{token}', {staff}, now() + interval '{ends}', now() + interval '{ends}')"
                )
            )
        connection.commit()
    with who(book.app_url(DATABASE)) as connection:
        for session in ("over", "none"):
            noting = f"select note_reading('{session}', null, '370404103', '核对名单', now())"
            assert refusal(connection, noting) == "LX080"
        connection.execute(text("select note_reading('live', null, '370404103', '核对名单', now())"))
        connection.commit()
        assert connection.execute(text("select by, what from disclosure")).all() == [("staff:li", "list")]


def test_a_code_of_the_second_factor_only_goes_forward(book: Server) -> None:
    """M7: what a login needs of an account is a function that spends, and gives nothing back."""
    with who(book.office_url(DATABASE)) as connection:
        connection.execute(
            text(
                "insert into agent (login, name, password_hash, second_step, recovery)"
                " values ('wang', 'x', 'x', 5, '{a,b}'), ('zhao', 'x', 'x', 5, '{a,b}')"
            )
        )
        connection.commit()
    with who(book.app_url(DATABASE)) as connection:
        spent = [
            connection.execute(text(f"select spend_second('agent', 'wang', {step}, {code})")).scalar_one()
            for step, code in ((5, "null"), (4, "null"), (6, "null"), ("null", "'a'"), ("null", "'a'"), ("null", "'z'"))
        ]
        connection.commit()
        kept = connection.execute(text("select login, second_step, recovery from agent order by login")).all()
    assert spent == [False, False, True, True, False, False]
    assert kept == [("wang", 6, [b"b"]), ("zhao", 5, [b"a", b"b"])]


@pytest.mark.parametrize(("attack", "state"), OWNER)
def test_the_owner_changes_nothing_that_was_booked(book: Server, attack: str, state: str) -> None:
    with who(book.owner_url(DATABASE)) as connection:
        assert refusal(connection, attack) == state
