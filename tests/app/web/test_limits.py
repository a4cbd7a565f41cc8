"""D5, D6: what a stranger gets wrong bars the stranger; a town behind one address is not one."""

from ipaddress import ip_address

import pytest
from sqlalchemy import text

from app.access import devices, tally
from app.access.tally import DAY, LOGINS, NETWORK, TEXTS_FROM, TooOften, around
from app.flows.enter.session import Tried, WrongLogin, log_in, open_session, visitor_of
from app.flows.enter.sign_in import ask_code, prove_code
from app.flows.family.people import get_to_know
from app.flows.prove.check import NoSuchCode, check
from app.registry.errors import NoSuchPerson
from tests.app.web.test_sign_in import registered
from tests.browsing import a_phone, a_token, code_in
from tests.system import last_text, second_code

HERE, THERE = "10.1.0.1", "10.2.0.1"


@pytest.fixture(autouse=True)
def no_minute_ends_meanwhile(monkeypatch):
    """The same numbers, by the day."""
    for flow, limits in (
        ("enter.session", ("LOGINS",)),
        ("enter.sign_in", ("TEXTS_FROM",)),
        ("due.look_up", ("LOOK_UPS", "TARGETS")),
    ):
        for name in limits:
            most = getattr(tally, name)[0][1]
            monkeypatch.setattr(f"app.flows.{flow}.{name}", ((DAY, most),))


def typed(running, agent, *, password="", network=HERE, device=""):
    login, right = agent
    return Tried(login, password or right, second_code(running.url, login), network, device)


def fails(running, agent, times=LOGINS[0][1], **more):
    """So many wrong passwords; the last answer's kind."""
    for _ in range(times):
        with pytest.raises((WrongLogin, TooOften)) as told:
            log_in(running.parts, typed(running, agent, password="not his password", **more), former=None)
    return told.type


def counts(running):
    with running.parts.engine.connect() as connection:
        return connection.execute(text("select coalesce(max(count), 0) from tally")).scalar_one()


def a_visitor(running, network=HERE):
    return visitor_of(running.parts, open_session(running.parts, network=network).token)


def test_five_wrong_logins_from_elsewhere_lock_nobody_out(running, an_agent):
    """D5: the owner comes from another address; who guesses stays slowed down."""
    assert issubclass(fails(running, an_agent, 6, network=THERE), TooOften)

    assert log_in(running.parts, typed(running, an_agent, network=HERE), former=None)
    with pytest.raises(TooOften):
        log_in(running.parts, typed(running, an_agent, network=THERE), former=None)


def test_a_browser_he_came_in_with_before_goes_through(running, an_agent):
    """D5: though the guesses come from his own address; a forged cookie, or another's, does not."""
    known = log_in(running.parts, typed(running, an_agent), former=None).device
    others = devices.remembered(running.parts.vault, "", "agent:another")
    fails(running, an_agent)

    for device in ("", "forged", known[:-4], others):
        with pytest.raises(TooOften):
            log_in(running.parts, typed(running, an_agent, device=device), former=None)
    assert log_in(running.parts, typed(running, an_agent, device=known), former=None)


def test_guesses_at_a_known_browser_are_counted_too(running, an_agent):
    """D5, the sibling: a stolen telephone guesses no faster than anybody, and bars nobody elsewhere."""
    known = log_in(running.parts, typed(running, an_agent), former=None).device

    assert issubclass(fails(running, an_agent, 6, device=known), TooOften)
    assert log_in(running.parts, typed(running, an_agent), former=None)


def test_the_cookie_is_kept_by_the_browser_and_outlives_the_session(running, browser, an_agent):
    """D5: over the pages."""
    browser.log_in(*an_agent)
    kept = next(cookie for cookie in browser.session.cookies if cookie.name == "device")
    browser.session.cookies.clear(kept.domain, kept.path, "session")
    fails(running, an_agent, network="127.0.0.1")

    assert browser.log_in(*an_agent).status == 200 and kept.expires and an_agent[0] not in kept.value


def test_a_text_a_stranger_asked_for_keeps_none_from_the_owner(running):
    """D5: another session at the very same address, and the right phone."""
    phone = a_phone()
    ask_code(running.parts, a_visitor(running), phone=phone, network=HERE)
    owner = a_visitor(running)

    ask_code(running.parts, owner, phone=phone, network=HERE)

    assert prove_code(running.parts, owner, code=code_in(last_text(running.url, phone))).token


def test_many_strangers_texts_keep_none_from_a_browser_the_phone_was_proved_on(running):
    """D5: A55 holds for who was never there; the owner is."""
    phone, owner = a_phone(), a_visitor(running)
    ask_code(running.parts, owner, phone=phone, network=HERE)
    known = prove_code(running.parts, owner, code=code_in(last_text(running.url, phone))).device
    sent = 0
    for n in range(40):
        try:
            ask_code(running.parts, a_visitor(running), phone=phone, network=f"10.3.0.{n}")
            sent += 1
        except TooOften:
            break
    again = a_visitor(running)

    assert sent < 20, "a phone is not bombed from many addresses either"
    ask_code(running.parts, again, phone=phone, network=HERE, device=known)


def test_one_address_sends_a_phone_few_texts_and_another_phone_its_own(running):
    """A55; a sibling: the other phone's."""
    phone, most = a_phone(), TEXTS_FROM[0][1]
    for _ in range(most):
        ask_code(running.parts, a_visitor(running), phone=phone, network=HERE)

    with pytest.raises(TooOften):
        ask_code(running.parts, a_visitor(running), phone=phone, network=HERE)
    ask_code(running.parts, a_visitor(running), phone=a_phone(), network=HERE)


def find(running, token, person, name="", network=HERE):
    visitor = visitor_of(running.parts, token)
    who = {"name": name or person.name, "id_number": person.id_number, "network": network, "agreed": True}
    return get_to_know(running.parts, visitor, **who)


def test_five_wrong_names_of_a_stranger_do_not_lock_the_person_himself(running, district):
    """D5: at the same address; the stranger is locked."""
    stranger, himself = a_token(running), a_token(running)
    for _ in range(5):
        with pytest.raises(NoSuchPerson):
            find(running, stranger, district.adult, "张别人")

    with pytest.raises(TooOften):
        find(running, stranger, district.adult)
    assert find(running, himself, district.adult)[1] == district.adult.id


def test_whose_registered_phone_it_is_can_always(running, district):
    """D5: three strangers at his own address lock a fourth, and not himself; who has him wrong is told nothing."""
    phone = a_phone()
    registered(running, district.adult.id, phone)
    for token in (a_token(running), a_token(running)):
        for _ in range(5):
            with pytest.raises(NoSuchPerson):
                find(running, token, district.adult, "张别人")
    fourth, himself = a_token(running), a_token(running, phone)

    for name in ("张别人", district.adult.name):
        with pytest.raises(TooOften):
            find(running, fourth, district.adult, name)
    assert find(running, himself, district.adult)[1] == district.adult.id
    assert find(running, fourth, district.neighbour)[1] == district.neighbour.id, "another number is not his"


def test_a_town_behind_one_address_is_not_stopped(running, district, an_agent):
    """D6: who comes in is not counted against his neighbours; only the anonymous and the failed are, far later."""
    token = a_token(running)
    running.write(lambda c: c.execute(text("delete from tally")))
    for _ in range(7):
        assert find(running, token, district.adult)
        assert log_in(running.parts, typed(running, an_agent), former=None)

    assert counts(running) <= 1 and NETWORK[0][1] >= 600  # one: the person was new to the account


def test_a_code_somebody_has_is_not_counted(running):
    """D6: guesses are."""
    for _ in range(3):
        with pytest.raises(NoSuchCode):
            check(running.parts, "ZZZZZZZZ", network=HERE)

    assert counts(running) == 3


def test_ipv6_is_counted_by_what_one_customer_has(running, monkeypatch):
    """D6: 139 of 139 sessions came from one /64."""
    monkeypatch.setattr("app.access.tally.NETWORK", ((DAY, 5),))
    for n in range(5):
        open_session(running.parts, network=str(ip_address("2001:db8:0:1::") + n))

    with pytest.raises(TooOften):
        open_session(running.parts, network="2001:db8:0:1:ffff::1")
    assert open_session(running.parts, network="2001:db8:1::1"), "a neighbour has his own"


def test_the_56_around_it_has_so_many_times_as_much(running, monkeypatch):
    """D6: a customer with 256 networks is one customer."""
    monkeypatch.setattr("app.access.tally.NETWORK", ((DAY, 5),))
    for n in range(20):
        open_session(running.parts, network=f"2001:db8:0:{n:x}::1")

    with pytest.raises(TooOften):
        open_session(running.parts, network="2001:db8:0:20::1")
    assert open_session(running.parts, network="2001:db8:0:100::1")


@pytest.mark.parametrize(
    ("network", "places"),
    [
        ("10.1.2.3", ("10.1.2.3",)),
        ("::ffff:10.1.2.3", ("10.1.2.3",)),
        ("2001:db8:1:2fe:3::4", ("2001:db8:1:2fe::/64", "2001:db8:1:200::/56")),
        ("nowhere", ("nowhere",)),
    ],
)
def test_what_is_counted_of_an_address(network, places):
    assert around(network) == places
