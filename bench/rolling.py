"""`python -m bench.rolling` (`make rolling`): an upgrade from the version before and rolling restarts under load,
behind nginx, and not one request fails.

Two instances of the web, one for callbacks, a worker, the far side, the crowd and the database on this machine. They
start with the code of before; `ops upgrade`; each is restarted with this code; then each again, as often as is said.
Exit status 0 only if nothing failed."""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from app.cli.stack import free_port
from bench.before import BEFORE, unpacked
from bench.crowd import Crowd, Planned, Then
from bench.ground import DATABASE, Ground
from bench.load import Seen
from bench.nginx import proxy
from bench.night import BROWSED, FOLLOWED, GATEWAYS, PEOPLE_A_PAYER, TAKEN, plan, then
from bench.orders import far_side
from config.local import own_lines, sandbox_keys
from config.postgres import Server, create_database, drop_database, ensure_running
from config.settings import CHECKOUT, environment
from payments.sandbox.keys import load_keys

LONG_S = 1.0
WARM = 5  # visitors who come before it counts, one a second: nobody upgrades what has just begun
AROUND = 2 + len(FOLLOWED)  # of a payment besides the browsing: order, callback, and these
_PEOPLE = """
import json, sys
from pathlib import Path
from app.commands import create_commands
from bench.ground import Ground
from bench.lookups import sessions_of_households
from bench.orders import payers
from config.postgres import Server
from payments.sandbox.keys import load_keys
said = json.load(sys.stdin)
folder = Path(said["folder"])
place = Ground(Server(Path(said["data"]), Path(said["sockets"])), said["environ"], 0, load_keys(folder / "far"), folder,
               None)
wanted = said["payers"]
with create_commands().app_context():
    tokens = sessions_of_households(place, people=said["people"], households=3 * wanted, members=(1, 5))
print(json.dumps(list(payers(place, tokens))[:wanted]))
"""

_AN_ACCOUNT_EACH = """
with fresh as (insert into resident_account (since, used_at) select now(), now() from session returning id),
  numbered as (select id, row_number() over () as place from fresh),
  theirs as (select token_hash, row_number() over () as place from session)
update session set account_id = numbered.id from theirs join numbered using (place)
  where theirs.token_hash = session.token_hash and session.account_id is null
"""  # else everybody's list of payments would be one and the same, and long


@dataclass
class Instance:
    """One process group of ours. `program` as after python."""

    name: str
    program: tuple[str, ...]
    port: int
    log: Path
    environ: Mapping[str, str]
    running: subprocess.Popen[bytes] | None = None

    def start(self, code: Path) -> None:
        """Until it is ready."""
        environ = {**os.environ, **self.environ, "PORT": str(self.port)}
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                [sys.executable, *self.program], cwd=code, env=environ, stdout=out, stderr=out, start_new_session=True
            )
        if self.name != "worker":
            _wait_until_ready(self.port)

    def stop(self) -> None:
        """As a service manager stops it."""
        assert self.running is not None
        self.running.send_signal(signal.SIGTERM)
        self.running.wait(60)

    def kill(self) -> None:
        """At the end, whatever became of it."""
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()


@dataclass
class Restarts:
    """What is done while the crowd comes: upgrade, then restart everything so many times. `said` is its diary."""

    ground: Ground
    instances: list[Instance]
    times: int
    done: int = 0
    trouble: str = ""
    began: float = 0.0
    diary: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        """What was done when."""
        self.diary.append(f"{time.monotonic() - self.began:.1f} s {what}")

    def run(self) -> None:
        """In a thread of its own."""
        try:
            time.sleep(2)
            self.note("upgrade")
            _flask(self.ground, CHECKOUT, "ops", "upgrade")
            self.note("upgraded")
            for _ in range(1 + self.times):
                for instance in self.instances:
                    self.note(f"{instance.name} is stopped")
                    instance.stop()
                    self.note(f"{instance.name} is started")
                    instance.start(CHECKOUT)
                self.done += 1
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            self.trouble = f"{type(error).__name__}: {error}"


def main(words: list[str]) -> int:
    """0 only if no request failed, no callback was refused and the book is right."""
    parser = argparse.ArgumentParser(prog="python -m bench.rolling", description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    parser.add_argument("--payments", type=int, default=2, help="payments a second among them")
    parser.add_argument("--before", default=BEFORE, help="the commit that is upgraded; by default the last release")
    parser.add_argument("--restarts", type=int, default=20, help="rolling restarts after the upgrade")
    parser.add_argument("--seconds", type=int, default=0, help="at least; by default as long as the restarts take")
    parser.add_argument("--out", type=Path, default=Path("out") / "rolling.json")
    said = parser.parse_args(words)
    held = environment()
    server = ensure_running(CHECKOUT / held.get("POSTGRES_FOLDER", ".local/postgres"), pg_bin=held.get("PG_BIN"))
    with TemporaryDirectory(prefix="liangxian-rolling-") as home:
        found = measure(server, Path(home), Asked(said.rate, said.payments, said.restarts, said.seconds, said.before))
    said.out.parent.mkdir(parents=True, exist_ok=True)
    said.out.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    sys.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return 0 if found["good"] else 1


@dataclass(frozen=True)
class Asked:
    """Requests a second, payments a second among them, rolling restarts after the upgrade, the least seconds, and the
    commit that is upgraded."""

    rate: int = 200
    payments: int = 2
    restarts: int = 20
    seconds: int = 0
    before: str = BEFORE


def measure(server: Server, home: Path, asked: Asked) -> dict[str, object]:
    """All of it on a database of its own; what came of it, `good` among it."""
    length = max(asked.seconds, 60 + (1 + asked.restarts) * 30)  # as much as is planned; it ends with the last restart
    ground = _ground(server, home)
    before = unpacked(home, asked.before)
    drop_database(server, DATABASE)
    create_database(server, DATABASE)
    try:
        with far_side(ground) as url:
            ground.environ["GATEWAY_WECHAT_BASE_URL"] = url
            _flask(ground, before, "db", "upgrade")
            visitors = _visitors(ground, before, WARM + asked.payments * length)
            ground.admin(_AN_ACCOUNT_EACH)
            ground.admin("analyze")  # as a database that has been at work for a while
            return _under_load(ground, before, visitors, asked)
    finally:
        drop_database(server, DATABASE)


def _under_load(ground: Ground, before: Path, visitors: list[tuple[str, str]], asked: Asked) -> dict[str, object]:
    ports = [free_port() for _ in range(3)]
    times = max(1, round((asked.rate / asked.payments - AROUND) / len(BROWSED)))
    gunicorn = ("-m", "gunicorn", "--config", "python:config.gunicorn", "wsgi:app")
    logs = ground.folder
    kinds = [("web-a", gunicorn, ports[0]), ("web-b", gunicorn, ports[1]), ("callbacks", gunicorn, ports[2])]
    kinds.append(("worker", ("-m", "flask", "--app", "wsgi", "worker", "run"), free_port()))
    instances = [Instance(name, how, port, logs / f"{name}.log", ground.environ) for name, how, port in kinds]
    restarts = Restarts(ground, instances, asked.restarts)
    try:
        for instance in instances:
            instance.start(before)
        with proxy(ground.folder / "nginx", free_port(), web=ports[:2], callbacks=ports[2]) as port:
            doing = threading.Thread(target=restarts.run)
            Crowd(port, connections=400, apart=GATEWAYS).run(plan(iter(visitors[:WARM]), 1, times=times), then(ground))
            crowd = Crowd(port, connections=400, apart=GATEWAYS)
            before_it, _ = _money(ground)
            restarts.began = time.monotonic()
            doing.start()
            least = time.monotonic() + asked.seconds
            seen = crowd.run(
                plan(iter(visitors[WARM:]), asked.payments, times=times),
                _noted(then(ground), restarts),
                ends=lambda: not doing.is_alive() and time.monotonic() > least,
            )
            doing.join()
        return _judged(ground, seen, restarts, before_it)
    finally:
        for instance in instances:
            instance.kill()


def _noted(follows: Then, restarts: Restarts) -> Then:
    """What failed, and what waited long, is in the diary too."""

    def after(done: Planned, now: float, status: int, body: bytes) -> Iterable[Planned]:
        if status not in TAKEN or now - done.at > LONG_S:
            restarts.note(f"{status} {done.kind} after {now - done.at:.1f} s")
        return follows(done, now, status, body)

    return after


def _money(ground: Ground) -> tuple[int, int]:
    """How many payments are paid, and how many callbacks were refused."""
    [(paid, refused)] = ground.sql(
        "select (select count(*) from payment where state = 'paid'),"
        " (select count(*) from received where verdict <> 'verified')"
    )
    return int(str(paid)), int(str(refused))


def _judged(ground: Ground, seen: Mapping[str, Seen], restarts: Restarts, before_it: int) -> dict[str, object]:
    kinds = {
        kind: {
            "requests": len(each.took),
            "failed": {str(status): many for status, many in each.statuses.items() if status not in TAKEN},
            "p50_ms": round(1000 * each.percentile(0.5)),
            "p99_ms": round(1000 * each.percentile(0.99)),
            "longest_ms": round(1000 * max(each.took)),
        }
        for kind, each in seen.items()
    }
    requests = sum(len(each.took) for each in seen.values())
    failed = sum(sum(each.statuses.values()) - sum(each.statuses.get(s, 0) for s in TAKEN) for each in seen.values())
    taken = sum(seen[kind].statuses.get(204, 0) for kind in GATEWAYS if kind in seen)
    paid, refused = _money(ground)
    booked = paid - before_it
    try:
        checked, right = _flask(ground, CHECKOUT, "ledger", "check"), True
    except AssertionError as broken:  # the figures are told all the same
        checked, right = str(broken), False
    good = right and not failed and not restarts.trouble and booked == taken and not refused
    return {
        "good": good and restarts.done == 1 + restarts.times,
        "requests": requests,
        "per_second": round(requests / max(each.seconds for each in seen.values()), 1),
        "failed": failed,
        "turned_away": sum(
            each.statuses.get(503, 0) for each in seen.values()
        ),  # told to come again: more than it carries
        "callbacks_taken": taken,
        "booked": booked,
        "callbacks_refused": refused,
        "rolling_restarts": restarts.done,
        "trouble": restarts.trouble,
        "longest_ms": max(round(1000 * max(each.took)) for each in seen.values()),
        "by_kind": kinds,
        "ledger": checked.strip().splitlines()[-1],
        "diary": restarts.diary,
    }


def _ground(server: Server, home: Path) -> Ground:
    """As bench/ground.py makes it, for the code of before too, with nothing in the database yet."""
    environ = own_lines() | {
        "DATABASE_URL": server.app_url(DATABASE),
        "DATABASE_OFFICE_URL": server.office_url(DATABASE),
        "DATABASE_OWNER_URL": server.owner_url(DATABASE),
        "SMS_PROVIDER": "console",
        "LOG_LEVEL": "WARNING",
        "TRUSTED_PROXIES": "1",
        "WEB_WORKERS": "2",
        "WEB_THREADS": "24",
        "WEB_DRAIN_S": "1",
    }
    environ |= dict(sandbox_keys(home / "far", base_url="http://127.0.0.1:9"))
    return Ground(server, environ, 0, load_keys(home / "far"), home, None)


def _visitors(ground: Ground, code: Path, wanted: int) -> list[tuple[str, str]]:
    """(token, reference), written by that code, whose schema it is."""
    said = {
        "data": str(ground.server.data),
        "sockets": str(ground.server.sockets),
        "environ": ground.environ,
        "folder": str(ground.folder),
        "payers": wanted,
        "people": PEOPLE_A_PAYER * wanted,
    }
    found = subprocess.run(
        [sys.executable, "-c", _PEOPLE],
        cwd=code,
        env={**os.environ, **ground.environ},
        input=json.dumps(said).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    people = [(token, reference) for token, reference in json.loads(found.stdout.splitlines()[-1])]
    assert len(people) == wanted, f"{len(people)} payers for {wanted} payments"
    return list(islice(people, wanted))


def _flask(ground: Ground, code: Path, *words: str) -> str:
    """A command of that code; AssertionError with its words if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *words],
        cwd=code,
        env={**os.environ, **ground.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _wait_until_ready(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"nobody is ready at {port}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
