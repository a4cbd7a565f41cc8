"""A39, A43: every route × every role × somebody else's object. The table says who may; who adds a route adds a line.

Let in is whoever is neither sent back to a login nor answered 401 or 403. Somebody else's object is 404 and never 403,
which would say that it is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from app.access.roles import GIVEN, LOCAL, Role
from app.flows.enter.accounts import add_agent, add_staff
from app.flows.pay.start import Kind, Payer, Want, start_payment
from app.policy.facts import Insurance
from core.redact import mask_name
from tests.app.web.conftest import district, far_folder, running
from tests.browsing import a_token
from tests.system import System, second_code

__all__ = ["district", "far_folder", "running"]

PASSWORD = "correct horse battery"
OFFICES = frozenset(str(role) for role in GIVEN)
DESKS = OFFICES - {"department"}  # who sees people
CLERK, LEAD = frozenset({"tax_clerk"}), frozenset({"tax_lead"})
TAX, BUREAUS = CLERK | LEAD, frozenset({"hrss", "medical"})
TABLE = (  # at one table with the payer
    *("person", "choose", "sheet", "ask_history", "payment", "close", "code_paper", "confirmation", "file"),
    *("bureau", "ask", "take_back", "verify"),
    *("newborn", "apply_for_child", "take_child_back"),
)
ALL = OFFICES | {"nobody", "resident", "agent"}
BOOKS = TAX | {"auditor"}
WHO: Mapping[str, frozenset[str]] = {
    # doors of everybody
    **dict.fromkeys(
        (
            "static",
            "openapi.spec",
            "health.livez",
            "health.readyz",
            "health.metrics",
        ),
        ALL,
    ),
    **dict.fromkeys(("home.home", "home.type_size", "home.ask_code", "home.check_code"), ALL),
    **dict.fromkeys(("sign_in.privacy", "agent.login", "agent.enter", "desk.login", "desk.enter"), ALL),
    **dict.fromkeys(("sign_in.phone", "sign_in.ask", "sign_in.code", "sign_in.prove", "resident.leave"), ALL),
    **dict.fromkeys(("session.begin", "policy.policy", "back.come_back", "callbacks.receive"), ALL),
    "callbacks.delivered": ALL,
    "callbacks.complaint": ALL,
    **dict.fromkeys(("api_reader.read", "api_reader.static"), ALL),
    # a resident's
    **dict.fromkeys(
        (
            *("sign_in.me", "sign_in.remove", "sign_in.myself", "sign_in.end_others", "sign_in.past"),
            *("sign_in.bar_holder", "sign_in.allow_holder", "session.bar_holder", "session.allow_holder"),
        ),
        frozenset({"resident"}),
    ),
    **dict.fromkeys(
        (
            *("resident.who", "resident.look_up", "resident.due", "resident.tier", "resident.sheet"),
            *("resident.level", "resident.rise"),
            *("resident.verify", "resident.confirm", "resident.pay", "resident.payment", "resident.close"),
            *("resident.open_page", "resident.back_from_wechat"),
            *("paid.paid", "refunds.mine", "refunds.one", "refunds.begin", "refunds.apply"),
            "refunds.take_back",
            *("bureau.bureau", "bureau.ask", "bureau.take_back"),
            *("bureau.newborn", "bureau.apply_for_child", "bureau.take_child_back"),
            *("matters.mine", "matters.say_one", "matters.settle_one"),
            *("session.end", "session.ask", "session.confirm", "session.me", "session.remove", "session.end_others"),
            *("subscriptions.which", "subscriptions.more"),
            *("people.look_up", "people.due", "sheets.sheet", "sheets.verification", "payments.begin", "payments.past"),
            *("resident.ask_history", "sheets.history"),
            *("determinations.listed", "determinations.ask", "determinations.take_back"),
            *("proofs.offered", "proofs.certificate", "proofs.confirmation", "proofs.file"),
            *("api_proofs.confirmation", "api_proofs.certificate", "api_proofs.one", "api_proofs.file"),
            *("payments.follow", "payments.close", "refunds_api.listed", "refunds_api.apply", "refunds_api.follow"),
        ),
        frozenset({"resident"}),
    ),
    # an agent's
    **dict.fromkeys(
        (
            *(
                "agent.end_others",
                "agent.logout",
                "agent.today",
                "agent.village",
                "agent.search",
            ),
            *(
                "village.paper",
                "village.news",
            ),
            *("village.to_visit", "village.told"),
            *("rounds.doors", "rounds.found_there"),
            *("agent_matters.mine", "agent_matters.say_one", "agent_matters.settle_one"),
            *(f"agent_table.{page}" for page in TABLE),
            *("own_agent.agent_account", "own_agent.agent_change", "own_agent.agent_end"),
        ),
        frozenset({"agent"}),
    ),
    # the offices'
    **dict.fromkeys(("desk.home", "desk.logout", "desk.end_others"), OFFICES),
    **dict.fromkeys(("office_people.ask", "office_people.search", "office_people.one"), DESKS),
    **dict.fromkeys(("own_office.office_account", "own_office.office_change", "own_office.office_end"), OFFICES),
    **dict.fromkeys(("office_people.numbers", "office_progress.to_do"), DESKS - LEAD),
    **dict.fromkeys(
        ("office_registers.listed", "office_registers.one", "office_registers.refused"), BUREAUS | {"auditor"}
    ),
    **dict.fromkeys(("office_registers.hand_in", "office_registers.take_one", "office_registers.throw_one"), BUREAUS),
    "office_registers.file": BUREAUS,
    **dict.fromkeys(("office_police.listed", "office_police.one", "office_police.refused"), BUREAUS | {"auditor"}),
    **dict.fromkeys(("office_police.hand_in", "office_police.take_one", "office_police.throw_one"), BUREAUS),
    "office_police.file": BUREAUS,
    **dict.fromkeys(("office_conflicts.listed", "office_conflicts.one"), BUREAUS | {"auditor"}),
    "office_conflicts.solve_one": BUREAUS,
    **dict.fromkeys(("office_progress.table", "office_progress.table_file"), BOOKS | {"town"}),
    **dict.fromkeys(("audit.ask", "audit.path", "audit.now"), BOOKS),
    **dict.fromkeys(
        ("audit.read", "audit.acts", "audit.acts_found", "audit.kept", "audit.rights", "audit.rights_file"),
        frozenset({"auditor"}),
    ),
    **dict.fromkeys(
        (
            *(f"counter.{page}" for page in TABLE),
            *("office_counter.paid", "office_counter.certificate", "office_counter.begin", "office_counter.apply"),
            *("office_counter.one", "office_counter.take_back", "office_counter.phone", "office_counter.correct"),
            *("office_counter.matters", "office_counter.say_one", "office_counter.settle_one"),
        ),
        frozenset({"counter"}),
    ),
    **dict.fromkeys(("office_refunds.listed", "office_refunds.one"), DESKS - {"town", "counter"}),
    **dict.fromkeys(("day.days", "day.one", "day.lines", "day.paper"), BOOKS),
    **dict.fromkeys(("day.take_file", "day.empty_file", "day.run", "day.clear", "day.withdraw"), CLERK),
    **dict.fromkeys(("day.confirm", "day.confirm_close"), LEAD),
    **dict.fromkeys(("day.closing", "day.close"), TAX),
    **dict.fromkeys(("office_refunds.accept_one", "office_refunds.own_one", "office_refunds.again_one"), CLERK),
    **dict.fromkeys(
        ("office_refunds.transfer_one", "office_refunds.withdraw_one", "office_refunds.by_hand_one"), CLERK
    ),
    "office_refunds.review_one": BUREAUS,
    **dict.fromkeys(
        ("office_determinations.listed", "office_determinations.one", "office_determinations.picture_of"),
        BUREAUS | {"auditor"},
    ),
    **dict.fromkeys(
        ("office_newborns.listed", "office_newborns.one", "office_newborns.picture_of"),
        frozenset({"medical", "auditor"}),
    ),
    **dict.fromkeys(
        ("office_newborns.check_one", "office_newborns.register_one", "office_newborns.refuse_one"),
        frozenset({"medical"}),
    ),
    **dict.fromkeys(("office_joinings.listed", "office_joinings.shown"), BUREAUS | {"auditor"}),
    **dict.fromkeys(
        (
            *("office_joinings.ask_one", "office_joinings.take_up_one", "office_joinings.agree_one"),
            *("office_joinings.refuse_one", "office_joinings.withdraw_one"),
        ),
        BUREAUS,
    ),
    **dict.fromkeys(("office_matters.listed", "office_matters.one"), BUREAUS | CLERK | {"auditor"}),
    "office_elsewhere.listed": BUREAUS | {"auditor"},
    **dict.fromkeys(
        ("office_elsewhere.again_one", "office_elsewhere.back_one", "office_matters.elsewhere_one"), BUREAUS
    ),
    "office_matters.row_of_one": BUREAUS,
    **dict.fromkeys(("office_matters.take_one", "office_matters.answer_one"), BUREAUS | CLERK),
    **dict.fromkeys(
        ("office_sponsors.listed", "office_sponsors.one", "office_sponsors.shares", "office_sponsors.code"),
        BOOKS | {"medical", "town"},
    ),
    **dict.fromkeys(
        (
            *(
                "office_sponsors.new",
                "office_sponsors.enter_one",
                "office_sponsors.end_one",
                "office_sponsors.back_one",
            ),
            *("office_sponsors.code_one", "office_sponsors.close_code", "office_sponsors.contact"),
        ),
        frozenset({"medical", "town"}),
    ),
    "office_sponsors.agree_one": LEAD | {"medical"},
    "office_suspense.pledge_one": CLERK,
    "office_suspense.give_one": LEAD,
    **dict.fromkeys(("office_determinations.check_one", "office_determinations.decide_one"), BUREAUS),
    **dict.fromkeys(("office_refunds.approve_one", "office_refunds.confirm_one"), LEAD),
    "office_refunds.reject_one": TAX | BUREAUS,
    **dict.fromkeys(("office_policy.listed", "office_policy.one", "office_policy.paper"), DESKS),
    **dict.fromkeys(("office_channels.listed", "office_years.one"), BOOKS),
    **dict.fromkeys(("office_years.open_one", "office_years.close_one"), LEAD),
    **dict.fromkeys(("office_complaints.all_of_them", "office_complaints.one"), BOOKS),
    **dict.fromkeys(("office_complaints.answer_one", "office_complaints.back_one", "office_complaints.full"), CLERK),
    **dict.fromkeys(("office_channels.pause_one", "office_channels.open_one"), LEAD),
    **dict.fromkeys(("office_suspense.listed", "office_suspense.one"), BOOKS),
    **dict.fromkeys(("office_suspense.take_one", "office_suspense.keep_one", "office_suspense.back_one"), CLERK),
    **dict.fromkeys(("office_suspense.propose_one", "office_suspense.withdraw_one"), CLERK),
    "office_suspense.agree_one": LEAD,
    **dict.fromkeys(
        ("office_helped.listed", "office_helped.waiting", "office_helped.one"), OFFICES - {"hrss", "counter"}
    ),
    **dict.fromkeys(("office_helped.back", "office_helped.close"), frozenset({"department", "medical"})),
    **dict.fromkeys(("office_helped.tell", "office_helped.end"), frozenset({"department", "medical", "town"})),
    **dict.fromkeys(
        (
            *("office_helped_send.send", "office_helped_send.job", "office_helped_send.say_layout"),
            *("office_helped_send.take_one", "office_helped_send.drop_one", "office_helped.take_back"),
        ),
        frozenset({"department"}),
    ),
    **dict.fromkeys(("office_agents.listed", "office_agents.answer_one"), frozenset({"town", "tax_lead"})),
    **dict.fromkeys(
        (
            *("office_agents.hand_in", "office_agents.work", "office_agents.make", "office_agents.slips"),
            *("office_agents.forget", "office_agents.end_one", "office_agents.lose_one", "office_agents.renew_one"),
        ),
        frozenset({"town"}),
    ),
    **dict.fromkeys(("office_rosters.listed", "office_rosters.one", "office_rosters.compare"), DESKS - {"counter"}),
    **dict.fromkeys(("office_rosters.sign_some", "office_rosters.sign_one"), TAX | BUREAUS),
    "office_rosters.photo": DESKS - {"counter"},
    "office_objections.listed": DESKS - {"counter"},
    "office_objections.answer_one": BUREAUS,
    **dict.fromkeys(
        ("office_objections.raise_one", "office_objections.told_one", "office_rosters.report_one"), frozenset({"town"})
    ),
    **dict.fromkeys(("lists.ask_code", "lists.posted"), ALL),
    **dict.fromkeys(("lists.mine", "lists.object_one"), frozenset({"resident"})),
    **dict.fromkeys(
        (
            *("agent_rosters.listed", "agent_rosters.one", "agent_rosters.paper", "agent_rosters.hang"),
            *("agent_rosters.say", "agent_rosters.told"),
        ),
        frozenset({"agent"}),
    ),
    **dict.fromkeys(
        ("office_closings.listed", "office_closings.one", "office_closings.photo", "office_rosters.paper"),
        DESKS - {"counter"},
    ),
    **dict.fromkeys(("office_closings.ask_one", "office_closings.work", "office_closings.agree_some"), TAX),
    **dict.fromkeys(
        (
            *("office_closings.hang_one", "office_closings.down_one", "office_closings.paper"),
            *("office_closings.print_some", "office_closings.posters", "office_closings.poster_file"),
        ),
        frozenset({"town"}),
    ),
    **dict.fromkeys(
        ("agent_closings.one", "agent_closings.paper", "agent_closings.hang", "agent_closings.down"),
        frozenset({"agent"}),
    ),
    "office_rosters.back_one": TAX | BUREAUS | {"town"},
    "office_rosters.hand_one": frozenset({"town"}),
    # cash in villages
    **dict.fromkeys(
        (
            *("agent_cash.mine", "agent_cash.offer", "agent_cash.taken", "agent_cash.listed", "agent_cash.receipt"),
            *(
                "agent_cash.printed",
                "agent_cash.strip",
                "agent_cash.voided",
                "agent_cash.remitted",
                "agent_cash.slipped",
            ),
        ),
        frozenset({"agent"}),
    ),
    **dict.fromkeys(
        ("office_cash.held", "office_cash.ranges", "office_cash.sent", "office_cash.voided", "office_cash.photo"),
        BOOKS | {"town"},
    ),
    **dict.fromkeys(("office_cash.give", "office_cash.strike"), CLERK),
    **dict.fromkeys(("office_cash.where", "office_cash.turn"), frozenset({"town"})),
    **dict.fromkeys(("office_draws.new", "office_draws.ask_one", "office_draws.one"), TAX),
    "office_glass.listed": DESKS - {"counter"},
    "office_glass.end_one": DESKS - {"counter"},
    "office_glass.ask": DESKS - {"auditor", "counter"},
    **dict.fromkeys(("office_bills.listed", "office_bills.one", "office_bills.paper"), OFFICES - {"town", "counter"}),
    "office_bills.draw_one": BUREAUS,
    "office_bills.people": BUREAUS | {"department"},
    "office_glass.open_one": LEAD | BUREAUS,
    "office_glass.one": frozenset({"auditor"}),
}
ENDS = frozenset({"agent.logout", "desk.logout", "resident.leave", "session.end"})  # asked last: the session is over


@dataclass
class Somebody:
    """One role with a session of its own: a browser, and a token for the API."""

    role: str
    client: Any
    token: str = ""

    def ask(self, method: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token and path.startswith("/api/") else {}
        body: dict[str, Any] = {"json": {}} if path.startswith("/api/") and method == "POST" else {}
        answer = self.client.open(path, method=method, headers=headers, **body)
        answer.get_data()
        answer.close()  # a static file stays open else
        return answer


@pytest.fixture
def everybody(running: System, district) -> dict[str, Somebody]:
    running.app.config["WTF_CSRF_ENABLED"] = False
    found = {"nobody": Somebody("nobody", running.app.test_client())}
    token = a_token(running)
    resident = running.app.test_client()
    resident.set_cookie("session", token)
    found["resident"] = Somebody("resident", resident, token)
    named = {"name": district.adult.name, "id_number": district.adult.id_number, "agreed": "1"}
    assert resident.post("/who", data=named).status_code == 303
    add_agent(running.office, login="agent01", name="示例", password=PASSWORD, villages=[district.village])
    found["agent"] = _logged_in(running, "agent", "/agent/login", "agent01")
    for role in GIVEN:
        login = f"{str(role).replace('_', '-')}"
        towns = [district.village[:9]] if role in LOCAL else []
        whose = ["civil"] if role is Role.DEPARTMENT else []
        add_staff(
            running.office, login=login, name="示例", role=role, password=PASSWORD, towns=towns, departments=whose
        )
        found[str(role)] = _logged_in(running, str(role), "/office/login", login)
    return found


def _logged_in(running: System, role: str, path: str, login: str) -> Somebody:
    client = running.app.test_client()
    fields = {"login": login, "password": PASSWORD, "code": second_code(running.url, login)}
    assert client.post(path, data=fields).status_code == 303
    return Somebody(role, client)


def routes(running: System) -> list[tuple[str, str, str]]:
    """(endpoint, method, rule) of every route, those that end a session last."""
    found = [
        (rule.endpoint, method, rule.rule)
        for rule in running.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    return sorted(found, key=lambda route: (route[0] in ENDS, route))


def path_of(rule: str, named: Mapping[str, str]) -> str:
    """The address with its places filled."""
    for place, value in named.items():
        for written in (f"<{place}>", f"<int:{place}>", f"<path:{place}>"):
            rule = rule.replace(written, value)
    return rule


NOBODYS = {
    **{"person": "AAAAAAAAAAAA", "number": "YC211105000000019B205GPS7C", "insurance": "RES_MEDICAL"},
    **{"code": "370404103999", "gateway": "wechat", "size": "normal", "filename": "page.css", "day": "2021-11-04"},
    **{
        "channel": "wechat",
        "key": "1",
        "kind": "xlsx",
        "village": "370404103999",
        "household": "1",
        "cause": "receipt:wechat:none",
        "holder": "nobody",
        "name": "nobody",
        "provider": "aliyun",
        "year": "2022",
        "batch": "1",
        "pledge": "1",
        "serial": "202200000999",
        "slip": "1",
        "roster": "1",
        "closing": "1",
        "no": "1",
        "work": "1",
        "login": "nobody",
    },
}


def let_in(answer: Any, endpoint: str = "") -> bool:
    """Not sent to a login or to one's own first page, nor refused."""
    if endpoint in {"agent.end_others", "desk.end_others"} and answer.status_code == 303:
        return answer.location.partition("?")[0] in {"/agent/account", "/office/account"}  # done, and back
    elsewhere = answer.status_code == 303 and answer.location.partition("?")[0] in (
        *("/login", "/agent/login", "/office/login", "/office/", "/agent/"),
    )
    return not elsewhere and answer.status_code not in (401, 403)


def test_every_route_stands_in_the_table(running) -> None:
    assert {endpoint for endpoint, _, _ in routes(running)} == set(WHO)


def test_every_role_at_every_door(running, everybody) -> None:
    wrong = []
    for endpoint, method, rule in routes(running):
        path = path_of(rule, NOBODYS)
        assert "<" not in path, f"{rule}: a place this test cannot fill"
        for role, somebody in everybody.items():
            if endpoint in ENDS and role in WHO[endpoint]:
                continue  # the others' sessions must last to the end of the table
            answer = somebody.ask(method, path)
            assert answer.status_code < 500 or endpoint == "health.readyz", (endpoint, method, role)
            if WHO[endpoint] == ALL:
                assert answer.status_code != 403, (endpoint, role)
            elif let_in(answer, endpoint) != (role in WHO[endpoint]):
                wrong.append((endpoint, method, role, answer.status_code, answer.location))
    assert wrong == []


def test_somebody_elses_object_is_not_there(running, everybody, district) -> None:
    other = a_token(running)
    stranger = running.app.test_client()
    stranger.set_cookie("session", other)
    named = {"name": district.neighbour.name, "id_number": district.neighbour.id_number, "agreed": "1"}
    stranger.post("/who", data=named)
    reference = next(
        iter(
            running.one("select known from session where known::text like :id", id=f"%: {district.neighbour.id}%").known
        )
    )
    started = start_payment(
        running.parts,
        [Want(district.neighbour.id, Insurance.RES_MEDICAL)],
        Payer("account:900000009", "self", "wechat", Kind.NATIVE),
        request_key="key-neighbour",
    )
    foreign = NOBODYS | {"person": reference, "number": started.number or "", "code": district.other_village}
    counted = text("select count(*) from payment")
    with running.parts.engine.connect() as connection:
        before = connection.execute(counted).scalar_one()

    told, asked = [], 0
    for endpoint, method, rule in routes(running):
        objects = {"<person>", "<number>", "<code>"}
        for role in sorted(WHO[endpoint] & {"resident", "agent"}):
            if WHO[endpoint] == ALL or not any(place in rule for place in objects):
                continue
            asked += 1
            answer = everybody[role].ask(method, path_of(rule, foreign))
            if answer.status_code != 404:
                told.append((endpoint, method, role, answer.status_code))
            told_of = (district.neighbour.name, mask_name(district.neighbour.name), "320 元", '"personal_due"')
            assert not any(words in answer.text for words in told_of), (endpoint, method, role, answer.status_code)

    with running.parts.engine.connect() as connection:
        assert connection.execute(counted).scalar_one() == before
    assert told == [] and asked >= 20
