"""A phone number given out again: who holds it now says who he is before anything of the former owner is shown."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.access import accounts
from app.flows.enter.session import admit_resident, visitor_of
from app.flows.family.people import account_of, get_to_know
from tests.app.web.test_acts import kept
from tests.browsing import Browser, a_phone, a_token

LONG = timedelta(days=91)


def unused(running, phone, *, since=LONG):
    """The phone's account was used that long ago."""
    index = running.parts.vault.index(phone, purpose="account.phone")
    moment = running.parts.clocks.wall() - since
    aged = text("update resident_account set used_at = :moment where phone_index = :index returning id")
    return running.write(lambda c: c.execute(aged, {"moment": moment, "index": index}).scalar_one())


def rows(running, account):
    return running.one("select phone_index is null, openid_index from resident_account where id = :id", id=account)


@pytest.fixture
def former(running, district):
    """Whose phone it was: himself and one of the family, with what they owe."""
    phone = a_phone()
    sealed = running.parts.vault.seal(phone, bound_to=f"person.phone:{district.adult.id}")
    named = "update person set phone = :phone where id = :id"
    running.write(lambda c: c.execute(text(named), {"phone": sealed, "id": district.adult.id}))
    browser = Browser(running.url, phone=phone)
    browser.look_up(district.adult.name, district.adult.id_number)
    browser.look_up(district.elder.name, district.elder.id_number)
    browser.close()
    return phone


def come_back(running, phone):
    running.write(lambda c: c.execute(text("delete from tally")))
    browser = Browser(running.url, phone=phone)
    return browser, browser.sign_in()


def test_nothing_of_the_former_owner_is_shown_before_somebody_says_who_he_is(running, district, former):
    """M5."""
    unused(running, former)

    browser, page = come_back(running, former)

    assert "很久没有登录" in page.text and page.url.endswith("/who")
    for path in ("/due", "/me", "/history", "/refunds", "/who"):
        shown = browser.get(path)
        assert district.adult.name not in shown.text and district.elder.name not in shown.text
        assert "很久没有登录" in shown.text, path
    assert [what for what, by, _, _ in kept(running, way="web") if by == ""] == ["unsure"]


def test_the_owner_names_himself_and_goes_on(running, district, former):
    """M5: everybody he paid for is there; used now, he is not asked again."""
    account = unused(running, former)
    browser, _ = come_back(running, former)

    page = browser.look_up(district.adult.name, district.adult.id_number)

    assert page.status == 200 and "adult" not in page.url
    me = browser.get("/me")
    assert "本人" in me.text and "家人" in me.text
    assert rows(running, account)[0] is False
    again, page = come_back(running, former)
    assert "很久没有登录" not in page.text and "家人" in again.get("/me").text


def test_who_names_somebody_else_gets_an_account_of_his_own(running, district, former):
    """M5: the former one keeps what it has and loses its phone; another account stays as it is."""
    account = unused(running, former)
    other = a_phone()
    a_token(running, other)
    before = running.one("select * from resident_account where id <> :id", id=account)
    browser, _ = come_back(running, former)

    browser.look_up(district.neighbour.name, district.neighbour.id_number)

    me = browser.get("/me")
    assert me.text.count("不再替他查") == 1 and "家人" in me.text
    assert rows(running, account)[0] is True
    assert running.one("select count(*) from resident_person where account_id = :id", id=account)[0] == 2
    assert running.one("select * from resident_account where id = :id", id=before.id) == before
    fresh = running.one("select max(id) from resident_account")[0]
    assert fresh > account and browser.get("/history").text.count("<li") == 0
    assert kept(running, by=f"account:{fresh}")[0][3] == f"phone of account:{account}"


def test_knowing_one_of_the_family_is_not_being_himself(running, district, former):
    """M5: the new owner may well know a neighbour; the account's own person is asked."""
    account = unused(running, former)
    browser, _ = come_back(running, former)

    browser.look_up(district.elder.name, district.elder.id_number)

    assert rows(running, account)[0] is True
    assert browser.get("/me").text.count("不再替他查") == 1


def test_eighty_nine_days_are_not_long(running, district, former):
    """M5."""
    unused(running, former, since=timedelta(days=89))

    _, page = come_back(running, former)

    assert "很久没有登录" not in page.text


def test_a_wechat_user_joins_no_account_before_it_is_known_whose_it_is(running, district, former):
    """M5: by the API too; then he joins the fresh one, and the former one knows him no more."""
    account = unused(running, former)
    parts, openid = running.parts, "oNEW"
    with parts.engine.begin() as connection:
        entry = admit_resident(parts, connection, account=None, unsure=account, openid=openid)
    visitor = visitor_of(parts, entry.token)
    assert account_of(parts, visitor).people == {} and rows(running, account)[1] is None

    get_to_know(
        parts, visitor, name=district.neighbour.name, id_number=district.neighbour.id_number, network="x", agreed=True
    )

    with parts.engine.connect() as connection:
        joined = accounts.of_openid(connection, parts.vault, openid)
    assert joined not in (None, account) and rows(running, account) == (True, None)
    assert visitor_of(parts, entry.token).account_id == joined
