"""Every road to paid is one road: what arrives is kept, applied once, and in doubt held with an owner."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.flows.parts import Clocks
from app.flows.pay.collect import Collector
from config.postgres import Server
from payments.errors import BillSettled, PaymentUnderWay
from payments.ledger.balances import balance, trial_balance
from payments.states import State
from payments.taking.bills import Draft, issue, settle_free, withdraw
from payments.taking.settle import Message, collect
from payments.taking.start import begin, move
from tests.builders import (
    NEW_YEAR,
    NOON,
    a_bill,
    a_draft,
    a_message,
    a_paid_word,
    a_started_payment,
    a_wish,
    an_attempt,
)
from tests.conftest import DATABASE


def take(engine: Engine, *messages: Message) -> list[str]:
    with engine.begin() as connection:
        return collect(
            connection,
            messages,
            now=NOON,
            booked_on=NOON.date(),
            wall=datetime.now(UTC),
        )


def counts(connection: Connection, *tables: str) -> list[int]:
    return [connection.execute(text(f"select count(*) from {table}")).scalar_one() for table in tables]


def balances(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {row.code: row.balance for row in trial_balance(connection)}


def a_pension() -> Draft:
    """500 yuan of his own and 60 from the state."""
    own, subsidy = a_draft().lines[:2]
    return a_draft(
        insurance="RES_PENSION",
        tier=50000,
        total=50000,
        personal_due=50000,
        lines=(
            replace(own, fund="RES_PENSION", amount=50000),
            replace(subsidy, fund="RES_PENSION", amount=6000),
        ),
    )


def test_an_entry_keeps_the_moment_the_money_moved(engine: Engine) -> None:
    with engine.begin() as connection:
        paid, twice = (
            a_started_payment(connection),
            a_paid_word(a_started_payment(connection, a_bill(connection, household_id=8, person_id=12))),
        )
    late = replace(a_paid_word(paid), happened_at=NOON - timedelta(days=3))

    take(engine, a_message(late), a_message(twice), a_message(replace(twice, reference="42000SECOND")))

    with engine.connect() as connection:
        moments = dict(connection.execute(text("select cause, happened_at from entry")).all())
    assert moments == {
        f"receipt:wechat:{late.reference}": NOON - timedelta(days=3),
        f"receipt:wechat:{twice.reference}": twice.happened_at,
        "receipt:wechat:42000SECOND": twice.happened_at,
    }


def test_a_paid_word_settles_books_and_tells(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)

    words = take(engine, a_message(a_paid_word(attempt)))

    assert words == ["paid"]
    assert balances(engine) == {
        "clearing:wechat": 32000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "fund:RES_MEDICAL:2022": -90000,
    }
    with engine.connect() as connection:
        paid = connection.execute(text("select state, reference, paid_at, next_query_at from payment")).one()
        bill = connection.execute(text("select state, settled_by from bill")).one()
        notice = connection.execute(text("select kind, rank, fields->>'names' as names from notice")).one()
        job = connection.execute(text("select task_name, args from procrastinate_jobs")).one()
        kept = connection.execute(text("select household_id, number, result, body from received")).one()
    assert (paid.state, paid.paid_at, paid.next_query_at) == ("paid", NOON + timedelta(minutes=2), None)
    assert bill == ("settled", f"receipt:wechat:{paid.reference}")
    assert notice == ("paid", 0, "张*例")
    assert job == ("tell", {"notices": [[7, f"payment:{attempt.number}:paid"]]})
    assert (kept.household_id, kept.number, kept.result, bytes(kept.body)) == (7, attempt.number, "paid", b"{}")


def test_one_payment_for_two_insurances_is_one_entry(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection, a_bill(connection), issue(connection, a_pension()))

    assert take(engine, a_message(a_paid_word(attempt, 82000))) == ["paid"]

    assert balances(engine) == {
        "clearing:wechat": 82000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "receivable:gov_subsidy:finance:RES_PENSION": 6000,
        "fund:RES_MEDICAL:2022": -90000,
        "fund:RES_PENSION:2022": -56000,
    }
    with engine.connect() as connection:
        assert counts(connection, "entry", "notice") == [1, 1]


def test_ten_copies_one_after_the_other_count_once(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)

    words = [take(engine, a_message(a_paid_word(attempt)))[0] for _ in range(10)]

    assert words == ["paid"] + ["again"] * 9
    with engine.connect() as connection:
        assert counts(connection, "entry", "notice", "received", "suspense") == [1, 1, 10, 0]


def test_a_hundred_copies_at_once_are_one_entry_and_one_notice(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)
    collectors = [Collector(engine, Clocks(engine, movable=False)) for _ in range(4)]  # as if four processes
    message = a_message(a_paid_word(attempt))

    with ThreadPoolExecutor(100) as crowd:
        words = list(crowd.map(lambda place: collectors[place % 4].take(message), range(100)))

    assert sorted(words) == ["again"] * 99 + ["paid"]
    with engine.connect() as connection:
        assert counts(connection, "entry", "notice", "procrastinate_jobs") == [1, 1, 1]
        assert balance(connection, "clearing:wechat") == 32000


@pytest.mark.parametrize(
    ("spoilt", "doubt"),
    [
        ({"amount": 31999}, "amount"),
        ({"amount": 1}, "amount"),
        ({"amount": 32001}, "amount"),
        ({"merchant": "1900000999"}, "other_merchant"),
        ({"app": "wx0"}, "other_merchant"),
    ],
)
def test_money_that_fits_nothing_is_held_with_an_owner(engine: Engine, spoilt: dict, doubt: str) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)

    words = take(engine, a_message(a_paid_word(attempt, **spoilt)), a_message(a_paid_word(attempt, **spoilt)))

    assert words == ["suspense", "again"]
    with engine.connect() as connection:
        held = connection.execute(text("select doubt, owner, amount, solved_at from suspense")).one()
        assert held == (doubt, "tax_clerk", spoilt.get("amount", 32000), None)
        assert connection.execute(text("select state from payment")).scalar_one() == "created"
        assert connection.execute(text("select state from bill")).scalar_one() == "open"
    assert balances(engine) == {"clearing:wechat": held.amount, "suspense:wechat": -held.amount}


def test_money_for_an_unknown_number_is_held(engine: Engine) -> None:
    stranger = an_attempt(99)

    assert take(engine, a_message(a_paid_word(stranger))) == ["suspense"]

    assert balances(engine) == {"clearing:wechat": 32000, "suspense:wechat": -32000}


def test_money_of_another_channel_never_settles_an_order(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)

    assert take(engine, a_message(a_paid_word(attempt, gateway="alipay"))) == ["suspense"]

    with engine.connect() as connection:
        assert connection.execute(text("select doubt from suspense")).scalar_one() == "other_channel"
        assert connection.execute(text("select state from bill")).scalar_one() == "open"


@pytest.mark.parametrize("spoilt", [{"amount": None}, {"currency": "USD"}, {"currency": ""}])
def test_an_amount_nobody_can_book_is_a_doubt_without_an_entry(engine: Engine, spoilt: dict) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)

    assert take(engine, a_message(a_paid_word(attempt, **spoilt))) == ["doubt"]

    with engine.connect() as connection:
        assert counts(connection, "entry", "suspense") == [0, 1]


@pytest.mark.parametrize("spoilt", [{"amount": None}, {"currency": ""}])
def test_the_whole_word_settles_what_a_word_without_amount_only_doubted(engine: Engine, spoilt: dict) -> None:
    """K10: what the first word left out, the second says; a sibling's doubt stays as it is."""
    with engine.begin() as connection:
        attempt = a_started_payment(connection)
        sibling = a_started_payment(connection, a_bill(connection, household_id=8, person_id=18))
    vague = [a_message(a_paid_word(one, **spoilt)) for one in (attempt, sibling)]

    words = take(engine, *vague, vague[0], a_message(a_paid_word(attempt)), a_message(a_paid_word(attempt)))

    assert words == ["doubt", "doubt", "doubt", "paid", "again"]
    with engine.connect() as connection:
        states = connection.execute(text("select household_id, state from bill order by 1")).all()
        solved = connection.execute(text("select household_id, solution, solved_by from suspense order by 1")).all()
    assert states == [(7, "settled"), (8, "open")]
    assert solved == [(7, "applied", "gateway:wechat"), (8, None, None)]
    assert balances(engine)["clearing:wechat"] == 32000


@pytest.mark.parametrize(
    ("spoilt", "doubt"), [({"amount": 31000}, "amount"), ({"merchant": "1900000999"}, "other_merchant")]
)
def test_the_whole_word_that_fits_nothing_is_held_in_the_place_of_the_doubt(
    engine: Engine, spoilt: dict, doubt: str
) -> None:
    """K10: the money is in the book, once, and whoever took the doubt keeps it."""
    with engine.begin() as connection:
        attempt = a_started_payment(connection)
    take(engine, a_message(a_paid_word(attempt, amount=None)))
    with engine.begin() as connection:
        connection.execute(
            text("select suspense_take(household_id, cause, 'staff:li', :now) from suspense"), {"now": NOON}
        )

    words = take(engine, *[a_message(a_paid_word(attempt, **spoilt))] * 2)

    assert words == ["suspense", "again"]
    with engine.connect() as connection:
        [held] = connection.execute(text("select doubt, amount, owner, solved_at from suspense")).all()
    assert held == (doubt, spoilt.get("amount", 32000), "staff:li", None)
    assert balances(engine) == {"clearing:wechat": held.amount, "suspense:wechat": -held.amount}


def test_a_late_success_of_a_closed_payment_is_applied(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)
        move(connection, 7, attempt.number, State.CLOSED)

    assert take(engine, a_message(a_paid_word(attempt))) == ["paid"]


def test_two_payments_of_one_bill_are_one_settlement_and_one_surplus(engine: Engine) -> None:
    with engine.begin() as connection:
        first = a_started_payment(connection)
        move(connection, 7, first.number, State.CLOSED)
        second = a_started_payment(connection, a_bill(connection))

    words = take(engine, a_message(a_paid_word(second))) + take(engine, a_message(a_paid_word(first)))

    assert words == ["paid", "surplus"]
    assert balances(engine)["surplus:wechat"] == -32000
    with engine.connect() as connection:
        owner = connection.execute(text("select owner from suspense")).scalar_one()
        kinds = connection.execute(text("select kind from notice order by kind")).scalars().all()
    assert (owner, kinds) == ("refund_desk", ["paid", "surplus"])


def test_late_money_for_two_bills_of_which_one_is_paid_is_surplus_whole(engine: Engine) -> None:
    with engine.begin() as connection:
        medical = a_bill(connection)
        both = a_started_payment(connection, medical, issue(connection, a_pension()))
        move(connection, 7, both.number, State.CLOSED)
        one = a_started_payment(connection, medical)

    words = take(engine, a_message(a_paid_word(one))) + take(engine, a_message(a_paid_word(both, 82000)))

    assert words == ["paid", "surplus"]
    assert balances(engine)["surplus:wechat"] == -82000
    with engine.connect() as connection:
        states = connection.execute(text("select insurance, state from bill")).all()
    assert dict(states) == {"RES_MEDICAL": "settled", "RES_PENSION": "open"}  # all of its bills or none


def test_money_paid_twice_under_one_number_is_surplus_the_second_time(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)

    words = take(engine, a_message(a_paid_word(attempt))) + take(
        engine, a_message(a_paid_word(attempt, reference="4200099"))
    )

    assert words == ["paid", "surplus"]
    assert balances(engine)["clearing:wechat"] == 64000


def test_money_after_the_price_ended_is_surplus(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)

    assert take(engine, a_message(a_paid_word(attempt, happened_at=NEW_YEAR))) == ["surplus"]

    with engine.connect() as connection:
        assert connection.execute(text("select state from bill")).scalar_one() == "open"
        assert connection.execute(text("select state from payment")).scalar_one() == "surplus"


def test_money_in_the_last_second_of_the_price_settles(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)

    last = NEW_YEAR - timedelta(seconds=1)

    assert take(engine, a_message(a_paid_word(attempt, happened_at=last))) == ["paid"]


def test_money_for_a_withdrawn_bill_is_surplus(engine: Engine) -> None:
    with engine.begin() as connection:
        bill = a_bill(connection)
        attempt = a_started_payment(connection, bill)
        move(connection, 7, attempt.number, State.CLOSED)
        withdraw(connection, 7, bill.id)

    assert take(engine, a_message(a_paid_word(attempt))) == ["surplus"]


def test_a_bill_nobody_pays_for_is_settled_once(engine: Engine) -> None:
    waived = a_draft(
        personal_due=0,
        lines=(replace(a_draft().lines[0], part="gov_substitute", payer="civil"), a_draft().lines[1]),
    )
    with engine.begin() as connection:
        bill = issue(connection, waived)

    with engine.begin() as connection:
        settled = [settle_free(connection, bill, now=NOON, booked_on=NOON.date()) for _ in range(2)]

    assert settled == [True, False]
    assert balances(engine) == {
        "receivable:gov_substitute:civil:RES_MEDICAL": 32000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "fund:RES_MEDICAL:2022": -90000,
    }


def test_one_message_that_cannot_be_applied_spoils_no_other(engine: Engine, database: Server) -> None:
    with engine.begin() as connection:
        good = a_started_payment(connection)
        bad = a_started_payment(connection, issue(connection, a_draft(household_id=8, person_id=12)))
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")  # past every guard: a bill with it is not issued
        admin.execute("update bill_line set fund = 'NO_SUCH_FUND' where household_id = 8")

    words = take(engine, a_message(a_paid_word(bad)), a_message(a_paid_word(good)))

    assert words == ["failed:LX002", "paid"]
    with engine.connect() as connection:
        kept = connection.execute(text("select number from received where result like 'failed%'")).scalars().all()
    assert kept == [bad.number]


def test_a_message_without_money_changes_nothing(engine: Engine) -> None:
    assert take(engine, a_message(None)) == ["nothing"]

    with engine.connect() as connection:
        assert counts(connection, "received", "entry") == [1, 0]


def test_who_moved_has_one_bill_and_it_is_the_new_households(engine: Engine) -> None:
    with engine.begin() as connection:
        former = a_bill(connection, household_id=7)
        now = a_bill(connection, household_id=8)
        states = dict(connection.execute(text("select household_id, state from bill")).all())

    assert (former.household_id, now.household_id) == (7, 8)
    assert states == {7: "withdrawn", 8: "open"}


def test_who_moved_cannot_pay_again(engine: Engine) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection, a_bill(connection, household_id=7))
    take(engine, a_message(a_paid_word(attempt)))

    with pytest.raises(BillSettled), engine.begin() as connection:
        a_bill(connection, household_id=8)


def test_a_bill_has_one_live_payment(engine: Engine) -> None:
    with engine.begin() as connection:
        bill = a_bill(connection)
        first = a_started_payment(connection, bill)

    with pytest.raises(PaymentUnderWay) as held, engine.begin() as connection:
        begin(connection, [bill], an_attempt(), a_wish())

    assert held.value.args[0] == first.number


def test_a_key_begins_one_payment_whoever_it_is_for(engine: Engine) -> None:
    asked = a_wish()
    with engine.begin() as connection:
        bills = [issue(connection, a_draft(household_id=home, person_id=home)) for home in (7, 8, 9)]
        begun = begin(connection, [bills[0]], an_attempt(7), asked)
    with engine.connect() as connection:
        again = begin(connection, [bills[1]], an_attempt(8), asked)
        connection.rollback()
    with engine.begin() as connection:
        beside = begin(connection, [bills[2]], an_attempt(9), a_wish())

    assert begun is not None and again is None and beside is not None
    with engine.connect() as connection:
        paying = connection.execute(text("select household_id from payment_bill where live order by 1")).scalars()
        assert paying.all() == [7, 9]
        assert counts(connection, "payment", "request_key") == [2, 2]


def test_who_overlooked_a_bill_gets_the_one_that_is_there(engine: Engine) -> None:
    with engine.begin() as connection:
        there, sibling = (issue(connection, a_draft(person_id=person), unseen=True) for person in (11, 12))
        again = issue(connection, a_draft(person_id=11), unseen=True)
        dearer = issue(connection, a_draft(person_id=11, benefit_start=None), unseen=True)

    assert (there.fresh, again.id, again.fresh, dearer.fresh) == (True, there.id, False, True)
    with engine.connect() as connection:
        states = dict(connection.execute(text("select id, state from bill")).all())
    assert states == {there.id: "withdrawn", dearer.id: "open", sibling.id: "open"}


def test_of_fifty_payments_begun_at_once_for_one_bill_one_lives(engine: Engine) -> None:
    with engine.begin() as connection:
        bill = a_bill(connection)

    def start(_place: int) -> bool:
        try:
            with engine.begin() as connection:
                begin(connection, [bill], an_attempt(), a_wish())
        except PaymentUnderWay:
            return False
        return True

    with ThreadPoolExecutor(16) as crowd:
        won = list(crowd.map(start, range(50)))

    assert won.count(True) == 1


def test_a_paid_bill_cannot_be_paid_or_issued_again(engine: Engine) -> None:
    with engine.begin() as connection:
        bill = a_bill(connection)
        attempt = a_started_payment(connection, bill)
    take(engine, a_message(a_paid_word(attempt)))

    for act in (lambda c: begin(c, [bill], an_attempt(), a_wish()), a_bill):
        with pytest.raises(BillSettled), engine.begin() as connection:
            act(connection)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("insert into entry values (7, 'x:1:y', '2021-11-05', now(), now(), 1)", "42501"),
        ("update posting set amount = amount + 1", "42501"),
        ("delete from entry", "42501"),
        ("truncate posting", "42501"),
        ("update payment set state = 'paid', reference = '1'", "LX005"),
        ("update payment set state = 'pending'", "LX005"),
        ("update bill set personal_due = 1", "LX006"),
        ("select ledger_post(7, 'a:1:b', '2021-11-05', now(), '{}', '{}', '{}')", "42501"),
    ],
)
def test_the_application_cannot_write_around_the_book(engine: Engine, statement: str, code: str) -> None:
    with engine.begin() as connection:
        paid = a_started_payment(connection)
    take(engine, a_message(a_paid_word(paid)))
    if "'paid'" in statement:
        with engine.begin() as connection:
            a_started_payment(connection, a_bill(connection, household_id=8, person_id=12))
        statement += " where household_id = 8"

    with pytest.raises(DBAPIError) as refused, engine.begin() as connection:
        connection.execute(text(statement))

    assert refused.value.orig.sqlstate == code


POST = "select ledger_post(7, :cause, '2021-11-05', now(), :accounts, :amounts, array[null, null]::bigint[])"
BOTH = ["clearing:wechat", "surplus:wechat"]


def as_owner(engine: Engine, statement: str, values: dict | None = None, *, then: Sequence[str] = ()) -> object:
    """Even the owner of the tables keeps to the book's rules."""
    from sqlalchemy import create_engine  # noqa: PLC0415

    owner = create_engine(str(engine.url.set(username="liangxian_owner").render_as_string(hide_password=False)))
    try:
        with owner.begin() as connection:
            found = connection.execute(text(statement), values or {}).scalar()
            for more in then:
                connection.execute(text(more))
            return found
    finally:
        owner.dispose()


def test_the_same_cause_books_once_and_never_differently(engine: Engine) -> None:
    values = {"cause": "test:1:x", "accounts": BOTH, "amounts": [100, -100]}

    assert as_owner(engine, POST, values) is True
    assert as_owner(engine, POST, values) is False
    with pytest.raises(DBAPIError, match="other figures"):
        as_owner(engine, POST, values | {"amounts": [200, -200]})


@pytest.mark.parametrize(
    ("values", "then", "code"),
    [
        ({"cause": "t:1:x", "accounts": BOTH, "amounts": [100, -99]}, (), "LX004"),
        ({"cause": "t:1:x", "accounts": ["clearing:wechat", "nowhere"], "amounts": [1, -1]}, (), "LX002"),
        ({"cause": "t:1:x", "accounts": BOTH, "amounts": [1, -1]}, ("update posting set amount = 2",), "LX003"),
        ({"cause": "t:1:x", "accounts": BOTH, "amounts": [1, -1]}, ("delete from entry",), "LX003"),
        ({"cause": "t:1:x", "accounts": BOTH, "amounts": [1, -1]}, ("truncate posting",), "LX003"),
    ],
)
def test_the_book_refuses_what_is_no_entry(engine: Engine, values: dict, then: tuple, code: str) -> None:
    with pytest.raises(DBAPIError) as refused:
        as_owner(engine, POST, values, then=then)

    assert refused.value.orig.sqlstate == code


def test_a_posting_joins_no_entry_of_an_earlier_transaction(engine: Engine) -> None:
    as_owner(engine, POST, {"cause": "t:1:x", "accounts": BOTH, "amounts": [1, -1]})

    with pytest.raises(DBAPIError) as refused:
        as_owner(engine, "insert into posting values (7, 't:1:x', 3, 'clearing:wechat', 5, null)")

    assert refused.value.orig.sqlstate == "LX003"


def test_a_bill_of_somebody_without_an_account_is_not_issued(engine: Engine) -> None:
    """He would be charged, and the money could not be booked."""
    known, mine = a_draft().lines[1], a_draft().lines[0]
    with pytest.raises(DBAPIError) as refused, engine.begin() as connection:
        issue(connection, a_draft(lines=(mine, replace(known, part="gov_substitute", payer="mars"))))

    with engine.begin() as connection:
        assert refused.value.orig.sqlstate == "LX002"
        assert connection.execute(text("select count(*) from bill")).scalar_one() == 0
        issue(connection, a_draft(lines=(mine, replace(known, part="gov_substitute", payer="civil"))))
