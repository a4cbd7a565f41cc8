"""A payer complains at his gateway: heard, answered once, given back, ended in time; whatever goes wrong on the way."""

import io
import logging
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.documents.picture import BadPicture, redrawn
from app.flows.complaints import answer as answers
from app.flows.complaints.answer import ComplaintOver, NotOurPayment
from app.flows.complaints.ask import ask
from app.flows.complaints.desk import case, listed
from app.flows.complaints.send import send_due
from app.flows.complaints.watch import ask_hinted, listen, poll, ring, tell_of_refunds
from app.flows.complaints.words import BadAnswer, approved, compose
from app.flows.pay.start import Want
from app.flows.refund.steps import decide, withdraw
from app.policy.facts import Insurance
from app.policy.refunds import Why
from core.clock import utc_now
from payments.complaints import cases
from payments.errors import NothingToGiveBack
from payments.gateways.complaining import LONGEST_ANSWER
from tests.builders import NOON
from tests.refunding import agree, pay, rows, run_refunds
from tests.system import eventually

MEDICAL = Insurance.RES_MEDICAL
CLERK = "staff:clerk01"
BOTH = pytest.mark.parametrize("gateway", ["wechat", "alipay"])


@pytest.fixture(autouse=True)
def _nobody_has_complained(running):
    """The outside remembers what former tests left there."""
    shelf = running.outside.world.shelf
    for one in shelf.all("grievance"):
        shelf.take("grievance", f"{one['gateway']}/{one['number']}")
    running.outside.clear()


@pytest.fixture
def said(running, monkeypatch):
    """What the alarm was told."""
    heard = []
    object.__setattr__(running.parts, "alert", lambda what, **words: heard.append((what, words)))
    return heard


def complain(running, gateway, payment=None, **more):
    """A payer complains, at the business clock's moment."""
    wanted = {"gateway": gateway, "payment": payment or "YC00000", "phone": "13800001234"} | more
    return running.outside.post("/complaints", wanted)["number"]


def told_once(running, gateway, number):
    """Its notification came, and was asked about."""
    eventually(
        lambda: ask_hinted(running.parts) or rows(running, "select 1 from complaint where number = :n", n=number)
    )
    return held(running, number)


def held(running, number):
    return rows(running, "select * from complaint where number = :n", n=number)[0]


def replies(running, number):
    found = rows(running, "select kind, state from complaint_reply where number = :n order by at, cause", n=number)
    return [tuple(each) for each in found]


def far(running, number):
    """What the gateway has of it."""
    [found] = [one for one in running.outside.get("/complaints")["complaints"] if one["number"] == number]
    return [(line["by"], line["move"], line["words"]) for line in found["lines"]]


def say(running, gateway, number, key="looking", own="", **more):
    answers.answer(running.parts, gateway, number, key=key, own=own, by=CLERK, **more)


def opened(running, row):
    """The words of a reply, in clear."""
    return running.parts.vault.open(row.words, bound_to=f"complaint_reply.words:{row.gateway}:{row.number}")


def due_now(running):
    with running.parts.engine.begin() as connection:
        connection.execute(
            text("update complaint_reply set next_try_at = :now where next_try_at is not null"), {"now": utc_now()}
        )


def a_picture(form="PNG", size=(40, 30)):
    written = io.BytesIO()
    Image.new("RGB", size, "white").save(written, form)
    return written.getvalue()


@BOTH
def test_a_complaint_lives_from_its_notification_to_its_end(running, adult, gateway, said):
    """Heard, answered with a picture, the money back by four hands, marked done; each line stands there once."""
    listen(running.parts)
    payment = pay(running, Want(adult, MEDICAL), gateway=gateway)
    number = complain(running, gateway, payment, words="交了两次", wants_back=32000)
    row = told_once(running, gateway, number)
    assert (row.payment, row.stage, row.amount, row.turn) == (payment, "open", 32000, 1)
    assert (row.answer_by - row.came_at, row.end_by - row.came_at) == (timedelta(hours=24), timedelta(hours=72))

    say(running, gateway, number, "refund_begun", "请您放心", picture=redrawn(a_picture()))
    assert send_due(running.parts) == 1
    refund = answers.ask_back(running.parts, gateway, number, why=Why.TWICE, by=CLERK).number
    agree(running.parts, refund)
    run_refunds(running, refund, "paid")
    tell_of_refunds(running.parts)
    tell_of_refunds(running.parts)
    send_due(running.parts)
    answers.finish(running.parts, gateway, number, key="refunded" if gateway == "alipay" else "", own="", by=CLERK)
    send_due(running.parts)

    row = held(running, number)
    assert (row.stage, row.refund) == ("done", refund) and row.answered_at and row.ended_at
    told = [("agree", "confirmed")] if gateway == "wechat" else []
    assert sorted(replies(running, number)) == sorted([("answer", "confirmed"), *told, ("finish", "confirmed")])
    moves = [move for _, move, _ in far(running, number)]
    assert moves == ["CAME", "SAID", *["APPROVE" for _ in told], "DONE"]
    assert far(running, number)[1][2].endswith("请您放心")
    assert [what for what, _ in said if what.startswith("complaint")] == []
    with pytest.raises(ComplaintOver):
        say(running, gateway, number, "done")
    with pytest.raises(NothingToGiveBack):
        answers.ask_back(running.parts, gateway, number, why=Why.TWICE, by=CLERK)
    assert listed(running.parts, ended=False, gateway="", page=1)[1] == 0
    assert listed(running.parts, ended=True, gateway=gateway, page=1)[1] == 1


def test_words_that_a_platform_would_drop_are_not_taken(running):
    """They stood on the page as if the payer could read them."""
    number = complain(running, "wechat")
    poll(running.parts)

    for key, own in (("done", ""), ("", "办好了")):
        with pytest.raises(BadAnswer) as refused:
            answers.finish(running.parts, "wechat", number, key=key, own=own, by=CLERK)
        assert "不带话" in refused.value.sentence()
    assert replies(running, number) == []
    answers.finish(running.parts, "wechat", number, key="", own="", by=CLERK)
    send_due(running.parts)

    assert replies(running, number) == [("finish", "confirmed")] and held(running, number).ended_at


@BOTH
def test_nothing_is_dealt_with_while_nobody_has_decided_on_its_refund(running, adult, gateway):
    payment = pay(running, Want(adult, MEDICAL), gateway=gateway)
    number, other = complain(running, gateway, payment, wants_back=32000), complain(running, gateway)
    poll(running.parts)
    refund = answers.ask_back(running.parts, gateway, number, why=Why.TWICE, by=CLERK).number

    with pytest.raises(answers.RefundUndecided):
        answers.finish(running.parts, gateway, number, key="", own="", by=CLERK)
    assert [kind for kind, _ in replies(running, number)] == []
    answers.finish(running.parts, gateway, other, key="", own="", by=CLERK)
    agree(running.parts, refund)

    answers.finish(running.parts, gateway, number, key="", own="", by=CLERK)


@BOTH
def test_a_notification_that_is_lost_is_found_by_the_poll(running, gateway):
    running.outside.fault("callback_drop", gateway=gateway, count=None)
    number = complain(running, gateway)
    assert ask_hinted(running.parts) == 0

    assert poll(running.parts) == 1
    assert poll(running.parts) == 0, "what did not change is not asked about again"

    assert held(running, number).stage == "open"


@BOTH
def test_after_days_without_us_the_list_goes_back_to_where_it_was_read(running, gateway):
    poll(running.parts)
    number = complain(running, gateway, at=(NOON + timedelta(days=2)).isoformat())
    running.turn(NOON + timedelta(days=45))

    poll(running.parts)

    assert held(running, number).end_by == NOON + timedelta(days=5)


@BOTH
def test_told_twice_is_one_case_with_each_line_once(running, gateway):
    listen(running.parts)
    payment = "YC00000"
    running.outside.fault("callback_duplicate", gateway=gateway, times=3)
    number = complain(running, gateway, payment)
    poll(running.parts)
    ask_hinted(running.parts)
    poll(running.parts)

    assert len(rows(running, "select 1 from complaint")) == 1
    assert len(rows(running, "select 1 from complaint_line where number = :n", n=number)) == 1


def test_a_payment_that_is_none_of_ours_is_marked_and_gives_nothing_back(running, adult):
    number = complain(running, "wechat", "SHOP-4711")
    poll(running.parts)

    row = held(running, number)
    assert row.payment is None and row.named == "SHOP-4711"
    assert not case(running.parts, "wechat", number).head.is_ours
    with pytest.raises(NotOurPayment):
        answers.ask_back(running.parts, "wechat", number, why=Why.TWICE, by=CLERK)
    say(running, "wechat", number, "not_ours")
    assert send_due(running.parts) == 1


def test_a_payment_of_another_channel_is_none_of_this_ones(running, adult):
    payment = pay(running, Want(adult, MEDICAL), gateway="alipay")
    number = complain(running, "wechat", payment)
    poll(running.parts)

    assert held(running, number).payment is None


@BOTH
def test_withdrawn_ends_it_and_going_on_begins_it_anew_with_a_new_clock(running, gateway, said):
    number, other = complain(running, gateway), complain(running, gateway)
    poll(running.parts)
    answers.finish(running.parts, gateway, number, key="", own="", by=CLERK)
    send_due(running.parts)
    assert held(running, number).ended_at is not None
    running.turn(NOON + timedelta(hours=30))
    running.outside.post(f"/complaints/{number}/again", {"words": "没有解决"})
    poll(running.parts)

    row = held(running, number)
    assert (row.turn, row.stage, row.ended_at, row.answered_at, row.rung) == (2, "open", None, None, [])
    assert row.answer_by > NOON + timedelta(hours=53)
    running.outside.post(f"/complaints/{number}/withdraw", {})
    poll(running.parts)
    assert (held(running, number).stage, held(running, other).stage) == ("withdrawn", "open")
    assert "撤回" in case(running.parts, gateway, number).head.stage


@BOTH
def test_bells_ring_at_half_at_nine_tenths_and_at_the_end_once_each(running, gateway, said):
    number = complain(running, gateway)
    poll(running.parts)

    def bells(hours):
        running.turn(NOON + timedelta(hours=hours))
        said.clear()
        ring(running.parts)
        ring(running.parts)
        return [(words["waits_for"], words["share"]) for what, words in said if what == "complaint_waits"]

    assert bells(11) == []
    assert bells(12.1) == [("answer", "half")]
    assert bells(21.7) == [("answer", "nine")]
    assert bells(24.1) == [("answer", "over")]
    assert bells(36.1) == [("end", "half")]
    assert bells(65) == [("end", "nine")]
    assert bells(72.1) == [("end", "over")]
    assert bells(100) == []
    assert {words["number"] for what, words in said if what == "complaint_waits"} <= {number}


def test_who_was_away_hears_the_loudest_bell_only(running, said):
    complain(running, "wechat")
    poll(running.parts)
    running.turn(NOON + timedelta(hours=23))

    ring(running.parts)

    assert [words["share"] for what, words in said if what == "complaint_waits"] == ["nine"]


@BOTH
def test_an_answer_in_time_silences_its_bell_and_no_other(running, gateway, said):
    number, other = complain(running, gateway), complain(running, gateway)
    poll(running.parts)
    say(running, gateway, number)
    send_due(running.parts)
    running.turn(NOON + timedelta(hours=13))

    ring(running.parts)

    rung = [(words["number"], words["waits_for"]) for what, words in said if what == "complaint_waits"]
    assert rung == [(other, "answer")]


@BOTH
@pytest.mark.parametrize("fault", ["unsigned", "html"])
def test_an_answer_whose_word_was_lost_is_not_said_again(running, gateway, fault):
    number = complain(running, gateway)
    poll(running.parts)
    running.outside.fault(fault, number, on="answer")
    say(running, gateway, number)
    send_due(running.parts)
    assert replies(running, number) == [("answer", "unknown")]

    due_now(running)
    send_due(running.parts)

    assert replies(running, number) == [("answer", "confirmed")]
    assert [by for by, _, _ in far(running, number)] == ["PAYER", "MERCHANT"]


@BOTH
def test_an_answer_that_never_arrived_is_said_after_the_conversation_was_read(running, gateway):
    number = complain(running, gateway)
    poll(running.parts)
    running.outside.fault("error", number, on="answer", status=500)
    say(running, gateway, number)
    send_due(running.parts)
    running.outside.fault("html", number, on="complaint")
    due_now(running)
    send_due(running.parts)
    assert len(far(running, number)) == 1, "while the conversation cannot be read nothing is said"

    due_now(running)
    send_due(running.parts)

    assert replies(running, number) == [("answer", "confirmed")]
    assert [by for by, _, _ in far(running, number)] == ["PAYER", "MERCHANT"]


@BOTH
def test_what_stays_unknown_wakes_somebody(running, gateway, said):
    number, other = complain(running, gateway), complain(running, gateway)
    poll(running.parts)
    running.outside.fault("error", number, on="answer", status=500, count=None)
    say(running, gateway, number)
    say(running, gateway, other)
    for _ in range(5):
        send_due(running.parts)
        due_now(running)

    assert replies(running, number) == [("answer", "unknown")] and replies(running, other) == [("answer", "confirmed")]
    assert {words["number"] for what, words in said if what == "complaint_reply_stuck"} == {number}


@BOTH
def test_who_died_while_it_went_out_said_it_or_did_not(running, gateway):
    """Its lease ends, the conversation is read, and only what does not stand there is said."""
    number, other = complain(running, gateway), complain(running, gateway)
    poll(running.parts)
    say(running, gateway, number)
    say(running, gateway, other)
    with running.parts.engine.begin() as connection:
        leased = cases.lease(connection, now=utc_now(), lease=timedelta(minutes=1), most=9)
    words = next(row for row in leased if row.number == number)
    running.parts.gateways[gateway].complaints.answer(number, opened(running, words), [])
    assert send_due(running.parts) == 0, "while the lease lasts nobody else takes it"

    due_now(running)
    send_due(running.parts)

    assert replies(running, number) == replies(running, other) == [("answer", "confirmed")]
    assert (
        [by for by, _, _ in far(running, number)] == [by for by, _, _ in far(running, other)] == ["PAYER", "MERCHANT"]
    )


@BOTH
def test_pressing_twice_says_it_once_and_other_words_follow_in_order(running, gateway):
    number = complain(running, gateway)
    poll(running.parts)
    for _ in range(3):
        say(running, gateway, number)
    say(running, gateway, number, "booked")
    while send_due(running.parts):
        pass

    words = [words for by, _, words in far(running, number) if by == "MERCHANT"]
    assert [each[:12] for each in words] == ["您好，您反映的问题已经收", "您好，这笔钱已经记到您名"]


@BOTH
def test_a_picture_that_is_refused_wakes_somebody_and_the_next_one_goes(running, gateway, said):
    number = complain(running, gateway)
    poll(running.parts)
    running.outside.fault("picture_refused")
    say(running, gateway, number, picture=redrawn(a_picture()))
    send_due(running.parts)

    state = replies(running, number)[0][1]
    assert state in ("refused", "unknown") and len(far(running, number)) == 1
    due_now(running)
    if state == "refused":
        assert "complaint_reply_refused" in [what for what, _ in said]
        say(running, gateway, number, picture=redrawn(a_picture()))
    send_due(running.parts)
    assert replies(running, number)[-1] == ("answer", "confirmed") and len(far(running, number)) == 2


@BOTH
def test_an_answer_to_what_was_withdrawn_meanwhile_is_refused_and_said_so(running, gateway, said):
    number = complain(running, gateway)
    poll(running.parts)
    say(running, gateway, number)
    running.outside.post(f"/complaints/{number}/withdraw", {})
    send_due(running.parts)

    due_now(running)
    send_due(running.parts)

    assert replies(running, number) == [("answer", "refused")]
    assert held(running, number).stage == "withdrawn"
    assert [by for by, _, _ in far(running, number)] == ["PAYER", "PAYER"]


@BOTH
def test_what_was_answered_on_the_gateways_own_page_counts(running, gateway):
    number = complain(running, gateway)
    poll(running.parts)
    channel = running.parts.gateways[gateway].complaints
    channel.answer(number, "在商户平台上回的", [])
    poll(running.parts)
    if gateway == "alipay":
        with running.parts.engine.begin() as connection:
            connection.execute(text("update complaint set seen_at = seen_at - interval '1 hour'"))
        poll(running.parts)

    assert held(running, number).answered_at is not None


@BOTH
def test_a_word_nobody_knows_ends_nothing_and_wakes_somebody(running, gateway, said):
    number = complain(running, gateway)
    poll(running.parts)
    running.outside.fault("complaint_word", number, word="ON_THE_MOON", count=2)
    poll(running.parts)

    row = held(running, number)
    assert (row.stage, row.ended_at, row.their_word) == ("unknown", None, "ON_THE_MOON")
    assert ("complaint_word_unknown", "ON_THE_MOON") in [(what, words.get("word")) for what, words in said]


def test_a_silent_list_says_so_after_an_hour(running, said):
    poll(running.parts)
    running.outside.fault("html", on="complaints", gateway="wechat", count=None)
    running.turn(NOON + timedelta(hours=2))
    poll(running.parts)

    ring(running.parts)

    assert [words["gateway"] for what, words in said if what == "complaints_not_listed"] == ["wechat"]


def test_a_contract_without_complaints_says_so_and_troubles_nobody_else(running, said):
    running.outside.fault("error", on="complaints", gateway="wechat", status=403, code="NO_AUTH", count=None)
    number = complain(running, "alipay")

    poll(running.parts)
    listen(running.parts)

    told = {(what, words["gateway"]) for what, words in said}
    assert told == {("complaints_not_listed", "wechat"), ("complaint_address_not_set", "wechat")}
    assert held(running, number).stage == "open"
    assert rows(running, "select 1 from trouble") == []


@BOTH
def test_what_was_asked_earlier_is_not_written_over_what_is_newer(running, gateway, monkeypatch):
    """Two ask at once; the one whose answer is older comes second."""
    number = complain(running, gateway)
    poll(running.parts)
    channel = running.parts.gateways[gateway].complaints
    true = channel.look

    def slow(asked):
        older = true(asked)
        monkeypatch.setattr(channel, "look", true)
        running.outside.post(f"/complaints/{number}/withdraw", {})
        assert ask(running.parts, gateway, number)
        return older

    monkeypatch.setattr(channel, "look", slow)

    assert not ask(running.parts, gateway, number)

    assert held(running, number).stage == "withdrawn"


@BOTH
def test_an_end_whose_word_was_lost_does_not_end_what_the_payer_began_anew(running, gateway):
    number = complain(running, gateway)
    poll(running.parts)
    running.outside.fault("unsigned", number, on="finish")
    answers.finish(running.parts, gateway, number, key="", own="", by=CLERK)
    send_due(running.parts)
    assert replies(running, number) == [("finish", "unknown")]
    running.turn(NOON + timedelta(minutes=5))
    running.outside.post(f"/complaints/{number}/again", {"words": "没有解决"})

    due_now(running)
    send_due(running.parts)

    assert [move for _, move, _ in far(running, number)] == ["CAME", "DONE", "AGAIN"]
    assert held(running, number).ended_at is None and replies(running, number) == [("finish", "confirmed")]


@BOTH
def test_an_answer_whose_word_was_lost_is_not_said_again_after_the_payer_went_on(running, gateway):
    number = complain(running, gateway)
    poll(running.parts)
    running.outside.fault("unsigned", number, on="answer")
    say(running, gateway, number)
    send_due(running.parts)
    running.turn(NOON + timedelta(minutes=5))
    running.parts.gateways[gateway].complaints.finish(number, "在商户平台上办结的", gave_back=False)
    running.outside.post(f"/complaints/{number}/again", {"words": "没有解决"})

    due_now(running)
    send_due(running.parts)

    assert [move for _, move, _ in far(running, number)] == ["CAME", "SAID", "DONE", "AGAIN"]
    assert replies(running, number) == [("answer", "confirmed")]


@BOTH
def test_a_hint_that_comes_while_its_complaint_is_asked_about_is_asked_about_too(running, gateway, monkeypatch):
    number = complain(running, gateway)
    poll(running.parts)
    answers.finish(running.parts, gateway, number, key="", own="", by=CLERK)
    send_due(running.parts)
    running.turn(NOON + timedelta(days=5))
    channel = running.parts.gateways[gateway].complaints
    true = channel.look

    def hint(of=number):
        with running.parts.engine.begin() as connection:
            cases.hint(connection, gateway, of, at=utc_now())

    def meanwhile(asked):
        older = true(asked)
        running.outside.post(f"/complaints/{number}/again", {"words": "没有解决"})
        hint()
        return older

    hint()
    monkeypatch.setattr(channel, "look", meanwhile)
    ask_hinted(running.parts)
    monkeypatch.setattr(channel, "look", true)

    ask_hinted(running.parts)

    assert held(running, number).stage == "open"
    assert ask_hinted(running.parts) == 0


@BOTH
def test_an_answer_that_another_look_overtook_is_read_again_before_it_is_said_again(running, gateway, monkeypatch):
    """Its conversation is read, and before that is written down an older look writes the case."""
    number = complain(running, gateway)
    poll(running.parts)
    channel = running.parts.gateways[gateway].complaints
    true = channel.look
    older = true(number)
    running.outside.fault("unsigned", number, on="answer")
    say(running, gateway, number)
    send_due(running.parts)

    def overtaken(asked):
        newer = true(asked)
        monkeypatch.setattr(channel, "look", lambda asked: older)
        assert ask(running.parts, gateway, number)
        monkeypatch.setattr(channel, "look", true)
        return newer

    monkeypatch.setattr(channel, "look", overtaken)
    due_now(running)
    send_due(running.parts)
    assert replies(running, number) == [("answer", "unknown")]
    due_now(running)
    send_due(running.parts)

    assert [by for by, _, _ in far(running, number)] == ["PAYER", "MERCHANT"]
    assert replies(running, number) == [("answer", "confirmed")]


def test_only_who_decided_tells_wechat_that_nothing_goes_back_and_not_why(running, adult):
    """A clerk who takes his wish back has refused nobody; a reviewer's reason is told where it was paid."""
    number = complain(running, "wechat", pay(running, Want(adult, MEDICAL)), wants_back=32000)
    poll(running.parts)
    first = answers.ask_back(running.parts, "wechat", number, why=Why.TWICE, by=CLERK).number
    withdraw(running.parts, first, by=CLERK)

    assert tell_of_refunds(running.parts) == 0 and replies(running, number) == []

    second = answers.ask_back(running.parts, "wechat", number, why=Why.TWICE, by=CLERK).number
    decide(running.parts, second, approved=False, by="staff:hsa01", reason="没有交两次")
    assert tell_of_refunds(running.parts) == 1
    send_due(running.parts)

    assert replies(running, number) == [("refuse", "confirmed")]
    said = far(running, number)[-1][2]
    assert "没有通过审核" in said and "按规定" not in said


@BOTH
def test_a_payer_who_goes_on_after_the_end_is_found_by_the_poll_too(running, gateway):
    """His complaint is older than an open one may become, and its notification was lost."""
    number, other = complain(running, gateway), complain(running, gateway)
    poll(running.parts)
    for each in (number, other):
        answers.finish(running.parts, gateway, each, key="", own="", by=CLERK)
        send_due(running.parts)
    for days in (3, 6):
        running.turn(NOON + timedelta(days=days))
        poll(running.parts)
    running.outside.fault("callback_drop", gateway=gateway, count=None)
    running.outside.post(f"/complaints/{number}/again", {"words": "没有解决"})

    assert poll(running.parts) == 1

    assert held(running, number).ended_at is None and held(running, other).ended_at is not None


@pytest.mark.parametrize(
    "own",
    [
        "您的证件是370499199001010011",
        "请打13800001234",
        "请打0632-5551234",
        "请打 400-123-4567",
        "退到6222 0212 3456 7890 123",
        "看 https://a.example/x",
        "看 www.example.cn",
        "见 example.com",
        "写信到a@b",
        "张三您好",
        "１３８００００１２３４",
    ],
)
def test_nothing_personal_leaks_into_an_answer(own):
    with pytest.raises(BadAnswer):
        compose("looking", own, names=["张三"], places={"help_phone": "12366", "year": "2022", "issuer": "税务"})


@pytest.mark.parametrize(("key", "own"), [("", ""), ("nobody", "x"), ("looking", "长" * LONGEST_ANSWER)])
def test_an_answer_that_is_none_is_refused(key, own):
    with pytest.raises(BadAnswer):
        compose(key, own, names=[], places={"help_phone": "12366", "year": "2022", "issuer": "税务"})


def test_every_approved_sentence_fits_with_its_places_filled():
    filled = {"help_phone": "0632-12366", "year": "2022", "issuer": "国家税务总局枣庄市峄城区税务局"}
    for key in approved():
        assert 0 < len(compose(key, "", names=[], places=filled)) <= LONGEST_ANSWER


def test_a_picture_goes_without_what_it_was_taken_with():
    held = Image.new("RGB", (60, 40), "white")
    exif = held.getexif()
    exif[0x010E] = "370499199001010011"
    written = io.BytesIO()
    held.save(written, "JPEG", exif=exif, comment=b"13800001234")

    clean = redrawn(written.getvalue())

    assert b"370499" in written.getvalue() and b"370499" not in clean and b"138000" not in clean
    assert Image.open(io.BytesIO(clean)).format == "JPEG"


@pytest.mark.parametrize(
    "given", [b"", b"GIF89a" + b"x" * 99, b"%PDF-1.4", b"\x89PNG\r\n\x1a\n" + b"0" * 50, b"x" * (2 * 1024 * 1024 + 1)]
)
def test_a_picture_that_is_none_is_refused(given):
    with pytest.raises(BadPicture):
        redrawn(given)
    bomb = a_picture(size=(6000, 6000))
    with pytest.raises(BadPicture):
        redrawn(bomb)


def test_what_a_payer_wrote_is_sealed_and_what_was_said_stays(running):
    number = complain(running, "wechat", words="我是张三，证件370499199001010011")
    poll(running.parts)

    with running.parts.engine.connect() as connection:
        whole = str(connection.execute(text("select * from complaint, complaint_line")).all())
    assert "张三" not in whole and "370499" not in whole and "13800001234" not in whole
    shown = case(running.parts, "wechat", number)
    assert "370499" not in shown.words and shown.phone == "138****1234"
    for change in ("update complaint_line set by = 'us'", "delete from complaint_line", "delete from complaint"):
        with pytest.raises(DBAPIError), running.parts.engine.begin() as connection:
            connection.execute(text(change))


@BOTH
def test_nothing_of_a_payer_stands_in_a_log(running, gateway, caplog):
    """Neither when all goes well nor when an answer is spoilt, refused or of a word nobody knows."""
    caplog.set_level(logging.DEBUG)
    number = complain(running, gateway, words="我是赵投诉，370499199001010011")
    for kind, on in (("html", "complaint"), ("unsigned", "complaint"), ("complaint_word", None)):
        running.outside.fault(kind, number, word="MOON", **({"on": on} if on else {}))
        poll(running.parts)
    poll(running.parts)
    running.outside.fault("unsigned", number, on="answer")
    say(running, gateway, number)
    send_due(running.parts)

    theirs = ("werkzeug", "payments.sandbox")
    ours = [line for line in caplog.get_records("call") if not line.name.startswith(theirs)]
    written = "\n".join(f"{line.name} {line.getMessage()} {line.exc_text or ''}" for line in ours)
    assert ours and not [each for each in ("370499199001010011", "13800001234", "赵投诉") if each in written]


def test_a_reply_is_never_rewritten(running):
    number = complain(running, "wechat")
    poll(running.parts)
    say(running, "wechat", number)
    send_due(running.parts)
    for change in ("set words = ''", "set by = 'x'", "set state = 'pending', next_try_at = now()"):
        with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
            connection.execute(text(f"update complaint_reply {change}"))
        assert refused.value.orig.sqlstate == "LX084"
