"""D2: while the database may only be read, no page shows a button that pays or changes anything."""

import psycopg
import pytest

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from tests.app.web.test_api import Api, medical
from tests.conftest import DATABASE
from tests.house.tree import ROOT
from tests.system import second_code

PASSWORD = "a-long-password-1"


@pytest.fixture
def only_read(running, monkeypatch):
    """From now on the process finds that nothing can be written."""

    def begin() -> None:
        monkeypatch.setattr(running.app.extensions["standing"], "of", lambda _held: {"writable": False})

    return begin


def pressable(page) -> str:
    """The page without what a browser takes no press on."""
    before, _, rest = page.html.partition('<fieldset class="page" disabled>')
    inside, _, after = rest.partition("</fieldset>\n</main>")
    return before + after if inside else page.html


def test_a_resident_sees_what_is_due_and_no_button_while_nothing_can_be_written(running, district, browser, only_read):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    confirm = browser.get("/confirm", item=due.values("item"))
    assert confirm.values("key") and "<button" in pressable(confirm), "while all is well it is offered"

    only_read()
    due, confirm = browser.get("/due"), browser.get("/confirm", item=due.values("item"))

    for page in (due, confirm):
        assert page.status == 200 and "320 元" in page.text and "现在只能查" in page.text
        assert "<button" not in pressable(page)


def test_neither_an_agent_nor_an_office_is_offered_an_act_then(running, district, an_agent, browser, only_read):
    browser.log_in(*an_agent)
    home = browser.get(f"/agent/villages/{district.village}")
    add_staff(running.office, login="clerk01", name="示例", role=Role.TAX_CLERK, password=PASSWORD)
    running.app.config["WTF_CSRF_ENABLED"] = False
    desk = running.app.test_client()
    fields = {"login": "clerk01", "password": PASSWORD, "code": second_code(running.url, "clerk01")}
    assert desk.post("/office/login", data=fields).status_code == 303
    assert home.status == 200 and "现在只能" not in home.text

    only_read()

    again = browser.get(f"/agent/villages/{district.village}")
    assert "现在只能查" in again.text and "<button" not in pressable(again).split("<footer>")[0]
    days = desk.get("/office/day/").text
    assert "现在只能看" in days and '<fieldset class="page" disabled>' in days


def test_the_api_says_that_nothing_can_be_paid_then_and_the_mini_program_shows_no_button(running, district, only_read):
    api = Api(running)
    person = api.look_up(district.adult)
    assert api.get("/due").json["can_pay"] is True

    only_read()

    assert api.get("/due").json["can_pay"] is False, "looking goes on"
    page = (ROOT / "miniprogram/pages/due/due.wxml").read_text(encoding="utf-8")
    assert 'wx:if="{{canPay ? home.chosen : 0}}" bindtap="pay"' in page and "现在只能查，不能交费" in page
    running.parts.engine.dispose()
    with psycopg.connect(running.environment["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(f"alter database {DATABASE} set default_transaction_read_only = on")
        try:
            refused = api.pay(medical(person))
        finally:
            owner.execute("set transaction_read_only = off")
            owner.execute(f"alter database {DATABASE} reset default_transaction_read_only")
            running.parts.engine.dispose()
    assert (refused.status_code, refused.json["code"], refused.headers["Retry-After"]) == (503, "READ_ONLY", "60")
    assert "只能查询" in refused.json["message"]
