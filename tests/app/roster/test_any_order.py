"""No sequence of steps posts an unreviewed list, counts fewer than three days, or loses an objection."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.access.roles import Role
from app.flows.roster import move, objections, post
from app.registry.rosters import Stage
from core.errors import AppError
from tests.app.roster.hands import a_session, an_officer, broken, drawn, stand
from tests.builders import NOON, a_person, an_id_number
from tests.refunding import rows

STEPS = ("draw", "tax", "hrss", "issue", "hand", "hang", "object", "answer", "tell", "day", "ripen", "report",
         "confirm", "force", "back", "more", "other_draws")  # fmt: skip
WAY = ("draw", "tax", "hrss", "issue", "hand", "hang", "object", "answer", "tell", "day", "day", "day", "day", "ripen",
       "report", "confirm", "force")  # fmt: skip


class Hands:
    """Everybody who has a hand in a roster; each step is tried and may be refused."""

    def __init__(self, running, agent):
        self.running, self.agent, self.today, self.people = running, agent, NOON, 80
        self.who = {each: an_officer(running, each) for each in (Role.TAX_LEAD, Role.HRSS, Role.MEDICAL)}
        self.who[Role.TOWN] = an_officer(running, Role.TOWN, towns=["370404103"])
        self.session = a_session(running, "agent_id", agent)
        self.raised = 0

    def take(self, step):
        try:
            self._take(step)
        except AppError:
            return

    def _take(self, step):
        running, parts = self.running, self.running.parts
        if step == "day":
            self.today += timedelta(hours=23)
            running.turn(self.today)
        elif step == "more":
            self.people += 1
            running.write(lambda c: a_person(c, id_number=an_id_number(sequence=self.people)))
        elif step in ("draw", "other_draws"):
            drawn(running, by="staff:roster-tax-lead" if step == "other_draws" else "staff:drawer")
        elif step == "ripen":
            post.ripen(parts)
        else:
            self._move(step, *stand(running)[:2])

    def _move(self, step, roster, no):
        parts, seen = self.running.parts, {roster: no}
        stages = {"tax": (Role.TAX_LEAD, Stage.TAX_REVIEWED), "hrss": (Role.HRSS, Stage.HRSS_REVIEWED),
                  "issue": (Role.TAX_LEAD, Stage.ISSUED_TO_TOWN), "report": (Role.TOWN, Stage.REPORTED),
                  "confirm": (Role.TAX_LEAD, Stage.TAX_CONFIRMED), "force": (Role.HRSS, Stage.EFFECTIVE)}  # fmt: skip
        last = rows(self.running, "select max(id) as id from roster_objection")[0].id or 0
        if step in stages:
            role, stage = stages[step]
            move.sign(parts, seen, stage, by=self.who[role])
        elif step == "hand":
            move.hand_over(parts, seen, agent=self.agent, by=self.who[Role.TOWN])
        elif step == "hang":
            code = self.running.one("select code from roster_version where (roster_id, no) = (:r, :n)", r=roster, n=no)
            by = type("Agent", (), {"token_hash": self.session})
            post.hang(parts, (roster, no), code=code.code, photo=b"x", by=by)
        elif step == "object":
            said = {"contact": "来电的人", "session": self.session, "by": "agent:0", "near": True}
            objections.raise_one(parts, roster, "名单上少一户", **said)
            self.raised += 1
        elif step == "answer":
            objections.answer(parts, last, "核实过，不用改", accepted=False, by=self.who[Role.MEDICAL])
        elif step == "tell":
            objections.told(parts, last, session=self.session)
        else:
            move.send_back(parts, seen, why="重新出", by=self.who[Role.TOWN])


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mixed=st.lists(st.sampled_from(STEPS), min_size=4, max_size=10), at=st.integers(0, len(WAY)))
def _any_order(hands, mixed, at):
    for step in (*WAY[:at], *mixed, *WAY[at:]):
        hands.take(step)
    assert broken(hands.running) == []
    found = rows(hands.running, "select count(*) as n from roster_objection")[0].n
    assert found == hands.raised, "an objection is lost"
    for row in rows(hands.running, "select * from roster_posting"):
        assert row.ends_at - row.starts_at == timedelta(days=3) and row.starts_at > row.posted_at


def test_in_whatever_order_they_press(running, district):
    running.turn(NOON)
    drawn(running)
    agent = running.write(
        lambda c: c.execute(
            text("insert into agent (login, name, password_hash) values ('any', 'x', 'x') returning id")
        ).scalar_one()
    )
    village = {"a": agent, "v": district.village}
    running.write(
        lambda c: c.execute(text("insert into agent_village (agent_id, village_code) values (:a, :v)"), village)
    )
    hands = Hands(running, agent)
    _any_order(hands)
    assert rows(running, "select from roster where effective_no is not null"), "the straight way leads into force"
