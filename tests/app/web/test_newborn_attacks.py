"""What must not come of a child without a number, nor of its joining."""

import gc
import io
import random
import re
import warnings

import pytest
from PIL import Image
from sqlalchemy import text

from app.flows.due.look_up import identify
from app.flows.keep import erase
from app.flows.pay.start import Want
from app.flows.refund.steps import apply as apply_back
from app.flows.refund.steps import decide
from app.registry.identity import check_digit
from tests.app.flows.test_import_outside import BUREAU, a_file, take
from tests.app.web.test_joinings import (
    ASKED,
    JOIN,
    MEDICAL,
    NUMBER,
    bring_number,
    broken,
    child,
    joining,
    said_to_be_two,
    second,
)
from tests.app.web.test_newborns import DESK, PAPER, a_child, medical, newborn, now, parent, register
from tests.browsing import a_token
from tests.builders import a_household, a_person
from tests.refunding import CLERK, LEAD, pay, rows, to_the_approval

__all__ = ["child", "medical", "now", "parent", "second"]


def from_a_phone():
    """About a megabyte."""
    noise = random.Random(1).randbytes(900 * 700 * 3)
    into = io.BytesIO()
    Image.frombytes("RGB", (900, 700), noise).save(into, "JPEG", quality=90)
    assert 512 * 1024 < into.tell() < 4 * 1024 * 1024
    return into.getvalue()


def test_a_photo_as_a_phone_takes_it_is_taken(running, district, parent, medical):
    client, path = parent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # what the test client spooled of a body nobody read
        said = client.post(path, data=a_child() | {"picture": (io.BytesIO(from_a_phone()), "p.jpg")}).status_code
        gc.collect()

    assert said == 303


def test_nobody_else_bars_a_parent_by_asking_for_children_that_there_are_not(running, district, parent, medical):
    client, path = parent
    other = running.app.test_client()
    other.set_cookie("session", a_token(running, "13900000009"))
    named = {"name": district.adult.name, "id_number": district.adult.id_number, "agreed": "1"}
    assert other.post("/who", data=named).status_code == 303
    there = re.search(r'href="(/newborn/[^"]+)"', other.get("/due").text)[1]
    for number in range(4):
        assert other.post(there, data=a_child(certificate=f"A10000000{number}")).status_code == 303

    answer = client.post(path, data=a_child())

    assert answer.status_code == 303, re.findall(r'class="alert"[^>]*>([^<]+)', answer.text)


def test_who_agrees_reads_a_full_number_for_a_written_reason_only(running, district, parent, medical, second, child):
    assert medical.post(JOIN, data=ASKED).status_code == 303
    page = second.get(f"{JOIN}{joining(running).id}").text

    assert NUMBER not in page or rows(running, "select 1 from disclosure") != []


@pytest.mark.parametrize("what", ["proof", "why", "reason"])
def test_what_is_written_in_clear_holds_nobodys_number(running, district, parent, medical, second, what):
    client, path = parent
    client.post(path, data=a_child())
    key = newborn(running).id
    if what == "reason":
        answer = medical.post(f"{DESK}{key}/refuse", data={"reason": f"是 {district.adult.id_number} 的孩子"})
        assert newborn(running).reason is None, answer.status_code
        return
    register(medical, key)
    proof = f"户口簿，父亲 {district.adult.id_number}" if what == "proof" else "户口簿原件"
    asked = medical.post(JOIN, data=ASKED | {"proof": proof})
    if what == "why":
        why = f"是 {district.adult.id_number} 的孩子"
        second.post(f"{JOIN}{joining(running).id}/refuse", data={"why": why})
        assert joining(running).why is None
    else:
        assert asked.status_code == 422 and rows(running, "select 1 from joining") == []


def test_a_no_to_what_was_paid_twice_breaks_no_truth(running, district, parent, medical, second, child, tmp_path):
    pay(running, Want(child, MEDICAL))
    bring_number(running, tmp_path, district)
    offer = joining(running)
    said_to_be_two(running, medical)
    pay(running, Want(offer.other_id, MEDICAL), key="two")
    medical.post(f"{JOIN}{offer.id}/ask", data={"proof": "户口簿原件"})
    assert second.post(f"{JOIN}{offer.id}/agree").status_code == 303
    assert broken(running) == []
    refund = running.one("select number from refund").number
    to_the_approval(running.parts, refund)

    decide(running.parts, refund, approved=False, by=LEAD, reason="另一边已经退过了")

    assert broken(running) == []


def test_of_what_both_rows_paid_one_stays(running, district, parent, medical, second, child, tmp_path):
    first = pay(running, Want(child, MEDICAL))
    bring_number(running, tmp_path, district)
    offer = joining(running)
    said_to_be_two(running, medical)
    pay(running, Want(offer.other_id, MEDICAL), key="two")
    apply_back(running.parts, first, by=CLERK)  # the parent saw it twice, and asked for one of the two
    medical.post(f"{JOIN}{offer.id}/ask", data={"proof": "户口簿原件"})

    second.post(f"{JOIN}{offer.id}/agree")

    going = rows(running, "select bill_id from refund_bill where live")
    assert len(going) <= 1, "both go back, and the child is insured by none"


def test_a_number_of_another_child_ends_nobodys_row_unseen(running, district, parent, medical, second, child):
    base = "37049920211220004"
    number = base + check_digit(base)

    def another(connection):
        away = a_household(connection, village=district.other_village, number="0077")
        return a_person(connection, id_number=number, name="王小花", household=away)

    stranger = running.write(another)
    asked = medical.post(JOIN, data=ASKED | {"number": number})
    if asked.status_code == 303:
        page = second.get(f"{JOIN}{joining(running).id}").text
        second.post(f"{JOIN}{joining(running).id}/agree")
        ended = running.one("select restricted_at is not null from person where id = :id", id=stranger)[0]
        assert not ended, ("her row is gone", "不一样的" in page)
    assert identify(running.parts, name="王小花", id_number=number) == stranger
    assert identify(running.parts, name="张小宝", id_number=PAPER) == child


def test_what_a_bureau_is_asked_of_the_row_that_ends_is_not_forgotten(
    running, district, parent, medical, second, child, tmp_path
):
    bring_number(running, tmp_path, district)
    offer = joining(running)
    said_to_be_two(running, medical)
    ask = text(
        "insert into determination (person_id, insurance, levy_year, kind, requested_by, applied_at)"
        " values (:p, 'RES_MEDICAL', 2022, 'newborn', 'account:1', now())"
    )
    running.write(lambda c: c.execute(ask, {"p": offer.other_id}))
    medical.post(f"{JOIN}{offer.id}/ask", data={"proof": "户口簿原件"})

    second.post(f"{JOIN}{offer.id}/agree")

    open_ones = rows(
        running,
        "select d.id from determination d join person p on p.id = d.person_id"
        " where d.state in ('applied', 'checking') and p.restricted_at is not null",
    )
    assert open_ones == []


def test_a_joining_that_is_done_can_be_looked_at_whoever_went_on(
    running, district, parent, medical, second, child, tmp_path
):
    bring_number(running, tmp_path, district)
    offer = joining(running)
    said_to_be_two(running, medical)
    pay(running, Want(offer.other_id, MEDICAL))
    medical.post(f"{JOIN}{offer.id}/ask", data={"proof": "户口簿原件"})
    assert second.post(f"{JOIN}{offer.id}/agree").status_code == 303

    pages = [f"{JOIN}{offer.id}", f"{JOIN}?done", f"{DESK}{newborn(running).id}", f"{DESK}?done"]

    assert [second.get(pages[0]).status_code, second.get(pages[1]).status_code] == [200, 200]
    assert [medical.get(page).status_code for page in pages[2:]] == [200, 200]


def confirmed(number):
    return a_file(BUREAU, f"R1,RES_MEDICAL,2022,{number},320.00,2022-01-15,2022-01-16,PAY", total="320.00")


def test_a_bureau_confirms_what_a_child_without_a_number_paid(running, district, parent, medical, child):
    pay(running, Want(child, MEDICAL))

    take(running, "bureau", confirmed(PAPER))

    assert rows(running, "select person_id from outside_row where kind = 'bureau'") == [(child,)]


def test_the_bureaus_word_of_a_certificate_is_his_also_once_he_has_a_number(
    running, district, parent, medical, second, child
):
    medical.post(JOIN, data=ASKED)
    assert second.post(f"{JOIN}{joining(running).id}/agree").status_code == 303

    take(running, "bureau", confirmed(PAPER))

    assert rows(running, "select person_id from outside_row where kind = 'bureau'") == [(child,)]


def test_what_offices_wrote_of_a_child_goes_with_it(running, district, parent, medical, second):
    client, path = parent
    client.post(path, data=a_child())
    medical.post(f"{DESK}{newborn(running).id}/refuse", data={"reason": "张小宝的母亲离婚了"})
    client.post(path, data=a_child())
    register(medical, newborn(running).id)
    medical.post(JOIN, data=ASKED | {"proof": "户口簿，张小宝随母亲"})
    assert second.post(f"{JOIN}{joining(running).id}/agree").status_code == 303
    why = {"ground": "asked", "reason": "本人书面申请，见申请表", "by": "staff:a"}
    erase.agree(running.office, erase.ask(running.office, id_number=NUMBER, **why), by="staff:b")

    written = rows(running, "select proof from joining union all select reason from newborn where reason is not null")

    assert [words for (words,) in written if "张小宝" in words] == []
