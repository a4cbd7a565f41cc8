"""While every thread is taken, who comes is told so at once; whom we must hear waits."""

import json

import pytest

from app.observe import REQUESTS
from app.web.door.full import Full


@pytest.fixture
def full(running) -> Full:
    return running.app.extensions["full"]


def refused() -> float:
    return REQUESTS.labels("full", 503)._value.get()


@pytest.mark.parametrize(
    "line",
    [
        b"POST /callbacks/wechat HTTP/1.1",
        b"GET /livez HTTP/1.1",
        b"GET /readyz HTTP/1.0",
        b"GET /metrics HTTP/1.1",
        b"GET /back/alipay?out_trade_no=1 HTTP/1.1",
        b"GET /static/app.css HTTP/1.1",
    ],
)
def test_whom_we_must_hear_waits_for_a_thread(full, line):
    before = refused()
    assert full.answer(line + b"\r\nHost: x\r\n\r\n") is None
    assert refused() == before


@pytest.mark.parametrize(
    "line", [b"", b"GET /due", b"\x16\x03\x01\x02\x00", b"GET http://x/ HTTP/1.1", b"PRI * HTTP/2.0"]
)
def test_what_is_no_beginning_of_a_request_is_left_to_the_parser(full, line):
    assert full.answer(line) is None


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        (
            b"GET /api/v1/due HTTP/1.1",
            "CROWDED_LOOK",
            "现在人太多，暂时查不到结果。钱没有丢，请不要再付，过一分钟再看。",
        ),
        (
            b"POST /api/v1/payments HTTP/1.1",
            "CROWDED",
            "现在人太多，这一步没有办，请过一分钟再试。已经付了的，钱不会丢。",
        ),
    ],
)
def test_a_program_gets_the_code_it_knows(full, line, code, sentence):
    before = refused()
    head, _, body = full.answer(line + b"\r\nHost: x\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: 60" in head
    assert json.loads(body) == {"code": code, "message": sentence, "request": ""}
    assert f"Content-Length: {len(body)}".encode() in head
    assert refused() == before + 1


def test_a_person_gets_a_sentence(full):
    head, _, body = full.answer(b"GET /due?x=%3Cscript%3E HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert b"Content-Type: text/html; charset=utf-8" in head
    assert "钱没有丢，请不要再付" in body.decode() and b"script" not in body
    assert full.answer(b"HEAD /due HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\n")
