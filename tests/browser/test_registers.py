"""A bureau's clerk in a real browser, beside a real office process: a file goes in, is looked at, is taken in."""

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from config.settings import CHECKOUT
from tests.app.registry.files import a_csv, a_row

PASSWORD = "a-long-password-1"
PATIENCE_MS = 30_000


@pytest.fixture
def office(running, tmp_path):
    """The office process, as it is really run."""
    with (tmp_path / "office.log").open("ab") as log:
        environ = {**os.environ, **running.environment}
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "office", "run"], cwd=CHECKOUT, env=environ, stdout=log, stderr=log
        )
        yield
        process.terminate()
        process.wait(15)


def test_two_bureaus_bring_their_files_in_without_a_terminal(phone, district, running, office, tmp_path):
    pension, medical = (
        a_csv(tmp_path / name, a_row(61, insurance=insurance), a_row(63, insurance=insurance, name=""))
        for name, insurance in (("人社.csv", "居民养老"), ("医保.csv", "居民医保"))
    )
    for login, role, own, other in (
        ("hrss01", Role.HRSS, pension, medical),
        ("med01", Role.MEDICAL, medical, pension),
    ):
        phone.page.context.clear_cookies(name="session")
        add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD)
        phone.log_in_office(login, PASSWORD)
        phone.open("/office/registers/")
        phone.look_at_desk(f"registers-empty-{login}-{phone.size}", 1280)
        phone.page.get_by_label("参保登记文件").set_input_files(other)
        phone.press("上传，先看一遍")
        expect(phone.page.get_by_text("退回 2 行")).to_be_visible(timeout=PATIENCE_MS)  # the page looks again by itself
        assert phone.page.get_by_role("button", name="导入").count() == 0

        phone.open("/office/registers/")
        phone.page.get_by_label("参保登记文件").set_input_files(own)
        phone.press("上传，先看一遍")
        expect(phone.page.get_by_text("还没有算数，先请您看")).to_be_visible(timeout=PATIENCE_MS)
        phone.look_at_desk(f"register-{login}-{phone.size}", 1280)
        phone.look_at_desk(f"register-narrow-{login}-{phone.size}", 375)
        phone.press("导入没有问题的 1 行")
        expect(phone.page.get_by_role("heading", name="已导入")).to_be_visible(timeout=PATIENCE_MS)
        phone.look_at_desk(f"register-taken-{login}-{phone.size}", 1280)
        phone.open("/office/registers/")
        phone.look_at_desk(f"registers-{login}-{phone.size}", 1280)
        phone.look_at_desk(f"registers-narrow-{login}-{phone.size}", 375)

    done = running.one("select count(*), count(distinct by) from office_job where kind = 'register_take'")
    assert done == (2, 2)
    enrolled = "select count(*) from enrolment e join person p on p.id = e.person_id where p.id_index = :index"
    index = running.parts.vault.index(a_row(61)["id_number"], purpose="id_number")
    assert running.one(enrolled, index=index)[0] == 2
