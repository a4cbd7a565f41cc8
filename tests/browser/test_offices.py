"""The first screens of a clerk, an official of a town and an auditor, on a desk's screen and on a phone."""

import pytest

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.refunding import agreed, pay

PASSWORD = "a-long-password-1"


@pytest.fixture
def desk(phone, running, district):
    """Logs somebody of a role in; `shoot` keeps both widths."""

    def sit(role, towns=()):
        login = str(role).replace("_", "-")
        add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD, towns=towns)
        phone.page.context.clear_cookies(name="session")
        phone.log_in_office(login, PASSWORD)

        def shoot(name):
            for width in (375, 1280):
                phone.look_at_desk(f"{login}-{width}-{phone.size}-{name}", width)
            return phone.page.inner_text("body")

        return shoot

    return sit


def find(phone, wanted):
    phone.open("/office/people/")
    phone.page.locator("#wanted").fill(wanted)
    phone.page.get_by_role("button", name="找人").click()


def test_a_clerk_finds_a_person_and_reads_a_number_for_a_reason(phone, desk, district, running):
    pay(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    shoot = desk(Role.TAX_CLERK)
    assert "找人" in shoot("1-home")
    find(phone, "没有这人")
    assert "请先选镇街" in shoot("2-no-place")
    find(phone, district.adult.id_number)
    assert "找到 1 人" in shoot("3-found")
    phone.page.get_by_role("link", name=district.adult.name).click()
    assert district.adult.id_number not in shoot("4-person")
    phone.page.get_by_text("看完整的证件号和手机号").click()
    phone.fill("为什么要看", "看看")
    phone.page.get_by_role("button", name="看", exact=True).click()
    assert "请写明为什么要看" in shoot("5-no-reason")
    phone.fill("为什么要看", "退费核对账户")
    phone.page.get_by_role("button", name="看", exact=True).click()
    assert district.adult.id_number in shoot("6-number")


def test_an_official_of_a_town_sees_the_week(phone, desk, district, running):
    pay(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    shoot = desk(Role.TOWN, [district.village[:9]])
    assert "参保缴费进度" in shoot("1-home")
    phone.press("参保缴费进度")
    assert "33.3%" in shoot("2-progress")
    phone.page.get_by_text("还没办的").first.click()
    shoot("3-list")
    phone.page.get_by_label("做什么用").first.fill("村里催办用")
    with phone.page.expect_download() as taken:
        phone.page.get_by_role("button", name="下载").first.click()
    assert taken.value.suggested_filename == f"2022年还没办的-{district.village}-2021-11-05.xlsx"


def test_an_auditor_follows_one_yuan(phone, desk, district, running):
    number = pay(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    agreed(running.parts, number)
    shoot = desk(Role.AUDITOR)
    assert "现在有什么不对" in shoot("1-home")
    phone.press("一块钱的去向")
    phone.fill("支付单号", number)
    phone.press("看它的去向")
    assert "每一分都在账上" in shoot("2-trace")
    phone.open("/office/audit/alarms")
    shoot("3-alarms")
    phone.open("/office/audit/readings")
    assert "还没有人看过" in shoot("4-readings")
