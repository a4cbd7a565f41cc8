"""What is kept of messages nobody believed: enough to see who tried what, too little to fill a disk with."""

from hashlib import sha256

import pytest
import requests
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.pay import collect
from config.postgres import Server
from core.db import connect
from payments.taking import settle
from tests.conftest import DATABASE
from tests.system import System

LONG = b"\xff\x00" + b"x" * 60_000
KEPT = "select body, whole, verdict from received where result = 'refused' order by received_at"


@pytest.fixture
def alerts(running: System, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(collect, "REFUSED_KEPT", collect.Allowance(per_second=5, burst=100))
    before = running.parts.alert
    object.__setattr__(running.parts, "alert", lambda what, **_words: said.append(what))
    yield said
    object.__setattr__(running.parts, "alert", before)


def send(running: System, body: bytes, **headers: str) -> int:
    return requests.post(f"{running.url}/callbacks/wechat", data=body, headers=headers, timeout=5).status_code


def kept(running: System) -> list[tuple[bytes, bytes, str]]:
    with running.parts.reading() as connection:
        return [tuple(row) for row in connection.execute(text(KEPT))]


def test_of_a_message_nobody_believes_the_beginning_is_kept_and_the_hash_of_the_whole(
    running: System, alerts: list[str]
) -> None:
    """D1."""
    assert send(running, LONG) == 401

    [(body, whole, verdict)] = kept(running)
    assert len(body) == 2048 and whole == sha256(LONG).digest() and verdict
    assert alerts == ["callback_refused"]


def test_so_many_a_day_are_kept_and_no_more_whatever_process_takes_them(
    running: System, alerts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """D1: counted in the database; one of the day before does not count."""
    monkeypatch.setattr(settle, "MOST_REFUSED", 2)
    old = "insert into received values (0, 1, 'wechat', now() - interval '25 hours', '{}', '', '', '', 'x', 'refused')"
    running.write(lambda c: c.execute(text(old)))

    assert [send(running, b"x") for _ in range(4)] == [401] * 4

    assert len(kept(running)) == 3
    assert alerts.count("callback_refused") == 4 and alerts.count("refused_not_kept") == 2


def test_a_probe_of_the_gateway_is_counted_and_wakes_nobody(running: System, alerts: list[str]) -> None:
    """D1: WeChat tries with a wrong signature, as a routine; the true message follows."""
    count = "liangxian_routine_total", {"what": "signature_probe"}
    before = REGISTRY.get_sample_value(*count) or 0

    assert send(running, b"{}", **{"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abc"}) == 401

    assert REGISTRY.get_sample_value(*count) == before + 1
    assert kept(running) == [] and alerts == []


def test_the_owner_lets_old_words_go_and_what_is_kept_of_their_day_stays_true(
    running: System, database: Server, alerts: list[str]
) -> None:
    """D1: hash, moment, headers and verdict stay; a believed message and a young one stay whole; the application may
    not."""
    rows = "insert into received values (0, 1, 'wechat', now() - interval '100 days', '{}', 'old', '', '', 'x', :as)"
    running.write(lambda c: c.execute(text(rows), {"as": "refused"}))
    running.write(lambda c: c.execute(text(rows.replace("(0, 1", "(0, 2")), {"as": "paid"}))
    running.write(lambda c: c.execute(text("select keep_days(current_date - 1)")))
    assert send(running, LONG) == 401
    owner = connect(database.owner_url(DATABASE), pool_size=1)
    with pytest.raises(DBAPIError, match="permission denied"):
        running.write(lambda c: c.execute(text("select forget_refused(now())")))

    with owner.begin() as connection:
        gone = connection.execute(text("select forget_refused(now() - interval '90 days')")).scalar_one()
        broken = connection.execute(text("select * from kept_day_broken()")).all()
        found = dict(connection.execute(text("select id, body from received where id in (1, 2)")).all())
    with pytest.raises(DBAPIError, match="stays as it came"), owner.begin() as connection:
        connection.execute(text("update received set body = '', whole = sha256('other') where result = 'refused'"))
    owner.dispose()

    assert (gone, broken, found) == (1, [], {1: b"", 2: b"old"})
    forgotten, young = kept(running)
    assert forgotten[:2] == (b"", sha256(b"old").digest()) and len(young[0]) == 2048
