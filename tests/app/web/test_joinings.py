"""A child who stands under its birth certificate comes to stand under its number: one asks, another agrees; nothing
that was paid is lost, and nothing is paid twice."""

import psycopg
import pytest

from app.access.roles import Role
from app.flows.due.look_up import NoSuchPerson, identify
from app.flows.due.quote import subjects
from app.flows.pay.start import Want
from app.flows.register.import_roster import import_roster
from app.flows.watch.book import check_book
from app.policy.facts import Insurance
from app.registry.identity import check_digit
from tests.app.flows.test_sponsors import funded
from tests.app.registry.files import a_csv, a_row
from tests.app.web.test_newborns import DESK, PAPER, a_child, medical, newborn, now, parent, register
from tests.app.web.test_office_people import at_desk
from tests.conftest import DATABASE
from tests.refunding import agree, pay, rows, start, state
from tests.system import eventually

__all__ = ["medical", "now", "parent"]

MEDICAL = Insurance.RES_MEDICAL
JOIN = "/office/joinings/"
BASE = "37049920211220002"  # a girl's, of 20 December 2021
NUMBER = BASE + check_digit(BASE)
ASKED = {"certificate": PAPER, "name": "张小宝", "number": NUMBER, "proof": "户口簿原件"}
TRUTHS = ["INV-133", "INV-134", "INV-06", "INV-123", "GUARDS"]


@pytest.fixture
def child(running, parent, medical):
    """Registered under its certificate; its person id."""
    client, path = parent
    client.post(path, data=a_child())
    assert register(medical, newborn(running).id).status_code == 303
    return newborn(running).person_id


@pytest.fixture
def second(running, medical):
    return at_desk(running, Role.HRSS, "hrss1")


def joining(running):
    return running.one("select * from joining order by id desc limit 1")


def broken(running):
    found = [each for each in check_book(running.parts, [*TRUTHS, "INV-81"]) if each.rows]
    return [line for each in found for line in each.sample if "role:liangxian_office" not in line]


def bring_number(running, tmp_path, district):
    """The bureau's file has him with his number, in the same village."""
    said = {"id_number": NUMBER, "name": "张小宝", "sex": "女", "birth_date": "2021-12-20", "household_no": "0001"}
    file = a_csv(tmp_path / "number.csv", a_row(village_code=district.village, **said))
    return import_roster(running.office, file)


def said_to_be_two(running, medical):
    """Until then nothing is paid for the newer number."""
    number = running.one("select id from conflict where state = 'open'")[0]
    said = {"word": "register", "why": "是两个孩子"}
    assert medical.post(f"/office/conflicts/{number}/solve", data=said).status_code == 303


def test_a_number_is_keyed_by_one_and_agreed_to_by_another(running, district, parent, medical, second, child):
    paid = pay(running, Want(child, MEDICAL))
    before = rows(running, "select * from bill"), rows(running, "select * from entry")

    bad = medical.post(JOIN, data=ASKED | {"number": NUMBER[:-1] + "0", "name": ""})
    differs = medical.post(JOIN, data=ASKED | {"name": "张晓宝"})
    nobody = medical.post(JOIN, data=ASKED | {"certificate": "A000000001"})
    assert bad.status_code == 422 and "身份证号不对" in bad.text and f'value="{PAPER}"' in bad.text
    assert differs.status_code == 422 and "姓名" in differs.text and nobody.status_code == 404
    assert medical.post(JOIN, data=ASKED | {"name": "张晓宝", "proof": "户口簿，上户口时改了名"}).status_code == 303
    asked = joining(running).id
    own = medical.post(f"{JOIN}{asked}/agree")
    assert own.status_code == 403 and "请换一个人" in own.text
    read = "select count(*) from disclosure where what = 'numbers'"
    before_look = running.one(read)[0]
    assert "件并号等您办" in second.get("/office/").text and "姓名</span>" in second.get(f"{JOIN}{asked}").text
    assert running.one(read)[0] == before_look + 1, "who compares it with the paper is written down"
    assert second.post(f"{JOIN}{asked}/agree").status_code == 303
    assert second.post(f"{JOIN}{asked}/agree").status_code == 409

    [subject] = subjects(running.parts, [child])
    assert (subject.name, subject.id_masked) == ("张晓宝", f"3704{'*' * 10}{NUMBER[-4:]}")
    assert identify(running.parts, name="张晓宝", id_number=NUMBER) == child
    assert identify(running.parts, name="张晓宝", id_number=PAPER) == child
    assert (rows(running, "select * from bill"), rows(running, "select * from entry")) == before
    assert paid in str(rows(running, "select number from payment")) and "张*宝" in parent[0].get("/due").text
    assert broken(running) == []
    assert medical.post(JOIN, data=ASKED).status_code == 404


def test_a_file_offers_and_two_rows_become_one_and_what_was_paid_twice_comes_back(
    running, district, parent, medical, second, child, tmp_path
):
    pay(running, Want(child, MEDICAL))
    bring_number(running, tmp_path, district)
    offer = joining(running)
    other = offer.other_id
    assert (offer.state, offer.person_id) == ("offered", child)
    assert "登记里另有一行" in medical.get(JOIN).text and "两行并成一个人" in medical.get(f"{JOIN}{offer.id}").text
    said_to_be_two(running, medical)
    live = start(running, Want(other, MEDICAL), key="live")
    assert medical.post(f"{JOIN}{offer.id}/ask", data={"proof": "户口簿原件"}).status_code == 303
    hindered = second.post(f"{JOIN}{offer.id}/agree")
    assert hindered.status_code == 409 and live.number in hindered.text
    assert running.outside.pay(live.checkout.code_url).status == 200
    eventually(lambda: state(running, live.number) == "paid")
    assert second.post(f"{JOIN}{offer.id}/agree").status_code == 303

    refund = running.one("select payment, why, applied_by, state from refund")
    assert refund == (live.number, "twice", "rule:united", "applied")
    assert identify(running.parts, name="张小宝", id_number=NUMBER) == child
    assert running.one("select restricted_at is not null from person where id = :id", id=other)[0]
    assert running.one("select count(*) from enrolment where person_id = :id and status = 'NORMAL'", id=other)[0] == 0
    assert broken(running) == []
    again = bring_number(running, tmp_path, district)
    assert len(rows(running, "select * from joining")) == 1 and len(rows(running, "select * from refund")) == 1
    assert running.one("select count(*) from person where restricted_at is null and birth_date = '2021-12-20'")[0] == 1
    assert again is not None and broken(running) == []


def test_what_others_paid_whole_for_both_goes_back_to_them_once(
    running, district, parent, medical, second, child, tmp_path
):
    bring_number(running, tmp_path, district)
    offer = joining(running)
    said_to_be_two(running, medical)
    funded(running, budget="5000", covers_late="1")
    for key in (child, offer.other_id):
        assert start(running, Want(key, MEDICAL), key=f"free {key}").number is None
    medical.post(f"{JOIN}{offer.id}/ask", data={"proof": "户口簿原件"})
    assert second.post(f"{JOIN}{offer.id}/agree").status_code == 303

    refund = running.one("select number, amount, why, applied_by from refund")
    assert tuple(refund)[1:] == (0, "twice", "rule:united")
    agree(running.parts, refund.number)
    assert rows(running, "select person_id from bill where state = 'settled'") == [(child,)]
    assert broken(running) == []


def test_who_alone_has_paid_goes_on_and_gets_the_newborns_price(
    running, district, parent, medical, second, child, tmp_path
):
    bring_number(running, tmp_path, district)
    offer = joining(running)
    said_to_be_two(running, medical)
    pay(running, Want(offer.other_id, MEDICAL))
    assert running.one("select personal_due from bill where person_id = :id", id=offer.other_id)[0] > 32000
    medical.post(f"{JOIN}{offer.id}/ask", data={"proof": "户口簿原件"})
    assert "身份证号的一行留下" in second.get(f"{JOIN}{offer.id}").text
    assert second.post(f"{JOIN}{offer.id}/agree").status_code == 303

    assert identify(running.parts, name="张小宝", id_number=PAPER) == offer.other_id
    assert identify(running.parts, name="张小宝", id_number=NUMBER) == offer.other_id
    assert running.one("select why, applied_by from refund") == ("late_entitlement", "rule:late_entitlement")
    assert "张*宝" in parent[0].get("/due").text and broken(running) == []
    assert subjects(running.parts, [child]) == []


def test_whose_number_came_first_is_offered_once_the_child_is_registered(running, district, parent, medical, tmp_path):
    bring_number(running, tmp_path, district)
    client, path = parent
    client.post(path, data=a_child())
    number = newborn(running).id
    assert district.adult.name in medical.get(f"{DESK}{number}").text, "compared with the parent on the certificate"
    read = running.one("select person_id, place from disclosure order by id desc limit 1")
    assert tuple(read) == (district.adult.id, f"newborn:{number}")
    assert register(medical, number).status_code == 303
    assert district.adult.name not in medical.get(f"{DESK}{number}").text

    offer = joining(running)

    assert (offer.state, offer.person_id, offer.opened_by) == (
        *("offered", newborn(running).person_id, f"newborn:{number}"),
    )
    assert "登记孩子时发现" in medical.get(f"{JOIN}{offer.id}").text and broken(running) == []


def test_what_former_years_said_of_the_row_that_ends_goes_on(running, district, database):
    """Where nothing was said of the one that is kept; nobody else's changes."""
    kept, ended, other = district.adult.id, district.worker.id, district.poor.id
    said = [(2020, kept, False), (2020, ended, True), (2021, ended, True), (2021, other, False)]
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?")) as superuser:
        superuser.execute("set local session_replication_role = replica")
        for year, person, student in said:
            superuser.execute("insert into former_person values (%s, %s, 'hukou', %s, 'none')", (year, person, student))
            superuser.execute(
                "insert into former_enrolment values (%s, %s, 'RES_MEDICAL', 'NORMAL', null, false, 'none')",
                (year, person),
            )
        superuser.execute("insert into former_category values (2021, %s, 'RES_MEDICAL', 'DIBAO')", (ended,))

        superuser.execute("select former_years_go_on(%s, %s)", (kept, ended))

        students = superuser.execute("select levy_year, person_id, student from former_person").fetchall()
        assert set(students) == {*said, (2021, kept, True)}
        found = superuser.execute("select levy_year, person_id, status from former_enrolment").fetchall()
        stands = [(2020, kept), (2021, kept), (2021, other)]
        assert {row[:2] for row in found if row[2] == "NORMAL"} == set(stands) and len(found) == 5
        codes = superuser.execute("select person_id from former_category order by 1").fetchall()
        assert sorted(codes) == sorted([(kept,), (ended,)])
        superuser.rollback()


def test_an_offer_that_is_not_he_comes_no_more_and_who_asked_takes_back(
    running, district, medical, second, child, tmp_path
):
    medical.post(JOIN, data=ASKED)
    asked = joining(running).id
    assert second.post(f"{JOIN}{asked}/withdraw").status_code == 404
    assert medical.post(f"{JOIN}{asked}/withdraw").status_code == 303 and joining(running).state == "withdrawn"
    bring_number(running, tmp_path, district)
    offer = joining(running).id
    assert second.post(f"{JOIN}{offer}/refuse", data={"why": "x"}).status_code == 422
    assert second.post(f"{JOIN}{offer}/refuse", data={"why": "双胞胎，不是他"}).status_code == 303
    assert joining(running).state == "refused" and "双胞胎" in second.get(f"{JOIN}{offer}").text
    assert offer not in [int(part) for part in second.get(JOIN).text.split() if part.isdecimal()]
    with pytest.raises(NoSuchPerson):
        identify(running.parts, name="张大宝", id_number=NUMBER)
