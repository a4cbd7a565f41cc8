"""P19: every village's rosters of both insurances drawn by the command, against reading the same people from the
register. A poster of 1,500 people. The public list of a village, a page of it, against a look-up of what is due."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import psycopg

from app.documents.hanging import Poster
from app.documents.poster import SIZES, draw
from app.registry.sample import write_sample
from app.registry.synthetic import MOST_VILLAGES
from bench.ground import DATABASE, Ground
from bench.imports import places
from bench.load import closed_loop, request
from bench.lookups import CLIENTS, sessions_of_households
from bench.ratio import Ratio, figure, in_turn
from config.settings import CHECKOUT
from core.clock import utc_now

MOST_SECONDS, MOST_MB = 120, 300
POSTER, POSTER_S = 1_500, 5.0
SECONDS = 3
_READ = (
    "copy (select r.village_code, e.insurance, p.id, encode(p.name, 'hex') from person p"
    " join household r on r.id = p.household_id join enrolment e on e.person_id = p.id) to stdout"
)
_HANG = """
with one as (select r.id, r.no from roster r join roster_version v on (v.roster_id, v.no) = (r.id, r.no)
              where r.insurance = 'RES_MEDICAL' order by v.people desc limit 1),
day as (select timestamptz '2021-11-05 00:00+08' as begins),
     hangs as (insert into roster_posting (roster_id, no, agent_id, posted_at, starts_at, ends_at)
       select id, no, (select min(id) from agent), begins - interval '1 hour', begins, begins + interval '3 days'
         from one, day)
update roster set state = 'POSTED', agent_id = (select min(id) from agent) where id = (select id from one)
"""  # past every signature: only there to be looked at, on the day of the district's clock


def run(ground: Ground, *, runs: int, rows: int, say: Callable[[str], None]) -> list[Ratio]:
    """`rows` of a file: a person in two insurances is two. Drawn once, for each drawing is another version."""
    tokens = sessions_of_households(ground, people=4_000, households=400)
    places(ground)
    file = ground.folder / "rosters.csv"
    write_sample(file, rows, bad_percent=0)
    _command(ground, "registry", "import", str(file), "--good-rows", "--failures", str(ground.folder / "failures.csv"))
    file.unlink()
    ground.sql("vacuum analyze person")
    read = figure("reading the same rows", "s", [_read(ground) for _ in range(runs)])
    seconds, peak = _command(ground, "roster", "draw", "--by", "bench")
    [(rosters, listed)] = ground.sql("select count(*), sum(people) from roster_version")
    say(f"P19  {rosters:,} rosters, {listed:,} rows: {seconds:.0f} s (goal ≤ {MOST_SECONDS} for 400,000 people)")
    say(f"P19  peak memory {peak:.0f} MB (goal ≤ {MOST_MB})")
    title = f"rosters of {rows:,} people in {MOST_VILLAGES} villages, against reading them"
    drawn = Ratio("P19", title, figure("ours", "s", [seconds]), read, 12, 8, at_least=False)
    return [drawn, _poster(runs), _public(ground, tokens, runs)]


def _command(ground: Ground, *words: str) -> tuple[float, float]:
    """(seconds, peak MB) of a command in a process of its own."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        cwd=CHECKOUT,
        env={**os.environ, **ground.environ},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def _read(ground: Ground) -> float:
    began = time.perf_counter()
    with (
        psycopg.connect(ground.server.owner_url(DATABASE)) as connection,
        connection.cursor().copy(_READ) as copy,
    ):
        for _ in copy:
            pass
    return time.perf_counter() - began


def _poster(runs: int) -> Ratio:
    names = [f"{chr(0x4E00 + at)}*{chr(0x5E00 + at)}" for at in range(POSTER)]
    on = date(2021, 10, 22)
    poster = Poster(
        place="示例镇示例村",
        title="2022年居民医保缴费人名单",
        issuer="示例区税务局",
        code="ABCDEF012345",
        address="https://example.gov.cn/posted/ABCDEF012345",
        version=1,
        posted_on=on,
        until=on + timedelta(days=3),
        prices=["居民医保每人 320 元"],
        phone="12366",
        names=names,
        added=[],
        removed=[],
        at=utc_now(),
    )
    took = []
    for size in [*SIZES, *SIZES] * runs:
        began = time.perf_counter()
        assert draw(poster, size=size).startswith(b"%PDF")
        took.append(time.perf_counter() - began)
    ours, most = figure("A4 and A3 in turn", "s", took), figure(f"{POSTER_S:.0f} s", "s", [POSTER_S])
    return Ratio("P19", f"a poster of {POSTER:,} people", ours, most, 1.0, 0.2, at_least=False)


def _public(ground: Ground, tokens: list[str], runs: int) -> Ratio:
    """Answers a second; nobody keeps one (a browser or a proxy may for a minute)."""
    ground.admin(_HANG)
    [(code,)] = ground.sql(
        "select v.code from roster r join roster_version v on (v.roster_id, v.no) = (r.id, r.no)"
        " where r.state = 'POSTED'"
    )
    looks = [request("GET", "/api/v1/due", {"Authorization": f"Bearer {token}"}) for token in tokens]

    def measured(asked: list[bytes]) -> Callable[[], float]:
        def measure() -> float:
            with ground.web() as port:
                closed_loop(port, asked[:200], clients=CLIENTS, seconds=20)
                seen = closed_loop(port, asked * (100 * SECONDS), clients=CLIENTS, seconds=SECONDS)
            assert set(seen.statuses) == {200}, seen.statuses
            return seen.rate()

        return measure

    page = [request("GET", f"/posted/{code}", {})] * 100
    ours, limit = in_turn(("the public list", measured(page)), ("a look-up", measured(looks)), unit="/s", runs=runs)
    return Ratio("P19", "the public list of the largest village against a look-up", ours, limit, 1.0, 1.2)
