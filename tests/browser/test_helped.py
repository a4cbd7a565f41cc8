"""A department's list at its pages, at a desk's width and a telephone's: sent, pointed at, confirmed, ended."""

import pytest

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.flows.test_hand_in import process
from tests.app.helped.papers import a_list
from tests.builders import an_id_number
from tests.refunding import start

__all__ = ["process"]
PASSWORD = "a-long-password-1"


def at_both(phone, name):
    for width in (1280, 375):
        phone.look_at_desk(f"helped-{name}-{width}", width)


@pytest.mark.parametrize("phone", ["normal"], indirect=True)
def test_a_department_does_its_list_without_a_terminal(phone, district, running, process, tmp_path):
    add_staff(
        running.office, login="civil01", name="示例", role=Role.DEPARTMENT, password=PASSWORD, departments=["civil"]
    )
    phone.log_in_office("civil01", PASSWORD)
    at_both(phone, "home")
    phone.press("部门名单")
    at_both(phone, "empty")
    number = district.adult.id_number
    lines = [[1, district.adult.name, number, "甲类"], [2, "李示例", an_id_number(sequence=97), "低保"]]
    path = a_list(tmp_path / "困难群众.xlsx", *lines, head=["编码", "谁", "号码", "哪一种"])
    phone.page.locator("#file").set_input_files(path)
    phone.press("上传核对")
    at_both(phone, "waits")
    process()
    phone.page.reload()
    at_both(phone, "columns")
    for at, field in enumerate(("remark", "name", "id_number", "category")):
        phone.page.locator(f"#column-{at}").select_option(field)
    phone.press("记住，重新核对")
    process()
    phone.page.reload()
    at_both(phone, "words")
    phone.page.locator("#word-0").select_option("TEKUN")
    phone.press("记住，重新核对")
    process()
    phone.page.reload()
    phone.press("看名单，确认导入")
    at_both(phone, "preview")
    phone.press("确认导入")
    process()
    phone.page.reload()
    at_both(phone, "taken")
    phone.press("看名单")
    for no in (3, 4):  # both insurances
        phone.page.get_by_text("写告知和结果").first.click()
        phone.page.locator(f"#whom-{no}").select_option("self")
        phone.page.locator(f"#on-{no}").fill("2021-11-05")
        phone.page.locator(f"#how-{no}").select_option("phone")
        phone.page.locator(f"#state-{no}").select_option("RESOLVED")
        phone.page.locator(f"#why-{no}").fill("本人到镇里登记，另报")
        at_both(phone, f"row-{no}")
        phone.press("记下")
    phone.press("办结这份名单")
    at_both(phone, "closed")
    phone.open("/office/helped/waiting")
    at_both(phone, "nothing-waits")

    start(running, Want(district.adult.id, Insurance.RES_MEDICAL), key="free")
    phone.page.context.clear_cookies(name="session")
    add_staff(running.office, login="medical01", name="示例", role=Role.MEDICAL, password=PASSWORD)
    phone.log_in_office("medical01", PASSWORD)
    phone.press("代缴账单")
    at_both(phone, "to-bill")
    phone.press("出账单")
    at_both(phone, "bill")
    phone.press("返回")
    at_both(phone, "bills")
