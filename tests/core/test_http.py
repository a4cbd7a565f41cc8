"""The one door out, against a real server on a loopback port: silence is silence, and nobody leads us astray."""

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from core.http import MAX_ANSWER, Breaker, Door, HostNotAllowed, OutsideSilent


@dataclass
class FarSide:
    """A server that answers by path and remembers from which connection each request came."""

    netloc: str = ""
    asked: list[tuple[str, tuple[str, int], dict[str, str], bytes]] = field(default_factory=list)

    def door(self, **changed: float) -> Door:
        return Door(hosts=frozenset({self.netloc}), **{"connect_s": 1, "read_s": 0.3} | changed)  # type: ignore[arg-type]

    def url(self, path: str) -> str:
        return f"http://{self.netloc}{path}"


@pytest.fixture
def far() -> Iterator[FarSide]:
    with far_side() as side:
        yield side


@contextmanager
def far_side() -> Iterator[FarSide]:
    side = FarSide()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            side.asked.append((self.path, self.client_address, dict(self.headers.items()), body))
            getattr(self, self.path.strip("/").split("?")[0])()

        do_POST = do_GET

        def say(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (("Content-Length", str(len(body))), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def plain(self) -> None:
            self.say(200, b"yes", ("X-Odd-Case", "One"))

        def refused(self) -> None:
            self.say(503, b"busy")

        def moved(self) -> None:
            self.say(302, b"", ("Location", f"http://{side.netloc}/plain"))

        def silent(self) -> None:
            time.sleep(1)
            self.close_connection = True

        def slow(self) -> None:
            time.sleep(0.9)
            self.say(200, b"late")

        def dripping(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            try:
                for _ in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                self.close_connection = True

        def dripping_headers(self) -> None:
            try:
                for sign in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100 + b"\r\nContent-Length: 2\r\n\r\nok":
                    self.wfile.write(bytes([sign]))
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                self.close_connection = True

        def half(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            self.wfile.flush()
            time.sleep(1)
            self.close_connection = True

        def broken_off(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            self.close_connection = True

        def no_http(self) -> None:
            self.wfile.write(b"220 mail server ready\r\n\r\n")
            self.close_connection = True

        def not_packed(self) -> None:
            self.say(200, b"this is not gzip", ("Content-Encoding", "gzip"))

        def longest(self) -> None:
            self.say(200, b"x" * MAX_ANSWER)

        def too_long(self) -> None:
            self.say(200, b"x" * (MAX_ANSWER + 1))

        def endless(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for _ in range(200):
                    self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *words: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    side.netloc = f"127.0.0.1:{server.server_port}"
    try:
        yield side
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_answer_is_status_headers_by_lower_case_name_and_raw_bytes(far: FarSide) -> None:
    answer = far.door().send("POST", far.url("/plain?a=1"), headers={"X-Mine": "1"}, body="身份".encode())

    assert (answer.status, answer.body, answer.headers["x-odd-case"]) == (200, b"yes", "One")
    path, _, headers, body = far.asked[0]
    assert (path, headers["X-Mine"], body.decode()) == ("/plain?a=1", "1", "身份")


def test_a_refusal_is_an_answer_and_not_silence(far: FarSide) -> None:
    assert far.door().send("GET", far.url("/refused"), headers={}).status == 503


@pytest.mark.parametrize("path", ["/silent", "/half", "/broken_off", "/no_http", "/not_packed"])
def test_no_usable_answer_is_silence_and_is_asked_once_only(far: FarSide, path: str) -> None:
    began = time.monotonic()

    with pytest.raises(OutsideSilent):
        far.door().send("GET", far.url(path), headers={})

    assert time.monotonic() - began < 0.9
    assert len(far.asked) == 1


@pytest.mark.parametrize("path", ["/dripping", "/dripping-headers"])
def test_a_far_side_that_drips_bytes_is_given_up(far: FarSide, path: str) -> None:
    """F4: the time runs from before it is asked, and its headers are in it."""
    began = time.monotonic()

    with pytest.raises(OutsideSilent):
        far.door(read_s=0.2).send("GET", far.url(path), headers={})
    with pytest.raises(OutsideSilent):
        far.door(read_s=0.2).fetch(far.url(path), io.BytesIO(), headers={}, most=1000, whole_s=0.4)

    assert time.monotonic() - began < 3  # whole, each would take five seconds


def test_nobody_at_the_port_is_silence() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        netloc = f"127.0.0.1:{probe.getsockname()[1]}"

    with pytest.raises(OutsideSilent):
        Door(hosts=frozenset({netloc})).send("GET", f"http://{netloc}/", headers={})


def test_a_host_that_never_accepts_is_given_up_after_the_connect_time() -> None:
    with socket.socket() as full, socket.socket() as one, socket.socket() as two:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # its queue is full after these two
        netloc = f"127.0.0.1:{full.getsockname()[1]}"
        for waiting in (one, two):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        began = time.monotonic()

        with pytest.raises(OutsideSilent):
            Door(hosts=frozenset({netloc}), connect_s=0.3, read_s=0.3).send("GET", f"http://{netloc}/", headers={})

    assert time.monotonic() - began < 1


def test_the_longest_answer_is_a_megabyte(far: FarSide) -> None:
    door = far.door(read_s=3)

    assert len(door.send("GET", far.url("/longest"), headers={}).body) == MAX_ANSWER
    with pytest.raises(OutsideSilent, match="too long"):
        door.send("GET", far.url("/too_long"), headers={})


@pytest.mark.parametrize("path", ["/too_long", "/endless", "/half", "/silent"])
def test_after_a_spoilt_answer_the_next_one_is_clean(far: FarSide, path: str) -> None:
    door = far.door(pool=1)
    for _ in range(3):
        with pytest.raises(OutsideSilent):
            door.send("GET", far.url(path), headers={})

        assert door.send("GET", far.url("/plain"), headers={}).body == b"yes"


def test_a_redirect_is_handed_back_and_not_followed(far: FarSide) -> None:
    answer = far.door().send("GET", far.url("/moved"), headers={})

    assert answer.status == 302
    assert [path for path, *_ in far.asked] == ["/moved"]


@pytest.mark.parametrize(
    "url",
    [
        "http://{other}/plain",
        "http://{ours}@{other}/plain",
        "http://{other}#{ours}",
        "http://{other}/?{ours}",
        "http://127.0.0.1/plain",
        "//{other}/plain",
        "http://{ours}.example.invalid/plain",
        "file:///etc/passwd",
        "plain",
    ],
)
def test_a_host_that_is_not_on_the_list_is_never_called(far: FarSide, url: str) -> None:
    with far_side() as other:
        with pytest.raises(HostNotAllowed):
            far.door().send("GET", url.format(ours=far.netloc, other=other.netloc), headers={})

        assert far.asked == other.asked == []


def test_one_connection_carries_many_requests(far: FarSide) -> None:
    door = far.door()

    for _ in range(5):
        door.send("GET", far.url("/plain"), headers={})

    assert len({client for _, client, *_ in far.asked}) == 1


def test_the_door_stays_shut_after_five_silences_running_and_nobody_is_asked(far: FarSide) -> None:
    door = far.door()
    for _ in range(5):
        assert not door.is_shut
        with pytest.raises(OutsideSilent):
            door.send("GET", far.url("/broken_off"), headers={})

    with pytest.raises(OutsideSilent, match="silent before"):
        door.send("GET", far.url("/plain"), headers={})

    assert door.is_shut
    assert len(far.asked) == 5


def test_an_answer_between_silences_begins_the_count_anew(far: FarSide) -> None:
    door = far.door()

    for path in ["/broken_off"] * 4 + ["/refused"] + ["/broken_off"] * 4:
        try:
            door.send("GET", far.url(path), headers={})
        except OutsideSilent:
            continue

    assert not door.is_shut
    assert door.send("GET", far.url("/plain"), headers={}).body == b"yes"


@pytest.mark.parametrize(("path", "shut"), [("/plain", False), ("/broken_off", True)])
def test_after_the_pause_one_is_let_through_and_decides_for_all(
    far: FarSide, monkeypatch: pytest.MonkeyPatch, path: str, shut: bool
) -> None:
    monkeypatch.setattr(Door, "SHUT_S", 0.2)
    door = far.door()
    for _ in range(5):
        with pytest.raises(OutsideSilent):
            door.send("GET", far.url("/broken_off"), headers={})
    time.sleep(0.25)

    try:
        door.send("GET", far.url(path), headers={})
    except OutsideSilent as silence:
        assert "silent before" not in str(silence)

    assert door.is_shut is shut
    assert len(far.asked) == 6


def test_one_far_sides_silence_shuts_no_other_door(far: FarSide) -> None:
    with far_side() as other:
        shut, open_one = far.door(), other.door()
        for _ in range(5):
            with pytest.raises(OutsideSilent):
                shut.send("GET", far.url("/broken_off"), headers={})

        assert open_one.send("GET", other.url("/plain"), headers={}).status == 200


def test_the_breaker_lets_one_ask_at_a_time_while_the_far_side_is_silent() -> None:
    breaker = Breaker(2, 10)
    breaker.was_silent(0)
    assert breaker.may(0)
    breaker.was_silent(1)

    assert [breaker.may(now) for now in (1, 10.9, 11, 11.1, 20.9, 21)] == [False, False, True, False, False, True]
    assert breaker.is_shut(21.1)
    breaker.answered()
    assert not breaker.is_shut(21.1)
    assert breaker.may(21.1) and breaker.may(21.1)


def test_no_more_than_the_budget_ask_at_once_and_the_others_do_not_wait_long(far: FarSide) -> None:
    door = far.door(pool=2, read_s=3)
    slow = [Thread(target=door.send, args=("GET", far.url("/slow")), kwargs={"headers": {}}) for _ in range(2)]
    for thread in slow:
        thread.start()
    until = time.monotonic() + 2
    while len(far.asked) < 2:
        assert time.monotonic() < until
        time.sleep(0.01)
    began = time.monotonic()

    with pytest.raises(OutsideSilent, match="too many at once"):
        door.send("GET", far.url("/plain"), headers={})

    assert time.monotonic() - began < 0.8
    for thread in slow:
        thread.join()
    assert door.send("GET", far.url("/plain"), headers={}).body == b"yes"
    assert not door.is_shut  # who was not asked was not silent


def test_a_file_comes_piece_by_piece_and_the_answer_without_it(far: FarSide) -> None:
    into = io.BytesIO()

    answer = far.door(read_s=3).fetch(far.url("/too_long"), into, headers={"X-Mine": "1"}, most=2 * MAX_ANSWER)

    assert (answer.status, answer.body) == (200, b"")
    assert len(into.getvalue()) == MAX_ANSWER + 1
    assert far.asked[0][2]["X-Mine"] == "1"


def test_a_file_longer_than_allowed_is_silence(far: FarSide) -> None:
    into = io.BytesIO()

    with pytest.raises(OutsideSilent, match="too long"):
        far.door(read_s=3).fetch(far.url("/endless"), into, headers={}, most=100_000)

    assert len(into.getvalue()) <= 100_000


@pytest.mark.parametrize("path", ["/half", "/broken_off", "/silent", "/no_http"])
def test_half_a_file_is_silence(far: FarSide, path: str) -> None:
    with pytest.raises(OutsideSilent):
        far.door().fetch(far.url(path), io.BytesIO(), headers={}, most=1000)


def test_a_file_that_drips_is_given_up_after_its_whole_time(far: FarSide) -> None:
    with pytest.raises(OutsideSilent):
        far.door().fetch(far.url("/dripping"), io.BytesIO(), headers={}, most=1000, whole_s=0.3)


def test_instead_of_a_file_a_refusal_is_in_the_answer(far: FarSide) -> None:
    into = io.BytesIO()

    answer = far.door().fetch(far.url("/refused"), into, headers={}, most=2)

    assert (answer.status, answer.body, into.getvalue()) == (503, b"busy", b"")


def test_a_file_is_fetched_from_no_other_host_and_no_redirect_is_followed(far: FarSide) -> None:
    with far_side() as other:
        with pytest.raises(HostNotAllowed):
            far.door().fetch(other.url("/plain"), io.BytesIO(), headers={}, most=10)
        assert far.door().fetch(far.url("/moved"), io.BytesIO(), headers={}, most=10).status == 302

        assert other.asked == []
