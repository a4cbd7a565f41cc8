"""What became of a message: delivered, failed and said by the other provider, or never answered for."""

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import text

from core.clock import utc_now
from notifications.channels import ChannelSilent, NotReachable, Receipt, Words
from notifications.receipts import (
    DELIVERED,
    ask,
    ask_soon,
    claim_asks,
    hand_over_again,
    has_failed,
    hinted,
    write_down,
)
from notifications.rules import ASKS
from notifications.send import GIVEN_UP, LEASE, SENT, TRIED, WAITS, claim_due, deliver
from tests.notifications.conftest import Post
from tests.notifications.texts import approve, connected, on_phone

phones = (f"139{n:08d}" for n in count(1))
LATER = ASKS[0] + timedelta(seconds=1)


class Told:
    """A provider kept in hand: what it answers to sending and to questions, one by one."""

    address, knows_after = "phone", timedelta(minutes=1)

    def __init__(self, *answers: object, receipts: object = (), name: str = "sms") -> None:
        self.name, self.answers, self.known = name, list(answers), receipts
        self.keys: list[str] = []

    def deliver(self, to: str, words: Words) -> str:
        self.keys.append(words.key)
        answer = self.answers.pop(0) if self.answers else f"R{len(self.keys)}"
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    def receipts(self, to: str, *, since: object, reference: str = "") -> object:
        if isinstance(self.known, Exception):
            raise self.known
        return self.known


@pytest.fixture
def both(post: Post) -> Post:
    """A notice's two ways: Alibaba Cloud first, then Tencent Cloud."""
    for provider in ("aliyun", "tencent"):
        approve(post.far, provider)
    second = connected(post.far, "tencent", name="sms2")
    post.channels = {"sms": connected(post.far, "aliyun"), "sms2": second}
    return post


def follow(post: Post, *, now) -> list[str]:
    """One round as app/flows/tell/ask_back.py makes it."""
    with post.engine.begin() as connection:
        claimed = claim_asks(connection, now=now, most=100)
    for notice in claimed:
        act = hand_over_again if has_failed(notice) else ask
        result = act(notice, post.channels, post.vault, now=now)
        with post.engine.begin() as connection:
            assert write_down(connection, notice, result)
    return [notice.cause for notice in claimed]


def due(post: Post) -> None:
    """What waits to be asked about waits no longer."""
    with post.engine.begin() as connection:
        connection.execute(text("update notice set ask_at = now() - interval '1 second' where ask_at is not null"))


def test_a_receipt_makes_a_message_delivered_at_the_providers_moment(both: Post) -> None:
    cause, other = (both.write(f"payment:R{n}:paid", phone=next(phones)) for n in (1, 2))
    both.send()
    both.far.fault("receipt_never", on="sms", gateway="aliyun")

    assert follow(both, now=utc_now()) == []
    assert follow(both, now=utc_now() + LATER) == [cause, other]

    for each in (cause, other):
        row = both.notice(each)
        assert (row.rank, row.ask_at, row.channel) == (DELIVERED, None, "sms")
        assert abs(row.delivered_at - row.sent_at) < timedelta(minutes=1)
    assert follow(both, now=utc_now() + timedelta(days=3)) == []


def test_what_a_carrier_could_not_deliver_is_said_by_the_other_provider_once(both: Post) -> None:
    failing, good = next(phones), next(phones)
    both.far.fault("text_fails", failing, on="sms", gateway="aliyun")
    cause, sibling = both.write("payment:F1:paid", phone=failing), both.write("payment:F2:paid", phone=good)
    both.send()
    now = utc_now() + LATER

    follow(both, now=now)
    assert (both.notice(cause).rank, both.notice(cause).failures) == (SENT, {"sms": "MOBILE_NOT_ON_SERVICE"})
    assert follow(both, now=now) == [cause]
    follow(both, now=now + LATER)

    row, untouched = both.notice(cause), both.notice(sibling)
    assert (row.rank, row.channel, row.attempts) == (DELIVERED, "sms2", 1)
    assert (untouched.rank, untouched.channel, untouched.failures) == (DELIVERED, "sms", {})
    assert [len(on_phone(both.far, phone)) for phone in (failing, good)] == [1, 1]


def test_what_both_could_not_deliver_is_the_agents_to_tell(both: Post) -> None:
    phone = next(phones)
    both.far.fault("text_fails", phone, on="sms", count=2)
    cause = both.write("payment:F3:paid", phone=phone)
    both.send()

    for _ in range(4):
        due(both)
        follow(both, now=utc_now())

    row = both.notice(cause)
    assert (row.rank, row.ask_at, set(row.failures)) == (GIVEN_UP, None, {"sms", "sms2"})
    assert on_phone(both.far, phone) == []


def test_a_message_nobody_answers_for_stays_sent_and_is_asked_about_for_three_days(both: Post) -> None:
    phone = next(phones)
    both.far.fault("receipt_never", phone, on="sms")
    cause = both.write("payment:N1:paid", phone=phone)
    both.send()
    now, times = utc_now(), 0

    while both.notice(cause).ask_at is not None:
        now = both.notice(cause).ask_at
        times += len(follow(both, now=now))

    row = both.notice(cause)
    assert (row.rank, row.asks, times) == (SENT, len(ASKS), len(ASKS))
    assert sum(ASKS, timedelta()) == timedelta(hours=72)
    assert timedelta(hours=71) < now - row.sent_at <= timedelta(hours=73)
    assert follow(both, now=now + timedelta(days=9)) == []


def test_a_receipt_of_another_message_to_the_same_phone_is_not_taken(both: Post) -> None:
    """Paid twice in a day: the first one failed, the second arrived."""
    phone = next(phones)
    both.far.fault("text_fails", phone, on="sms", gateway="aliyun")
    first = both.write("payment:U1:paid", phone=phone)
    both.send()
    second = both.write("payment:U2:paid", phone=phone)
    both.send()

    follow(both, now=utc_now() + LATER)

    assert both.notice(first).failures == {"sms": "MOBILE_NOT_ON_SERVICE"} and both.notice(first).rank == SENT
    assert both.notice(second).rank == DELIVERED


@pytest.mark.parametrize(
    "receipt",
    [Receipt("ANOTHER", "", True), Receipt("R1", "7:payment:ELSE:paid", True), Receipt("", "7:payment:X1:paid", True)],
)
def test_a_receipt_that_is_not_wholly_its_own_changes_nothing(post: Post, receipt: Receipt) -> None:
    post.channels = {"sms": Told(receipts=[receipt])}
    cause = post.write("payment:X1:paid", phone=next(phones))
    post.send()

    follow(post, now=utc_now() + LATER)

    assert post.notice(cause).rank == SENT


def test_a_silent_provider_is_asked_again_and_nothing_is_concluded(post: Post) -> None:
    way = Told(receipts=ChannelSilent("x"))
    post.channels = {"sms": way}
    cause = post.write("payment:Q1:paid", phone=next(phones))
    post.send()

    follow(post, now=utc_now() + LATER)
    asked = post.notice(cause)
    way.known = [Receipt("R1", "", True)]
    follow(post, now=asked.ask_at)

    assert (asked.rank, asked.asks) == (SENT, 1) and asked.ask_at > utc_now()
    assert post.notice(cause).rank == DELIVERED and way.keys == [f"7:{cause}"]


def test_a_receipt_that_comes_twice_changes_nothing_the_second_time(post: Post) -> None:
    post.channels = {"sms": Told(receipts=[Receipt("R1", "", True, utc_now())])}
    cause = post.write("payment:T1:paid", phone=next(phones))
    post.send()
    with post.engine.begin() as connection:
        [claimed] = claim_asks(connection, now=utc_now() + LATER, most=9)
    result = ask(claimed, post.channels, post.vault, now=utc_now())

    written = []
    for _ in range(2):
        with post.engine.begin() as connection:
            written.append(write_down(connection, claimed, result))

    assert written == [True, False] and post.notice(cause).rank == DELIVERED


def test_two_that_ask_at_once_never_ask_about_the_same_message(post: Post) -> None:
    post.channels = {"sms": Told()}
    for n in range(4):
        post.write(f"payment:C{n}:paid", phone=next(phones))
    post.send()
    now = utc_now() + LATER

    with post.engine.begin() as one, post.engine.begin() as two:
        first = [row.cause for row in claim_asks(one, now=now, most=2)]
        second = [row.cause for row in claim_asks(two, now=now, most=9)]

    assert len(first) == 2 and len(second) == 2 and not set(first) & set(second)


def test_a_push_before_the_sending_is_written_down_changes_nothing_and_loses_nothing(post: Post) -> None:
    """Early: the provider is faster than our own transaction."""
    post.channels = {"sms": Told(receipts=[Receipt("R1", "", True)])}
    cause = post.write("payment:E9:paid", phone=next(phones))

    with post.engine.begin() as connection:
        assert ask_soon(connection, ["R1"], at=utc_now()) == 0
    post.send()
    follow(post, now=utc_now() + LATER)

    assert post.notice(cause).rank == DELIVERED


def test_a_push_makes_us_ask_soon_about_the_message_it_names_and_no_other(both: Post) -> None:
    causes = [both.write(f"payment:H{n}:paid", phone=next(phones)) for n in range(2)]
    both.send()
    named, other = (both.notice(cause) for cause in causes)
    soon = utc_now() + timedelta(seconds=5)

    with both.engine.begin() as connection:
        assert ask_soon(connection, [named.provider_reference, "invented"], at=soon) == 1
        assert ask_soon(connection, [named.provider_reference], at=soon) == 0

    assert both.notice(causes[0]).ask_at == soon and both.notice(causes[1]) == other
    assert both.notice(causes[0]).rank == SENT  # a push proves nothing


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[1, null, {}]", b'[{"biz_id": 7}]', b'[{"biz_id": ""}]', b"\xff", b"[" * 3000, b'"biz_id"'],
)
def test_a_push_that_is_none_names_nothing(body: bytes) -> None:
    assert hinted("aliyun", body) == []


def test_what_may_be_out_is_asked_for_before_it_is_said_again(both: Post) -> None:
    """Silence: the answer was lost, the message was not."""
    phone = next(phones)
    cause = both.write("payment:K1:paid", phone=phone)
    both.far.fault("html", phone, on="sms", gateway="aliyun")
    both.send()
    assert both.notice(cause).rank == TRIED

    both.send(now=utc_now() + WAITS[0] + timedelta(seconds=1))

    assert both.notice(cause).rank == SENT and len(on_phone(both.far, phone)) == 1
    follow(both, now=utc_now() + timedelta(minutes=2))
    assert both.notice(cause).rank == DELIVERED


def test_a_crash_after_the_sending_tells_nobody_twice(both: Post) -> None:
    phone = next(phones)
    cause = both.write("payment:K2:paid", phone=phone)
    with both.engine.begin() as connection:
        [claimed] = claim_due(connection, now=utc_now(), most=1)
    deliver(claimed, both.channels, both.vault, now=utc_now())  # and the process dies

    both.send(now=utc_now() + LEASE)

    assert both.notice(cause).rank == SENT and len(on_phone(both.far, phone)) == 1


def test_what_its_provider_never_heard_of_is_sent_when_that_is_certain(post: Post) -> None:
    way = Told(ChannelSilent("TimeoutError"))
    post.channels = {"sms": way}
    cause, now = post.write("payment:K3:paid", phone=next(phones)), utc_now() + timedelta(seconds=1)

    tries = []
    for wait in (timedelta(), *WAITS[:2]):
        now = now + wait
        post.send(now=now)
        tries.append((post.notice(cause).rank, len(way.keys)))

    assert tries == [(TRIED, 1), (TRIED, 1), (SENT, 2)]  # fifteen seconds are not certain, a minute is


def test_whose_receipt_it_is_cannot_be_told_so_the_same_way_does_not_say_it_again(post: Post) -> None:
    """Tencent Cloud without our words in its receipts."""
    way = Told(ChannelSilent("x"), receipts=[Receipt("2645:1", "", True)])
    post.channels = {"sms": way}
    cause, now = post.write("payment:K4:paid", phone=next(phones)), utc_now() + timedelta(seconds=1)

    for wait in (*WAITS, WAITS[-1]):
        post.send(now=now)
        now = now + wait

    assert post.notice(cause).rank == GIVEN_UP and len(way.keys) == 1


def test_a_provider_that_refuses_us_is_passed_over_and_nobody_is_given_up_for_it(both: Post) -> None:
    phone = next(phones)
    both.far.fault("error", on="sms", gateway="aliyun", code="isv.OUT_OF_SERVICE", count=None)
    cause = both.write("payment:O1:paid", phone=phone)

    both.send()

    assert (both.notice(cause).rank, both.notice(cause).channel) == (SENT, "sms2")


def test_while_both_refuse_us_a_message_waits_and_then_goes_out(both: Post) -> None:
    phone = next(phones)
    for provider, code in (("aliyun", "isv.OUT_OF_SERVICE"), ("tencent", "FailedOperation.InsufficientBalance")):
        both.far.fault("error", on="sms", gateway=provider, code=code, count=None)
    cause = both.write("payment:O2:paid", phone=phone)
    both.send()
    waiting = both.notice(cause)
    both.far.clear()

    both.send(now=utc_now() + WAITS[0] + timedelta(minutes=6))

    assert (waiting.rank, waiting.last_error) == (TRIED, "sms2: FailedOperation.InsufficientBalance")
    assert both.notice(cause).rank == SENT and len(on_phone(both.far, phone)) == 1


def test_a_number_neither_takes_is_given_up_at_once(both: Post) -> None:
    cause = both.write("payment:O3:paid", phone="0632-1234567")

    both.send()

    assert both.notice(cause).rank == GIVEN_UP


def test_silence_after_a_failure_is_borne_like_any_other(post: Post) -> None:
    first = Told(receipts=[Receipt("R1", "", False, None, "UNDELIV")])
    second = Told(ChannelSilent("x"), ChannelSilent("x"), "G3", name="sms2")
    post.channels = {"sms": first, "sms2": second}
    cause = post.write("payment:O4:paid", phone=next(phones))
    post.send()
    now = utc_now() + LATER
    follow(post, now=now)

    for _ in range(4):
        follow(post, now=now)
        now = post.notice(cause).ask_at or now

    row = post.notice(cause)
    assert (row.rank, row.channel, row.provider_reference) == (SENT, "sms2", "G3")
    assert len(first.keys) == 1


def test_a_second_provider_that_takes_no_such_phone_ends_it(post: Post) -> None:
    second = Told(NotReachable("no"), name="sms2")
    post.channels = {"sms": Told(receipts=[Receipt("R1", "", False, None, "UNDELIV")]), "sms2": second}
    cause = post.write("payment:O5:paid", phone=next(phones))
    post.send()
    now = utc_now() + LATER

    follow(post, now=now)
    follow(post, now=now)

    assert (post.notice(cause).rank, post.notice(cause).last_error) == (GIVEN_UP, "sms2: no")


def test_a_message_sent_before_receipts_were_asked_for_is_left_alone(post: Post) -> None:
    cause = post.write("payment:OLD:paid", phone=next(phones))
    with post.engine.begin() as connection:
        connection.execute(
            text("update notice set rank = 2, channel = 'sms', sent_at = now() where cause = :c"), {"c": cause}
        )
    before = post.notice(cause)

    assert follow(post, now=utc_now() + timedelta(days=1)) == []
    assert post.notice(cause) == before


def test_what_is_found_hours_later_was_sent_when_it_was_tried(both: Post) -> None:
    """Not now: it would be delivered before it was sent."""
    phone = next(phones)
    cause = both.write("payment:K9:paid", phone=phone)
    both.far.fault("html", phone, on="sms", gateway="aliyun")
    both.send()
    with both.engine.begin() as connection:
        connection.execute(
            text("update notice set tried_at = tried_at - interval '3 hours' where cause = :c"), {"c": cause}
        )

    both.send(now=utc_now() + WAITS[0] + timedelta(seconds=1))

    row = both.notice(cause)
    assert (row.rank, row.sent_at) == (SENT, row.tried_at) and len(on_phone(both.far, phone)) == 1
