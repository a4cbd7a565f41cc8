"""A notice goes out once, by the first way that reaches the person, and is never lost on the way."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.clock import utc_now
from notifications.channels import ChannelSilent, NotReachable, Words
from notifications.channels.console import Console
from notifications.send import GIVEN_UP, LEASE, SENT, TRIED, WAITS, claim, claim_due, deliver, record
from tests.notifications.conftest import TEMPLATE, Post

PHONE = "13800000000"


class Way:
    """A way to tell that answers as it is told: an outsider, kept in hand."""

    name, address = "sms", "phone"

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.keys: list[str] = []

    def deliver(self, to: str, words: Words) -> str:
        self.keys.append(words.key)
        answer = self.answers.pop(0) if self.answers else "reference"
        if isinstance(answer, Exception):
            raise answer
        return str(answer)


def test_a_notice_reaches_the_phone_and_its_reference_is_kept(post: Post) -> None:
    cause = post.write("payment:A1:paid", phone=PHONE)

    post.send()

    notice, [message] = post.notice(cause), post.delivered(cause)
    assert (notice.rank, notice.channel, notice.provider_reference) == (SENT, "sms", message["id"])
    assert notice.sent_at is not None and notice.last_error is None
    assert message["to"] == PHONE
    assert message["text"].startswith("榴园镇示例村的张*例：2022年居民医保已缴费成功，共320元。核对码K3W9X0T2")
    assert post.send() == []


def test_a_notice_is_not_taken_before_its_time(post: Post) -> None:
    cause = post.write("payment:A2:paid", phone=PHONE, due=utc_now() + timedelta(seconds=30))

    assert post.send() == []
    with post.engine.begin() as connection:
        [named] = claim(connection, [(7, cause), (7, "payment:nobody:paid")], now=utc_now())
    assert (named.cause, named.attempts, named.rank) == (cause, 1, TRIED)


def test_a_provider_in_trouble_is_tried_again_after_growing_waits(post: Post) -> None:
    cause = post.write("payment:A3:paid", phone=PHONE)
    post.far.fault("error", on="sms", status=500, count=2)
    now = utc_now() + timedelta(seconds=1)

    for wait in WAITS[:2]:
        assert post.send(now=now) == [cause]
        notice = post.notice(cause)
        assert (notice.rank, notice.next_try_at) == (TRIED, now + wait)
        assert notice.last_error == "sms: status 500"
        assert post.send(now=now + wait - timedelta(milliseconds=1)) == []
        now = now + wait
    post.send(now=now)

    assert (post.notice(cause).rank, len(post.delivered(cause))) == (SENT, 1)


def test_the_waits_grow_and_end(post: Post) -> None:
    cause = post.write("payment:A4:paid", phone=PHONE)
    way = Way(*[ChannelSilent("status 500")] * 20)
    post.channels = {"sms": way}
    now = utc_now() + timedelta(seconds=1)

    for _ in range(20):
        post.send(now=now)
        now = now + max(WAITS) + LEASE

    notice = post.notice(cause)
    assert sorted(WAITS) == list(WAITS)
    assert (notice.rank, notice.attempts, len(way.keys)) == (GIVEN_UP, len(WAITS), len(WAITS))
    assert notice.last_error == "sms: status 500"
    assert notice.sent_at is None


def test_the_same_notice_carries_the_same_key_so_that_the_provider_drops_the_repetition(post: Post) -> None:
    cause = post.write("payment:A5:paid", phone=PHONE)
    with post.engine.begin() as connection:
        [claimed] = claim_due(connection, now=utc_now(), most=1)
    first = deliver(claimed, post.channels, post.vault, now=utc_now())

    # The process dies here: handed over, not written down. After the lease somebody else takes it.
    assert post.send() == []
    assert post.send(now=utc_now() + LEASE) == [cause]

    notice = post.notice(cause)
    assert (notice.rank, notice.attempts, notice.provider_reference) == (SENT, 2, first["provider_reference"])
    assert len(post.delivered(cause)) == 1


def test_a_notice_that_kills_its_sender_again_and_again_is_given_up(post: Post) -> None:
    cause = post.write("payment:A6:paid", phone=PHONE)
    now = utc_now()
    for _ in range(len(WAITS)):
        with post.engine.begin() as connection:
            assert [notice.cause for notice in claim_due(connection, now=now, most=9)] == [cause]
        now = now + LEASE
    way = Way(ChannelSilent("status 500"))
    post.channels = {"sms": way}

    post.send(now=now)

    assert post.notice(cause).rank == GIVEN_UP


def test_two_that_claim_at_once_never_take_the_same_notice(post: Post) -> None:
    causes = {post.write(f"payment:B{place}:paid", phone=PHONE) for place in range(40)}
    taken: list[str] = []
    start = threading.Barrier(4)

    def claimer(named: bool) -> None:
        start.wait()
        for _ in range(20):
            with post.engine.begin() as connection:
                if named:
                    found = claim(connection, [(7, cause) for cause in sorted(causes)[:10]], now=utc_now())
                else:
                    found = claim_due(connection, now=utc_now(), most=5)
                taken.extend(notice.cause for notice in found)

    threads = [threading.Thread(target=claimer, args=(place % 2 == 0,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(causes)


def test_a_phone_the_provider_never_takes_leads_to_the_next_way(post: Post) -> None:
    cause = post.write("payment:C1:paid", phone="0632-1234567")
    post.channels["console"] = Console()

    post.send()

    notice = post.notice(cause)
    assert (notice.rank, notice.channel, notice.attempts) == (SENT, "console", 1)


def test_who_can_be_reached_by_no_way_is_given_up_at_once_and_the_reason_kept(post: Post) -> None:
    nobody = post.write("payment:C2:paid")
    refused = post.write("payment:C3:paid", phone="0632-1234567")

    post.send()

    assert (post.notice(nobody).rank, post.notice(nobody).last_error) == (GIVEN_UP, "no channel reaches this person")
    assert (post.notice(refused).rank, post.notice(refused).last_error) == (
        GIVEN_UP,
        "sms: the provider refuses this phone",
    )


def test_a_silent_way_is_not_overtaken_by_the_next_one(post: Post) -> None:
    """WeChat may have delivered it: telling the phone too would be telling twice."""
    openid = post.far.post("/phone/login-code", {"phone": "C4"})["openid"]
    post.far.post("/phone/consent", {"openid": openid, "template_id": TEMPLATE})
    cause = post.write("payment:C4:paid", phone=PHONE, openid=openid)
    post.far.fault("error", on="message", count=1)

    post.send()

    assert (post.notice(cause).rank, post.notice(cause).last_error) == (TRIED, "wechat: -1")
    assert post.delivered(cause) == []
    post.send(now=utc_now() + WAITS[0])
    assert (post.notice(cause).rank, post.notice(cause).channel) == (SENT, "wechat")


def test_without_consent_the_phone_is_told_instead(post: Post) -> None:
    openid = post.far.post("/phone/login-code", {"phone": "C5"})["openid"]
    post.far.post("/phone/consent", {"openid": openid, "template_id": TEMPLATE})
    first = post.write("payment:C5:paid", phone=PHONE, openid=openid)
    second = post.write("payment:C6:paid", phone=PHONE, openid=openid)

    post.send()

    assert sorted([post.notice(first).channel, post.notice(second).channel]) == ["sms", "wechat"]


@pytest.mark.parametrize("spoilt", [{"kind": "no_such_kind"}, {"fields": {"village": "榴园镇"}}, {"sealed": b"x" * 40}])
def test_a_notice_nobody_can_read_is_given_up_and_holds_up_no_other(post: Post, spoilt: dict) -> None:
    sealed = spoilt.pop("sealed", None)
    odd = post.write("payment:D0:paid", phone=PHONE, **spoilt)
    good = [post.write(f"payment:D{place}:paid", phone=PHONE) for place in (1, 2)]
    if sealed:
        with post.engine.begin() as connection:
            connection.execute(text("update notice set phone = :p where cause = :c"), {"p": sealed, "c": odd})

    post.send()

    assert [post.notice(cause).rank for cause in good] == [SENT, SENT]
    assert post.notice(odd).rank == GIVEN_UP
    assert "榴园镇" not in post.notice(odd).last_error


@pytest.mark.parametrize(("before", "after"), [(SENT, TRIED), (SENT, 0), (3, SENT), (GIVEN_UP, SENT), (GIVEN_UP, 3)])
def test_the_database_lets_no_rank_fall(post: Post, before: int, after: int) -> None:
    cause = post.write("payment:E1:paid", phone=PHONE)
    with post.engine.begin() as connection:
        connection.execute(text("update notice set rank = :r where cause = :c"), {"r": before, "c": cause})

    with pytest.raises(DBAPIError, match="may not fall"), post.engine.begin() as connection:
        connection.execute(text("update notice set rank = :r where cause = :c"), {"r": after, "c": cause})


def test_a_late_answer_changes_nothing_of_a_notice_that_was_sent(post: Post) -> None:
    cause = post.write("payment:E2:paid", phone=PHONE)
    with post.engine.begin() as connection:
        [claimed] = claim_due(connection, now=utc_now(), most=1)
    post.send(now=utc_now() + LEASE)
    sent = post.notice(cause)

    with post.engine.begin() as connection:
        record(connection, claimed, {"last_error": "sms: status 500"}, now=utc_now())
        record(connection, claimed, {"rank": GIVEN_UP, "last_error": "late"}, now=utc_now())

    assert post.notice(cause) == sent


def test_the_same_cause_never_writes_a_second_notice(post: Post) -> None:
    cause = post.write("payment:E3:paid", phone=PHONE)

    with post.engine.begin() as connection:
        again = connection.execute(
            text("select enqueue_notice(7, :cause, 'surplus', '{}', null, null, now())"), {"cause": cause}
        ).scalar_one()

    assert again is False
    assert post.notice(cause).kind == "paid"


def test_a_way_that_refuses_and_another_that_takes_are_asked_in_their_order(post: Post) -> None:
    cause = post.write("payment:F1:paid", phone=PHONE)
    first, second, third = Way(NotReachable("no")), Way("second"), Way()
    post.channels = {"first": first, "second": second, "third": third}

    post.send()

    assert [len(way.keys) for way in (first, second, third)] == [1, 1, 0]
    assert post.notice(cause).provider_reference == "second"
