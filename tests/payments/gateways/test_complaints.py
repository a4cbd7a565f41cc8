"""What every gateway with complaints keeps: bound to the question, a proof for each word, and silence is unknown."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from core.clock import utc_now
from payments.errors import ForgedCallback, GatewayRefused, GatewaySilent
from payments.gateways.base import Kind
from payments.gateways.complaining import Move, Stage, Voice, complaints_of
from tests.builders import an_order
from tests.outside import outside, receiver

BOTH = ("wechat", "alipay")
PHONE = "13800001234"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with outside(tmp_path_factory.mktemp("complaints"), notify_factor=0.001) as far:
        yield far


@pytest.fixture(params=BOTH)
def name(request, world):
    world.clear()
    return request.param


def case_of(world, name, **more):
    case = world.post("/complaints", {"gateway": name, "payment": "YC9", "phone": PHONE} | more)
    return case["number"]


def ours(world, name, **more):
    return complaints_of(world.gateway(name, **more))


def a_picture(kind="PNG"):
    held = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(held, kind)
    return held.getvalue()


def test_unionpay_has_none(world):
    assert complaints_of(world.gateway("unionpay")) is None


def test_a_complaint_is_found_with_what_the_payer_said(world, name):
    number = case_of(world, name, words="多收了我的钱", wants_back=32000)

    found, lines = ours(world, name).look(number)

    assert (found.gateway, found.number, found.stage, list(found.payments)) == (name, number, Stage.OPEN, ["YC9"])
    assert (found.words, found.phone, found.times) == ("多收了我的钱", PHONE, 1)
    assert "申请退款" in found.about and abs(found.came_at - utc_now()) < timedelta(minutes=1)
    assert [(line.by, line.words) for line in lines] == [(Voice.PAYER, "多收了我的钱")]
    assert [line.key for line in ours(world, name).look(number)[1]] == [line.key for line in lines]


def test_more_than_a_page_is_listed(world, name):
    numbers = {case_of(world, name) for _ in range(12)}

    listed = list(ours(world, name).listed(utc_now() - timedelta(days=1), utc_now() + timedelta(minutes=1)))

    assert numbers <= {one.number for one in listed}
    assert len({one.number for one in listed}) == len(listed)


def test_nobody_knows_of_a_number_that_is_none(world, name):
    assert ours(world, name).look("200020211105" + "1" * 16) is None


def test_an_answer_stands_in_the_conversation_with_its_picture(world, name):
    number, channel = case_of(world, name), ours(world, name)

    channel.answer(number, "您好，正在核对", [channel.upload(a_picture()), channel.upload(a_picture("JPEG"))])

    found, lines = channel.look(number)
    assert found.stage is Stage.OPEN and not found.waiting
    assert [(line.by, line.move, line.words) for line in lines][-1] == (Voice.US, Move.SAID, "您好，正在核对")
    kept = next(c for c in world.get("/complaints")["complaints"] if c["number"] == number)
    assert len(kept["lines"][-1]["pictures"]) == 2


def test_what_is_dealt_with_takes_no_further_word(world, name):
    number, channel = case_of(world, name), ours(world, name)

    channel.finish(number, "已经处理好了", gave_back=True)

    assert channel.look(number)[0].stage is Stage.DONE
    if name == "wechat":
        with pytest.raises(GatewayRefused):
            channel.answer(number, "还有一句", [])


def test_a_payer_goes_on_and_takes_it_back(world, name):
    number, channel = case_of(world, name), ours(world, name)
    channel.finish(number, "已经处理好了", gave_back=False)

    world.post(f"/complaints/{number}/again", {"words": "没有解决"})
    again = channel.look(number)
    world.post(f"/complaints/{number}/withdraw", {})

    assert again[0].stage is Stage.OPEN and again[1][-1].words == "没有解决"
    assert channel.look(number)[0].stage is Stage.WITHDRAWN


def test_the_platform_steps_in(world, name):
    number = case_of(world, name)
    world.post(f"/complaints/{number}/platform", {"words": "请尽快处理"})

    found, lines = ours(world, name).look(number)

    assert found.stage is Stage.PLATFORM and lines[-1].by is Voice.PLATFORM


def test_a_word_nobody_knows_is_unknown(world, name):
    number = case_of(world, name)
    world.fault("complaint_word", number, word="MARKED_BY_MOON")

    assert ours(world, name).look(number)[0].stage is Stage.UNKNOWN


def test_wechat_hears_that_a_refund_was_agreed_to(world):
    number, channel = case_of(world, "wechat", wants_back=100), ours(world, "wechat")

    channel.tell_refund(number, "", agreed=True)

    assert channel.look(number)[1][-1].move is Move.REFUND_AGREED


@pytest.mark.parametrize("fault", ["html", "unsigned", "answer_wrong_signature", "truncated"])
def test_an_answer_that_proves_nothing_is_silence(world, name, fault):
    number = case_of(world, name)
    world.fault(fault, number, on="complaint")

    with pytest.raises(GatewaySilent):
        ours(world, name).look(number)


def test_an_answer_whose_word_is_lost_may_have_been_said(world, name):
    number = case_of(world, name)
    world.fault("unsigned", number, on="answer")

    with pytest.raises(GatewaySilent):
        ours(world, name).answer(number, "您好", [])

    assert [line.words for line in ours(world, name).look(number)[1]][-1] == "您好"


def test_a_picture_that_is_refused_is_a_no(world, name):
    world.fault("picture_refused")

    with pytest.raises((GatewayRefused, GatewaySilent)):
        ours(world, name).upload(a_picture())


def test_a_notification_names_its_complaint_and_nothing_else_is_believed(world, name):
    channel = ours(world, name)
    with receiver() as heard:
        if name == "wechat":
            channel.ask_to_be_told(heard.url)
            channel.ask_to_be_told(heard.url)
            number = case_of(world, name)
        else:
            trade = world.gateway("alipay", heard.url).start(an_order("YC7777", kind=Kind.NATIVE))
            assert trade.code_url
            number = case_of(world, name, payment="YC7777")
        ((headers, body),) = heard.wait(1)

    assert channel.hint(headers, body, now=utc_now()) == number
    with pytest.raises(ForgedCallback):
        channel.hint(headers, body.replace(b"2", b"3", 1), now=utc_now())
    with pytest.raises(ForgedCallback):
        channel.hint({}, b"{}", now=utc_now())
