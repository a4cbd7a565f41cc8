"""A village's cash through real hands, for tests of its pages."""

from datetime import timedelta
from types import SimpleNamespace

from sqlalchemy import text

from app.access.roles import Role
from app.flows.custody import books, switch, void
from app.flows.custody.take import Asked, take
from app.flows.enter.accounts import add_staff
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from core.clock import utc_now

PASSWORD = "a-long-password-1"


def took_cash(running, district, person, login="wang"):
    """The agent has taken 300 for somebody's pension, and has torn its receipt; the serials."""
    clerk, town = _officer(running, Role.TAX_CLERK), _officer(running, Role.TOWN, towns=[district.village[:9]])
    number = running.one("select id from agent where login = :l", l=login).id
    agent = SimpleNamespace(token_hash=_session(running, "agent_id", number), agent=SimpleNamespace(id=number))
    books.give_book(running.parts, district.village, year=2022, first="101", last="200", by=clerk)
    switch.switch(running.parts, [district.village], running.parts.clocks.today(), on=True, by=town)
    wanted = [Want(person, Insurance.RES_PENSION, 30000, levy_year=2022)]
    first = take(running.parts, Asked(wanted, 30000, "a-request-key"), by=agent)
    return first + void.void(running.parts, first[0], "torn", by=agent)


def _officer(running, role, **whose):
    login = f"cash-{role}".replace("_", "-")
    number = add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD, **whose)
    return SimpleNamespace(token_hash=_session(running, "staff_id", number))


def _session(running, column, number):
    row = text(
        f"insert into session (token_hash, {column}, known, expires_at, ends_at) values (:t, :n, '{{}}', :u, :u)"
    )
    token = f"cash {column}{number}".encode()
    running.write(lambda c: c.execute(row, {"t": token, "n": number, "u": utc_now() + timedelta(hours=8)}))
    return token
