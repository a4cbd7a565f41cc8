"""A genuine message that cannot be booked is kept and not acknowledged: it comes again until it can."""

import psycopg

from app.flows.pay.start import Kind, Payer, Want, find_started, start_payment
from app.policy.facts import Insurance
from tests.conftest import DATABASE
from tests.system import eventually


def test_what_cannot_be_booked_is_asked_for_again(running, district, database):
    wanted = [Want(district.adult.id, Insurance.RES_MEDICAL)]
    payer = Payer("account:1", "self", "wechat", Kind.NATIVE)
    started = start_payment(running.parts, wanted, payer, request_key="key-0001")
    row = running.one("select checkout->>'code_url' as code from payment where number = :n", n=started.number)
    admin_url = database.admin_url().replace("/postgres?", f"/{DATABASE}?")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("update bill_line set fund = 'NO_SUCH_FUND'")
        running.outside.pay(row.code)
        statuses = running.outside.callback_statuses(started.number, 1)
        kept = running.one("select result from received where number = :n limit 1", n=started.number).result
        state = find_started(running.parts, started.number).state
        admin.execute("update bill_line set fund = 'RES_MEDICAL'")

    assert statuses[0] == 503 and kept.startswith("failed:") and state == "pending"
    eventually(lambda: find_started(running.parts, started.number).state == "paid")
    assert running.outside.callback_statuses(started.number, 2)[-1] == 204
