"""What gateways do wrong, as stories: each begins at noon, meets its fault, and is played to its end.

What is true at the end of every story is in `play.py`; which end each must come to, in `test_gateway_faults.py`.
"""

import time
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.flows.pay.follow import Phase, close_payment
from app.flows.pay.start import NotPayable
from app.flows.reconcile.fetch_statement import fetch_due, fetch_statement
from app.flows.refund.give_back import again
from core.clock import business_day, utc_now
from payments.errors import BillSettled, GatewayRefused, GatewaySilent
from payments.gateways.base import Kind
from payments.gateways.known import GATEWAYS
from payments.ledger.balances import balance
from payments.sandbox.alipay import keys as alipay_keys
from payments.sandbox.unionpay import keys as unionpay_keys
from tests.faults.play import Play, at_once, until
from tests.system import eventually

PAID, SURPLUS, CLOSED, LEFT = Phase.PAID, Phase.SURPLUS, Phase.CLOSED, Phase.LEFT
CHECKING, WAITING = Phase.CHECKING, Phase.WAITING
Errors = Mapping[str, Mapping[str, object]]  # by gateway: what a fault "error" says
PLAIN_NO: Errors = {
    "wechat": {"status": 403, "code": "NO_AUTH"},
    "alipay": {"code": "ACQ.ACCESS_FORBIDDEN"},
    "unionpay": {"code": "31"},
}


# Creating


def create_times_out(p: Play) -> None:
    """They took the order, and nobody heard their answer: the same number again, never a second one beside it."""
    person, key = p.person(), p.key()
    p.hurry()
    p.fault("silent", on="create", count=2, seconds=0.6)
    with pytest.raises(GatewaySilent):
        p.start(person, key=key)
    assert list(p.phases().values()) == [CHECKING]

    p.join(p.gateway)
    p.pay(p.again_or_anew(person, key))


def create_answer_spoilt(p: Play, spoil: str) -> None:
    """They took the order, and what they answered proves nothing."""
    person, key = p.person(), p.key()
    p.fault(spoil, on="create", count=1 if p.gateway == "unionpay" else 2)  # there the second try is told "repeated"
    with pytest.raises(GatewaySilent):
        p.start(person, key=key)
    assert list(p.phases().values()) == [CHECKING]

    p.pay(p.again_or_anew(person, key))


def create_fails(p: Play, error: Errors) -> None:
    """They did not take it, and did not say so plainly: asked again by the same number."""
    person, key = p.person(), p.key()
    p.fault("error", on="create", count=2, **error[p.gateway])
    with pytest.raises(GatewaySilent):
        p.start(person, key=key)
    p.ask()
    assert list(p.phases().values()) == [CHECKING]

    p.pay(p.start(person, key=key))


def create_fails_and_nobody_comes_back(p: Play) -> None:
    """Twice "we do not know it", a minute apart: it is over, and the resident may start anew."""
    person = p.person()
    p.fault("error", on="create", count=2, status=500)
    with pytest.raises(GatewaySilent):
        p.start(person)
    p.ask()
    assert list(p.phases().values()) == [CHECKING]

    p.give_up()
    p.pay(p.start(person))


def create_refused(p: Play) -> None:
    """A plain no: nothing was taken, and the resident may start anew at once."""
    person = p.person()
    p.fault("error", on="create", **PLAIN_NO[p.gateway])
    with pytest.raises(GatewayRefused):
        p.start(person)

    p.pay(p.start(person))


def callback_before_the_answer(p: Play) -> None:
    """Paid and told before the answer to the order has arrived."""
    p.fault("callback_early")

    started = p.start(p.person())

    if p.kind is Kind.WEB:
        p.code(started)
        p.wait(started.number, PAID)
    else:
        assert started.state == "paid"


# Callbacks


def a_hundred_at_once(p: Play) -> None:
    """The same callback a hundred times at once: all acknowledged, booked once, told once."""
    started = p.start(p.person())
    p.fault("callback_duplicate", started.number, times=40)
    p.pay(started)
    p.wait(started.number, PAID)

    statuses = at_once(*[partial(p.replay, started.number)] * 60)
    statuses += p.system.outside.callback_statuses(str(started.number), 40)

    assert len(statuses) == 100 and set(statuses) <= {200, 204}
    notices = p.system.one("select count(*) from notice where cause = :c", c=f"payment:{started.number}:paid")
    assert notices[0] == 1


def the_next_day(p: Play) -> None:
    """The same callback a day later changes nothing."""
    started = p.paid()
    p.turn(days=1)

    assert p.replay(started.number) in (200, 204)


def after_a_refund(p: Play) -> None:
    """The payment's callback again, after its money went back."""
    started = p.paid()
    p.give_back(started.number)

    assert p.replay(started.number) in (200, 204)


def refund_told_first(p: Play) -> None:
    """A refund is told before the payment it gives back."""
    started = p.start(p.person())
    p.fault("reorder", started.number)
    p.pay(started)
    p.ask()
    assert p.phase(started.number) is PAID

    p.give_back(started.number)
    if not (p.gateway == "alipay" and p.kind is Kind.NATIVE):  # nobody tells of a code's trade given back whole
        eventually(lambda: p.system.outside.callback_statuses(str(started.number), 1, 0) != [])


def callback_never_comes(p: Play) -> None:
    """Only a question finds out."""
    started = p.start(p.person())
    p.fault("callback_drop", started.number, count=None)
    p.pay(started)
    p.ask()


def thirty_held_then_at_once(p: Play) -> None:
    """The callbacks of thirty payments are held, and come in one moment."""
    began = time.monotonic()
    crowd = [p.start(p.person()) for _ in range(30)]
    moment = time.monotonic() + 0.5 + 1.5 * (time.monotonic() - began)
    for started in crowd:
        p.fault("delay", started.number, on="callback", seconds=until(moment))
        p.pay(started)
    assert set(p.phases().values()) == {WAITING}
    assert until(moment) > 0, "all were paid before the first was told"

    eventually(lambda: set(p.phases().values()) == {PAID}, 10)


def callback_forged_first(p: Play, kind: str) -> None:
    """What comes first is not what they signed for us: refused, and the genuine one is booked. A probe of theirs is
    routine and wakes nobody."""
    started = p.start(p.person())
    p.fault(kind, started.number, **({"on": "callback"} if kind == "merchant_certificate" else {}))
    p.pay(started)

    p.wait(started.number, PAID)
    routine = kind == "callback_signtest" and p.gateway == "wechat"
    eventually(lambda: p.alerts() == (set() if routine else {"callback_refused"}))


def key_unknown(p: Play, strangers: Path) -> None:
    """Their key was changed and ours not yet: refused until we have it; their repeat is booked then."""
    started = p.start(p.person())
    p.join(p.gateway, **_other_keys(p.gateway, strangers))
    p.system.outside.post("/settings", {"callback_public_key_percent": 0})
    try:
        p.pay(started)
        eventually(lambda: "callback_refused" in p.alerts())
        assert p.phase(started.number) is WAITING
    finally:
        p.system.outside.post("/settings", {"callback_public_key_percent": 100})
    p.join(p.gateway)
    p.wait(started.number, PAID)


# Asking


def query_down(p: Play) -> None:
    """Nobody answers questions, and callbacks come: what is paid is booked, what is unknown waits."""
    waits = p.start(p.person())
    p.fault("error", on="query", status=500, count=None)
    for _ in range(3):
        p.ask()
    assert p.phase(waits.number) is CHECKING
    p.paid()

    p.clear()
    p.turn(minutes=20)
    for _ in range(3):
        p.ask()


def all_down_for_a_day(p: Play) -> None:
    """No callback and no answer to a question: the resident is told so. The statement is there the next day; it is not
    booked from (a later flow will), so the payment stays under question, and is booked when a question is answered."""
    started = p.start(p.person())
    p.fault("callback_drop", started.number, count=None)
    p.fault("error", on="query", status=500, count=None)
    p.pay(started)
    p.ask()
    assert p.phase(started.number) is CHECKING

    p.turn(hours=22, minutes=30)
    day = business_day(p.noon)
    fetch_statement(p.system.parts, p.gateway, day)
    row = p.system.one("select amount from statement_row where gateway = :g and number = :n and day = :d", g=p.gateway,
                       n=started.number, d=day)  # fmt: skip
    assert row.amount == started.amount
    p.ask()
    assert p.phase(started.number) is CHECKING

    p.clear()
    p.ask()
    p.wait(started.number, PAID)
    booked = p.system.one(
        "select e.booked_on, p.paid_at from payment p join entry e on e.cause = 'receipt:' || p.gateway || ':' ||"
        " p.reference where p.number = :n",
        n=started.number,
    )
    assert (business_day(booked.paid_at), booked.booked_on) == (day, day + timedelta(days=1))


def query_answer_spoilt(p: Play, spoil: str) -> None:
    """An answer that proves nothing decides nothing."""
    started = p.start(p.person())
    p.fault("callback_drop", started.number, count=None)
    p.pay(started)
    p.fault(spoil, started.number, on="query")
    p.ask()
    assert p.phase(started.number) is CHECKING

    p.ask()


def query_fails(p: Play, error: Errors) -> None:
    """A word that says nothing about the payment decides nothing."""
    started = p.start(p.person())
    p.fault("callback_drop", started.number, count=None)
    p.pay(started)
    p.fault("error", started.number, on="query", **error[p.gateway])
    p.ask()
    assert p.phase(started.number) is CHECKING
    assert _asked_again_within(p, started.number) > timedelta(seconds=2), "the schedule, not a storm"

    p.ask()


def state_unknown(p: Play) -> None:
    """A state nobody has heard of: somebody is told, once, and it is asked about again."""
    started = p.start(p.person())
    p.fault("callback_drop", started.number, count=None)
    p.pay(started)
    p.fault("trade_code", started.number, on="query", code="7Z", count=2)
    p.ask()
    p.ask()
    assert p.phase(started.number) not in (CLOSED, PAID)
    assert p.alerts() == {"gateway_word_unknown"}

    p.ask()


def answer_about_another(p: Play) -> None:
    """Well signed, and about another payment that was paid: it proves nothing about this one."""
    other, started = p.paid(), p.start(p.person())
    p.fault("other_trade", started.number, instead=other.number)
    p.look(code := p.code(started))
    p.ask()
    assert p.phase(started.number) in (CHECKING, WAITING)

    p.pay(started, code)
    p.wait(started.number, PAID)


def black_hole(p: Play) -> None:
    """Nobody there answers for a while: the door stays shut, nobody waits, and another channel is as quick as ever."""
    p.hurry(0.3)
    p.fault("silent", count=None, seconds=0.5)
    waiting = [(p.person(), p.key()) for _ in range(3)]
    for person, key in waiting:
        with pytest.raises(GatewaySilent):
            p.start(person, key=key)
    began = time.monotonic()
    with pytest.raises(GatewaySilent):
        p.start(waiting[0][0], key=waiting[0][1])
    assert time.monotonic() - began < 0.3, "nobody is sent to a shut door"
    beside = next(name for name in GATEWAYS if name != p.gateway)
    other = p.start(p.person(), gateway=beside)
    p.pay(other)
    p.wait(other.number, PAID)

    p.clear()
    time.sleep(0.6)
    for person, key in waiting:
        p.pay(p.again_or_anew(person, key))


# Closing


def paid_while_closing(p: Play) -> None:
    """The payer was quicker by the blink of an eye."""
    started = p.start(p.person())
    code = p.code(started)
    if p.gateway == "unionpay":
        close_payment(p.system.parts, str(started.number), by="resident")
        p.pay(started, code)
        p.wait(started.number, PAID)
    else:
        p.look(code)
        p.fault("close_paid", started.number)
        close_payment(p.system.parts, str(started.number), by="resident")
        p.wait(started.number, PAID)


def late_success(p: Play) -> None:
    """Money comes for what was closed: its bill is open, so it counts."""
    started, code = _ended(p)
    p.fault("late_success", started.number)
    assert p.pay(started, code).status == 200
    p.wait(started.number, PAID)


def two_channels(p: Play) -> None:
    """A closed payment is paid after all, and another channel's too: the second money is surplus and goes back."""
    first, code = _ended(p)
    beside = _beside(p)
    second = p.start(p.people[-1], gateway=beside)
    p.fault("late_success", first.number)
    at_once(partial(p.pay, first, code), partial(p.pay, second))
    eventually(lambda: sorted(p.phases().values()) == [PAID, SURPLUS])
    eventually(lambda: p.alerts() == {"money_in_doubt"})

    p.give_back(next(number for number, phase in p.phases().items() if phase is SURPLUS))


def two_phones(p: Play) -> None:
    """Two phones confirm one code at the same moment: one may."""
    started = p.start(p.person())
    code = p.code(started)

    said = at_once(*[partial(p.pay, started, code)] * 2)

    assert sorted(answer.status for answer in said) == [200, 409]  # type: ignore[attr-defined]


def close_times_out(p: Play) -> None:
    """They closed it, and nobody heard: unknown until a question tells."""
    started = p.start(p.person())
    p.look(p.code(started))
    p.hurry()
    p.fault("silent", started.number, on="close", seconds=0.6)
    close_payment(p.system.parts, str(started.number), by="resident")
    assert p.phase(started.number) is CHECKING

    p.join(p.gateway)
    p.ask()


def close_answer_spoilt(p: Play, spoil: str) -> None:
    """They closed it, and what they answered proves nothing."""
    started = p.start(p.person())
    p.look(p.code(started))
    p.fault(spoil, started.number, on="close")
    close_payment(p.system.parts, str(started.number), by="resident")

    p.ask()


def close_fails(p: Play) -> None:
    """They did not close it: it is asked for again, and does not wait for the end of its time."""
    started = p.start(p.person())
    p.look(p.code(started))
    p.fault("error", started.number, on="close", status=500)
    close_payment(p.system.parts, str(started.number), by="resident")
    assert p.phase(started.number) is CHECKING

    p.ask()


# Amounts


def coupon(p: Play) -> None:
    """The payer paid less, and the rest is theirs to bring: the order's total is what counts."""
    started = p.start(p.person())
    p.fault("coupon", started.number, off=100)
    p.pay(started)
    p.wait(started.number, PAID)
    assert p.alerts() == set(), "a voucher of the payer's needs no contract of ours"


def other_amount(p: Play) -> None:
    """Another amount than we asked for: held with an owner, and nothing is settled."""
    started = p.start(p.person())
    p.fault("other_amount", started.number, total=32100)
    p.pay(started)
    eventually(lambda: p.alerts() == {"money_in_doubt"})
    p.ask()
    assert p.system.one("select state from bill where person_id = :p", p=p.people[-1]).state == "open"
    assert p.system.one("select owner from suspense where number = :n", n=started.number).owner == "tax_clerk"


# Refunds


def refund_times_out(p: Play) -> None:
    """They took the refund, and nobody heard: asked about by the same number, given back once."""
    started = p.paid()
    p.hurry()
    p.fault("silent", on="refund", seconds=0.6)

    p.give_back(started.number)


def refund_answer_spoilt(p: Play, spoil: str) -> None:
    """They took the refund, and what they answered proves nothing."""
    started = p.paid()
    p.fault(spoil, on="refund")

    p.give_back(started.number)


def refund_errs(p: Play, error: Errors) -> None:
    """They did not take it and did not say so plainly: asked about, then sent again by the same number."""
    started = p.paid()
    p.fault("error", on="refund", **error[p.gateway])

    p.give_back(started.number)


def balance_short(p: Play) -> None:
    """Our balance there is too low for now."""
    started = p.paid()
    p.fault("not_enough", on="refund")

    p.give_back(started.number)


def refund_fails(p: Play) -> None:
    """Taken, and failed later: a person sends it again. Alipay cannot say "failed": it is asked for again by itself."""
    started = p.paid()
    p.fault("refund_fails", started.number)
    if p.gateway == "alipay":
        p.give_back(started.number)
        return

    number = p.give_back(started.number, until="failed")
    again(p.system.parts, number, by="staff:bureau")
    p.pay_back(number)


def refund_abnormal(p: Play) -> None:
    """The payer's account takes no money: it stays owed, and a person is told."""
    started = p.paid()
    p.fault("refund_abnormal", started.number)
    if p.gateway == "alipay":
        p.give_back(started.number)
        return
    with p.system.parts.engine.connect() as connection:
        before = balance(connection, f"refunds:{p.gateway}")

    p.give_back(started.number, until="abnormal")

    with p.system.parts.engine.connect() as connection:
        assert balance(connection, f"refunds:{p.gateway}") == before - int(started.amount)
    assert "refund_abnormal" in p.alerts()


# Statements


def statement(p: Play, spoil: str) -> None:
    """What is not whole is not kept; asked for again, it is there; its lines are their list."""
    p.paid()
    p.turn(hours=22, minutes=30)
    day = business_day(p.noon)
    _only_day(p, day)
    p.fault(spoil)

    fetch_due(p.system.parts)
    first = _statement(p, day)
    if spoil != "statement_expired":  # another link is asked for at once
        assert first.state == "waiting"
        assert p.system.one("select count(*) from statement_row where gateway = :g and day = :d", g=p.gateway, d=day)[
            0
        ] == 0  # fmt: skip
        fetch_due(p.system.parts)
        assert _statement(p, day).tries == 1, "not before its time"
        p.system.write(
            lambda connection: connection.execute(
                text("update statement set next_try_at = now() where gateway = :g and day = :d"),
                {"g": p.gateway, "d": day},
            )
        )
        fetch_due(p.system.parts)
    _assert_their_list(p, day)


def statement_twice(p: Play) -> None:
    """Fetched again, it is the same."""
    p.paid()
    p.turn(hours=22, minutes=30)
    day = business_day(p.noon)

    first = fetch_statement(p.system.parts, p.gateway, day)

    assert fetch_statement(p.system.parts, p.gateway, day) == first
    _assert_their_list(p, day)


# Changing the channel


def change_from_unseen(p: Play) -> None:
    """A code that nobody can take back is left: the other way begins at once, and if both are paid one goes back."""
    person = p.person()
    first = p.start(person)
    code = p.code(first)

    second = p.start(person, gateway="wechat")

    assert p.phases() == {first.number: LEFT, second.number: WAITING}
    p.pay(second)
    p.wait(second.number, PAID)
    p.pay(first, code)
    p.wait(first.number, SURPLUS)
    eventually(lambda: p.alerts() == {"money_in_doubt"})
    p.give_back(first.number)


def change_from_paid(p: Play) -> None:
    """It is paid, and nobody has told us: who asks for another way learns that, and is not asked to pay anything."""
    first = p.start(p.person())
    p.fault("callback_drop", first.number, count=None)
    p.pay(first)

    with pytest.raises((BillSettled, NotPayable)):
        p.start(p.people[-1], gateway=_beside(p))

    assert p.phases() == {first.number: PAID}


def change_from_seen(p: Play) -> None:
    """What they know of can be closed: the former ends, the new one starts at once."""
    person = p.person()
    first = p.start(person)
    p.look(p.code(first))

    second = p.start(person, gateway=_beside(p))

    assert p.phase(first.number) is CLOSED
    p.pay(second)
    p.wait(second.number, PAID)


def _ended(p: Play) -> tuple[Any, str]:
    """A payment at its confirmed end, and the code somebody still holds."""
    started = p.start(p.person())
    p.look(code := p.code(started))
    if p.gateway == "unionpay":
        p.turn(minutes=20)
        p.ask()
        p.ask()
    else:
        close_payment(p.system.parts, str(started.number), by="resident")
    assert p.phase(started.number) is CLOSED
    return started, code


def _beside(p: Play) -> str:
    """Another channel."""
    names = list(GATEWAYS)
    return names[(names.index(p.gateway) + 1) % len(names)]


def _other_keys(gateway: str, strangers: Path) -> dict[str, str]:
    """Keys with which we cannot believe what they say."""
    if gateway == "wechat":
        return {"platform_certificates": ""}
    if gateway == "alipay":
        return {"public_keys": alipay_keys.make(strangers).public_key}
    others = unionpay_keys.make(strangers)
    return {"root_certificates": others.root, "middle_certificates": others.middle}


def _asked_again_within(p: Play, number: str | None) -> timedelta:
    moment = p.system.one("select next_query_at from payment where number = :n", n=number).next_query_at
    return moment - utc_now()


def _only_day(p: Play, day: date) -> None:
    """Other stories' days are not asked for."""
    p.system.write(
        lambda connection: connection.execute(
            text(
                "insert into statement (gateway, day, next_try_at) select g, :day - n, '3000-01-01'"
                " from unnest(cast(:all as text[])) g, generate_series(0, 8) n where (g, n) <> (:g, 0)"
                " on conflict (gateway, day) do update set next_try_at = '3000-01-01' where statement.state = 'waiting'"
            ),
            {"day": day, "g": p.gateway, "all": list(GATEWAYS)},
        )
    )


def _statement(p: Play, day: date) -> Any:
    return p.system.one("select * from statement where gateway = :g and day = :d", g=p.gateway, d=day)


def _assert_their_list(p: Play, day: date) -> None:
    assert _statement(p, day).state == "whole"
    theirs = [t for t in p.system.outside.get("/trades")["trades"] if t["gateway"] == p.gateway]
    theirs = sorted((t["number"], t["amount"]) for t in theirs if t["success_time"].startswith(day.isoformat()))
    with p.system.parts.reading() as connection:
        kept = connection.execute(
            text(
                "select number, amount from statement_row where gateway = :g and day = :d and movement = 'payment'"
                " order by number"
            ),
            {"g": p.gateway, "d": day},
        ).all()
    assert [tuple(row) for row in kept] == theirs
