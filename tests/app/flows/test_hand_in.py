"""What an office hands in: kept sealed and whole, worked on in the name of who asked, once, whoever dies meanwhile."""

import io
import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import PERMISSIONS, Role
from app.access.sessions import find_by_hash
from app.flows.enter.accounts import add_staff, change_staff
from app.flows.hand_in.ask import NoSuchJob, ask, asked
from app.flows.hand_in.keep import PIECE, EmptyFile, FileGone, FileInUse, NoSuchUpload, keep, kept, pieces, throw_away
from app.flows.hand_in.work import MOST_TURNS, work
from app.office_jobs import KINDS
from config.settings import CHECKOUT
from core.clock import utc_now
from core.db import connect
from core.vault import Sealed
from tests.app.registry.files import a_csv, a_row
from tests.app.web.test_office import PASSWORD, client_of
from tests.builders import a_village
from tests.conftest import DATABASE
from tests.refunding import rows
from tests.system import eventually


def officer_of(running, login, role):
    """Somebody of an office with a live session."""
    add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD)
    client_of(running, login, PASSWORD)
    hashes = rows(
        running, f"select token_hash from session s join staff f on f.id = s.staff_id where login = '{login}'"
    )
    with running.parts.reading() as connection:
        return find_by_hash(connection, hashes[-1].token_hash, now=utc_now()).officer


@pytest.fixture
def hrss(running):
    running.write(a_village)
    return officer_of(running, "hrss01", Role.HRSS)


@pytest.fixture
def file(tmp_path):
    """A register file of one person, as bytes."""
    return a_csv(tmp_path / "参保登记.csv", a_row(insurance="居民养老")).read_bytes()


@pytest.fixture
def process(running, database):
    """Does what waits, as the office process; how many."""
    held = connect(database.office_url(DATABASE), pool_size=1)
    made = running.app.extensions["joined"].office_of
    yield lambda kinds=KINDS: work(running.office, held, made, kinds)
    held.dispose()


def handed_in(running, officer, content, name="参保登记.csv"):
    return keep(running.parts, officer, io.BytesIO(content), name=name)


def test_a_file_is_kept_sealed_in_pieces_and_given_back_whole(running, hrss):
    content = os.urandom(2 * PIECE + 7)
    number = handed_in(running, hrss, content, name="C:\\人社\\参保\x00登记.xlsx")
    other = handed_in(running, hrss, b"sibling")

    assert b"".join(pieces(running.parts, number)) == content
    row = kept(running.parts, number, role="hrss")
    assert (row.name, row.size, row.by, row.role) == ("参保登记.xlsx", len(content), "staff:hrss01", "hrss")
    held = rows(running, f"select bytes from upload_piece where upload_id = {number} order by no")
    assert len(held) == 3 and content[:300] not in b"".join(bytes(one.bytes) for one in held)
    with pytest.raises(Sealed):  # a piece of another file, or another piece, opens nowhere else
        running.parts.vault.open(held[0].bytes, bound_to=f"upload.piece:{number}:1")
    with pytest.raises(NoSuchUpload):
        kept(running.parts, number, role="medical")
    with pytest.raises(EmptyFile):
        handed_in(running, hrss, b"")

    throw_away(running.parts, hrss, number)

    with pytest.raises(FileGone):
        list(pieces(running.parts, number))
    assert kept(running.parts, number).gone_by == "staff:hrss01"
    assert list(pieces(running.parts, other)) == [b"sibling"]
    with pytest.raises(FileInUse):
        throw_away(running.parts, hrss, number)
    with pytest.raises(FileGone):
        ask(running.parts, hrss, "register_look", upload=number)


def test_who_asked_is_who_it_is_done_for_and_asking_twice_is_asking_once(running, hrss, file, process):
    upload = handed_in(running, hrss, file)
    number = ask(running.parts, hrss, "register_look", upload=upload)
    assert ask(running.parts, hrss, "register_look", upload=upload) == number
    with pytest.raises(FileInUse):
        throw_away(running.parts, hrss, upload)
    seen = []

    def look(parts, job, progress):
        with parts.reading() as connection:
            seen.append((job.by, connection.execute(text("show liangxian.actor")).scalar_one()))
        progress(3, 7)
        return {}

    assert process({"register_look": KINDS["register_look"].__class__("register.bring", look)}) == 1

    assert seen == [("staff:hrss01", "staff:hrss01")]
    row = asked(running.parts, number, kinds=("register_look",), role="hrss")
    assert (row.state, row.rows, row.rows_about, row.turns, row.by) == ("done", 3, 7, 1, "staff:hrss01")
    assert process() == 0
    with pytest.raises(NoSuchJob):
        asked(running.parts, number, kinds=("register_look",), role="medical")
    assert ask(running.parts, hrss, "register_look", upload=upload) != number


def test_a_look_says_what_would_come_of_it_and_changes_nothing(running, hrss, file, process):
    number = ask(running.parts, hrss, "register_look", upload=handed_in(running, hrss, file))
    assert process() == 1

    row = asked(running.parts, number, kinds=("register_look",))
    assert (row.state, row.problem) == ("done", "")
    assert [row.outcome[name] for name in ("rows_in", "added", "refused", "taken")] == [1, 1, 0, False]
    assert running.one("select (select count(*) from person), (select count(*) from import_batch)") == (0, 1)


def test_who_may_not_ask_is_refused_by_the_database(running, hrss, file):
    upload = handed_in(running, hrss, file)
    clerk = officer_of(running, "clerk01", Role.TAX_CLERK)
    medical = officer_of(running, "med01", Role.MEDICAL)

    for who, kind, of in ((clerk, "register_look", None), (hrss, "invented", None)):
        with pytest.raises(DBAPIError, match="may not ask"):
            ask(running.parts, who, kind, upload=of)
    with pytest.raises(FileGone):  # another office's file is not there for him
        ask(running.parts, medical, "register_look", upload=upload)
    change_staff(running.office, login="hrss01", active=False)
    with pytest.raises(DBAPIError, match="nobody of an office"):
        ask(running.parts, hrss, "register_look", upload=upload)
    assert rows(running, "select * from office_job") == []


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("insert into office_job (kind, by, at) values ('register_look', 'staff:other', now())", "permission denied"),
        ("update office_job set by = 'staff:other'", "permission denied"),
        ("update office_job set state = 'done', outcome = '{}', ended_at = now()", "permission denied"),
        ("delete from office_job", "permission denied"),
        ("update upload set by = 'staff:other'", "permission denied"),
        (
            "insert into upload (name, digest, size, by, role, at) values ('x', 'x', 1, 'staff:x', 'hrss', now())",
            "denied",
        ),
        ("insert into upload_piece select id, 9, 'x' from upload", "stays as it came"),
        ("update upload_piece set bytes = 'x'", "permission denied"),
        ("delete from upload_piece", "permission denied"),
        ("select officer_here('x', now())", "permission denied"),
    ],
)
def test_the_webs_role_forges_no_name_and_moves_nothing(running, hrss, file, statement, why):
    ask(running.parts, hrss, "register_look", upload=handed_in(running, hrss, file))

    with pytest.raises(DBAPIError, match=why), running.parts.engine.begin() as connection:
        connection.execute(text(statement))


def test_nor_does_the_offices_role_ask_for_work_or_begin_it_again(running, hrss, file, process):
    ask(running.parts, hrss, "register_look", upload=handed_in(running, hrss, file))
    process()
    for statement, why in (
        ("insert into office_job (kind, by, at) values ('register_look', 'staff:other', now())", "permission denied"),
        ("update office_job set state = 'doing', outcome = null, ended_at = null", "asked for and done once"),
    ):
        with pytest.raises(DBAPIError, match=why), running.office.engine.begin() as connection:
            connection.execute(text(statement))


def test_whose_place_is_another_by_then_has_it_not_done(running, hrss, file, process):
    number = ask(running.parts, hrss, "register_look", upload=handed_in(running, hrss, file))
    change_staff(running.office, login="hrss01", active=False)
    process()

    row = asked(running.parts, number, kinds=("register_look",))
    assert (row.state, "没有办" in row.problem, row.outcome) == ("failed", True, None)


def test_what_nobody_foresaw_is_tried_again_and_in_the_end_said(running, hrss, file, process):
    heard = []
    object.__setattr__(running.office, "alert", lambda what, **words: heard.append(what))
    number = ask(running.parts, hrss, "register_look", upload=handed_in(running, hrss, file))
    sibling = ask(running.parts, hrss, "register_look", upload=handed_in(running, hrss, file + b"\n"))
    looks = KINDS["register_look"]

    def dies(parts, job, progress):
        return {} if job.id == sibling else {}[job.kind]

    for _ in range(MOST_TURNS + 1):
        process({"register_look": looks.__class__(looks.permission, dies)})

    row = asked(running.parts, number, kinds=("register_look",))
    assert (row.state, str(number) in row.problem, heard) == ("failed", True, ["row_failed"] * MOST_TURNS)
    assert asked(running.parts, sibling, kinds=("register_look",)).state == "done"
    assert rows(running, "select * from trouble") == []


def test_a_killed_process_s_work_is_taken_up_and_done_once(running, hrss, file, process, tmp_path):
    """Held at its last step and killed there; meanwhile nobody else takes it."""
    number = ask(running.parts, hrss, "register_look", upload=handed_in(running, hrss, file))

    def state():
        return running.one("select state, turns from office_job")

    with running.office.engine.connect() as connection, (tmp_path / "office.log").open("ab") as log:
        connection.execute(text("lock table household in access exclusive mode"))
        child = subprocess.Popen(
            [sys.executable, "-m", "app", "office", "run"],
            cwd=CHECKOUT, env={**os.environ, **running.environment}, stdout=log, stderr=log,
        )  # fmt: skip
        eventually(lambda: tuple(state()) == ("doing", 1), 30)
        assert process() == 0
        child.send_signal(signal.SIGKILL)
        child.wait()
        connection.rollback()
    eventually(lambda: process() == 1)

    row = asked(running.parts, number, kinds=("register_look",))
    assert (row.state, row.turns, row.outcome["added"]) == ("done", 2, 1)
    assert process() == 0


def test_the_database_says_of_each_kind_what_the_mapping_says(running):
    for name, kind in KINDS.items():
        assert running.one("select office_asks(:kind)", kind=name)[0] == sorted(PERMISSIONS[kind.permission])
