"""Who missed years reads why he waits, and asks; a desk reads the record year by year: on a phone and on a screen."""

import pytest

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from tests.app.web.test_history import JANUARY, missed
from tests.app.web.test_office import PASSWORD
from tests.gap_years import gap_district

__all__ = ["missed"]


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": gap_district(tmp_path_factory.mktemp("years"))}


@pytest.fixture
def running(running):
    running.turn(JANUARY)
    return running


def test_the_record_is_read_and_asked_about(phone, running, missed):
    phone.sign_in(missed)
    phone.look(f"due-gap-{phone.size}")
    phone.press("打印或保存这张说明")
    assert "为此多等2个月" in phone.look(f"sheet-gap-{phone.size}")

    phone.press("请医保局核对参保年度")

    assert "还没有结果" in phone.look(f"sheet-gap-asked-{phone.size}")
    if phone.size == "normal":
        add_staff(running.office, login="hsa", name="示例", role=Role.MEDICAL, password=PASSWORD)
        phone.log_in_office("hsa", PASSWORD)
        phone.open("/office/people/")
        phone.page.locator("[name=wanted]").fill(missed.id_number)
        phone.page.locator("main button").first.click()
        phone.page.locator('a[href^="/office/people/"]', has_text=missed.name).first.click()
        for width in (375, 1280):
            phone.look_at_desk(f"desk-record-{width}", width)
        assert "参过保，医保局报来" in phone.page.inner_text("body")
