"""F1: an error of the database names a row. Its class, its code and its constraint are said in the logs, by every
process; nothing of the row, of what was sent or of the statement is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.log import told
from config.postgres import Server
from config.settings import CHECKOUT
from tests.builders import NOON, an_id_number
from tests.conftest import DATABASE
from tests.system import System, eventually

NAME, PHONE, NUMBER = "阙鹮嬛", "13900004527", an_id_number(sequence=731)
ROW = json.dumps({"names": NAME, "number": NUMBER, "phone": PHONE, "village": "x", "items": "x", "amount": "1"})


@contextmanager
def no_row_may_change(database: Server) -> Iterator[None]:
    """Every change of a notice is refused, naming the row as PostgreSQL does."""
    url = database.admin_url().replace("/postgres?", f"/{DATABASE}?")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("alter table notice add constraint never check (next_try_at is null) not valid")
        try:
            yield
        finally:
            admin.execute("alter table notice drop constraint never")


def write_notice(running: System) -> None:
    due = {"fields": ROW, "due": NOON}
    words = "select enqueue_notice(7, 'payment:W1:paid', 'paid', cast(:fields as jsonb), null, '\\x00', :due)"
    running.write(lambda c: c.execute(text(words), due))
    running.write(lambda c: c.execute(text("select defer_telling(array[7::bigint], array['payment:W1:paid'])")))


def nobody_in(written: str) -> bool:
    return not any(each in written for each in (NAME, json.dumps(NAME)[1:-1], PHONE, NUMBER, "Failing row", "DETAIL"))


def test_a_row_that_fails_in_the_worker_leaves_nobody_in_any_log(
    running: System, database: Server, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    write_notice(running)
    with no_row_may_change(database), log.open("ab") as out:
        worker = subprocess.Popen(
            [sys.executable, "-m", "app", "worker", "run"],
            cwd=CHECKOUT,
            env={**os.environ, **running.environment},
            stdout=out,
            stderr=out,
        )
        try:
            eventually(lambda: "CheckViolation" in log.read_text(), 60)
        finally:
            worker.terminate()
            worker.wait(15)
    running.write(lambda c: c.execute(text("delete from procrastinate_workers")))

    said, server = log.read_text(), (database.data.parent / "log").read_text(errors="replace")
    assert "CheckViolation 23514 notice never" in said
    assert nobody_in(said) and nobody_in(server)
    assert all(json.loads(line) for line in said.splitlines())


def test_causes_and_contexts_of_an_error_are_told_as_it_is(
    running: System, database: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    write_notice(running)
    write = text("update notice set fields = jsonb_build_object(cast(:name as text), 1), next_try_at = now()")
    try:
        with no_row_may_change(database), running.parts.engine.begin() as connection:
            try:
                connection.execute(write, {"name": NAME})
            except SQLAlchemyError as row:
                raise ValueError(f"not told: {NAME} {PHONE} {NUMBER}") from row
    except ValueError as error:
        heard = f"{told(error)}, {told(error.__cause__)}"
        structlog.get_logger("x").error("failed", exc_info=error, also=error.__cause__)

    assert nobody_in(capsys.readouterr().err)
    assert heard == "ValueError: not told: … <phone> <id>, IntegrityError of CheckViolation 23514 notice never"


def test_a_crash_is_one_scrubbed_line(tmp_path: Path) -> None:
    program = (
        "from app.log import log_crashes, set_up_logs; import threading; set_up_logs('INFO'); log_crashes()\n"
        f"def fail(): raise ValueError('{NAME} {PHONE}')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join(); fail()"
    )

    ended = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False)

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert ended.returncode == 1 and [line["event"] for line in lines] == ["crashed", "crashed"]
    assert nobody_in(ended.stderr) and "ValueError: … <phone>" in ended.stderr
