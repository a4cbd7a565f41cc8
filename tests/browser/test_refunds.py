"""Money back as a resident and the offices see it: on a small phone in both type sizes, and on a desk's screen."""

import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.pay.start import Want
from app.flows.refund import steps
from app.policy.facts import Insurance
from tests.app.web.test_office_refunds import money_of_nobody
from tests.refunding import agree, agreed, pay, run_refunds, to_the_approval

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
PASSWORD = "a-long-password-1"


def test_a_resident_asks_and_reads_the_steps(running, district, phone):
    size = phone.size
    pay(running, Want(district.adult.id, MEDICAL), Want(district.adult.id, PENSION, 50000))
    phone.sign_in(district.adult, then="paid")
    running.write(lambda connection: connection.execute(text("update resident_person set own = true")))  # it is himself
    phone.page.reload()
    phone.look(f"refund-{size}-1-paid")
    phone.press("申请退费")
    phone.look(f"refund-{size}-2-why")
    phone.page.get_by_label("单位给我参保了").check()
    phone.press("下一步")
    phone.look(f"refund-{size}-3-confirm")
    phone.press("都对，提交申请")
    phone.look(f"refund-{size}-4-asked")
    number = phone.page.url.rpartition("/")[2]
    agree(running.parts, number)
    run_refunds(running, number, "paid")
    phone.page.reload()
    phone.look(f"refund-{size}-5-paid-back")
    phone.open("/refunds")
    phone.look(f"refund-{size}-6-all")


@pytest.mark.parametrize("width", [375, 1280])
def test_the_offices_see_their_work(running, district, phone, width):
    for login, role in (("clerk01", Role.TAX_CLERK), ("lead01", Role.TAX_LEAD)):
        add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD)
    first = steps.apply(running.parts, pay(running, Want(district.adult.id, MEDICAL)), by="resident").number
    payment = pay(running, Want(district.poor.id, PENSION, 50000), key="b")
    running.outside.fault("refund_abnormal")
    stuck = agreed(running.parts, payment).number
    run_refunds(running, stuck, "abnormal")
    doubt = money_of_nobody(running)

    def shoot(name):
        phone.look_at_desk(f"office-{width}-{phone.size}-{name}", width)

    phone.log_in_office("clerk01", PASSWORD)
    shoot("home")
    phone.open("/office/refunds/")
    shoot("refunds")
    phone.open(f"/office/refunds/{first}")
    shoot("refund")
    phone.open(f"/office/refunds/{stuck}")
    phone.page.get_by_text("改用银行转账退").click()
    shoot("stuck")
    phone.open("/office/suspense/")
    shoot("suspenses")
    phone.open(doubt)
    phone.page.get_by_text("用来交某个人的保费").click()
    shoot("suspense")
    phone.press("退出")
    to_the_approval(running.parts, first)
    phone.log_in_office("lead01", PASSWORD)
    phone.open(f"/office/refunds/{first}")
    shoot("approve")
