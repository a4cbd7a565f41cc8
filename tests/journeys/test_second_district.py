"""A second district, invented, in a second city: its own files, departments and prices, one insurance only. The system
starts from them and does its main job; nothing that anybody reads names the first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2
import pytest

from app.access.roles import Role
from app.flows.due.quote import subjects
from app.flows.enter.accounts import add_agent, add_staff
from app.flows.pay.start import NotPayable, Want
from app.flows.reconcile.import_outside import import_outside
from app.flows.register.apply import apply
from app.flows.register.district import put_places
from app.policy.facts import Insurance
from app.policy.terms import NotOffered
from app.registry.determinations import Kind
from config.postgres import Server, create_database, drop_database
from config.settings import Settings
from migrations.upgrade import upgrade
from payments.ledger.balances import trial_balance
from payments.reconcile.outside_files import BadOutsideFile
from tests.app.registry.files import a_csv, a_row, taken_in
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_proofs import file_of, words_of
from tests.app.web.test_resident import code_of, number_of, wait_for
from tests.browsing import Browser
from tests.builders import an_environment, an_id_number
from tests.refunding import CLERK, agreed, pay, run_refunds, start
from tests.system import System, system

DATABASE = "liangxian_second"
FILE = Path(__file__).with_name("second") / "district.toml"
VILLAGE, TOWN = "370499101201", "清泉镇"
TREASURY = "税票号,入库日期,业务日期,险种,年度,类别,金额"
FIRST = re.compile(r"峄城|枣庄|榴园|0632|yicheng|370404")
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
ADULT, POOR, HALF, ORPHAN = (an_id_number(sequence=sequence) for sequence in (1, 3, 5, 7))


@dataclass
class Played:
    """What was read on the way, and how the files fared."""

    running: System
    read: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    people: dict[str, int] = field(default_factory=dict)

    def seen(self, name: str, page) -> str:
        self.read[name] = page.html
        return page.text

    def balances(self) -> dict[str, int]:
        with self.running.parts.engine.connect() as connection:
            return {row.code: row.balance for row in trial_balance(connection) if row.balance}

    def command(self, *words: str) -> tuple[int, str]:
        done = self.running.app.test_cli_runner().invoke(args=list(words))
        self.read[" ".join(words)] = done.output
        return done.exit_code, done.output


@pytest.fixture
def second(server: Server, tmp_path_factory) -> Iterator[Played]:
    district = Settings.from_environment(an_environment(DISTRICT=str(FILE))).district
    create_database(server, DATABASE)
    upgrade(server.owner_url(DATABASE), departments=district.departments)
    folder = tmp_path_factory.mktemp("second")
    with system(server, DATABASE, folder / "outside", DISTRICT=str(FILE)) as running:
        played = Played(running)
        put_places(running.office, {VILLAGE[:9]: TOWN}, [(VILLAGE, "柳溪村")])
        _register(played, folder)
        yield played
    drop_database(server, DATABASE)


def test_a_second_district_does_its_main_job_from_its_own_files(second: Played) -> None:
    """Nothing that anybody reads on the way names the first."""
    a_row_of_the_insurance_that_is_not_there_is_refused_with_words(second)
    what_is_asked_for_of_it_is_refused_with_words(second)
    a_resident_pays_is_told_and_gets_it_back(second)
    a_department_of_its_own_owes_and_pays_by_its_own_name(second)
    agents_and_offices_work_with_the_one_insurance(second)
    the_year_and_the_book_are_found_whole(second)

    assert len(second.read) > 20
    assert {name: found[0] for name, said in second.read.items() if (found := FIRST.search(said))} == {}
    pages = ("home", "due", "sheet", "confirm", "code", "paid", "proofs", "village", "slips")
    assert [name for name in pages if re.search("养老|居民两险", second.read[name])] == [], "there is one insurance"


def _register(played: Played, folder: Path) -> None:
    home = {"village_code": VILLAGE, "household_no": "0007", "mobile": "13800000007"}
    rows = [
        a_row(id_number=number, name=name, categories=groups, **home)
        for number, name, groups in (
            (ADULT, "周示明", ""),
            (POOR, "周示勤", "特困"),
            (HALF, "周示谦", "低保"),
            (ORPHAN, "周示安", "孤儿"),
        )
    ]
    rows.append(a_row(name="周示明", insurance="居民养老", **home))
    result, failures = taken_in(played.running.office, a_csv(folder / "register.csv", *rows), good_rows=True)
    assert (result.added, result.refused) == (4, 1)
    played.refused = [f"{failure.column}：{failure.reason}" for failure in failures]
    for number in (ADULT, POOR, HALF, ORPHAN):
        index = played.running.parts.vault.index(number, purpose="id_number")
        played.people[number] = played.running.one("select id from person where id_index = :i", i=index).id


def a_row_of_the_insurance_that_is_not_there_is_refused_with_words(second: Played) -> None:
    assert second.refused == ["险种：本区这一年度不收这个险种，这一行不用报"]
    assert second.running.one("select count(*) as n from enrolment where insurance = 'RES_PENSION'").n == 0


def what_is_asked_for_of_it_is_refused_with_words(second: Played) -> None:
    running, adult = second.running, second.people[ADULT]

    with pytest.raises(NotPayable) as refused:
        start(running, Want(adult, PENSION, 30000), key="none")
    assert refused.value.sentence() == "这里不收这一种保险，请打电话问人社局。"
    with pytest.raises(NotOffered):
        apply(running.parts, adult, PENSION, Kind.POLICY_BACKPAY, by="staff:clerk01")
    told = running.app.test_client().get("/api/v1/policy").json
    assert told["medical"]["personal"] == 35000 and told["tiers"] == []


def a_resident_pays_is_told_and_gets_it_back(second: Played) -> None:
    running, browser = second.running, Browser(second.running.url)
    home = second.seen("home", browser.get("/"))
    assert "2022年 城乡居民医保缴费" in home and "云栖县居民医保缴费" in home and "0990-8812366" in home
    due = browser.look_up("周示明", ADULT)
    text = second.seen("due", due)
    assert "350 元" in text and "财政补助 610 元" in text and "养老" not in text
    assert "960 元" in second.seen("sheet", browser.get(due.link("打印或保存这张说明")))
    refused = browser.get(f"/due/{due.values('item')[0].partition(':')[0]}/tier")
    assert refused.status == 409 and "这里不收这一种保险。" in second.seen("tier", refused)

    confirm = browser.get("/confirm", item=due.values("item"))
    second.seen("confirm", confirm)
    code = browser.submit(confirm, "/pay", form='action="/pay"')
    second.seen("code", code)
    number = number_of(code)
    assert running.outside.pay(code_of(running, number)).status == 200
    second.seen("paid", wait_for(browser, number, "缴费成功 · "))
    assert running.one("select description from payment where number = :n", n=number).description.startswith("云栖县")
    running.tell()
    texts = [each["text"] for each in running.outside.get("/messages")["messages"]]
    assert all(text.startswith("【云栖税务】") for text in texts)
    [paid] = [text for text in texts if "350元" in text]
    assert "清泉镇柳溪村的周*明" in paid and "2022年居民医保" in paid
    second.read["texts"] = str(running.outside.get("/messages"))

    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")
    second.read["proof"] = words_of(pdf)
    assert "云栖县税务局" in second.read["proof"] and "350" in second.read["proof"]
    second.seen("proofs", browser.get(browser.get("/paid").link("缴费凭证")))
    browser.close()

    before = second.balances()
    assert before["fund:RES_MEDICAL:2022"] == -96000 and before["clearing:wechat"] == 35000
    asked = agreed(running.parts, number)
    run_refunds(running, asked.number, "paid")
    assert second.balances() == {}, "every account stands where it stood"


def a_department_of_its_own_owes_and_pays_by_its_own_name(second: Played) -> None:
    running, people = second.running, second.people
    for person in (POOR, ORPHAN):
        assert start(running, Want(people[person], MEDICAL), key=f"free {person}").state == "settled"
    pay(running, Want(people[HALF], MEDICAL), key="half")

    owed = {code: amount for code, amount in second.balances().items() if "gov_substitute" in code}
    assert owed == {
        "receivable:gov_substitute:emergency:RES_MEDICAL": 35000,
        "receivable:gov_substitute:education:RES_MEDICAL": 35000,
        "receivable:gov_substitute:welfare:RES_MEDICAL": 15000,
    }
    row = "T{0},2021-11-08,2021-11-05,居民医疗保险,2022,{1},350.00"
    with pytest.raises(BadOutsideFile, match="row 2") as strange:
        _treasury(running, row.format(1, "民政代缴"))
    assert "本区的付款单位里没有它" in strange.value.sentence()
    assert _treasury(running, row.format(1, "应急局代缴")).taken

    left = {code: amount for code, amount in second.balances().items() if "gov_substitute" in code}
    assert left == {code: amount for code, amount in owed.items() if "emergency" not in code}
    assert second.balances()["treasury:RES_MEDICAL:2022"] == 35000


def _treasury(running: System, row: str):
    content = "\n".join([TREASURY, row, "合计,1,350.00", ""]).encode()
    return import_outside(running.parts, "treasury", content, by=CLERK)


def agents_and_offices_work_with_the_one_insurance(second: Played) -> None:
    running = second.running
    add_agent(running.office, login="liu", name="柳代办", password=PASSWORD, villages=[VILLAGE])
    browser = Browser(running.url)
    browser.log_in("liu", PASSWORD)
    listed = second.seen("village", browser.get(f"/agent/villages/{VILLAGE}"))
    assert "医保 " in listed and "养老" not in listed
    assert "2022年 居民医保缴费" in second.seen("slips", browser.get(f"/agent/villages/{VILLAGE}/slips", all=1))
    browser.close()

    add_staff(running.office, login="clerk02", name="云经办", role=Role.TAX_CLERK, password=PASSWORD)
    client = client_of(running, "clerk02")
    for path in (
        "",
        "progress/",
        "policy/",
        "policy/2022",
        "day/",
        "day/2021-11-05",
        "refunds/",
        "suspense/",
        "people/",
    ):
        answer = client.get(f"/office/{path}")
        assert answer.status_code == 200, path
        second.read[f"office {path}"] = answer.text
    assert "应急局交全部" in second.read["office policy/2022"]
    assert "<td>医保</td>" in second.read["office progress/"] and "养老" not in second.read["office progress/"]
    paper = client.get("/office/policy/2022.pdf").data
    second.read["policy paper"] = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(paper))
    adult = subjects(running.parts, [second.people[ADULT]])[0]
    assert adult.town == TOWN


def the_year_and_the_book_are_found_whole(second: Played) -> None:
    code, said = second.command("year", "check", "2022")
    assert code == 0 and "替居民付钱的单位本区都有，科目表里有账户" in said and "居民养老" not in said
    assert second.command("policy", "check", str(FILE.with_name("years") / "2022.toml"))[0] == 0
    code, said = second.command("ledger", "check")
    assert code == 0, said
