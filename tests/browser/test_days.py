"""The books of a day as the tax office sees them, on a desk's screen and on a phone: from differences to the paper."""

import shutil
import subprocess
from datetime import timedelta

import pytest

from app.access.roles import Role
from app.documents.certificate import draw
from app.flows.enter.accounts import add_staff
from app.flows.reconcile.certify import account_names, certificate
from app.flows.reconcile.close_day import ask_to_close, confirm_close
from tests.browser.conftest import SHOTS
from tests.days import DAY
from tests.journeys.test_a_day_is_closed import PASSWORD, a_day

__all__ = ["a_day"]


def test_a_clerk_sees_the_books_side_by_side_and_closes_the_day(a_day, phone):
    for login, role in (("clerk01", Role.TAX_CLERK), ("lead01", Role.TAX_LEAD)):
        add_staff(a_day.office, login=login, name="示例", role=role, password=PASSWORD)

    def shoot(name):
        for width in (375, 1280):
            phone.look_at_desk(f"day-{width}-{phone.size}-{name}", width)

    phone.log_in_office("clerk01", PASSWORD)
    shoot("1-desk")
    phone.open("/office/day/")
    shoot("2-days")
    phone.open(f"/office/day/{DAY}")
    shoot("3-differences")
    phone.open(f"/office/day/{DAY}/lines/wechat")
    shoot("4-lines")
    phone.open("/office/day/2021-11-02")
    first = phone.page.locator("form[action*=differences]").first
    first.locator("[name=reason]").fill("对方次日补到，已核实")
    shoot("5-reason")
    first.locator("button").last.click()
    phone.press("看要结的账，再日结")
    shoot("6-what-would-be-closed")
    phone.press("申请带这")
    shoot("6-asked")
    phone.press("退出")
    phone.log_in_office("lead01", PASSWORD)
    phone.open("/office/day/2021-11-02/close")
    shoot("7-second-person")


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="nothing here turns a PDF into a picture")
def test_the_certificate_is_one_page_of_whole_chinese_text(a_day, tmp_path):
    first, paper = DAY - timedelta(days=3), tmp_path / "certificate.pdf"
    ask_to_close(a_day.parts, first, by="staff:clerk01")
    confirm_close(a_day.parts, first, by="staff:lead01")
    held = certificate(a_day.parts, first)
    names = account_names(a_day.parts)
    paper.write_bytes(draw(held.facts, names=names, signature=held.signature, public_key=held.public_key))

    subprocess.run(["pdftoppm", "-r", "80", "-png", str(paper), str(tmp_path / "page")], check=True)
    said = subprocess.run(["pdftotext", str(paper), "-"], check=True, capture_output=True, text=True).stdout

    pages = sorted(tmp_path.glob("page-*.png"))
    assert len(pages) == 1
    shutil.copyfile(pages[0], SHOTS / "certificate-with-exceptions.png")
    assert "2021年11月2日" in said and "lead01" in said and "例外" in said
