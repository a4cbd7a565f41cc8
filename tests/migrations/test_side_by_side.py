"""The version before and this one beside each other, on a database that this one has upgraded: each serves, each takes
the payments that were begun at the other, each has a worker that works."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
import requests

from bench.before import BEFORE, has_history, unpacked
from config.postgres import Server, create_database, drop_database
from core.version import VERSION
from migrations.upgrade import upgrade
from tests.browsing import a_phone, code_in
from tests.builders import DEPARTMENTS, a_household, a_person, an_environment, an_id_number
from tests.config.test_gunicorn import free_port
from tests.system import System, eventually, last_text, system

BESIDE = "liangxian_beside"
GUNICORN = ("-m", "gunicorn", "--config", "python:config.gunicorn", "wsgi:app")
WORKER = ("-m", "flask", "--app", "wsgi", "worker", "run")


@contextmanager
def process(
    code: Path, program: tuple[str, ...], environ: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """One of theirs or ours, by this checkout's programs."""
    with log.open("ab") as out:
        running = subprocess.Popen(
            [sys.executable, *program], cwd=code, env={**os.environ, **environ}, stdout=out, stderr=out
        )
    try:
        yield running
    finally:
        running.terminate()
        running.wait(20)


@dataclass
class Visitor:
    """A resident who pays by the API, at whichever web he is sent to."""

    texts: str  # the address by which his messages are found
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, url: str, wanted: Any = None, **headers: str) -> Any:
        answer = requests.request(method, url, json=wanted, headers=self.headers | headers, timeout=20)
        assert answer.status_code < 300, (url, answer.text)
        return answer.json()

    def comes(self, web: str) -> None:
        phone = a_phone()
        self._has(self.call("POST", f"{web}/api/v1/session", {}))
        self.call("POST", f"{web}/api/v1/session/phone", {"phone": phone})
        code = code_in(last_text(self.texts, phone))
        self._has(self.call("POST", f"{web}/api/v1/session/phone/confirm", {"code": code}))

    def begins(self, web: str, name: str, number: str, gateway: str) -> Any:
        asked = {"name": name, "id_number": number, "agreed": True}
        person = self.call("POST", f"{web}/api/v1/people", asked)["person"]
        wish = {"items": [{"person": person, "insurance": "RES_MEDICAL"}], "kind": "native", "gateway": gateway}
        return self.call("POST", f"{web}/api/v1/payments", wish, **{"Idempotency-Key": token_urlsafe(9)})

    def _has(self, session: Any) -> None:
        self.headers = {"Authorization": f"Bearer {session['token']}"}


@dataclass
class Both:
    """The two webs: `ours` in this process calls its payers back at `theirs`, which calls them back at ours."""

    ours: System
    theirs: str
    people: int = 0

    def somebody(self) -> tuple[str, str]:
        """A person of his own household: name and identity number."""
        self.people += 1
        number = an_id_number(born=date(1980, 1, self.people), sequence=31)

        def write(connection: Any) -> None:
            household = a_household(connection, number=f"{5000 + self.people}")
            a_person(connection, id_number=number, household=household, insurances=("RES_MEDICAL",), phone=a_phone())

        self.ours.write(write)
        return "张示例", number


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not has_history():
        pytest.skip("a copy without its whole history: the version before cannot be had")
    return unpacked(tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def both(server: Server, before: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    home, port = tmp_path_factory.mktemp("beside"), free_port()
    drop_database(server, BESIDE)
    create_database(server, BESIDE)
    urls = {
        "DATABASE_URL": server.app_url(BESIDE),
        "DATABASE_OFFICE_URL": server.office_url(BESIDE),
        "DATABASE_OWNER_URL": server.owner_url(BESIDE),
    }
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=before,
        env={**os.environ, **an_environment(**urls)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    upgrade(server.owner_url(BESIDE), departments=DEPARTMENTS)
    theirs = f"http://127.0.0.1:{port}"
    with system(server, BESIDE, home / "outside", PUBLIC_URL=theirs) as ours:
        environ = dict(ours.environment) | {"PORT": str(port), "PUBLIC_URL": ours.url, "WEB_WORKERS": "1"}
        with process(before, GUNICORN, environ, home / "before.log"):
            eventually(lambda: ready(theirs), 60)
            yield Both(ours, theirs)
    drop_database(server, BESIDE)


def ready(web: str) -> bool:
    try:
        return requests.get(f"{web}/readyz", timeout=15).status_code == 200
    except requests.RequestException:
        return False


def test_both_are_ready_on_the_schema_of_after(both: Both) -> None:
    assert ready(both.theirs) and ready(both.ours.url)
    assert requests.get(f"{both.ours.url}/livez", timeout=5).json()["version"] == VERSION
    assert requests.get(f"{both.theirs}/livez", timeout=5).json().get("version") != VERSION, f"{BEFORE} is before"


@pytest.mark.parametrize("gateway", ["wechat", "alipay", "unionpay"])
@pytest.mark.parametrize("begun", ["theirs", "ours"])
def test_what_is_begun_at_one_is_paid_at_the_other(both: Both, begun: str, gateway: str) -> None:
    at, other = (both.theirs, both.ours.url) if begun == "theirs" else (both.ours.url, both.theirs)
    visitor = Visitor(both.ours.url)
    visitor.comes(at)

    started = visitor.begins(at, *both.somebody(), gateway)
    assert both.ours.outside.pay(started["code_url"]).status == 200

    for web in (other, at):
        eventually(lambda: visitor.call("GET", f"{web}/api/v1/payments/{started['number']}")["state"] == "paid")  # noqa: B023
    assert both.ours.outside.callback_statuses(started["number"], 1)[0] in (200, 204)
    believed = "select count(*) from received where number = :n and verdict = 'verified'"
    assert both.ours.one(believed, n=started["number"])[0] >= 1


def test_the_workers_of_both_tell_what_was_paid_and_nothing_goes_wrong(
    both: Both, before: Path, tmp_path: Path
) -> None:
    """One after the other alone, then both."""
    environ = dict(both.ours.environment) | {"LOG_LEVEL": "INFO"}
    here = Path(__file__).parents[2]
    visitor = Visitor(both.ours.url)
    visitor.comes(both.ours.url)
    logs = {"theirs": tmp_path / "theirs.log", "ours": tmp_path / "ours.log"}
    for name, code in (("theirs", before), ("ours", here)):
        started = visitor.begins(both.ours.url, *both.somebody(), "wechat")
        both.ours.outside.pay(started["code_url"])
        with process(code, WORKER, environ, logs[name]):
            eventually(lambda: told(both, started["number"]), 30)  # noqa: B023
    with process(before, WORKER, environ, logs["theirs"]) as one, process(here, WORKER, environ, logs["ours"]) as two:
        eventually(lambda: both.ours.one("select count(*) from procrastinate_workers")[0] == 2, 30)
        time.sleep(3)
        assert (one.poll(), two.poll()) == (None, None)

    said = {name: log.read_text() for name, log in logs.items()}
    # A task that only the code of after knows is left to the next turn of its hour: the worker of before says so.
    # And until it is restarted it misses its own functions, which the upgrade made anew (CHANGELOG.md).
    unknown = ("Task was not found", "TaskNotFound", '"invariant": "GUARDS"')
    said["theirs"] = "".join(
        line for line in said["theirs"].splitlines(True) if not any(words in line for words in unknown)
    )
    assert not [words for words in said.values() if '"level": "error"' in words or "Traceback" in words], said


def told(both: Both, number: str) -> bool:
    row = both.ours.one(
        "select coalesce(max(rank), 0) from notice where cause = :cause", cause=f"payment:{number}:paid"
    )
    return row[0] >= 2


def test_the_book_is_right_for_both(both: Both, before: Path) -> None:
    for code, may in ((before, {"GUARDS"}), (Path(__file__).parents[2], set())):  # 0.1.0 knows its own functions only
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "ledger", "check"],
            cwd=code,
            env={**os.environ, **both.ours.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        broken = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("✗")}
        assert "✓" in done.stdout and broken <= may, done.stdout + done.stderr
