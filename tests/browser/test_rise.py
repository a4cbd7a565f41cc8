"""A resident and an agent on a small phone raise the tier of a pension that is paid."""

import pytest

from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.refunding import pay
from tests.shape_years import shape_district

RAISED = "2022年居民养老补差提档：300元→500元"


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": shape_district(tmp_path_factory.mktemp("shapes"))}


def test_a_tier_is_raised_by_a_resident_and_by_an_agent(phone, district, running, an_agent):
    both = (district.adult, district.poor)
    pay(running, *(Want(who.id, Insurance.RES_PENSION, 30000) for who in both), key="premiums")
    phone.sign_in(district.adult)
    assert "补差价提高档次（可选）" in phone.look(f"rise-due-{phone.size}")
    phone.press("补差价提高档次（可选）")
    assert "500 元档，补 200 元" in phone.look(f"rise-choose-{phone.size}")
    phone.page.get_by_label("500 元档，补 200 元").check()
    phone.press("选好了，去核对")
    assert RAISED in phone.look(f"rise-confirm-{phone.size}")
    phone.press("用微信付 200 元")
    assert RAISED in phone.look(f"rise-code-{phone.size}")
    phone.press("不付了")
    pay(running, Want(district.adult.id, Insurance.RES_PENSION, 50000, rise=True), key="raised")
    phone.open("/due")
    assert "已经补差价提高到 500 元档" in phone.look(f"rise-done-{phone.size}")
    phone.open("/paid")
    assert RAISED in phone.look(f"rise-paid-{phone.size}")

    phone.log_in("/agent/login", *an_agent)
    phone.press(district.poor.name)
    phone.look(f"rise-agent-{phone.size}")
    shown = phone.page.locator(".ways .total").first
    phone.page.get_by_label("补差价提高档次（他想提的才选）").first.select_option(value="50000")
    assert shown.inner_text() == "200"
    phone.press("出微信码")
    assert RAISED in phone.look(f"rise-agent-code-{phone.size}")
