"""Personal data under another key: all of it, wherever it lies, with nothing else of a row changed, whatever stops the
job; afterwards the product reads everything without the former key."""

import base64
import io
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle
from threading import Event

import pytest
from sqlalchemy import LargeBinary, text
from sqlalchemy.exc import DBAPIError

from app.access import accounts
from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.cases.answer import answer as answer_matter
from app.flows.cases.say import say
from app.flows.complaints.answer import answer
from app.flows.complaints.ask import ask
from app.flows.conflicts.bring_police import bring_police
from app.flows.due.quote import subjects
from app.flows.enter.accounts import add_agent, add_staff
from app.flows.hand_in.keep import PIECE, keep
from app.flows.keep.reseal import needed, progress_of, reseal
from app.flows.keep.sealed import NOT_SEALED, PLACES
from app.flows.newborn import join
from app.flows.newborn.apply import Child
from app.flows.newborn.apply import apply as apply_newborn
from app.flows.newborn.register import check as check_newborn
from app.flows.newborn.register import register as register_newborn
from app.flows.pay.start import Want
from app.flows.register import correct_name, determine
from app.flows.register.apply import Evidence, apply
from app.flows.roster.move import send_back
from app.policy.facts import Insurance
from app.registry.determinations import Kind
from app.registry.identity import check_digit
from core.clock import utc_now
from core.db import connect
from core.vault import SM, Key, Vault
from migrations.declared import TABLES
from tests.app.flows.test_hand_in import officer_of
from tests.app.flows.test_sponsors import entered
from tests.app.helped.papers import lists_of_nobody
from tests.app.roster.hands import closing_hung, hung, objected
from tests.browsing import Browser
from tests.builders import VAULT_LINES, a_person, an_id_number
from tests.conftest import DATABASE
from tests.house.tree import ROOT
from tests.refunding import pay, rows
from tests.system import second_code, system

OLD = VAULT_LINES["VAULT_KEYS"]
SM4 = f"2:sm4:{base64.b64encode(os.urandom(16)).decode()}"
NUMBER, PHONE = an_id_number(sequence=7), "13800000000"


def values(running, place):
    """Key of a row, name of a value → the sealed bytes and what they are bound to."""
    key = ", ".join(f"cast({name} as text)" for name in place.key)
    for name, bound in place.bound.items():
        column, *path = name.split(".")
        value = f"decode({column} #>> '{{{','.join(path)}}}', 'base64')" if path else column
        for row in rows(running, f"select array[{key}] as key, {value} as value, {bound} as bound from {place.table}"):
            if row.value is not None:
                yield (place.table, *row.key, name), bytes(row.value), row.bound


def everything(running, vault=None):
    """All sealed values, opened."""
    vault = vault or running.parts.vault
    return {key: vault.open(value, bound_to=bound) for place in PLACES for key, value, bound in values(running, place)}


def the_rest(running):
    """Every row that holds sealed values, without them."""
    left = {}
    for place in PLACES:
        row = "to_jsonb(t)"
        for name in place.bound:
            row += f" #- '{{{name.replace('.', ',')}}}'"
        left[place.table] = sorted(str(each) for [each] in rows(running, f"select {row} from {place.table} t"))
    return left


@pytest.fixture
def owner(database):
    engine = connect(database.owner_url(DATABASE), actor="operator:ops")
    yield engine
    engine.dispose()


@pytest.fixture
def lived_in(running, adult, tmp_path):
    """People, an agent, a resident who came in, a payment, a complaint answered, a name to correct, lists."""
    lists_of_nobody(running.office, tmp_path)
    running.write(lambda c: [a_person(c, id_number=an_id_number(sequence=n)) for n in range(20, 32)])
    other_name = tmp_path / "police.csv"
    other_name.write_text(f"姓名,身份证号,事项\n章示例,{an_id_number(sequence=20)},迁出\n", encoding="utf-8")
    bring_police(running.office, other_name)
    add_agent(running.office, login="wang", name="王代办", password="correct horse battery", villages=["370404103901"])
    running.write(lambda c: accounts.of_phone(c, running.parts.vault, "13900000002", now=utc_now()))
    number = pay(running, Want(adult, Insurance.RES_MEDICAL))
    correct_name.ask(
        running.office, id_number=NUMBER, name="章示例", reason="户口簿上是章", proof="户口簿首页", by="staff:a1"
    )
    evidence = Evidence("退役证在家里", b"drawn")
    asked = running.parts, adult, Insurance.RES_PENSION, Kind.POLICY_BACKPAY
    determine.decide(
        running.office,
        apply(*asked, by="resident", evidence=evidence),
        determine.Ruling(False, reason="材料不全"),
        by="staff:a1",
    )
    told = say(running.parts, "DIED", "去年腊月去世了", person_id=adult, village=None, by="agent:1")
    bureau = add_staff(
        running.office, login="hrss1", name="示例", role=Role.HRSS, password="a-long-password-1", towns=[]
    )
    clerk = Officer(bureau, "hrss1", b"", Role.HRSS, session=b"hrss1")
    medical = add_staff(
        running.office, login="med1", name="示例", role=Role.MEDICAL, password="a-long-password-1", towns=[]
    )
    live = (
        "insert into session (token_hash, staff_id, known, expires_at, ends_at) select cast(login as bytea), id, '{}',"
        " now() + interval '1 hour', now() + interval '1 hour' from staff where login in ('hrss1', 'med1')"
    )
    running.write(lambda c: c.execute(text(live)))
    answer_matter(running.parts, told, "已经登记，请节哀", by=clerk)
    a_child(running, adult, Officer(medical, "med1", b"", Role.MEDICAL, session=b"med1"), clerk)
    running.write(lambda c: c.execute(text("delete from session")))
    case = running.outside.post("/complaints", {"gateway": "wechat", "payment": number, "phone": "13800001234"})
    ask(running.parts, "wechat", case["number"])
    answer(running.parts, "wechat", case["number"], key="looking", own="", by="staff:clerk01")
    Browser(running.url).look_up("张示例", NUMBER)
    entered(running)
    _a_roster_that_hung(running)
    keep(running.parts, officer_of(running, "hrss01", Role.HRSS), io.BytesIO(b"x" * PIECE * 2), name="a.csv")
    return running


def a_child(running, parent, registers, asks):
    """Registered under its certificate, and somebody has asked for its number."""
    child = Child("T370900001", "张小宝", "2021-10-20", "1", b"drawn")
    [subject] = subjects(running.parts, [parent])
    number = apply_newborn(running.parts, subject, child, by="agent:1")
    check_newborn(running.parts, number, by=registers)
    register_newborn(running.parts, number, by=registers, compared=True)
    base = "37049920211020001"
    join.ask(running.parts, join.Said(child.certificate, child.name, base + check_digit(base), "户口簿原件"), by=asks)


def _a_roster_that_hung(running):
    [agent] = rows(running, "select id from agent where login = 'wang'")
    roster, who = hung(running, agent.id)
    objected(running, roster, who)
    closing_hung(running, agent.id, who)
    send_back(running.parts, {roster: 1}, why="少了一户", by=who[Role.TOWN])


def under(running, lines, current):
    """The system's parts as a process has them that holds these keys."""
    keys = {}
    for line in lines.split(","):
        number, _, secret = line.partition(":")
        suite = {"suite": SM} if secret.startswith("sm4:") else {}
        keys[int(number)] = Key(base64.b64decode(secret.removeprefix("sm4:")), **suite)
    index = Key(base64.b64decode(VAULT_LINES["VAULT_INDEX_KEY"]))
    return replace(running.parts, vault=Vault(keys, index, current=current))


def test_every_column_of_bytes_is_known_to_the_job_or_said_to_hold_nothing_sealed():
    columns = {
        f"{table.name}.{column.name}"
        for table in TABLES.tables.values()
        for column in table.columns
        if isinstance(getattr(column.type, "item_type", column.type), LargeBinary)
    }
    sealed = {f"{place.table}.{name}" for place in PLACES for name in place.bound if "." not in name}

    assert sealed | set(NOT_SEALED) == columns and not sealed & set(NOT_SEALED)
    for place in PLACES:
        assert set(place.key) == {column.name for column in TABLES.tables[place.table].primary_key}


def test_all_goes_under_the_new_key_and_the_product_reads_it_without_the_old_one(lived_in, owner, database, far_folder):
    before, rest = everything(lived_in), the_rest(lived_in)
    with system(database, DATABASE, far_folder, VAULT_KEYS=f"{OLD},{SM4}") as both:
        runner = both.app.test_cli_runner()
        asked = runner.invoke(args=["ops", "reseal", "--check"])
        done = runner.invoke(args=["ops", "reseal", "--batch", "4"])
        checked = runner.invoke(args=["ops", "reseal", "--check"])
        told = runner.invoke(args=["ops", "reseal", "--progress"])
        again = runner.invoke(args=["ops", "reseal"])

    assert asked.exit_code == 1 and "1 号钥匙 AES-256-GCM" in asked.output and "还要留着" in asked.output
    assert (done.exit_code, again.exit_code) == (0, 0), done.output
    assert checked.exit_code == 0 and "1 号钥匙 AES-256-GCM\t0 个值\t可以撤下" in checked.output
    assert "person\t14/14 行" in told.output and told.output.count("已完成") == len(PLACES)
    with system(database, DATABASE, far_folder, VAULT_KEYS=SM4) as without:
        assert everything(without) == before and the_rest(without) == rest
        assert {key[0] for key in before} >= {place.table for place in PLACES} - {
            "staff", "login_code", "session", "proof", "refund_transfer", "cash_slip"
        }  # fmt: skip
        assert "张*例" in Browser(without.url).look_up("张示例", NUMBER).text


def test_killed_at_any_moment_it_goes_on_where_it_was(lived_in, owner, database):
    """F12."""
    before, environ = everything(lived_in), dict(lived_in.environment) | {"VAULT_KEYS": f"{OLD},{SM4}"}
    parts = under(lived_in, f"{OLD},{SM4}", 2)
    command = [sys.executable, "-m", "app", "ops", "reseal", "--batch", "2", "--pause", "0.1"]
    with subprocess.Popen(command, env=os.environ | environ, cwd=ROOT, stdout=subprocess.PIPE) as process:
        until = time.monotonic() + 30
        while time.monotonic() < until and not any(each.done >= 4 for each in progress_of(parts)):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    [person] = progress_of(parts)
    assert 4 <= person.done < person.rows == 14 and person.ended_at is None
    assert set(needed(parts)) == {(1, 1), (SM, 2)}
    assert everything(lived_in, parts.vault) == before  # both keys are read meanwhile

    assert reseal(parts, owner, batch=500)

    assert {each.table: each.done for each in progress_of(parts)}["person"] == 14  # each once
    assert set(needed(parts)) == {(SM, 2)}


def test_it_goes_back_to_the_former_suite_too(lived_in, owner):
    before = everything(lived_in)
    reseal(under(lived_in, f"{OLD},{SM4}", 2), owner, batch=500)

    assert reseal(under(lived_in, f"{OLD},{SM4}", 1), owner, batch=500)

    assert everything(lived_in) == before and set(needed(lived_in.parts)) == {(1, 1)}


def test_what_a_process_of_before_sealed_meanwhile_is_counted_and_taken_by_the_next_run(lived_in, owner):
    parts = under(lived_in, f"{OLD},{SM4}", 2)
    reseal(parts, owner, batch=500)
    lived_in.write(lambda c: a_person(c, id_number=an_id_number(sequence=91)))  # it still seals with the former key
    assert needed(parts)[1, 1] == 3

    assert reseal(parts, owner, batch=500)

    assert (1, 1) not in needed(parts)
    [person] = [each for each in progress_of(parts) if each.table == "person"]
    assert (person.done, person.rows, person.left_s) == (15, 15, None)


def test_what_no_key_opens_stays_is_counted_and_told_and_hinders_nobody_else(lived_in, owner, adult):
    heard = []
    parts = replace(under(lived_in, f"{OLD},{SM4}", 2), alert=lambda what, **words: heard.append((what, words)))
    broken = lived_in.parts.vault.seal("13800000000", bound_to="person.phone:0")
    lived_in.write(lambda c: c.execute(text("update person set phone = :p where id = :id"), {"p": broken, "id": adult}))

    assert reseal(parts, owner, batch=3)

    assert heard == [("seal_unopened", {"person": 1})]
    assert needed(parts)[1, 1] == 3  # the three values of this one row
    assert lived_in.one("select phone from person where id = :p", p=adult)[0] == broken


def test_who_holds_a_row_is_waited_for_and_nobody_waits_for_the_job(lived_in, owner, adult):
    """One holds a row of the first batch for a second; another changes people all the while, and reads them."""
    parts = under(lived_in, f"{OLD},{SM4}", 2)
    others = [key for [key] in rows(lived_in, "select id from person where id <> :p order by id", p=adult)]
    held, over, waited = Event(), Event(), []

    def hold():
        with lived_in.office.engine.begin() as connection:
            connection.execute(text("select from person where id = :p for update"), {"p": adult})
            held.set()
            time.sleep(1)

    def change():
        for key in cycle(others):
            if over.is_set():
                return
            begun = time.monotonic()
            lived_in.write(lambda c, key=key: c.execute(text(f"update person set student = false where id = {key}")))
            waited.append(time.monotonic() - begun)

    with ThreadPoolExecutor(2) as pool:
        holder = pool.submit(hold)
        held.wait()
        changer = pool.submit(change)
        try:
            begun = time.monotonic()
            assert reseal(parts, owner, batch=1, pause_s=0.01)  # the held one's turn comes by itself
            took = time.monotonic() - begun
        finally:
            over.set()
        holder.result()
        changer.result()

    assert took > 0.8 and len(waited) > 10 and max(waited) < 0.8
    assert (1, 1) not in needed(parts)


@pytest.mark.parametrize("table", ["complaint_line", "complaint_reply", "name_correction"])
def test_nobody_but_the_owner_and_he_only_under_another_key_puts_other_words_in_place(lived_in, owner, table):
    name = {"complaint_line": "words", "complaint_reply": "words", "name_correction": "name"}[table]
    value = bytes(rows(lived_in, f"select {name} from {table} where {name} is not null")[0][0])
    other_key, same_key = b"\2\2" + value[2:], value[:-1] + bytes((value[-1] ^ 1,))
    change = text(f"update {table} set {name} = :value where {name} is not null")

    for engine, wrong in ((lived_in.office.engine, other_key), (owner, same_key), (owner, other_key + b"x")):
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(text("select set_config('liangxian.cause', 'reseal:0202', true)"))
            connection.execute(change, {"value": wrong})
    assert bytes(rows(lived_in, f"select {name} from {table} where {name} is not null")[0][0]) == value


def test_a_telephone_sealed_anew_is_not_a_telephone_given_anew(lived_in, owner):
    second_code(lived_in.url, "wang")
    noted = "select count(*) from act where what = 'second'"
    before = lived_in.one(noted)[0]

    reseal(under(lived_in, f"{OLD},{SM4}", 2), owner, batch=500)

    assert lived_in.one(noted)[0] == before
