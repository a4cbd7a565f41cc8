"""Pushed receipts over HTTP: nobody signs them, so whatever they hold makes us ask at most."""

import json

import pytest
from sqlalchemy import text

from app.serving import create_app
from config.settings import Settings
from tests.app.web.conftest import district, far_folder, running
from tests.refunding import rows

__all__ = ["district", "far_folder", "running"]


@pytest.fixture
def push(running):
    """POST to a provider's place in a system whose provider is Alibaba Cloud."""
    app = create_app(Settings.from_environment(running.environment | {"SMS_PROVIDER": "aliyun"}))
    client = app.test_client()
    yield lambda body, path="/callbacks/sms/aliyun": client.post(path, data=body)
    app.extensions["joined"].parts.engine.dispose()


@pytest.fixture
def sent(running):
    """A message that was sent, and is asked about in an hour; and its sibling."""
    with running.office.engine.begin() as connection:
        for reference in ("B1^0", "B2^0"):
            connection.execute(
                text(
                    "insert into notice (household_id, cause, kind, fields, rank, channel, provider_reference, sent_at,"
                    " ask_at) values (1, :cause, 'paid', '{}', 2, 'sms', :reference, now(), now() + interval '1 hour')"
                ),
                {"cause": f"payment:{reference}:paid", "reference": reference},
            )
    return lambda: rows(
        running,
        "select rank, failures, delivered_at, ask_at < now() + interval '1 minute' as soon from notice order by cause",
    )


@pytest.mark.parametrize("success", [True, False])
def test_a_forged_receipt_delivers_nothing_fails_nothing_and_makes_us_ask(push, sent, success):
    line = {"biz_id": "B1^0", "out_id": "1:payment:B1^0:paid", "success": success, "err_code": "DELIVERED"}

    answers = [push(json.dumps([line])) for _ in range(3)]

    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(200, 0)}
    assert [tuple(row) for row in sent()] == [(2, {}, None, True), (2, {}, None, False)]


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", "[[[[", '[{"biz_id": {"$ne": 1}}]', '[{"biz_id": "B3"}]'])
def test_whatever_comes_is_answered_alike_so_that_nobody_learns_what_was_sent(push, sent, body):
    answer = push(body)

    assert (answer.status_code, answer.json) == (200, {"code": 0, "msg": "接收成功"})
    assert [row.soon for row in sent()] == [False, False]


def test_what_is_too_long_has_a_query_or_is_not_ours_is_refused(push, sent):
    assert push("[" + " " * 70_000 + "]").status_code == 413
    assert push("[]", "/callbacks/sms/aliyun?biz_id=B1").status_code == 400
    assert push("[]", "/callbacks/sms/tencent").status_code == 404
    assert push("[]", "/callbacks/sms/http").status_code == 404
    assert [row.soon for row in sent()] == [False, False]


def test_of_a_push_with_very_many_lines_only_some_are_looked_at(push, sent):
    many = [{"biz_id": f"X{n}"} for n in range(300)] + [{"biz_id": "B1^0"}]

    assert push(json.dumps(many)).status_code == 200
    assert [row.soon for row in sent()] == [False, False]
