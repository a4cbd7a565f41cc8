"""Somebody from elsewhere without a permit, in a year that takes him: from the bureau's file to his paper, at his own
price, counted like everybody; the next year, which does not, refuses him as ever."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.due.quote import subjects
from app.flows.offices.progress import progress, to_do_file
from app.flows.pay.start import NotPayable, Want
from app.flows.village.people import villagers
from app.policy.facts import Insurance
from config.postgres import Server
from tests.app.flows.test_coverage import at_his_desk
from tests.app.registry.files import VILLAGE, a_csv, a_row, taken_in
from tests.app.web.test_proofs import file_of, words_of
from tests.app.web.test_resident import code_of, number_of, wait_for
from tests.browsing import Browser
from tests.builders import a_village, an_id_number
from tests.conftest import DATABASE, emptied
from tests.refunding import balances, pay, rows, start
from tests.rosters import in_force
from tests.shape_years import shape_district
from tests.system import System, system
from tests.two_years import open_2023

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
OFFICER = Officer(1, "li", b"", Role.TAX_CLERK, session=b"desk")
NO = "户口不在峄城区，也没有居住证，请回户口所在地办理。"
NAME, NUMBER = "钱示外", an_id_number(sequence=1)
CHILD = an_id_number(born=date(2015, 6, 1), sequence=5)


@pytest.fixture
def running(database: Server, tmp_path: Path) -> Iterator[System]:
    district = shape_district(tmp_path)
    with emptied(database), system(database, DATABASE, tmp_path / "outside", DISTRICT=district) as up:
        yield up


@pytest.fixture
def people(running: System, tmp_path: Path) -> dict[str, int]:
    """Two from elsewhere, one of them a child, and a neighbour of the district, by the bureau's file."""
    running.write(a_village)
    away = {"residence": "外地", "household_no": "0001"}
    file = a_csv(
        tmp_path / "roster.csv",
        a_row(1, name=NAME, **away),
        a_row(1, name=NAME, insurance="居民养老", **away),
        a_row(5, name="钱示童", id_number=CHILD, birth_date="2015-06-01", **away),
        a_row(3, name="李示本", household_no="0003"),
    )
    _, failures = taken_in(running.office, file)
    assert failures == []
    found = rows(running, "select id, birth_date, residence from person")
    return {
        "neighbour" if row.residence == "hukou" else "child" if row.birth_date.year == 2015 else "adult": row.id
        for row in found
    }


def test_who_is_from_elsewhere_pays_and_counts_in_the_year_that_takes_him(running: System, people) -> None:
    assert counted(running) == {MEDICAL: (3, 0)}, "the pension takes nobody from elsewhere"
    browser = Browser(running.url)
    due = browser.look_up(NAME, NUMBER)
    assert "900 元" in due.text and "应交 900 元" in due.text and NO in due.text
    assert [each.partition(":")[2] for each in due.values("item")] == ["RES_MEDICAL@2022"]
    confirm = browser.get("/confirm", item=due.values("item"))
    number = number_of(browser.submit(confirm, "/pay", form='action="/pay"', by="wechat:native"))
    assert running.outside.pay(code_of(running, number)).status == 200
    wait_for(browser, number, "缴费成功 · ")
    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")
    assert "900.00" in words_of(pdf) and NAME in words_of(pdf)
    browser.close()
    pay(running, Want(people["child"], MEDICAL), key="child")
    assert balances(running)["fund:RES_MEDICAL:2022"] == -180000 and len(balances(running)) == 2

    assert counted(running) == {MEDICAL: (3, 2)}
    in_force(running)
    words = {line.subject.id: line.due_words for line in villagers(running.parts, VILLAGE)[0]}
    assert (words[people["adult"]], words[people["neighbour"]]) == ("医保办好了", "医保 320 元")
    running.write(at_his_desk)
    left = to_do_file(running.parts, OFFICER, VILLAGE, "csv", reason="上门告诉还没办的人").decode("utf-8-sig")
    assert "0003" in left and "0001" not in left
    with pytest.raises(NotPayable, match="NOT_RESIDENT"):
        start(running, Want(people["adult"], PENSION, 30000), key="pension")

    open_2023(running)
    assert counted(running) == {MEDICAL: (1, 0)}, "the next year does not take him"
    assert counted(running, 2022) == {MEDICAL: (3, 2)}, "and the one before stands as it was"
    with pytest.raises(NotPayable) as refused:
        start(running, Want(people["adult"], MEDICAL, levy_year=2023), key="2023")
    assert refused.value.sentence() == NO
    [him] = subjects(running.parts, [people["adult"]])
    assert him.in_year(2022).standing[MEDICAL].bill["personal_due"] == 90000
    done = running.app.test_cli_runner().invoke(args=["ledger", "check"])
    assert done.exit_code == 0, done.output


def counted(running: System, year: int | None = None) -> dict[Insurance, tuple[int, int]]:
    found = progress(running.parts, OFFICER) if year is None else progress(running.parts, OFFICER, year=year)
    return {Insurance(row.insurance): (row.due, row.done) for row in found if row.due}
