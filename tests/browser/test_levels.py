"""A resident and an agent on a small phone choose a level of the medical insurance and an amount for the pension."""

import pytest

from tests.level_years import level_district


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": level_district(tmp_path_factory.mktemp("levels"))}


def test_a_level_and_an_amount_are_chosen_by_a_resident_and_by_an_agent(phone, district, running, an_agent):
    phone.sign_in(district.adult)
    assert "请先选一档：一档、二档。" in phone.look(f"levels-due-open-{phone.size}")
    phone.press("选医保档次")
    assert "二档，交 500 元" in phone.look(f"levels-choose-{phone.size}")
    phone.page.get_by_label("二档").check()
    phone.press("选好了")
    phone.press("定养老交多少")
    phone.fill("交多少（元）", "12345")
    phone.press("就交这么多")
    assert "金额不对：最少 1000 元，最多 9000 元，只能是整元。" in phone.look(f"levels-amount-wrong-{phone.size}")
    assert phone.page.get_by_label("交多少（元）").input_value() == "12345"
    phone.fill("交多少（元）", "1234")
    phone.press("就交这么多")
    assert "换一档（现在是二档）" in phone.look(f"levels-due-chosen-{phone.size}")
    phone.press("去交费")
    assert "2022年居民医保（二档）" in phone.look(f"levels-confirm-{phone.size}")

    phone.log_in("/agent/login", *an_agent)
    phone.press(district.adult.name)
    phone.look(f"levels-agent-{phone.size}")
    shown = phone.page.locator(".ways .total").first
    assert shown.inner_text() == "320", "the year's first level, for who sits here"
    phone.page.get_by_label("医保档次").first.select_option(label="二档，交 500")
    assert shown.inner_text() == "500" and "要交 500 元" in phone.page.inner_text("main")
    assert "320 元" not in phone.page.locator("section.card").first.inner_text().partition("医保档次")[0]
    phone.page.get_by_label("养老交多少（元）").first.fill("1200")
    assert not shown.is_visible(), "what an amount costs only the server knows"
    phone.press("改好了，重新算")
    assert phone.page.locator(".ways .total").first.inner_text() == "1700"
    phone.press("出微信码")
    assert "2022年居民医保（二档）" in phone.look(f"levels-agent-code-{phone.size}")
