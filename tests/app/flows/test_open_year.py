"""A levy year is looked at, opened and closed; nothing of the year before changes by it."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.levy import Levy, YearClosed, YearUnsaid
from app.flows.pay.start import Want
from app.flows.register.check_year import check_year
from app.flows.register.open_year import (
    NewestYearStays,
    YearNeverOpened,
    YearNotReady,
    close_year,
    open_year,
    what_stays,
)
from app.joining import join
from app.policy.facts import Insurance
from app.policy.year import YEARS
from app.registry import find
from app.registry.register import ImportUnderWay
from config.settings import BadSettings
from payments.ledger.chart import accounts
from tests.builders import DEPARTMENTS, a_person, an_id_number
from tests.conftest import DATABASE
from tests.refunding import rows, start, state
from tests.system import eventually

MEDICAL = Insurance.RES_MEDICAL
BY = "operator:test"
AUTUMN = datetime(2022, 10, 20, 4, tzinfo=UTC)
FORMER = ("former_person", "former_enrolment", "former_category")
OWN = ("person", "enrolment", "category")


def whole(running, *tables):
    """Every row of these tables, as it is."""
    return {table: rows(running, f"select to_jsonb(t)::text from {table} t order by 1") for table in tables}


def opened(running, year=2023):
    return open_year(running.office, year, by=BY)


def said(running, year=2023):
    return {line.words: line.ok for line in check_year(running.parts, year)}


def test_a_year_is_opened_once_and_sets_down_the_register_of_the_one_before(running, adult):
    running.write(lambda c: c.execute(text("insert into category values (:p, 'RES_MEDICAL', 'DIBAO')"), {"p": adult}))
    before = whole(running, *OWN)

    noted = rows(running, "select * from register_change")
    first = opened(running)
    set_down = whole(running, *FORMER)
    second = opened(running)

    assert (first, second) == (True, False)
    assert whole(running, *OWN) == before and whole(running, *FORMER) == set_down
    assert [len(found) for found in set_down.values()] == [1, 2, 1]
    assert running.parts.levy.years.all == (2023, 2022)
    assert rows(running, "select * from register_change") == noted, "nothing of the register was changed by it"
    acts = rows(running, "select what, by, about, way from act where starts_with(about, 'year:')")
    assert [tuple(act) for act in acts] == [("year_opened", BY, "year:2023", "command")]


def test_what_changes_for_one_year_changes_nothing_of_the_other(running, adult):
    opened(running)
    former = whole(running, *FORMER)

    running.write(lambda c: c.execute(text("insert into category values (:p, 'RES_MEDICAL', 'DIBAO')"), {"p": adult}))
    running.write(lambda c: c.execute(text("update enrolment set status = 'ENDED' where person_id = :p"), {"p": adult}))

    assert whole(running, *FORMER) == former
    own = whole(running, *OWN)
    running.write(lambda c: c.execute(text("update former_enrolment set employee_insured = true")))
    assert whole(running, *OWN) == own
    [person] = _found(running, adult)
    assert person.in_year(2022).standing[MEDICAL].registered and not person.in_year(2022).standing[MEDICAL].categories
    assert not person.in_year(2023).standing[MEDICAL].registered


def test_who_is_new_in_a_year_is_registered_for_nothing_of_the_one_before(running, adult):
    opened(running)

    new = running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=9)))

    [person] = _found(running, new)
    assert person.in_year(2023).standing[MEDICAL].registered
    assert not any(person.in_year(2022).standing[each].registered for each in Insurance)
    [known] = _found(running, adult)
    assert known.in_year(2022).standing[MEDICAL].registered


def test_a_closed_year_charges_nobody_and_takes_what_was_begun(running, adult):
    sibling = running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=8)))
    begun = start(running, Want(adult, MEDICAL, levy_year=2022), key="before")
    opened(running)
    assert what_stays(running.parts, 2022) == type(what_stays(running.parts, 2022))(unpaid=1, under_way=1)

    closed, again = close_year(running.office, 2022, by=BY), close_year(running.office, 2022, by=BY)

    assert (closed, again) == (True, False)
    with pytest.raises(YearClosed):
        start(running, Want(sibling, MEDICAL, levy_year=2022), key="after")
    assert running.outside.pay(begun.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) == "paid")
    [bill] = rows(running, "select levy_year, state from bill")
    assert tuple(bill) == (2022, "settled"), "money that arrived is never refused"
    assert opened(running, 2022), "a year that was closed by mistake is opened again"
    assert running.parts.levy.years.all == (2023, 2022) and len(rows(running, "select 1 from former_person")) == 2


def test_only_the_next_year_is_opened_and_the_newest_is_not_closed(running):
    for year, why in ((2024, "接下来只能开2023年"), (2021, "没有2021年的标准文件"), (2031, "没有2031年的标准文件")):
        with pytest.raises(YearNotReady) as refused:
            opened(running, year)
        assert why in refused.value.sentence()
    with pytest.raises(NewestYearStays):
        close_year(running.office, 2022, by=BY)
    with pytest.raises(YearNeverOpened):
        close_year(running.office, 2023, by=BY)
    assert [tuple(row) for row in rows(running, "select year, closed_at from levy_year")] == [(2022, None)]


def test_the_look_says_what_is_missing_and_what_is_carried_over(running, adult):
    running.write(lambda c: c.execute(text("insert into category values (:p, 'RES_MEDICAL', 'DIBAO')"), {"p": adult}))
    start(running, Want(adult, Insurance.RES_PENSION, 30000), key="out")
    found = said(running)

    assert not [words for words, ok in found.items() if ok is False]
    assert found["接在2022年后面"] is True and found["替居民付钱的单位本区都有，科目表里有账户"] is True
    assert any(words.startswith("居民医疗保险现在登记着1人，其中1人在帮扶名单上") for words in found)
    assert any("还要各部门重新报来" in words for words in found)
    assert any(words.startswith("还有1项没交的应缴单正在付") for words in found)
    assert any("没有代办员" in words and ok is None for words, ok in found.items())


def of_mars(running, monkeypatch, *, known):
    """The rules have a department pay that the district's file has, or has not."""
    monkeypatch.setattr("app.flows.register.check_year.payers", lambda _rules: {("gov_substitute", "mars", MEDICAL)})
    departments = {**running.parts.departments, **({"mars": "火星办"} if known else {})}
    return tuple(replace(parts, departments=departments) for parts in (running.parts, running.office))


def test_a_department_that_the_district_does_not_have_keeps_the_year_shut(running, monkeypatch):
    parts, office = of_mars(running, monkeypatch, known=False)

    missing = [line.words for line in check_year(parts, 2023) if line.ok is False]
    assert missing == ["本区的付款单位里没有：mars（居民医疗保险）"]
    with pytest.raises(YearNotReady):
        open_year(office, 2023, by=BY)
    with pytest.raises(BadSettings, match="mars"):
        join(running.app.extensions["settings"], running.parts.engine)


def test_code_of_before_opens_a_year_too(running):
    with running.office.engine.begin() as connection:
        assert connection.execute(text("select open_levy_year(2023, 'operator:before')")).scalar_one() is True
    running.parts.levy.look()

    assert running.parts.levy.years.all == (2023, 2022)


def test_the_account_of_a_new_department_comes_with_the_year_once(running, database, monkeypatch):
    parts, office = of_mars(running, monkeypatch, known=True)
    mars = "select code, name from account where code like '%:mars:%' order by 1"
    before = whole(running, "account")["account"]
    assert rows(running, mars) == []

    assert [open_year(office, 2023, by=BY), open_year(office, 2023, by=BY)] == [True, False]

    assert rows(running, mars) == [
        ("receivable:gov_substitute:mars:RES_MEDICAL", "应收火星办代缴居民医疗保险"),
        ("receivable:gov_substitute:mars:RES_PENSION", "应收火星办代缴居民养老保险"),
    ]
    assert set(before) < set(whole(running, "account")["account"]), "every other account is as it was"
    assert not [line for line in check_year(parts, 2023) if line.ok is False]
    with psycopg.connect(database.owner_url(DATABASE)) as owner:
        owner.execute("delete from account where code like '%:mars:%'")
    [lacks] = [line.words for line in check_year(parts, 2023) if line.ok is False]
    assert lacks == "科目表里还没有这些账户，请运行 db upgrade：应收火星办代缴居民医疗保险"


def test_opening_beside_a_file_that_is_coming_in_waits_and_is_refused_in_the_end(running):
    with running.office.engine.connect() as importing:
        importing.execute(text("select pg_advisory_xact_lock(hashtext('registry import'))"))
        with pytest.raises(ImportUnderWay):
            threading_open(running)

    assert opened(running)


def test_another_process_notices_within_seconds(running, monkeypatch):
    other = Levy(running.parts.engine, YEARS, 2022)
    assert other.years.all == (2022,)

    opened(running)

    assert other.years.all == (2022,), "it was asked a moment ago"
    monkeypatch.setattr("app.flows.levy.LOOK_S", 0.0)
    assert other.years.all == (2023, 2022)


def test_a_process_that_begins_does_not_speak_of_the_first_year(running):
    """With no connection at hand yet, as every command: it took the year of the settings, and took it silently."""
    opened(running)
    running.parts.engine.dispose()

    with pytest.raises(YearUnsaid):
        _ = Levy(running.parts.engine, YEARS, 2022).only


def test_the_applications_role_opens_and_closes_nothing_by_itself(running):
    for call in (
        "select open_levy_year(2023, 'staff:lead01')",
        "select close_levy_year(2022, 'staff:lead01')",
        "insert into levy_year (year, opened_by) values (2023, 'me')",
        "update former_enrolment set status = 'ENDED'",
    ):
        with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
            connection.exec_driver_sql(call)
        assert refused.value.orig.sqlstate == "42501", call
    with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
        connection.exec_driver_sql("select lead_opens_levy_year('\\x00', 2023, now())")
    assert refused.value.orig.sqlstate == "LX080", "only in a lead's live session"


def test_the_operator_looks_opens_and_closes_by_command(running, adult):
    def command(*words, **more):
        done = running.app.test_cli_runner().invoke(args=["year", *words], **more)
        return done.exit_code, done.output

    assert command("check", "2023")[0] == 0
    assert command("check", "2024")[0] == 1
    assert command("open", "2024", "--yes")[0] == 1
    assert command("open", "2023", input="n\n")[0] == 1 and running.parts.levy.years.all == (2022,)
    code, output = command("open", "2023", "--yes")
    assert code == 0 and "2023年已经开征。" in output and "居民医疗保险现在登记着1人" in output
    assert "早已开征" in command("open", "2023", "--yes")[1]
    code, output = command("close", "2022", "--yes")
    assert code == 0 and "2022年没交的应缴单有0项" in output and "2022年已经停止征缴。" in output
    assert "最新的一年不能停止征缴" in command("close", "2023", "--yes")[1]
    listed = command("list")[1].splitlines()
    assert [line.split("\t")[:2] for line in listed[-3:]] == [
        ["2024", "未开征"],
        ["2023", "正在征缴"],
        ["2022", "已结束"],
    ]


def _found(running, person):
    with running.parts.engine.connect() as connection:
        return find.by_ids(connection, running.parts.vault, [person], years=running.parts.levy.ever)


def threading_open(running):
    """From another thread, as another process would: this one has a connection in hand."""
    failed: list[Exception] = []

    def act():
        try:
            opened(running)
        except Exception as error:  # noqa: BLE001 told to the test
            failed.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    thread.join(20)
    if failed:
        raise failed[0]


def test_the_accounts_of_a_year_are_those_of_the_chart(running):
    """The database makes them when a year opens; the chart says which there are."""
    opened(running)

    made = rows(running, "select code, kind, name from account where right(code, 4) = '2023' order by 1")
    chart = accounts([2023], DEPARTMENTS)
    assert made == sorted((line.code, line.kind, line.name) for line in chart if line.code.endswith(":2023"))
