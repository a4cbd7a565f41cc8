"""Whoever pays for me is shown to me, can be let go by me, and a stranger is told to me once."""

import re
from datetime import date

import pytest
from sqlalchemy import text

from app.access import accounts
from core.redact import mask_phone
from notifications.rules import CALM
from tests.app.web.test_sign_in import registered
from tests.browsing import Browser, a_phone
from tests.builders import a_person, an_id_number


def told(running) -> list[tuple[str, str]]:
    """Cause and kind of every notice about a holder."""
    with running.parts.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("select cause, kind from notice where kind = 'held'"))]


def button(page, verb: str) -> str:
    """The address of the form that lets a holder go (`remove`) or allows him again (`allow`)."""
    return re.search(rf'action="(/me/holders/[0-9a-f]+/{verb})"', page.html)[1]


@pytest.fixture
def me(running, district):
    """The neighbour, by his registered phone."""
    phone = a_phone()
    registered(running, district.neighbour.id, phone)
    browser = Browser(running.url, phone=phone)
    browser.look_up(district.neighbour.name, district.neighbour.id_number)
    yield browser
    browser.close()


@pytest.fixture
def stranger(running, district):
    """Somebody who holds the neighbour and, as a sibling row, the adult of another household."""
    browser = Browser(running.url, phone=a_phone())
    browser.look_up(district.neighbour.name, district.neighbour.id_number)
    browser.look_up(district.adult.name, district.adult.id_number)
    yield browser
    browser.close()


def test_i_see_who_pays_for_me_and_let_him_go(running, district, me, stranger):
    """M3: he is out at once in every session, cannot bring me in again, and keeps whom else he has."""
    page = me.get("/me")
    assert "谁替我交" in page.text and mask_phone(stranger.phone) in page.text and stranger.phone not in page.html
    assert district.adult.name not in page.text and page.text.count("不让他替我查") == 1

    me.submit(page, button(page, "remove"), form="/me/holders/")

    assert "又让他查" in me.get("/me").text
    gone = stranger.get("/me")
    assert gone.text.count("不再替他查") == 1
    refused = stranger.look_up(district.neighbour.name, district.neighbour.id_number)
    assert refused.status == 403 and "他本人不让" in refused.text
    assert stranger.look_up(district.adult.name, district.adult.id_number).status == 200


def test_i_allow_him_again(running, district, me, stranger):
    """M3: the undo stands where it was done."""
    page = me.get("/me")
    me.submit(page, button(page, "remove"), form="/me/holders/")
    page = me.get("/me")

    me.submit(page, button(page, "allow"), form="/me/holders/")

    assert stranger.look_up(district.neighbour.name, district.neighbour.id_number).status == 200
    assert stranger.get("/me").text.count("不再替他查") == 2


def test_a_stranger_is_told_to_me_once_and_my_family_never(running, district, me):
    """M3: by the registered phone, in the hours of the notices; not again when he goes and comes."""
    phone = a_phone()
    registered(running, district.adult.id, phone)
    family = Browser(running.url, phone=phone)
    family.look_up(district.adult.name, district.adult.id_number)
    family.look_up(district.elder.name, district.elder.id_number)
    assert told(running) == [], "himself, and one of his own household"

    for _ in range(2):
        family.look_up(district.neighbour.name, district.neighbour.id_number)
        with running.parts.engine.begin() as connection:
            account, _ = accounts.of_phone(connection, running.parts.vault, phone, now=running.parts.clocks.wall())
            accounts.unbind(connection, account, district.neighbour.id)

    assert told(running) == [(f"held:{account}:{district.neighbour.id}:told", "held")]
    assert "held" in CALM
    running.tell()
    texts = running.outside.get("/messages")["messages"]
    [words] = [one["text"] for one in texts if one["to"] == me.phone and "登记了替您查" in one["text"]]
    assert mask_phone(phone) in words and phone not in words
    family.close()


def test_only_my_own_person_shows_his_holders(running, district, me, stranger):
    """M3: who pays for a person sees no other who does; nobody lets go in another's name."""
    other = running.write(lambda c: a_person(c, name="周旁人", id_number=an_id_number(sequence=91)))
    assert other
    assert "谁替我交" not in stranger.get("/me").text
    holder = button(me.get("/me"), "remove")
    assert stranger.post(holder, {**stranger.get("/me").fields("/me/people/")}).status == 404
    assert "又让他查" not in me.get("/me").text


@pytest.fixture
def shared(running, district):
    """One phone of two grown people and two children of a household, signed in to nobody yet."""
    phone, people = a_phone(), []
    for name, born, sequence in (
        ("鲁示甲", date(2016, 6, 1), 1),
        ("鲁示乙", date(2016, 6, 1), 3),
        ("鲁示例", date(1986, 5, 4), 1),
        ("鲁示荷", date(1988, 5, 4), 2),
    ):
        number = an_id_number(born=born, sequence=sequence)
        wanted = {"name": name, "id_number": number, "household": district.household}
        key = running.write(lambda connection, wanted=wanted: a_person(connection, **wanted))
        registered(running, key, phone)
        people.append((name, number))
    browser = Browser(running.url, phone=phone)
    yield browser, people
    browser.close()


def test_a_child_on_a_parents_phone_is_not_its_holder(running, shared):
    """R10: twins on their mother's phone were all 本人."""
    browser, (one, other, parent, _) = shared
    browser.look_up(*one)
    browser.look_up(*other)
    page = browser.get("/me").text
    assert "鲁*甲 家人" in page and "鲁*乙 家人" in page and "这是我本人" not in page

    browser.look_up(*parent)

    page = browser.get("/me").text
    assert "鲁*例 本人" in page and "鲁*甲 家人" in page and "鲁*乙 家人" in page and "这是我本人" not in page


def test_who_shares_a_phone_says_once_who_he_is(running, district, shared):
    """R10"""
    browser, (child, _, husband, wife) = shared
    for person in (child, husband, wife):
        browser.look_up(*person)
    browser.look_up(district.adult.name, district.adult.id_number)
    page = browser.get("/me")
    buttons = re.findall(r'action="(/me/people/[^"]+/self)"', page.html)
    assert len(buttons) == 2 and "哪一位是您本人" in page.text and "示*例 本人" not in page.text

    browser.submit(page, buttons[1], form=buttons[1])

    after = browser.get("/me")
    assert "鲁*荷 本人" in after.text and "鲁*例 家人" in after.text and "张*例 家人" in after.text
    assert "这是我本人" not in after.text
    again = browser.submit(page, buttons[0], form=buttons[0])
    assert again.status == 409 and "已经定了" in again.text
    assert running.one("select count(*) as n from resident_account where holder is not null").n == 1
