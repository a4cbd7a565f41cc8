"""A person's data is erased by two people: what need not be kept goes, what accounts must keep stays sealed and found
by nobody, and the book, its certificates and everybody else are as they were."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access import accounts
from app.access.roles import Role
from app.access.sessions import Officer
from app.access.tally import DAY
from app.flows.cases.say import say
from app.flows.due.coverage import coverage
from app.flows.due.look_up import NoSuchPerson, identify
from app.flows.due.quote import subjects
from app.flows.helped.check import check
from app.flows.helped.take import take
from app.flows.keep import erase
from app.flows.keep.erase import (
    BadErasure,
    ErasureHindered,
    ErasureStands,
    NobodyToErase,
    NoSuchErasure,
    NotYourErasure,
    OwnErasure,
)
from app.flows.keep.erased_list import list_in, read_list
from app.flows.keep.reseal import needed
from app.flows.keep.retention import let_go
from app.flows.newborn.apply import Child
from app.flows.newborn.apply import apply as apply_newborn
from app.flows.offices.people import PersonRestricted, dossier, read_numbers, search
from app.flows.pay.start import Kind, Payer, Want, start_payment
from app.flows.reconcile import close_day
from app.flows.reconcile.certify import certificate, problems
from app.flows.refund.steps import apply
from app.flows.register import correct_name
from app.flows.register.apply import apply as ask_for
from app.flows.register.open_year import open_year
from app.flows.restore.reopen import reopen
from app.flows.tell.remind import remind
from app.flows.village.people import household, villagers
from app.flows.watch.book import check_book
from app.policy.facts import Insurance
from app.policy.refunds import Why
from app.registry.determinations import Kind as Case
from app.registry.register import ImportUnderWay
from core.clock import utc_now
from core.db import connect
from core.errors import NotFound
from core.redact import RESTRICTED
from notifications.send import ERASED
from tests.app.helped.papers import a_line, a_list
from tests.app.registry.files import a_csv, a_row, taken_in
from tests.builders import a_person, an_id_number
from tests.conftest import DATABASE
from tests.refunding import agreed, pay, rows, run_refunds, start, state
from tests.system import eventually

NUMBER, SIBLINGS, VILLAGE = an_id_number(sequence=7), an_id_number(sequence=8), "370404103901"
PHONE, SIBLINGS_PHONE, OPENID = "13900000007", "13900000008", "o777777777777777777777777777"
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
DESK = Officer(0, "desk", b"", Role.TAX_CLERK)
AUDITOR = Officer(0, "auditor", b"", Role.AUDITOR)
ASKED = {"id_number": NUMBER, "ground": "asked", "reason": "本人书面申请，见申请表", "by": "staff:a"}
AT_THE_DOOR = text(
    "insert into notice (household_id, cause, kind, fields, rank, last_error)"
    " select household_id, 'bill:' || id || '\\:settled', 'settled', '{}', 4, 'no channel reaches this person'"
    " from bill where person_id = :p and insurance = 'RES_MEDICAL'"
)
OURS = text("delete from register_change where by = 'role:postgres'")  # what a test did past every guard
OF_SIBLING = (
    "person where id = :p",
    "enrolment where person_id = :p",
    "bill where person_id = :p",
    "resident_account where id = :a",
    "resident_person where account_id = :a",
    "payment where started_by = 'account:' || :a",
    "notice where household_id = (select household_id from person where id = :p) and cause like '%' || :n || '%'",
    "notice where cause in (select 'bill:' || id || '\\:settled' from bill where person_id = :p)",
    "session where account_id = :a",
    "login_code where token_hash = (select token_hash from session where account_id = :a)",
    "subscription where openid_index = (select openid_index from resident_account where id = :a)",
    "request_key where number = :n",
    "barred where account_id = :a",
    "tally where key = :t",
)


@pytest.fixture
def owner(database):
    engine = connect(database.owner_url(DATABASE), pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture
def superuser(database):
    """Whom no guard stops."""
    engine = connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"))
    yield engine
    engine.dispose()


@pytest.fixture
def papers(running, tmp_path):
    """The office's parts with a place outside the database."""
    return replace(running.office, papers=tmp_path / "papers")


def came(running, person, phone, openid):
    """An account whose phone was proved and whose own person this is, with a session; its id."""
    vault, now = running.parts.vault, utc_now()

    def made(connection):
        account = accounts.of_phone(connection, vault, phone, now=now)[0]
        accounts.bind(connection, account, person, own=True, now=now)
        accounts.join_openid(connection, vault, account, openid)
        connection.execute(
            text(
                "insert into session (token_hash, account_id, known, expires_at, ends_at)"
                " values (:token, :account, :known, :until, :until)"
            ),
            {
                "token": openid.encode(),
                "account": account,
                "known": json.dumps({"ref": person}),
                "until": now + timedelta(hours=1),
            },
        )
        connection.execute(
            text("insert into subscription (openid_index, kind, left_over) values (:i, 'certified', 1)"),
            {"i": vault.index(openid, purpose="account.openid")},
        )
        connection.execute(
            text("insert into login_code (token_hash, phone, digest, expires_at) values (:token, :phone, '', :until)"),
            {
                "token": openid.encode(),
                "phone": vault.seal(phone, bound_to=f"login_code.phone:{openid.encode().hex()}"),
                "until": now + timedelta(minutes=5),
            },
        )
        connection.execute(
            text("insert into tally (key, window_start, count) values (:key, :now, 1)"),
            {"key": texts_to(running, phone), "now": now},
        )
        return account

    return running.write(made)


def texts_to(running, phone):
    """What counts the login codes of this phone today."""
    return running.parts.vault.index(f"text:{phone}/{DAY}", purpose="tally")


def bar(running, account, person):
    """This account brings this person in no more."""
    running.write(lambda c: c.execute(text("insert into barred values (:a, :p, now())"), {"a": account, "p": person}))


def paid_by(running, account, openid, want, key):
    """A payment that this account began and its WeChat user paid there."""
    payer = Payer(f"account:{account}", "self", "wechat", Kind.JSAPI, openid)
    started = start_payment(running.parts, (want,), payer, request_key=key)
    prepay = started.checkout.jsapi["package"].removeprefix("prepay_id=")
    assert running.outside.pay(prepay, openid).status == 200
    eventually(lambda: state(running, started.number) == "paid")
    return started.number


class Lived:
    """Two of one household who came in, paid and were told; the seventh was given his medical back, kept his pension,
    and has an open bill that nobody pays; a reminder to him waits."""

    def __init__(self, running):
        self.running = running
        self.person = running.write(lambda c: a_person(c, id_number=NUMBER, phone=PHONE, name="张要删"))
        home = running.one("select household_id from person where id = :p", p=self.person)[0]
        self.home = home
        self.sibling = running.write(
            lambda c: a_person(c, id_number=SIBLINGS, household=home, phone=SIBLINGS_PHONE, name="张留下")
        )
        self.account = came(running, self.person, PHONE, OPENID)
        self.siblings = came(running, self.sibling, SIBLINGS_PHONE, "o888888888888888888888888888")
        self.given_back = paid_by(running, self.account, OPENID, Want(self.person, MEDICAL), "first")
        self.kept = paid_by(running, self.account, OPENID, Want(self.person, PENSION, 30000), "second")
        self.siblings_payment = paid_by(
            running, self.siblings, "o888888888888888888888888888", Want(self.sibling, MEDICAL), "third"
        )
        running.tell()
        asked = agreed(running.parts, self.given_back)
        run_refunds(running, asked.number, "paid")
        running.write(
            lambda c: c.execute(
                text("select enqueue_notice(:h, 'household:x:remind-y', 'remind', '{}', null, :p, now())"),
                {"h": home, "p": running.parts.vault.seal(PHONE, bound_to="notice.phone:household:x")},
            )
        )

        for person in (self.person, self.sibling):  # given up: an agent would go and tell them at the door
            running.write(lambda c, person=person: c.execute(AT_THE_DOOR, {"p": person}))

    def of_sibling(self):
        """Every row that is the sibling's, as bytes would show it."""
        asked = {"p": self.sibling, "a": self.siblings, "n": self.siblings_payment}
        asked["t"] = texts_to(self.running, SIBLINGS_PHONE)
        found = []
        for each in OF_SIBLING:
            used = {name: value for name, value in asked.items() if f":{name}" in each}
            found += [
                str(row[0])
                for row in rows(
                    self.running, f"select to_jsonb(t) from {each.replace(' where', ' t where', 1)}", **used
                )
            ]
        return found


@pytest.fixture
def lived(running):
    return Lived(running)


def book(running):
    return [
        rows(running, f"select * from {table} order by 1, 2") for table in ("entry", "posting", "refund", "bill_line")
    ]


def erased(running, parts=None):
    parts = parts or running.office
    number = erase.ask(parts, **ASKED)
    return number, erase.agree(parts, number, by="staff:b")


def test_a_life_over_all_stories_is_erased_and_the_book_and_the_sibling_stay_as_they_were(lived, tmp_path):
    running = lived.running
    stranger = running.write(lambda c: a_person(c, id_number=an_id_number(sequence=9)))
    for account in (lived.account, lived.siblings):
        bar(running, account, stranger)
    spoilt = a_list(tmp_path / "a.xlsx", a_line(number=NUMBER, name="张写错"), a_line(number=SIBLINGS, name="张写错"))
    take(running.office, check(running.office, spoilt, department="civil", by="staff:civil").batch, by="staff:civil")
    sibling, before = lived.of_sibling(), book(running)
    assert len(sibling) >= 14

    number, went = erased(running)

    assert went == {
        "door_note": 0,
        "conflict": 0,
        "paid_elsewhere": 0,
        "phone_correction": 0,
        "roster_objection": 0,
        "roster_step": 0,
        "determination_evidence": 0,
        "matter": 0,
        "person": 1,
        "resident_account": 1,
        "resident_person": 1,
        "barred": 1,
        "session": 1,
        "login_code": 1,
        "subscription": 1,
        "request_key": 2,
        "tally": 1,
        "bill": 0,
        "special_row": 1,
    } | {name: went[name] for name in ("notice", "payment")}
    assert went["payment"] == 2 and went["notice"] >= 3
    assert (lived.of_sibling(), book(running)) == (sibling, before)
    assert rows(running, "select 1 from person where id = :p and phone is not null", p=lived.person) == []
    assert [row.there for row in rows(running, "select cells is not null as there from special_row order by no")] == [
        False,
        True,
    ], "his row of a department's list, and not the sibling's"
    assert rows(running, "select 1 from payment where payer <> ''") == [(1,)], "the sibling's"
    left = rows(running, "select cause from notice where phone is not null or openid is not null")
    assert left and all(lived.siblings_payment in row.cause for row in left)
    door = rows(
        running, "select last_error = :e as erased from notice where kind = 'settled' order by queued_at", e=ERASED
    )
    assert [row.erased for row in door] == [True, False], "his, and not the sibling's"
    waited = running.one("select rank, last_error from notice where cause = 'household:x:remind-y'")
    assert tuple(waited) == (4, ERASED)
    account = running.one("select * from resident_account where id = :a", a=lived.account)
    assert (account.phone, account.phone_index, account.openid_index, account.holder) == (None,) * 4
    assert [one.number for one in check_book(running.parts) if one.rows and one.number not in ("INV-39",)] == []
    [shown] = erase.trail(running.parts, erasure=number)
    assert set(went) == set(erase._WENT) and "登录 1" in shown.gone
    assert (shown.name, shown.row.asked_by, shown.row.agreed_by, shown.row.went) == (
        "张*删",
        "staff:a",
        "staff:b",
        went,
    )


WRITTEN = (
    "insert into phone_correction (person_id, former_index, proof, by, at)"
    " values (:p, '\\x01', '看了张要删的身份证', 'staff:c', now())",
    "insert into conflict (person_id, kind, about, insurances, owner, state, opened_by, opened_at, due_on, decided_by,"
    " decided_at, word, why) values (:p, 'NAME', 'x', '{RES_MEDICAL}', 'medical', 'solved', 'import:x', now(), now(),"
    " 'staff:m', now(), 'register', '张要删的姐姐说的')",
    "insert into conflict (person_id, kind, about, insurances, owner, opened_by, opened_at, due_on)"
    " values (:p, 'ALIVE', '2021-10-20', '{RES_MEDICAL}', 'medical', 'import:x', now(), now())",
    "insert into matter (kind, office, person_id, words, by, at, due_on, kept_from, state, taken_by, answered_by,"
    " answered_at) values ('PAID_ELSEWHERE_MEDICAL', 'medical', :p, '', 'account:1', now(), now(), now(), 'closed',"
    " 'staff:m', 'staff:m', now())",
    "insert into paid_elsewhere (person_id, levy_year, insurance, code, matter_id, proof, by, at, again_on)"
    " select :p, 2022, 'RES_MEDICAL', 'medical_outside_zz', max(id), '张要删的缴费单', 'staff:m', now(), now()"
    " from matter",
)


def test_what_offices_wrote_of_him_goes_and_what_was_decided_stays(running, alone, superuser):
    sibling = running.write(lambda c: a_person(c, id_number=SIBLINGS))
    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        for person in (alone, sibling):
            for statement in WRITTEN:
                connection.execute(text(statement), {"p": person})
        connection.execute(OURS)
    said = "select proof as words from phone_correction where person_id = :p union all select why from conflict"
    said += " where person_id = :p and why is not null union all select proof from paid_elsewhere where person_id = :p"
    whole = [each.words for each in rows(running, said, p=sibling)]
    assert len(whole) == 3 and all("张要删" in each for each in whole)

    _, went = erased(running)

    assert [each.words for each in rows(running, said, p=alone)] == ["（已按规定删除）"] * 3
    assert [each.words for each in rows(running, said, p=sibling)] == whole
    assert (went["conflict"], went["paid_elsewhere"], went["phone_correction"]) == (1, 1, 1)
    # While he is away no look ends what offices do not agree on: he may come back.
    looked = text("select * from conflicts_looked(:p, null, 'import:y', now(), current_date)")
    running.write(lambda c: c.execute(looked, {"p": [alone, sibling]}).all())
    open_ones = "select person_id from conflict where state = 'open'"
    assert [each.person_id for each in rows(running, open_ones)] == [alone]
    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        for table in ("paid_elsewhere", "matter", "conflict", "phone_correction"):
            connection.execute(text(f"delete from {table}"))
            connection.execute(text("delete from register_change where of = :t"), {"t": table})


def test_nobody_finds_him_and_an_office_hears_the_day_and_the_reason_only(lived):
    running, parts = lived.running, lived.running.parts
    erased(running)

    with pytest.raises(NoSuchPerson):
        identify(parts, name="张要删", id_number=NUMBER)
    with pytest.raises(NotFound):
        start(running, Want(lived.person, MEDICAL), key="afterwards")
    with pytest.raises(NotFound):
        ask_for(parts, lived.person, MEDICAL, Case.LATE_WAIVER, by="resident")
    assert [each.id for each in household(parts, lived.home)] == [lived.sibling]
    assert [line.subject.id for line in villagers(parts, VILLAGE)[0]] == [lived.sibling]
    assert {row.due for row in coverage(parts, since=parts.clocks.now(), village=VILLAGE)} == {1}
    for sought in (NUMBER, lived.kept):
        with pytest.raises(PersonRestricted) as said:
            search(parts, DESK, wanted=sought, place=VILLAGE, network="127.0.0.1")
        assert "本人要求删除" in said.value.sentence() and "张" not in said.value.sentence()
    for look in (
        lambda: dossier(parts, DESK, lived.person),
        lambda: read_numbers(parts, AUDITOR, lived.person, reason="审计抽查"),
    ):
        with pytest.raises(PersonRestricted):
            look()
    [hit] = search(parts, AUDITOR, wanted=NUMBER, place="", network="127.0.0.1").people
    assert (hit.name, hit.id_masked) == (RESTRICTED, "")
    assert dossier(parts, AUDITOR, lived.person).person.name == RESTRICTED
    remind(parts, [VILLAGE])
    new = rows(running, "select fields from notice where kind = 'remind' and last_error is null")
    assert all("删" not in str(row.fields) for row in new)


def test_the_database_gives_nobody_restricted_a_bill(lived, owner):
    erased(lived.running)

    with pytest.raises(DBAPIError, match="is restricted"), lived.running.parts.engine.begin() as connection:
        connection.execute(
            text(
                "insert into bill (household_id, id, person_id, insurance, levy_year, total, personal_due, reason_code,"
                " price_until) values (:h, 1, :p, 'RES_MEDICAL', 2022, 1, 1, '', now())"
            ),
            {"h": lived.home, "p": lived.person},
        )


@pytest.fixture
def alone(running):
    """One with nothing under way."""
    return running.write(lambda c: a_person(c, id_number=NUMBER, phone=PHONE))


def hindering(running, person, what):
    """Something of his is under way; its number."""
    want = Want(person, MEDICAL)
    if what == "payment":
        return start(running, want).number
    if what == "refund":
        return apply(running.parts, pay(running, want), by="staff:desk", why=Why.TWICE).number
    if what == "correction":
        asked = {"name": "章示例", "reason": "户口簿上是章", "proof": "户口簿首页", "by": "staff:a1"}
        return str(correct_name.ask(running.office, id_number=NUMBER, **asked))
    if what == "determination":
        return str(ask_for(running.parts, person, MEDICAL, Case.LATE_WAIVER, by="resident"))
    if what == "matter":
        return str(say(running.parts, "DIED", "上个月去世了", person_id=person, village=None, by="agent:1"))
    if what == "newborn":
        child = Child("T370900001", "张小宝", "2021-10-20", "1", b"drawn")
        return str(apply_newborn(running.parts, subjects(running.parts, [person])[0], child, by="agent:1"))
    if what == "objection":
        account = came(running, person, PHONE, OPENID)
        return "77", (
            "insert into roster_objection (id, roster_id, no, words, by, at, owner, due_on, kept_from, state)"
            f" values (cast(:n as bigint), 1, 1, '', 'account:{account}', now(), 'medical', now(), now(), 'RAISED')"
        )
    if what == "joining":
        return "77", (
            "insert into joining (id, person_id, number, index, name, birth_date, sex, state, opened_by, opened_at)"
            " overriding system value select cast(:n as bigint), max(id), '', '', '', now(), 1, 'offered', 'x', now()"
            " from person"
        )
    number = pay(running, want)
    made = {
        "suspense": "insert into suspense (household_id, cause, doubt, owner, gateway, number, amount, owned_on,"
        " due_on) select household_id, 'receipt:wechat:AGAIN', 'unknown_number', 'tax_clerk', gateway, number, 1,"
        " '2031-11-06', '2031-11-12' from payment where number = :n",
        "complaint": "insert into complaint (gateway, number, payment, household_id, stage, their_word, told, came_at,"
        " answer_by, end_by, seen_at) select 'wechat', :n, number, household_id, 'open', 'PENDING', '', now(),"
        " now() + interval '1 day', now() + interval '2 days', now() from payment where number = :n",
    }[what]
    return number, made


@pytest.mark.parametrize("what", erase._HINDERS)
def test_what_is_under_way_forbids_it_by_name_and_nothing_is_done(running, alone, superuser, what):
    number = erase.ask(running.office, **ASKED)
    made = hindering(running, alone, what)
    if isinstance(made, tuple):
        made, statement = made
        with superuser.begin() as connection:
            connection.execute(text("set local session_replication_role = replica"))
            connection.execute(text(statement), {"n": made})
    before = rows(running, "select to_jsonb(p) from person p")

    with pytest.raises(ErasureHindered) as said:
        erase.agree(running.office, number, by="staff:b")

    assert erase._HINDERS[what] in said.value.sentence() and made in said.value.sentence()
    assert rows(running, "select to_jsonb(p) from person p") == before
    assert running.one("select agreed_at from erasure").agreed_at is None
    with superuser.begin() as connection:  # nothing of it is the book's own
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("delete from suspense"))


def test_it_takes_two_people_for_the_database_too(running, alone, owner):
    number = erase.ask(running.office, **ASKED)

    with pytest.raises(OwnErasure):
        erase.agree(running.office, number, by="staff:a")
    with pytest.raises(DBAPIError, match="ck__erasure__two_people"), owner.begin() as connection:
        connection.execute(text("select erase_person(:n, 'staff:a', now(), '[]', '{}', '{}', '{}')"), {"n": number})
    with pytest.raises(DBAPIError, match="permission denied"), running.parts.engine.begin() as connection:
        connection.execute(text("select erase_person(:n, 'staff:b', now(), '[]', '{}', '{}', '{}')"), {"n": number})
    for statement in ("update erasure set agreed_by = 'staff:b'", "delete from erasure"):
        with pytest.raises(DBAPIError, match="permission denied"), running.office.engine.begin() as connection:
            connection.execute(text(statement))
    assert running.one("select phone is not null as has from person where id = :p", p=alone).has


def test_doing_it_twice_changes_nothing(lived):
    running = lived.running
    number, went = erased(running)
    whole = (
        rows(running, "select to_jsonb(t) from erasure t"),
        rows(running, "select to_jsonb(p) from person p order by id"),
    )

    assert erase.agree(running.office, number, by="staff:b") == went
    with pytest.raises(NoSuchErasure):
        erase.agree(running.office, number, by="staff:c")
    with pytest.raises(ErasureStands):
        erase.ask(running.office, **ASKED)
    assert (
        rows(running, "select to_jsonb(t) from erasure t"),
        rows(running, "select to_jsonb(p) from person p order by id"),
    ) == whole


def test_killed_half_way_nothing_was_done(lived, superuser, monkeypatch):
    """The last statement of all fails: what went before it is there again."""
    running = lived.running
    number = erase.ask(running.office, **ASKED)
    with superuser.begin() as connection:
        connection.execute(text("alter table person add constraint killed check (restricted_at is null) not valid"))
    tables = (
        "person",
        "resident_account",
        "resident_person",
        "session",
        "subscription",
        "notice",
        "payment",
        "request_key",
    )
    before = [rows(running, f"select to_jsonb(t) from {table} t order by 1") for table in tables]

    with pytest.raises(DBAPIError, match="killed"):
        erase.agree(running.office, number, by="staff:b")

    with superuser.begin() as connection:
        connection.execute(text("alter table person drop constraint killed"))
    assert [rows(running, f"select to_jsonb(t) from {table} t order by 1") for table in tables] == before
    assert erase.agree(running.office, number, by="staff:b")["person"] == 1


def test_what_is_asked_for_wrongly_is_told_so_and_who_asked_takes_it_back(running, alone):
    for spoilt, error in (
        ({"ground": "because"}, BadErasure),
        ({"reason": "x"}, BadErasure),
        ({"reason": f"他的号码是{NUMBER}"}, BadErasure),
        ({"id_number": an_id_number(sequence=99)}, NobodyToErase),
    ):
        with pytest.raises(error):
            erase.ask(running.office, **ASKED | spoilt)
    number = erase.ask(running.office, **ASKED)
    with pytest.raises(NotYourErasure):
        erase.withdraw(running.office, number, by="staff:b")
    erase.withdraw(running.office, number, by="staff:a")

    with pytest.raises(NoSuchErasure):
        erase.agree(running.office, number, by="staff:b")
    assert erase.ask(running.office, **ASKED) != number


def test_no_file_brings_him_back_nor_fails_and_two_people_lift_it(running, alone, tmp_path):
    sibling = an_id_number(sequence=9)
    file = a_csv(tmp_path / "a.csv", a_row(7, mobile="13900000009"), a_row(9))
    number, _ = erased(running)
    before = rows(running, "select to_jsonb(t) from person t")

    result, failures = taken_in(running.office, file)

    assert (result.taken, result.added, result.same, result.refused) == (True, 1, 1, 0)
    assert [(each.row, each.code) for each in failures] == [(2, "RESTRICTED")]
    assert rows(running, "select to_jsonb(t) from person t where id = :p", p=alone) == before
    assert identify(running.parts, name="张示例", id_number=sibling)
    with pytest.raises(NoSuchErasure):
        erase.lift(running.office, number, by="staff:c")
    erase.ask_to_lift(running.office, number, reason="是另一个人的申请", by="staff:b")
    with pytest.raises(OwnErasure):
        erase.lift(running.office, number, by="staff:b")
    erase.lift(running.office, number, by="staff:c")
    with pytest.raises(NoSuchErasure):
        erase.lift(running.office, number, by="staff:d")
    assert identify(running.parts, name="张示例", id_number=NUMBER) == alone
    assert [line.subject.id for line in villagers(running.parts, VILLAGE)[0]].count(alone) == 1
    _, failures = taken_in(running.office, a_csv(tmp_path / "b.csv", a_row(7, mobile="13900000009")))
    assert failures == []


def test_while_a_file_is_brought_in_nobody_is_erased(running, alone):
    number = erase.ask(running.office, **ASKED)
    with running.office.engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('registry import'))"))
        with pytest.raises(ImportUnderWay):
            _in_another_thread(lambda: erase.agree(running.office, number, by="staff:b"))


def _in_another_thread(act):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


def test_a_family_account_is_only_without_him_and_a_lent_phone_stays_its_owners(running):
    """A child's account pays for him, and his registered phone is the child's."""
    parts, now = running.parts, utc_now()
    father = running.write(lambda c: a_person(c, id_number=NUMBER, phone=SIBLINGS_PHONE, name="张要删"))
    home = running.one("select household_id from person where id = :p", p=father)[0]
    child = running.write(lambda c: a_person(c, id_number=SIBLINGS, household=home, phone=SIBLINGS_PHONE))
    account = came(running, child, SIBLINGS_PHONE, "o999999999999999999999999999")
    running.write(lambda c: accounts.bind(c, account, father, own=True, now=now))
    running.write(lambda c: accounts.choose_holder(c, account, child))
    number = paid_by(running, account, "o999999999999999999999999999", Want(father, MEDICAL), "for-father")

    _, went = erased(running)

    assert (went["resident_account"], went["resident_person"], went["session"], went["payment"]) == (0, 1, 0, 0)
    with parts.reading() as connection:
        assert accounts.people_of(connection, account) == {child: True}
        assert accounts.phone_of(connection, parts.vault, account) == SIBLINGS_PHONE
    assert running.one("select payer is not null as has from payment where number = :n", n=number).has
    assert running.one("select phone is not null as has from notice").has


def test_a_phone_registered_for_the_whole_family_goes_on_telling_the_others(running):
    father = running.write(lambda c: a_person(c, id_number=NUMBER, phone=PHONE))
    home = running.one("select household_id from person where id = :p", p=father)[0]
    mother = running.write(lambda c: a_person(c, id_number=SIBLINGS, household=home, phone=PHONE))
    pay(running, Want(mother, MEDICAL))
    whole = rows(running, "select to_jsonb(n) from notice n")

    _, went = erased(running)

    assert went["notice"] == went["payment"] == 0
    assert rows(running, "select to_jsonb(n) from notice n") == whole
    assert rows(running, "select id from person where phone is not null") == [(mother,)]


def long_ago(superuser, person, age):
    """He was restricted so long ago."""
    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        old = {"at": utc_now() - age, "p": person}
        connection.execute(text("update person set restricted_at = :at where id = :p"), old)
        connection.execute(OURS)


def long_ago_refunded(superuser, age):
    """All refunds are of so long ago."""
    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("update refund set applied_at = :at, paid_at = :at"), {"at": utc_now() - age})


def let_go_names(running):
    """How many were over their time."""
    return {each.line.let_go: each.rows for each in let_go(running.parts)}["restricted_names"]


def test_when_the_accounts_time_is_over_name_and_number_go_and_the_book_is_whole(lived, superuser, tmp_path):
    running = lived.running
    open_year(running.office, 2023, by="operator:test")
    running.write(lambda connection: connection.execute(text("update former_enrolment set digest = 'of a row'")))
    for table in ("person", "former_person"):
        enrolled = text(f"update {table} set medical_years = '{{2020}}'")
        running.write(lambda connection, enrolled=enrolled: connection.execute(enrolled))
    number, _ = erased(running)
    sibling, before = lived.of_sibling(), book(running)
    said = "select person_id, digest from former_enrolment where digest <> '' order by person_id, insurance"
    formerly = [tuple(row) for row in rows(running, said)]
    index = running.one("select id_index from person where id = :p", p=lived.person)[0]
    age = timedelta(days=11323)

    long_ago(superuser, lived.person, age - timedelta(days=1))
    long_ago_refunded(superuser, age - timedelta(days=1))
    assert let_go_names(running) == 0
    long_ago(superuser, lived.person, age + timedelta(days=1))
    assert let_go_names(running) == 0, "his money went back later"
    long_ago_refunded(superuser, age + timedelta(days=1))
    before = book(running)
    assert let_go_names(running) == 1
    assert let_go_names(running) == 0

    gone = running.one("select * from person where id = :p", p=lived.person)
    assert (gone.name, gone.id_number, gone.phone) == (b"", b"", None) and gone.id_index != index
    assert gone.medical_years is None
    without = {row[0] for row in rows(running, "select person_id from former_person where medical_years is null")}
    assert without == {lived.person}
    assert lived.person in dict(formerly) and len(dict(formerly)) > 1
    assert [tuple(row) for row in rows(running, said)] == [row for row in formerly if row[0] != lived.person]
    assert (lived.of_sibling(), book(running)) == (sibling, before)
    assert needed(running.parts)
    [shown] = erase.trail(running.parts, erasure=number)
    assert shown.name == "" and shown.row.let_go_at
    for act in (
        lambda: erase.ask_to_lift(running.office, number, reason="要恢复他", by="staff:b"),
        lambda: erase.agree(running.office, number, by="staff:c"),
    ):
        with pytest.raises(NoSuchErasure):
            act()
    assert dossier(running.parts, AUDITOR, lived.person).person.name == RESTRICTED


def test_the_list_outside_says_digests_only_and_a_restored_server_erases_him_again(lived, papers, owner, superuser):
    running = lived.running
    kept = ("person", "resident_account", "resident_person", "subscription", "notice", "payment")
    before = {table: rows(running, f"select to_jsonb(t) as row from {table} t") for table in kept}
    _, went = erased(running, papers)
    words = list_in(papers.papers).read_text(encoding="utf-8")
    assert [set(json.loads(line)) for line in words.splitlines()] == [{"who", "at", "kind"}]
    assert not any(each in words for each in (NUMBER, PHONE, "张", NUMBER[6:14]))
    sibling = lived.of_sibling()
    restored(superuser, before)
    assert identify(running.parts, name="张要删", id_number=NUMBER) == lived.person

    parts = replace(running.parts, papers=papers.papers)
    done = reopen(parts, owner, by="operator:li")

    assert (done.before, done.erased.done, done.erased.waiting) == (False, 1, ())
    with pytest.raises(NoSuchPerson):
        identify(running.parts, name="张要删", id_number=NUMBER)
    again = running.one("select * from erasure")
    assert (again.ground, again.asked_by, again.agreed_by) == ("asked", "operator:li", "rule:erased_list")
    assert {name: again.went[name] for name in ("person", "resident_account", "notice", "payment")} == {
        name: went[name] for name in ("person", "resident_account", "notice", "payment")
    }
    siblings_now = [row for row in sibling if "token_hash" not in row]  # everybody comes in anew
    assert [row for row in lived.of_sibling() if "token_hash" not in row] == siblings_now
    assert reopen(parts, owner, by="operator:li").erased.done == 0
    erase.ask_to_lift(papers, again.id, reason="是另一个人的申请", by="staff:b")
    erase.lift(papers, again.id, by="staff:c")
    assert read_list(papers) == {}
    assert reopen(parts, owner, by="operator:li").erased.done == 0


def restored(superuser, before):
    """The rows as they were a moment before, and nothing of what was written since."""
    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("delete from erasure"))
        for table, held in before.items():
            connection.execute(text(f"delete from {table}"))
            for row in held:
                connection.execute(
                    text(
                        f"insert into {table} overriding system value"
                        f" select * from jsonb_populate_record(null::{table}, cast(:row as jsonb))"
                    ),
                    {"row": json.dumps(row.row)},
                )
        connection.execute(text("delete from register_change"))


def test_who_has_something_open_after_a_restore_waits_for_somebody(running, alone, papers, owner, superuser):
    before = {"person": rows(running, "select to_jsonb(t) as row from person t")}
    erased(running, papers)
    restored(superuser, before)
    payment = start(running, Want(alone, MEDICAL))

    done = reopen(replace(running.parts, papers=papers.papers), owner, by="operator:li").erased

    [number] = done.waiting
    assert done.done == 0 and running.one("select restricted_at from person where id = :p", p=alone)[0] is None
    with pytest.raises(ErasureHindered) as said:
        erase.agree(running.office, number, by="staff:b")
    assert payment.number in said.value.sentence()


def test_the_operator_asks_agrees_and_lifts_by_commands(running, alone, monkeypatch):
    run = running.app.test_cli_runner().invoke

    def ops(*words, said=""):
        done = run(args=["ops", "erase", *words], input=said)
        return done.exit_code, done.output

    code, words = ops("ask", "--ground", "died", "--reason", "户籍注销证明", "--by", "a", said=f"{NUMBER}\n")
    number = words.rsplit(" ", 1)[1].strip()
    assert code == 0 and ops("agree", number, "--by", "a")[0] == 1
    code, words = ops("agree", number, "--by", "b")
    assert code == 0 and "登记的手机号 1" in words and "会计档案" in words
    assert "限制处理\t张*例\t本人已去世" in ops("list")[1]
    assert "同意 staff:b" in ops("show", number)[1]
    assert ops("withdraw", number, "--by", "a")[0] == 1
    assert ops("lift-ask", number, "--reason", "公安更正为在世", "--by", "a")[0] == 0
    assert ops("lift", number, "--by", "b") == (0, "已经不再限制。删掉的手机号和账号不会回来。\n")


def test_a_closed_days_certificate_verifies_before_and_after_and_when_his_name_is_gone(lived, superuser):
    running, parts = lived.running, lived.running.parts
    day = parts.clocks.today()
    running.turn(parts.clocks.now() + timedelta(days=1))
    close_day.ask_to_close(parts, day, by="staff:zhang")
    assert close_day.confirm_close(parts, day, by="staff:li")
    held, sealed = certificate(parts, day), rows(running, "select to_jsonb(t) from sealed_day t")
    assert problems(parts, held) == []

    erased(running)
    assert (problems(parts, held), certificate(parts, day)) == ([], held)
    long_ago(superuser, lived.person, timedelta(days=11324))
    long_ago_refunded(superuser, timedelta(days=11324))
    assert let_go_names(running) == 1

    assert problems(parts, certificate(parts, day)) == [] and certificate(parts, day) == held
    assert rows(running, "select to_jsonb(t) from sealed_day t") == sealed
