"""The mini-program's side of WeChat: login codes, the token, subscribe messages, and a silent or odd far side."""

import json
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from notifications.channels import ChannelSilent, NotReachable, Words
from notifications.channels import wechat as module
from notifications.channels.subscription import Subscription
from notifications.channels.wechat import BadLoginCode, LoginSilent, MiniProgram, ProgramSilent
from tests.notifications.conftest import FIELDS, TEMPLATE
from tests.outside import Outside

SECRET = "s3cr3t-of-the-mini-program-00000"
TOKEN = {"access_token": "token-1", "expires_in": 7200}


def words(key: str, **spoilt: str) -> Words:
    return Words("paid", "…", FIELDS | spoilt, key)


def consenting(far: Outside, phone: str, count: int = 1) -> str:
    openid = far.post("/phone/login-code", {"phone": phone})["openid"]
    far.post("/phone/consent", {"openid": openid, "template_id": TEMPLATE, "count": count})
    return openid


def told(far: Outside, openid: str) -> list[dict]:
    return [one for one in far.get("/messages?channel=wechat")["messages"] if one["to"] == openid]


@contextmanager
def odd_side(answer: Callable[[str], tuple[int, bytes]]) -> Iterator[tuple[str, list[str]]]:
    """A far side that answers each path as it is told; (its address, the paths it was asked)."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append(self.path)
            status, body = answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, format: str, *words: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_login_code_is_an_openid_once(far: Outside, program: MiniProgram) -> None:
    made = far.post("/phone/login-code", {"phone": "L1"})

    assert program.login(made["code"]) == made["openid"]
    with pytest.raises(BadLoginCode, match="40163"):
        program.login(made["code"])


@pytest.mark.parametrize("code", [-1, 40013, 40125, 40164, 40226, 45009, 45011, 61024])
def test_only_the_code_is_the_payers_fault(code: int) -> None:
    """W3: whatever else WeChat says, his code may be good: he tries later, and what is ours to mend wakes somebody."""
    told: list[object] = []
    refusal = json.dumps({"errcode": code, "errmsg": "no"}).encode()
    with odd_side(lambda path: (200, refusal)) as (url, _):
        program = MiniProgram("wx1", SECRET, url, alert=lambda what, **words: told.append((what, words["code"])))

        with pytest.raises(LoginSilent, match=str(code)) as silent:
            program.login("a-good-code")

    assert "过一会儿" in silent.value.sentence()
    assert told == ([] if code in (-1, 40226, 45011) else [("wechat_refuses_us", code)])


def test_a_message_that_wechat_refuses_because_of_us_wakes_somebody() -> None:
    """W3, the same kind."""
    told: list[object] = []

    def answer(path: str) -> tuple[int, bytes]:
        said = (
            TOKEN if path.endswith("stable_token") else {"errcode": 45009, "errmsg": "reach max api daily quota limit"}
        )
        return 200, json.dumps(said).encode()

    with odd_side(answer) as (url, _):
        program = MiniProgram("wx1", SECRET, url, alert=lambda what, **words: told.append((what, words["code"])))

        with pytest.raises(ChannelSilent, match="45009"):
            program.subscribe("o1", TEMPLATE, {"thing1": "张*"})

    assert told == [("wechat_refuses_us", 45009)]


def test_a_code_that_is_not_wechats_is_refused(program: MiniProgram) -> None:
    with pytest.raises(BadLoginCode, match="40029"):
        program.login("guessed")


def test_a_message_goes_out_with_the_values_of_its_template(far: Outside, wechat: Subscription) -> None:
    openid = consenting(far, "M1")

    assert wechat.deliver(openid, words("7:M1", names="张*例、李*例、" * 5)) == "7:M1"

    [message] = told(far, openid)
    assert message["values"] == {
        "thing1": ("张*例、李*例、" * 5)[:20],
        "thing2": "2022年居民医保",
        "amount3": "320元",
        "character_string4": "K3W9X0T2",
        "thing5": "榴园镇示例村",
    }


def test_items_that_do_not_fit_are_left_out_whole_and_counted(far: Outside, wechat: Subscription) -> None:
    """A year would stand there by half."""
    openid = consenting(far, "M-items")
    wechat.deliver(openid, words("7:M-items", items="2022和2023年居民医保、2023年居民养老"))

    assert told(far, openid)[0]["values"]["thing2"] == "2022和2023年居民医保等2项"


def test_a_consent_that_is_used_up_is_not_reachable(far: Outside, wechat: Subscription) -> None:
    openid = consenting(far, "M2")
    wechat.deliver(openid, words("7:M2"))

    with pytest.raises(NotReachable, match="43101"):
        wechat.deliver(openid, words("7:M3"))


def test_another_kind_of_notice_has_no_template_there(far: Outside, wechat: Subscription) -> None:
    with pytest.raises(NotReachable):
        wechat.deliver(consenting(far, "M4"), Words("settled", "…", FIELDS, "7:M4"))


def test_a_token_that_ended_is_fetched_once_and_the_message_repeated_once(far: Outside, wechat: Subscription) -> None:
    openid = consenting(far, "M5")
    program = wechat._program()
    program.session.set(program.access_token_key, "an old token", 7200)
    program.expires_at = int(time.time()) + 7200

    wechat.deliver(openid, words("7:M5"))

    assert len(told(far, openid)) == 1
    assert program.access_token != "an old token"


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_token_that_is_never_right_is_asked_for_twice_at_most(code: int) -> None:
    def answer(path: str) -> tuple[int, bytes]:
        return 200, json.dumps(TOKEN if path.endswith("token") else {"errcode": code, "errmsg": "x"}).encode()

    with odd_side(answer) as (url, asked), pytest.raises(ChannelSilent, match=str(code)):
        Subscription(lambda: MiniProgram("wx0000000000000001", SECRET, url), {"paid": TEMPLATE}).deliver(
            "o" * 28, words("7:M6")
        )

    assert [path.partition("?")[0].rsplit("/")[-1] for path in asked] == ["stable_token", "send"] * 2


ODD = [
    (500, b""),
    (502, b"<html>bad gateway</html>"),
    (200, b"<html>maintenance</html>"),
    (200, b""),
    (200, b"[]"),
    (200, b'"yes"'),
    (200, b"{}"),
    (200, b'{"errcode": -1, "errmsg": "system error"}'),
]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("token_too", [False, True])
def test_an_odd_answer_is_silence_and_tells_no_secret(odd: tuple[int, bytes], token_too: bool) -> None:
    def answer(path: str) -> tuple[int, bytes]:
        return (200, json.dumps(TOKEN).encode()) if path.endswith("token") and not token_too else odd

    with odd_side(answer) as (url, _):
        program = MiniProgram("wx0000000000000001", SECRET, url)
        for act in (lambda: program.login("a code"), lambda: program.subscribe("o" * 28, TEMPLATE, {"thing1": "x"})):
            with pytest.raises(ChannelSilent) as silent:
                act()
            shown = "".join(traceback.format_exception(silent.value)) + repr(silent.value)
            assert SECRET not in shown and "token-1" not in shown


def test_a_far_side_that_says_nothing_is_silence_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIME_OUT_S", (0.3, 0.3))

    def slow(_path: str) -> tuple[int, bytes]:
        time.sleep(1)
        return 200, b"{}"

    with odd_side(slow) as (url, _):
        program = MiniProgram("wx0000000000000001", SECRET, url)
        for act in (lambda: program.login("a code"), lambda: program.subscribe("o" * 28, TEMPLATE, {"thing1": "x"})):
            began = time.monotonic()
            with pytest.raises(ChannelSilent) as silent:
                act()
            assert time.monotonic() - began < 0.9
            assert SECRET not in "".join(traceback.format_exception(silent.value))


def test_nobody_there_is_silence() -> None:
    program = MiniProgram("wx0000000000000001", SECRET, "http://127.0.0.1:9")

    for act in (lambda: program.login("a code"), lambda: program.subscribe("o" * 28, TEMPLATE, {"thing1": "x"})):
        with pytest.raises(ChannelSilent) as silent:
            act()
        assert SECRET not in "".join(traceback.format_exception(silent.value))


def test_a_wrong_secret_is_told_as_a_refusal_without_the_secret(far: Outside) -> None:
    program = MiniProgram(far.keys.appid, SECRET, far.url)

    with pytest.raises(ChannelSilent) as silent:
        program.subscribe("o" * 28, TEMPLATE, {"thing1": "x"})

    assert SECRET not in "".join(traceback.format_exception(silent.value))


def test_a_link_opens_the_mini_program_and_says_nothing_of_anybody(far: Outside, program: MiniProgram) -> None:
    link = program.link()

    opened = far.door.send("GET", link, headers={}).body.decode()
    assert "小程序已打开" in opened and "pages/due/due" in opened and "?" not in link


def test_a_link_is_asked_for_once_more_after_a_token_that_ended() -> None:
    told = [{"errcode": 42001, "errmsg": "access_token expired"}, {"errcode": 0, "url_link": "https://wxaurl.cn/a"}]

    def answer(path: str) -> tuple[int, bytes]:
        return 200, json.dumps(TOKEN if path.endswith("stable_token") else told.pop(0)).encode()

    with odd_side(answer) as (url, asked):
        assert MiniProgram("wx1", SECRET, url).link() == "https://wxaurl.cn/a"

    assert [path.partition("?")[0].rpartition("/")[2] for path in asked] == ["stable_token", "generate_urllink"] * 2


@pytest.mark.parametrize("said", [b'{"errcode":-1,"errmsg":"busy"}', b'{"errcode":0}', b"<html>"])
def test_without_a_link_somebody_is_told_to_take_another_way(said: bytes) -> None:
    def answer(path: str) -> tuple[int, bytes]:
        return 200, json.dumps(TOKEN).encode() if path.endswith("stable_token") else said

    with odd_side(answer) as (url, _), pytest.raises(ProgramSilent) as silent:
        MiniProgram("wx1", SECRET, url).link()

    assert "换一种付款方式" in silent.value.sentence()
