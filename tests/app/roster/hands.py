"""A roster through the offices' hands, each a different person's, as they press it."""

import re
from datetime import datetime, timedelta
from types import SimpleNamespace

from sqlalchemy import text

from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.enter.accounts import add_agent, add_staff
from app.flows.roster import move, objections, post, put_up
from app.flows.roster.close import close
from app.flows.roster.draw import Asked, draw
from app.registry.rosters import Stage
from core.clock import BEIJING, utc_now
from payments.truths.invariants import INVARIANTS
from tests.builders import NOON

BOTH = ("RES_PENSION", "RES_MEDICAL")
MEDICAL = ("RES_MEDICAL",)
PASSWORD = "a-long-password-1"
TRUTHS = [
    number
    for number in INVARIANTS
    if 135 <= int(number.partition("-")[2]) <= 140 or 143 <= int(number.partition("-")[2]) <= 146
]
AFTER = datetime(2021, 12, 22, 10, tzinfo=BEIJING)  # the season is over


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


def an_officer(running, role, **whose):
    """Somebody of an office with a live session, who never saw a page."""
    login = f"roster-{role}".replace("_", "-")
    number = add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD, **whose)
    return Officer(number, login, b"", role, session=a_session(running, "staff_id", number))


def a_session(running, column, number):
    """A live session of somebody's; its hash."""
    token, until = f"{column}{number}".encode(), utc_now() + timedelta(hours=8)
    row = text(
        f"insert into session (token_hash, {column}, known, expires_at, ends_at) values (:t, :n, '{{}}', :u, :u)"
    )
    running.write(lambda c: c.execute(row, {"t": token, "n": number, "u": until}))
    return token


def hung(running, agent, village="370404103901"):
    """A roster of this village that hangs, through all its hands; its id, and whoever of an office had one."""
    drawn(running, place=village)
    roster, no, _ = stand(running, village)
    who = {each: an_officer(running, each) for each in (Role.TAX_LEAD, Role.HRSS, Role.MEDICAL)}
    who[Role.TOWN] = an_officer(running, Role.TOWN, towns=[village[:9]])
    for role, stage in (
        (Role.TAX_LEAD, Stage.TAX_REVIEWED),
        (Role.HRSS, Stage.HRSS_REVIEWED),
        (Role.TAX_LEAD, Stage.ISSUED_TO_TOWN),
    ):
        move.sign(running.parts, {roster: no}, stage, by=who[role])
    move.hand_over(running.parts, {roster: no}, agent=agent, by=who[Role.TOWN])
    code = running.one("select code from roster_version where roster_id = :r and no = :n", r=roster, n=no).code
    by = SimpleNamespace(token_hash=a_session(running, "agent_id", agent))
    post.hang(running.parts, (roster, no), code=code, photo=b"drawn", by=by)
    return roster, who


def objected(running, roster, who):
    """Somebody telephoned, and was answered."""
    said = {"contact": "来电的李某", "session": who[Role.TOWN].session, "by": who[Role.TOWN].by, "near": True}
    number = objections.raise_one(running.parts, roster, "名单上少了一户", **said)
    objections.answer(running.parts, number, "核实过，不用改", accepted=False, by=who[Role.MEDICAL])
    return number


def listed(running, village="370404103901", insurance="RES_MEDICAL"):
    """(id, version drawn last, version agreed to, code) of a village's list after the season."""
    asked = "select id, no, agreed_no, code from closing where village_code = :v and insurance = :i"
    row = running.one(asked, v=village, i=insurance)
    return row.id, row.no, row.agreed_no, row.code


def closing_hung(running, agent, who, village="370404103901"):
    """After `hung`: the list after the season hangs too, and the clock is back at noon; its id."""
    running.turn(AFTER)
    close(running.office, Asked(2022, MEDICAL, village), by="staff:drawer")
    number, no, _, code = listed(running, village)
    put_up.agree(running.parts, {number: no}, by=who[Role.TAX_LEAD])
    put_up.hang(running.parts, number, no, session=f"agent_id{agent}".encode(), code=code, photo=b"drawn")
    running.turn(NOON)
    return number
