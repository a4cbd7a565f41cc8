"""No sequence of steps posts a list after the season that nobody reviewed, or shows one before it hangs, a minute past
its end, or with anything of anybody but a masked name."""

import re
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.access.roles import Role
from app.flows.roster import put_up
from app.flows.roster.close import close
from app.flows.roster.draw import Asked
from app.flows.roster.show import NothingPosted, show
from app.registry.closings import Place
from core.clock import BEIJING
from core.errors import AppError
from tests.app.roster.hands import MEDICAL, a_session, an_officer, broken
from tests.builders import a_person, an_id_number
from tests.refunding import rows

STARTS, ENDS = datetime(2021, 12, 21, tzinfo=BEIJING), datetime(2022, 1, 21, tzinfo=BEIJING)
STEPS = ("draw", "lead_draws", "agree", "old", "hang", "hall", "down", "more", "day", "weeks")
NAME = re.compile(r"[^0-9]{0,3}\\*+[^0-9]{0,3}")


class Hands:
    """Everybody who has a hand in it; each step is tried and may be refused."""

    def __init__(self, running, district, agent):
        self.running, self.village, self.people = running, district.village, 200
        self.now = STARTS - timedelta(hours=1)
        self.lead = an_officer(running, Role.TAX_LEAD)
        self.town = an_officer(running, Role.TOWN, towns=[district.village[:9]])
        self.agent = a_session(running, "agent_id", agent)
        running.turn(self.now)

    def take(self, step):
        try:
            self._take(step, *self._stand())
        except AppError:
            return

    def _stand(self):
        asked = "select id, no, agreed_no, code from closing where village_code = :v"
        return next(iter(rows(self.running, asked, v=self.village)), (0, 0, None, ""))

    def _take(self, step, number, no, agreed, code):
        running, parts = self.running, self.running.parts
        if step in ("day", "weeks"):
            self.now += timedelta(days=1 if step == "day" else 15)
            running.turn(self.now)
        elif step == "more":
            self.people += 1
            running.write(lambda c: a_person(c, id_number=an_id_number(sequence=self.people)))
        elif step in ("draw", "lead_draws"):
            by = self.lead.by if step == "lead_draws" else "staff:drawer"
            close(running.office, Asked(2022, MEDICAL, self.village), by=by)
        elif step in ("agree", "old"):
            put_up.agree(parts, {number: no if step == "agree" else no - 1}, by=self.lead)
        elif step == "hang":
            put_up.hang(parts, number, agreed or no, session=self.agent, code=code, photo=b"x")
        elif step == "hall":
            put_up.hang(parts, number, agreed or no, session=self.town.session)
        else:
            put_up.take_down(parts, number, Place.VILLAGE, session=self.town.session)

    def look(self):
        """What anybody sees of it now is what may be seen."""
        number, _, agreed, code = self._stand()
        try:
            seen = show(self.running.parts, code, network="203.0.113.7")
        except NothingPosted:
            seen = None
        hung = rows(self.running, "select from closing_step where closing_id = :c and what = 'HUNG'", c=number)
        assert (seen is not None) == bool(agreed and hung and STARTS <= self.now < ENDS)
        if seen is not None:
            asked = "select drawn_by, by from closing_version v join closing_step s using (closing_id, no)"
            [hands] = rows(
                self.running, f"{asked} where (closing_id, no, what) = (:c, :n, 'AGREED')", c=number, n=agreed
            )
            assert hands.drawn_by != hands.by, "nobody else reviewed it"
            assert all(NAME.fullmatch(name) or name == "*" for name in (*seen.done, *seen.owing))


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mixed=st.lists(st.sampled_from(STEPS), min_size=6, max_size=12))
def _any_order(hands, mixed):
    for step in mixed:
        hands.take(step)
        hands.look()
    assert broken(hands.running) == []


def test_in_whatever_order_they_press(running, district):
    made = text("insert into agent (login, name, password_hash) values ('any', 'x', 'x') returning id")
    agent = running.write(lambda c: c.execute(made).scalar_one())
    own = {"a": agent, "v": district.village}
    running.write(lambda c: c.execute(text("insert into agent_village (agent_id, village_code) values (:a, :v)"), own))
    hands = Hands(running, district, agent)
    for step in ("day", "draw", "agree", "hang"):  # the straight way hangs
        hands.take(step)
        hands.look()
    assert rows(running, "select from closing_step where what = 'HUNG'")
    _any_order(hands)
