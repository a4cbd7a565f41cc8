"""Every page there is, in a real browser: no serious finding of axe-core, no more than 60 KB over the wire, and in the
in-app browsers of the three payment apps. A page that is not in the table fails."""

import json
import re

import pytest
from playwright.sync_api import expect

from app.access.roles import Role
from app.flows.cases.say import say
from app.flows.complaints.watch import poll
from app.flows.conflicts.bring_police import bring_police
from app.flows.due.quote import subjects
from app.flows.enter.accounts import add_staff
from app.flows.helped.bills import draw, unbilled
from app.flows.helped.check import check
from app.flows.helped.live import Hand
from app.flows.helped.take import take
from app.flows.keep import erase
from app.flows.newborn.apply import Child
from app.flows.newborn.apply import apply as apply_newborn
from app.flows.pay.start import Want
from app.flows.prove.papers import confirm
from app.flows.register.apply import apply
from app.flows.sponsor.pay_in import Wish, pay_in
from app.policy.facts import Insurance
from app.registry.determinations import Kind
from app.registry.identity import check_digit
from tests.app.custody.cash import took_cash
from tests.app.flows.test_complaints import a_picture, complain
from tests.app.flows.test_sponsors import funded
from tests.app.flows.test_suspense import unknown
from tests.app.helped.papers import a_line, a_list
from tests.app.registry.files import an_xlsx
from tests.app.roster.hands import AFTER, closing_hung, hung, objected
from tests.browser.conftest import SHOTS, Phone, audit
from tests.browser.test_channels import AGENTS
from tests.browsing import a_phone
from tests.builders import NOON, a_household, a_person, an_id_number
from tests.refunding import agreed, pay, start
from tests.rosters import in_force
from tests.system import eventually

PASSWORD = "a-long-password-1"
HEAVIEST = 60 * 1024
MEDICAL = Insurance.RES_MEDICAL
STRANGERS = (
    ("home.home", "/"),
    ("home.ask_code", "/check"),
    ("lists.ask_code", "/posted"),
    ("sign_in.privacy", "/privacy"),
    ("sign_in.phone", "/login"),
    ("agent.login", "/agent/login"),
    ("desk.login", "/office/login"),
    ("nobody's", "/nowhere"),
)
NO_PAGES = {  # files, figures, JSON, and what only leads on
    *("static", "openapi.spec", "health.livez", "health.readyz", "health.metrics", "home.type_size", "back.come_back"),
    "resident.back_from_wechat",
    *("api_reader.read", "api_reader.static"),  # a viewer others keep (test_api_page.py)
    *(
        "day.paper",
        "day.empty_file",
        "office_policy.paper",
        "office_determinations.picture_of",
        "office_newborns.picture_of",
        "office_progress.table_file",
        "audit.rights_file",
        "office_registers.refused",
        "office_police.refused",
        "proofs.file",
        "agent_table.file",
        "counter.file",
        "village.news",
        "office_helped.back",
        "office_bills.people",
        "office_bills.paper",
        "office_sponsors.shares",
        "agent_rosters.paper",
        "office_rosters.photo",
        "office_rosters.paper",
        "office_closings.photo",
        "office_closings.paper",
        "office_closings.poster_file",
        "agent_closings.paper",
        "agent_cash.printed",
        "office_cash.photo",
    ),
}


def test_every_page_can_be_read_by_everybody(phone, district, an_agent, running, tmp_path):
    found = {}

    def walk(pages):
        for endpoint, path in pages:
            phone.open(path)
            found[endpoint.partition("#")[0]] = _judged(phone.page, endpoint)

    def as_officer(role, **whose):
        phone.page.context.clear_cookies(name="session")
        login = str(role).replace("_", "-")
        add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD, **whose)
        phone.log_in_office(login, PASSWORD)

    paid = pay(running, Want(district.adult.id, MEDICAL), key="paid-key")
    paper = confirm(running.parts, paid).code
    refund = agreed(running.parts, paid).number
    unknown(running, 32000)
    complaint = complain(running, "wechat", paid)
    poll(running.parts)
    _message_nobody_got(running, district)
    case = apply(running.parts, district.poor.id, MEDICAL, Kind.POLICY_BACKPAY, by="resident")
    matter = say(
        running.parts, "PAID_NOT_SHOWN", "昨天付的没有显示", person_id=district.poor.id, village=None, by="agent:1"
    )
    walk(STRANGERS)
    hangs = _hung(running, an_agent)
    payer = running.write(
        lambda c: a_person(
            c, id_number=an_id_number(sequence=41), household=a_household(c, village=district.village, number="0099")
        )
    )
    in_force(running)  # that of the pension; the medical one hangs
    phone.open("/login")
    phone.fill("手机号", a_phone())
    phone.press("发验证码")
    found["sign_in.code"] = _judged(phone.page, "sign_in.code")
    walk(_residents(phone, district, running, paid, refund, paper))
    walk([("lists.mine", "/lists"), ("lists.posted", f"/posted/{hangs[1]}")])
    phone.page.context.clear_cookies(name="session")
    phone.log_in("/agent/login", *an_agent)
    walk(_agents(phone, district))
    walk([("agent_rosters.listed", "/agent/rosters"), ("agent_rosters.one", f"/agent/rosters/{hangs[0]}")])
    walk([("agent_closings.one", f"/agent/rosters/closings/{hangs[2]}")])
    walk(_cash(running, district, payer))
    as_officer(Role.COUNTER, towns=[district.village[:9]])
    walk(_counters(phone, district, paid, refund))
    as_officer(Role.TOWN, towns=[district.village[:9]])
    walk(_towns(phone, tmp_path))
    walk([("office_cash.where", "/office/cash/switch")])
    as_officer(Role.MEDICAL)
    walk(_registers(phone))
    walk(_police(phone, running, district, tmp_path))
    walk(_newborns(phone, running, district))
    walk(_sponsors(running))
    for role in (Role.TAX_CLERK, Role.AUDITOR):
        as_officer(role)
        walk(_offices(phone, district, paid, refund, (complaint, case, matter)))
        walk([("office_suspense.one", "/office/suspense/0/receipt:wechat:4200009")])
        walk([("office_cash.held", "/office/cash/"), ("office_cash.ranges", "/office/cash/books")])
        walk([("office_cash.sent", "/office/cash/batches"), ("office_cash.voided", "/office/cash/voided")])
        walk([("office_glass.listed", "/office/glass/")])
        if role is Role.TAX_CLERK:
            phone.fill("为什么要看", "经办人不在，要看一笔退费")
            phone.press("申请")
    walk([("audit.read", "/office/audit/readings"), ("audit.acts", "/office/audit/acts")])
    _somebody_erased(running)
    walk([("audit.kept", "/office/audit/kept"), ("audit.rights", "/office/audit/rights")])
    as_officer(Role.DEPARTMENT, departments=["civil"])
    walk(_departments(phone, running, tmp_path))
    walk(_bill(running, district))
    as_officer(Role.TAX_LEAD)
    walk(_rosters(phone, running))
    glass = running.one("select id from glass")[0]
    walk([("office_glass.one", f"/office/glass/{glass}")])
    phone.page.context.clear_cookies(name="session")
    phone.log_in_office("town", PASSWORD)
    phone.open("/office/rosters/closing/")
    phone.press("全镇街打印（A4）")
    walk([("office_closings.posters", phone.page.url.removeprefix(phone.base))])

    with running.app.test_request_context():
        rules = [rule for rule in running.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    wanted = {rule.endpoint for rule in rules if not rule.rule.startswith("/api/")} - NO_PAGES
    assert wanted <= set(found), f"pages nobody looked at: {sorted(wanted - set(found))}"
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS.parent / f"pages-{phone.size}.json").write_text(json.dumps(found, indent=1))
    assert max(found.values()) <= HEAVIEST, found


def test_the_first_pages_are_readable_on_a_bad_line(phone, district, running):
    """A second-hand phone at the edge of the village: 400 kbit/s, 400 ms, a quarter of this machine's speed. The times
    are written down, not asserted; that the text is there without a script is."""
    phone.sign_in(district.adult)
    line = phone.page.context.new_cdp_session(phone.page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    line.send("Network.emulateNetworkConditions", slow)
    line.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    told = {}
    for path in ("/", "/due", "/check"):
        phone.open(path)
        painted = "performance.getEntriesByName('first-contentful-paint').length"
        eventually(lambda: phone.page.evaluate(painted) > 0, 20)  # noqa: B023 from outside: the page lets nobody eval
        paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        told[path] = round(phone.page.evaluate(paint))
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS.parent / f"readable-{phone.size}.json").write_text(json.dumps(told))

    without = phone.page.context.browser.new_context(java_script_enabled=False, storage_state=_cookies(phone))
    page = without.new_page()
    page.goto(f"{running.url}/due")
    assert "320 元" in page.inner_text("body") and page.get_by_role("button", name="去交费").count() == 1
    without.close()


def _cookies(phone):
    return phone.page.context.storage_state()


@pytest.mark.parametrize("app", ["wechat", "alipay", "unionpay"])
def test_the_three_apps_show_their_own_way_first(chromium, district, running, app):
    context = chromium.new_context(viewport={"width": 375, "height": 812}, locale="zh-CN", user_agent=AGENTS[app])
    held = Phone(context.new_page(), running.url)
    held.sign_in(district.adult)
    held.press("去交费")
    first = held.page.get_by_role("button", name=re.compile("付")).first
    expect(first).to_contain_text({"wechat": "微信", "alipay": "支付宝", "unionpay": "云闪付"}[app])
    held.look(f"app-{app}")
    context.close()


def _cash(running, district, payer):
    """A village that takes cash: a pension paid so, its receipt voided, another in its place."""
    serials = took_cash(running, district, payer)
    yield "agent_cash.mine", "/agent/cash"
    yield "agent_cash.listed", "/agent/cash/receipts"
    yield "agent_cash.receipt", f"/agent/cash/receipts/{serials[-1]}"
    yield "agent_cash.strip", f"/agent/cash/receipts/{serials[-1]}/strip"


def _judged(page, name):
    """No serious finding; how many bytes the page and what it loads weigh."""
    audit(page, name)
    return page.evaluate("() => performance.getEntries().reduce((sum, each) => sum + (each.transferSize || 0), 0)")


def _residents(phone, district, running, paid, refund, paper):
    """The pages of an account that paid, asked for its money back, and waits for another code to be scanned."""
    phone.sign_in(district.adult)
    me = re.search(r'href="/sheet/([^/]+)/', phone.page.content())[1]
    phone.open("/who")
    phone.who(district.poor.name, district.poor.id_number)
    phone.press("查一查")
    waiting = start(running, Want(district.poor.id, Insurance.RES_PENSION, 30000), key="wait-key").number
    yield "resident.who", "/who"
    yield "resident.due", "/due"
    yield "resident.tier", f"/due/{me}/tier"
    yield "resident.level", f"/due/{me}/level"
    yield "resident.sheet", f"/sheet/{me}/RES_MEDICAL"
    yield "bureau.bureau", f"/bureau/{me}"
    yield "bureau.newborn", f"/newborn/{me}"
    yield "matters.mine", "/matters"
    yield "resident.confirm", f"/confirm?item={me}:RES_PENSION&tier.{me}=30000"
    yield "resident.payment", f"/pay/{waiting}"
    yield "resident.payment#paid", f"/pay/{paid}"
    yield "refunds.mine", "/refunds"
    yield "refunds.one", f"/refunds/{refund}"
    yield "sign_in.me", "/me"
    yield "sign_in.past", "/history"
    yield "home.ask_code#found", f"/check?code={paper}"
    pay(running, Want(district.adult.id, Insurance.RES_PENSION, 50000), key="other-key")
    yield "paid.paid", "/paid"
    yield "resident.rise", f"/due/{me}/rise"
    yield "refunds.begin", f"/refund/{me}/RES_PENSION"
    yield "refunds.begin#why", f"/refund/{me}/RES_PENSION?why=twice"
    yield "proofs.offered", f"/proof/{me}/RES_PENSION"


def _source(phone, path):
    phone.open(path)
    return phone.page.content()


def _message_nobody_got(running, district):
    fields = '{"village":"榴园镇示例村","names":"张*","items":"两险","until":"12月31日","help_phone":"0"}'
    with running.parts.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into notice (household_id, cause, kind, fields, rank, last_error)"
            " values (%s, 'household:1:remind-2021w44', 'remind', %s::jsonb, 4, 'no channel reaches this person')",
            (district.household, fields),
        )


def _somebody_erased(running):
    number = an_id_number(sequence=91)
    running.write(lambda c: a_person(c, id_number=number))
    asked = {"ground": "asked", "reason": "本人书面申请，见申请表", "by": "staff:a"}
    erase.agree(running.office, erase.ask(running.office, id_number=number, **asked), by="staff:b")


def _agents(phone, district):
    village = f"/agent/villages/{district.village}"
    phone.open(village)
    person = phone.page.get_by_role("link", name=district.poor.name).first.get_attribute("href")
    sheet = re.search(r'href="(/agent/[^"]*sheet[^"]*)"', _source(phone, person))[1]
    phone.page.get_by_label("养老档次").first.select_option("50000")  # whose medical roster hangs still
    phone.page.get_by_role("button", name="出微信码").first.click()
    waiting = phone.page.url.rpartition("/")[2]
    yield "agent.today", "/agent/"
    yield "agent.village", village
    yield "agent_table.person", person
    yield "agent_table.sheet", sheet
    yield "agent_table.bureau", f"{person}/bureau"
    yield "agent_table.newborn", f"{person}/newborn"
    yield "agent_matters.mine", f"{village}/matters"
    yield "agent_table.payment", f"/agent/pay/{waiting}"
    yield "agent_table.code_paper", f"/agent/pay/{waiting}/paper"
    yield "village.paper", f"{village}/slips"
    yield "village.to_visit", f"{village}/visits"
    yield "rounds.doors", f"{village}/round"
    yield "own_agent.agent_account", "/agent/account"


def _counters(phone, district, paid, refund):
    """Somebody stands at the window."""
    person = _found(phone, district.adult)
    table = person.replace("/office/people/", "/office/counter/people/")
    yield "counter.person", table
    sheet = re.search(r'href="(/office/counter/[^"]*sheet[^"]*)"', _source(phone, table))[1]
    yield "counter.sheet", sheet
    yield "counter.bureau", f"{table}/bureau"
    yield "counter.newborn", f"{table}/newborn"
    yield "counter.payment", f"/office/counter/pay/{paid}"
    phone.open(table.replace(person.rpartition("/")[2], _found(phone, district.neighbour).rpartition("/")[2]))
    phone.page.get_by_role("button", name="出微信码").first.click()
    yield "counter.code_paper", f"/office/counter/pay/{phone.page.url.rpartition('/')[2]}/paper"
    yield "office_counter.paid", f"{table}/paid"
    yield "office_counter.one", f"/office/counter/refunds/{refund}"
    yield "office_counter.phone", f"{table}/phone"
    yield "office_counter.matters", f"{table}/matters"
    yield "office_counter.begin", f"{table}/refund/RES_PENSION"


def _found(phone, person):
    """The address of somebody's page, found by his number."""
    phone.open("/office/people/")
    phone.page.locator("#wanted").fill(person.id_number)
    phone.page.get_by_role("button", name="找人").click()
    return phone.page.get_by_role("link", name=person.name).get_attribute("href")


def _towns(phone, tmp_path):
    """A list of agents that waits to be looked at."""
    path = an_xlsx(tmp_path / "代办员.xlsx", {"a": [["姓名", "村居"], ["王代办", "370404103901"]]})
    phone.open("/office/agents/")
    phone.page.locator("#file").set_input_files(path)
    phone.press("上传，先看一遍")
    yield "office_agents.work", "/office/agents/lists/" + phone.page.url.rpartition("/")[2]
    yield "office_agents.listed", "/office/agents/"


def _sponsors(running):
    pledge = funded(running, amount="500", mode="PCT", value="50")
    code = pay_in(running.parts, Wish(pledge, 10000, "wechat", "k"), by="staff:x").number
    return [
        ("office_sponsors.listed", "/office/sponsors/"),
        ("office_sponsors.new", "/office/sponsors/new"),
        ("office_sponsors.one", f"/office/sponsors/{pledge}"),
        ("office_sponsors.code", f"/office/sponsors/{pledge}/code/{code}"),
    ]


def _hung(running, an_agent):
    """A roster that hangs and was objected to: its id and its poster's code; and the list after the season, its id."""
    agent = running.one("select id from agent where login = :l", l=an_agent[0]).id
    roster, who = hung(running, agent)
    objected(running, roster, who)
    code = running.one("select code from roster_version where roster_id = :r", r=roster).code
    return roster, code, closing_hung(running, agent, who)


def _rosters(phone, running):
    """One that hangs, and all that are drawn at a page."""
    roster = running.one("select min(id) from roster")[0]
    yield "office_rosters.listed", "/office/rosters/"
    yield "office_rosters.one", f"/office/rosters/{roster}"
    yield "office_rosters.compare", f"/office/rosters/{roster}/compare"
    yield "office_objections.listed", "/office/rosters/objections/"
    yield "office_draws.new", "/office/rosters/draw/"
    phone.page.locator("main form button").first.click()
    yield "office_draws.one", phone.page.url.removeprefix(phone.base)
    running.turn(AFTER)
    yield "office_closings.listed", "/office/rosters/closing/"
    phone.page.locator("main form button").first.click()
    yield "office_closings.work", phone.page.url.removeprefix(phone.base)
    yield "office_closings.one", f"/office/rosters/closing/{running.one('select min(id) from closing')[0]}"


def _registers(phone):
    """A register file that waits to be looked at."""
    yield "office_registers.listed", "/office/registers/"
    sent = {"name": "a.csv", "mimeType": "text/csv", "buffer": "姓名\n".encode()}
    phone.page.get_by_label("参保登记文件").set_input_files(sent)
    phone.press("上传，先看一遍")
    yield "office_registers.one", phone.page.url.removeprefix(phone.base)


def _newborns(phone, running, district):
    """One waits, one is registered and offered its number by nobody yet."""
    [parent] = subjects(running.parts, [district.adult.id])
    for paper in ("T370900001", "T370900002"):
        child = Child(paper, "张小宝", "2021-10-20", "1", a_picture())
        last = apply_newborn(running.parts, parent, child, by="agent:1")
    yield "office_newborns.listed", "/office/newborns/"
    yield "office_newborns.one", f"/office/newborns/{last}"
    phone.open(f"/office/newborns/{last}")
    phone.press("开始核实，由我办")
    phone.page.get_by_label("照片我看过").check()
    phone.page.get_by_role("button", name="登记", exact=True).click()
    phone.page.wait_for_load_state("domcontentloaded")
    yield "office_joinings.listed", "/office/joinings/"
    base = "37049920211020001"
    typed = ("T370900002", "张晓宝", base + check_digit(base), "户口簿，上户口改了名")
    phone.open("/office/joinings/")
    for label, text_ in zip(("出生医学证明编号", "户口簿上的姓名", "身份证号", "凭哪一份材料"), typed, strict=True):
        phone.fill(label, text_)
    phone.press("提出并号")
    yield "office_joinings.shown", phone.page.url.removeprefix(phone.base)


def _police(phone, running, district, tmp_path):
    """A list that waits to be looked at, and one that contradicts the register."""
    yield "office_police.listed", "/office/police/"
    sent = {"name": "b.csv", "mimeType": "text/csv", "buffer": "姓名\n".encode()}
    phone.page.get_by_label("公安给的名单").set_input_files(sent)
    phone.press("上传，先看一遍")
    yield "office_police.one", phone.page.url.removeprefix(phone.base)
    path = tmp_path / "公安.csv"
    path.write_text(
        f"姓名,身份证号,事项,日期\n{district.neighbour.name},{district.neighbour.id_number},迁出,2021-10-08\n"
    )
    bring_police(running.office, path)
    yield "office_elsewhere.listed", "/office/elsewhere/"
    yield "office_conflicts.listed", "/office/conflicts/"
    yield "office_conflicts.one", f"/office/conflicts/{running.one('select max(id) from conflict')[0]}"


def _departments(phone, running, tmp_path):
    """A list with somebody who failed, and another file that waits to be judged."""
    path = a_list(tmp_path / "名单.xlsx", a_line(97), a_line(99))
    batch = check(running.office, path, department="civil", by="staff:civil").batch
    take(running.office, batch, by="staff:civil")
    phone.open("/office/helped/")
    phone.page.locator("#file").set_input_files(path)
    phone.press("上传核对")
    yield "office_helped_send.job", "/office/helped/job/" + phone.page.url.rpartition("/")[2]
    yield "office_helped.listed", "/office/helped/"
    yield "office_helped.one", f"/office/helped/{batch}"
    yield "office_helped.waiting", "/office/helped/waiting"


def _bill(running, district):
    """What civil affairs owes for somebody on its register."""
    start(running, Want(district.poor.id, MEDICAL), key="free-key")
    [found] = [each for each in unbilled(running.parts) if each.what.department == "civil"]
    number = draw(running.office, found.what, seen=found.total, hand=Hand(by="staff:medical"))
    yield "office_bills.listed", "/office/bills/"
    yield "office_bills.one", f"/office/bills/{number}"


def _offices(phone, district, paid, refund, cases):
    complaint, case, matter = cases
    yield "office_people.one", _found(phone, district.adult)
    yield "desk.home", "/office/"
    yield "own_office.office_account", "/office/account"
    yield "day.days", "/office/day/"
    yield "day.one", f"/office/day/{NOON.date()}"
    yield "day.closing", f"/office/day/{NOON.date()}/close"
    yield "day.lines", f"/office/day/{NOON.date()}/lines/wechat"
    yield "office_channels.listed", "/office/channels/"
    yield "office_complaints.all_of_them", "/office/complaints/"
    yield "office_complaints.one", f"/office/complaints/wechat/{complaint}"
    yield "office_policy.listed", "/office/policy/"
    yield "office_policy.one", "/office/policy/2022"
    yield "office_policy.one#against", "/office/policy/2025?against=2024"
    yield "office_years.one", "/office/years/2022"
    yield "office_years.one#waits", "/office/years/2023"
    yield "office_suspense.listed", "/office/suspense/"
    yield "office_determinations.listed", "/office/determinations/"
    yield "office_determinations.one", f"/office/determinations/{case}"
    yield "office_matters.listed", "/office/matters/"
    yield "office_matters.one", f"/office/matters/{matter}"
    yield "office_refunds.listed", "/office/refunds/"
    yield "office_refunds.one", f"/office/refunds/{refund}"
    yield "office_people.ask", "/office/people/"
    yield "office_progress.table", "/office/progress/"
    yield "audit.ask", "/office/audit/trace"
    yield "audit.path", f"/office/audit/trace/{paid}"
    yield "audit.now", "/office/audit/alarms"
