"""The why-this-amount sheet on a phone and on paper, for ten people."""

from datetime import date, datetime

import pytest

from app.flows.register.apply import apply
from app.flows.register.determine import Ruling, decide
from app.policy.facts import Insurance
from app.registry.determinations import Kind
from core.clock import BEIJING
from tests.app.web.people import Someone
from tests.browser.conftest import SHOTS
from tests.builders import a_person, an_id_number

PENSION, MEDICAL = "RES_PENSION", "RES_MEDICAL"
BONUS = {"family_type": "two_daughters", "spouse_birth": date(1970, 5, 1)}
JANUARY, MARCH = datetime(2022, 1, 15, 9, tzinfo=BEIJING), datetime(2022, 3, 1, 9, tzinfo=BEIJING)
TEN = {  # born, columns, categories, insurance, tier in fen, moment, what stands in large letters
    "ordinary": (date(1985, 6, 15), {}, (), MEDICAL, None, None, "应交 320 元"),
    "60": (date(1961, 12, 31), {}, (), MEDICAL, None, None, "应交 160 元"),
    "69": (date(1952, 1, 1), {}, (), MEDICAL, None, None, "应交 160 元"),
    "70": (date(1951, 12, 31), {}, (), MEDICAL, None, None, "不用交钱"),
    "disabled-1": (date(1985, 6, 15), {}, ("DIS1",), MEDICAL, None, None, "不用交钱"),
    "disabled-3": (date(1985, 6, 15), {}, ("DIS3",), PENSION, 10000, None, "应交 100 元"),
    "youfu-100": (date(1985, 6, 15), {}, ("YOUFU",), PENSION, 10000, None, "应交 100 元"),
    "substitute-2000": (date(1985, 6, 15), {}, ("DIBAO",), PENSION, 200000, None, "应交 1900 元"),
    "bonus": (date(1965, 3, 12), BONUS, (), PENSION, 50000, None, "应交 500 元"),
    "late": (date(1985, 6, 15), {}, (), MEDICAL, None, JANUARY, "现在交要900元"),
    "newborn": (date(2022, 2, 10), {}, (), MEDICAL, None, MARCH, "新生儿应交 320 元"),
}


@pytest.mark.parametrize("who", TEN)
def test_a_sheet_is_read_on_the_phone_and_on_paper(phone, district, running, who):
    born, columns, categories, insurance, tier, moment, words = TEN[who]
    number = an_id_number(born=born, sequence=21)
    person = running.write(
        lambda connection: a_person(
            connection, name="孙示例", id_number=number, household=district.household, categories=categories, **columns
        )
    )
    if moment:
        running.turn(moment)
    if who == "newborn":
        case = apply(running.parts, person, Insurance.RES_MEDICAL, Kind.NEWBORN, by="staff:desk")
        decide(running.office, case, Ruling(True), by="staff:hsa")
    phone.sign_in(Someone(person, "孙示例", number))
    path = phone.page.locator(f'a[href*="{insurance}"]').get_attribute("href").split("?")[0]
    reference = path.split("/")[2]
    phone.open(f"{path}?tier.{reference}={tier}" if tier else path)

    seen = phone.look(f"sheet-{phone.size}-{who}")

    assert words in seen and "孙*例" in seen and "孙示例" not in seen
    phone.page.emulate_media(media="print")
    printed = phone.page.inner_text("body")
    assert words in printed and "打电话问" not in printed and "大字版" not in printed and "返回" not in printed
    for paper in ("A4", "A5"):
        phone.page.pdf(path=SHOTS / f"sheet-{phone.size}-{who}-{paper}.pdf", format=paper)


def test_who_should_pay_nothing_asks_instead_of_paying_late(phone, district, running):
    running.turn(JANUARY)
    phone.sign_in(district.poor)
    assert "请先不要交钱" in phone.look(f"waiver-{phone.size}-1-review")
    phone.press("请医保局核实")
    assert "已经交给医保局核实" in phone.look(f"waiver-{phone.size}-2-asked")
