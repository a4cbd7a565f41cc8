"""A roster through the offices' hands, each a different person's, as they press it."""

import re

from sqlalchemy import text

from app.access.roles import Role
from app.flows.enter.accounts import add_agent
from app.flows.roster.draw import Asked, draw
from payments.truths.invariants import INVARIANTS

BOTH = ("RES_PENSION", "RES_MEDICAL")
MEDICAL = ("RES_MEDICAL",)
PASSWORD = "a-long-password-1"
TRUTHS = [number for number in INVARIANTS if 135 <= int(number.partition("-")[2]) <= 140]


def drawn(running, insurances=MEDICAL, *, by="staff:drawer", place="", medical=False):
    """What a drawing says."""
    return draw(running.office, Asked(2022, insurances, place, medical), by=by)


def stand(running, village="370404103901", insurance="RES_MEDICAL"):
    """(id, version in hand, state) of a village's roster."""
    row = running.one(
        "select id, no, state from roster where village_code = :v and insurance = :i", v=village, i=insurance
    )
    return row.id, row.no, row.state


def said(answer):
    """What a page refuses."""
    return " ".join(re.findall(r'class="alert"[^>]*>([^<]+)', answer.text))


def offices(desk, town="370404103"):
    """A client of each office that has a hand in it."""
    return {
        "lead": desk("lead01", Role.TAX_LEAD),
        "hrss": desk("hrss01", Role.HRSS),
        "town": desk("town01", Role.TOWN, towns=[town]),
    }


def to_the_agent(running, hands, roster, no, login="agent01", village="370404103901"):
    """Signed by two, issued, given to an agent who is made for it; his id."""
    for who, step in (("lead", "TAX_REVIEWED"), ("hrss", "HRSS_REVIEWED"), ("lead", "ISSUED_TO_TOWN")):
        answer = hands[who].post(f"/office/rosters/{roster}/sign", data={"roster": f"{roster}:{no}:{step}"})
        assert answer.status_code == 303, (step, said(answer))
    agent = add_agent(running.office, login=login, name="王代办", password=PASSWORD, villages=[village])
    answer = hands["town"].post(f"/office/rosters/{roster}/hand", data={"no": no, "agent": agent})
    assert answer.status_code == 303, said(answer)
    return agent


def broken(running):
    """What breaks the truths of rosters."""
    with running.parts.engine.connect() as connection:
        return [row for number in TRUTHS for row in connection.execute(text(INVARIANTS[number].sql)).all()]
