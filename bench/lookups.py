"""P4: what a household owes, by the API with a real quote, against an endpoint that only answers JSON, and against one
that runs our statement and answers its rows. P4b: the resident's page, and the agent's list of a village, against that
API. Each household looks several times, as people do who go from page to page; the first time is said apart."""

import time
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPConnection

from app.access import accounts, sessions
from app.cli.parts import joined
from app.cli.people import bring_rosters, ensure_district
from bench.ground import DATABASE, Ground
from bench.load import closed_loop, request
from bench.ratio import Ratio, figure, in_turn
from core.clock import BEIJING
from core.db import connect

CLIENTS = 16
PEOPLE = 12_000
HOUSEHOLDS = 2000
AT_ONCE = 400  # households that look within the same minutes
VILLAGE = 1_500


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """Closed loop, the same server settings for all."""
    tokens = sessions_of_households(ground)

    def measured(path: str, application: str = "wsgi:app", *, page: bool = False) -> Callable[[], float]:
        def measure() -> float:
            with ground.web(application) as port:
                form = _form_cookie(port, tokens[0]) if page else ""
                asked = [_asked(path, token, page=page, form=form) for token in tokens[:AT_ONCE]]
                closed_loop(port, asked, clients=CLIENTS, seconds=60)  # each once
                seen = closed_loop(port, asked * (30 * seconds), clients=CLIENTS, seconds=seconds)
            assert set(seen.statuses) == {200}, seen.statuses
            return seen.rate()

        return measure

    mine, limit = in_turn(
        ("ours", measured("/api/v1/due")), ("bare Flask JSON", measured("/due", "bench.bare:app")), unit="/s", runs=runs
    )
    again, rows = in_turn(
        ("ours", measured("/api/v1/due")),
        ("our statement, its rows as JSON", measured("/api/v1/due", "bench.bare:app")),
        unit="/s",
        runs=runs,
    )
    api, page = in_turn(
        ("the API", measured("/api/v1/due")), ("the page", measured("/due", page=True)), unit="/s", runs=runs
    )
    say(_first_look(ground, tokens[AT_ONCE:]))
    title = f"amount due of a household of three, {CLIENTS} clients, {AT_ONCE} households"
    return [
        Ratio("P4", title, mine, limit, 0.26, 0.35),
        Ratio("P4", title, again, rows, 0.65, 0.8),
        Ratio(
            "P4b", "a resident's page costs as much as so many answers of the API", api, page, 1.5, 1.5, at_least=False
        ),
        _village(ground, runs),
    ]


def _asked(path: str, token: str, *, page: bool, form: str = "") -> bytes:
    own = f"session={token}; {form}" if page else token
    return request("GET", path, {"Cookie": own} if page else {"Authorization": f"Bearer {own}"})


def _form_cookie(port: int, token: str) -> str:
    """What a browser that saw a page before brings along beside its session: the cookie of the forms' token."""
    asked = HTTPConnection("127.0.0.1", port)
    asked.request("GET", "/due", headers={"Cookie": f"session={token}"})
    said = asked.getresponse().headers["Set-Cookie"]
    asked.close()
    return said.partition(";")[0]


def _first_look(ground: Ground, tokens: list[str]) -> str:
    """What nobody looked at before, and the same a second time."""
    took = []
    with ground.web() as port:
        closed_loop(port, [_asked("/api/v1/due", token, page=False) for token in tokens[:100]], clients=2, seconds=9)
        for _ in range(2):
            asked = [_asked("/api/v1/due", token, page=False) for token in tokens[100:900]]
            took.append(closed_loop(port, asked, clients=CLIENTS, seconds=60).rate())
    return f"P4   {took[0]:,.0f} a second of households that nobody looked at before, {took[1]:,.0f} the second time"


def _village(ground: Ground, runs: int) -> Ratio:
    """An agent's list of a village of that many people."""
    parts = joined(ground.settings(), connect(ground.server.office_url(DATABASE), pool_size=2))
    token = sessions.new_token()
    with parts.engine.begin() as connection:
        code = connection.exec_driver_sql(  # another than the agent's, of the town whose officer hands rosters over
            "select max(v.code) from village v where v.town_code ="
            " (select min(o.town_code) from village o join agent_village a on a.village_code = o.code)"
        ).scalar_one()
        connection.exec_driver_sql(  # not one who stands there already: so many and no more
            "with there as (select count(*) as people from person p join household h on h.id = p.household_id"
            "   where h.village_code = %(code)s), more as (select household_id,"
            "    sum(count(*)) over (order by household_id) as people from person p join household h"
            "    on h.id = p.household_id where h.village_code <> %(code)s group by household_id)"
            " update household set village_code = %(code)s, number = right(id::text, 8) where id in ("
            "   select household_id from more where people <= %(most)s - (select people from there))",
            {"code": code, "most": VILLAGE},
        )
        agent = connection.exec_driver_sql("select min(agent_id) from agent_village").scalar_one()
        connection.exec_driver_sql(
            "insert into agent_village (agent_id, village_code) values (%s, %s) on conflict do nothing", (agent, code)
        )
        connection.exec_driver_sql("update agent set given = false where id = %s", (agent,))
        sessions.write(connection, token, now=parts.clocks.wall(), agent_id=agent)
        people = connection.exec_driver_sql(
            "select count(*) from person p join household h on h.id = p.household_id where h.village_code = %s", (code,)
        ).scalar_one()
    bring_rosters(parts, code)
    parts.engine.dispose()
    took = []
    with ground.web() as port:
        for _ in range(2 + runs):
            asked = HTTPConnection("127.0.0.1", port)
            began = time.perf_counter()
            asked.request("GET", f"/agent/villages/{code}", headers={"Cookie": f"session={token}"})
            answer = asked.getresponse()
            assert answer.status == 200 and len(answer.read()) > 10_000, answer.status
            took.append(1000 * (time.perf_counter() - began))
            asked.close()
    ours, most = figure("the list", "ms", took[2:]), figure(f"150 ms, for {people} people", "ms", [150.0])
    return Ratio(
        "P4b", f"an agent's list of a village (the first time {took[0]:,.0f} ms)", ours, most, 1.0, 0.5, at_least=False
    )


def sessions_of_households(
    ground: Ground, *, people: int = PEOPLE, households: int = HOUSEHOLDS, members: tuple[int, int] = (3, 3)
) -> list[str]:
    """People of the synthetic district, and a session for each household of that size: an account of its own that
    knows its members."""
    parts = joined(ground.settings(), connect(ground.server.office_url(DATABASE), pool_size=2))
    parts.clocks.set_to(datetime(2021, 11, 5, 12, 5, tzinfo=BEIJING))
    ensure_district(parts, people=people, password_file=ground.folder / "agent.txt")
    rows = ground.sql(
        "select array_agg(id) from person group by household_id having count(*) between %s and %s"
        " order by household_id limit %s",
        (*members, households),
    )
    tokens = []
    with parts.engine.begin() as connection:
        for (together,) in rows:
            token = sessions.new_token()
            now = parts.clocks.wall()
            account, _ = accounts.of_phone(connection, parts.vault, f"139{len(tokens):08}", now=now)
            sessions.write(connection, token, now=now, account_id=account)
            visitor = sessions.find_by_hash(connection, sessions.hash_of(token), now=now)
            assert visitor is not None
            for member in together:
                sessions.know(connection, visitor, member)
            tokens.append(token)
    parts.engine.dispose()
    return tokens
