"""A resident's pages while two levy years are collected: one card each, named, and the late one is his own choice."""

import re
from datetime import datetime

from app.flows.register.open_year import open_year
from core.clock import BEIJING


def test_a_resident_sees_both_years_and_pays_the_one_he_means(phone, district, running):
    running.turn(datetime(2022, 10, 20, 9, tzinfo=BEIJING))
    open_year(running.office, 2023, by="operator:test")
    running.parts.levy.look()
    phone.open("/")
    phone.look(f"two-years-home-{phone.size}")
    phone.sign_in(district.adult)

    phone.open("/due")
    seen = phone.look(f"two-years-due-{phone.size}")
    assert seen.index("2023年居民医保") < seen.index("2022年居民医保（逾期）")
    assert phone.page.locator("input[name=item]:checked").count() == 1
    phone.page.locator('input[name=item][value$="RES_MEDICAL@2022"]').check()
    phone.page.get_by_role("button", name=re.compile("去交费")).click()
    phone.page.wait_for_load_state("domcontentloaded")
    confirmed = phone.look(f"two-years-confirm-{phone.size}")
    assert "2022年居民医保（逾期）" in confirmed and "2023年居民医保" in confirmed and "这里有往年的" in confirmed

    phone.open("/paid")
    phone.look(f"two-years-paid-{phone.size}")
