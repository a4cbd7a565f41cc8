"""The catalogue of what gateways do wrong, each fault against each gateway through the whole running system.

FAULTS is the table: name → number in the catalogue, story, and the end it must come to. What is true at the end of
every story whatever happened is in `play.py`. `--fault-table=FILE` writes gateway × fault → what became of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest

from config.postgres import Server
from payments.gateways.base import Kind
from payments.gateways.known import GATEWAYS
from tests.builders import NOON
from tests.conftest import DATABASE, empty
from tests.faults import stories
from tests.faults.play import Play
from tests.faults.stories import Errors
from tests.system import System, system

CODES = {name: (name, Kind.NATIVE) for name in GATEWAYS}
PAGES = {f"{name} page": (name, Kind.WEB) for name in ("alipay", "unionpay")}
PHONES = {"wechat h5": ("wechat", Kind.H5), "wechat account": ("wechat", Kind.ACCOUNT)}
COLUMNS = CODES | PAGES | PHONES
CLOSING = tuple(name for name, (gateway, _) in COLUMNS.items() if GATEWAYS[gateway].facts.closes)

FAILS: Errors = {name: {"status": 500} for name in GATEWAYS}
NEW_WORD: Errors = {
    "wechat": {"status": 400, "code": "NEVER_HEARD_OF"},
    "alipay": {"code": "ACQ.NEVER_HEARD_OF"},
    "unionpay": {"code": "7Z"},
}
TOO_MANY: Errors = {
    "wechat": {"status": 429, "code": "FREQUENCY_LIMITED"},
    "alipay": {"code": "aop.call-limited"},
    "unionpay": {"code": "02"},
}
SPOILS = {  # what an answer may look like, and whose
    "html": (*GATEWAYS,),
    "truncated": (*GATEWAYS,),
    "unsigned": (*GATEWAYS,),
    "answer_signtest": ("wechat",),
    "answer_wrong_signature": (*GATEWAYS,),
    "duplicate_node": ("alipay",),
    "merchant_certificate": ("unionpay",),
    "plain_text": ("unionpay",),
}
NEW_CODE = {"wechat": "paid", "alipay": "paid", "unionpay": "closed, paid"}  # its code is handed out once
BACK = "refunded, refund paid"


@dataclass(frozen=True)
class Row:
    """`end` by gateway, or one for all; `where` are columns."""

    catalogue: str
    story: Callable[..., None]
    end: str | Mapping[str, str] = "paid"
    where: tuple[str, ...] = (*CODES,)


def _spoilt(story: Callable[..., None], on: str, end: str | Mapping[str, str]) -> dict[str, Row]:
    closes = on == "close"
    return {
        f"{on} answered with {spoil}": Row(
            "F53",
            partial(story, spoil=spoil),
            end,
            tuple(name for name in whose if not closes or GATEWAYS[name].facts.closes),
        )
        for spoil, whose in SPOILS.items()
        if not closes or any(GATEWAYS[name].facts.closes for name in whose)
    }


ALL = (*COLUMNS,)
FAULTS: dict[str, Row] = {
    "create times out, order exists": Row("F34", stories.create_times_out, NEW_CODE, where=(*CODES, *PHONES)),
    "create fails, order does not exist": Row("F35", partial(stories.create_fails, error=FAILS)),
    "create fails, nobody comes back": Row("F35", stories.create_fails_and_nobody_comes_back, "closed, paid"),
    "create refused": Row("F35", stories.create_refused, "failed, paid", where=(*CODES, *PHONES)),
    "create answered with a new code": Row("F54", partial(stories.create_fails, error=NEW_WORD)),
    "create answered with too many": Row("F55", partial(stories.create_fails, error=TOO_MANY)),
    **_spoilt(stories.create_answer_spoilt, "create", NEW_CODE),
    "callback before the create answer": Row(
        "F36", stories.callback_before_the_answer, where=(*CODES, "alipay page", *PHONES)
    ),
    "callback × 100 at once": Row("F37", stories.a_hundred_at_once),
    "callback again the next day": Row("F38", stories.the_next_day),
    "callback again after a refund": Row("F38", stories.after_a_refund, BACK, where=ALL),
    "refund told before its payment": Row("F39", stories.refund_told_first, BACK, where=ALL),
    "callback never comes": Row("F40", stories.callback_never_comes, where=ALL),
    "30 callbacks held, then at once": Row("F41", stories.thirty_held_then_at_once, "30 × paid"),
    "query down, callbacks fine": Row("F42", stories.query_down, "closed, paid", where=ALL),
    "callbacks and query down for a day": Row("F43", stories.all_down_for_a_day, where=ALL),
    "paid in the moment of closing": Row("F44", stories.paid_while_closing, where=ALL),
    "late success after the end": Row("F45", stories.late_success, where=ALL),
    "close times out": Row("F46", stories.close_times_out, "closed", where=CLOSING),
    "close fails": Row("F46", stories.close_fails, "closed", where=CLOSING),
    **_spoilt(stories.close_answer_spoilt, "close", "closed"),
    "two channels pay one bill": Row("F47", stories.two_channels, "paid, surplus, refund paid", where=ALL),
    "two phones confirm one code": Row("F48", stories.two_phones),
    "coupon": Row("F49", stories.coupon),
    "key unknown to us": Row("F51", stories.key_unknown),
    **_spoilt(stories.query_answer_spoilt, "query", "paid"),
    "query answered with a new code": Row("F54", partial(stories.query_fails, error=NEW_WORD)),
    "query answered with too many": Row("F55", partial(stories.query_fails, error=TOO_MANY)),
    "query tells a new state": Row("F54", stories.state_unknown, where=("unionpay",)),
    "query answered about another": Row("F53", stories.answer_about_another, "2 × paid"),
    "black hole": Row(
        "F56",
        stories.black_hole,
        dict.fromkeys(GATEWAYS, "4 × paid") | {"unionpay": "3 × closed, 4 × paid"},
    ),
    "refund times out": Row("F57", stories.refund_times_out, BACK),
    **_spoilt(stories.refund_answer_spoilt, "refund", BACK),
    "refund fails to be taken": Row("F57", partial(stories.refund_errs, error=FAILS), BACK),
    "refund answered with a new code": Row("F54", partial(stories.refund_errs, error=NEW_WORD), BACK),
    "refund answered with too many": Row("F55", partial(stories.refund_errs, error=TOO_MANY), BACK),
    "refund while our balance is short": Row("F57", stories.balance_short, BACK),
    "refund fails later, then again": Row("F58", stories.refund_fails, BACK),
    "refund abnormal": Row(
        "F58",
        stories.refund_abnormal,
        {"alipay": BACK} | dict.fromkeys(("wechat", "unionpay"), "refunded, refund abnormal"),
    ),
    "another merchant's callback first": Row("F53", partial(stories.callback_forged_first, kind="other_merchant")),
    "wrong signature first": Row("F53", partial(stories.callback_forged_first, kind="callback_wrong_signature")),
    "their probe first": Row("F53", partial(stories.callback_forged_first, kind="callback_signtest")),
    "another company's certificate first": Row(
        "F53", partial(stories.callback_forged_first, kind="merchant_certificate"), where=("unionpay",)
    ),
    "another amount": Row("F49", stories.other_amount, "checking, money held", where=ALL),
    "statement not ready": Row("F60", partial(stories.statement, spoil="statement_not_ready")),
    "statement truncated": Row("F61", partial(stories.statement, spoil="statement_truncated")),
    "statement's total wrong": Row("F61", partial(stories.statement, spoil="statement_total")),
    "statement's hash or signature wrong": Row("F61", partial(stories.statement, spoil="statement_hash")),
    "statement with junk": Row("F62", partial(stories.statement, spoil="statement_junk")),
    "statement's link expired": Row(
        "F63", partial(stories.statement, spoil="statement_expired"), where=("wechat", "alipay")
    ),
    "statement fetched twice": Row("F64", stories.statement_twice),
    "channel changed, code not to be taken back": Row(
        "D4", stories.change_from_unseen, "paid, surplus, refund paid", where=("alipay", "unionpay", *PAGES)
    ),
    "channel changed, paid and not told": Row("D4", stories.change_from_paid, where=ALL),
    "channel changed, order known there": Row("D4", stories.change_from_seen, "closed, paid", where=CLOSING),
}
CASES = [
    pytest.param(name, column, id=f"{name}-{column}".replace(" ", "_"))
    for name, row in FAULTS.items()
    for column in row.where
]
STATEMENTS = [  # stories that read a whole day's list: nobody else may pay on that day
    (name, column)
    for name, row in FAULTS.items()
    if name.startswith("statement") or row.story is stories.all_down_for_a_day
    for column in row.where
]
STATEMENT_DAYS = {case: NOON + timedelta(days=3 + place) for place, case in enumerate(STATEMENTS)}  # a day for each


@pytest.fixture(scope="module")
def up(database: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One running system for all stories; what it wrote is gone afterwards."""
    with system(database, DATABASE, tmp_path_factory.mktemp("far")) as running:
        running.outside.post("/settings", {"notify_factor": 0.001})
        yield running
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True) as admin:
        empty(admin)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where another far side's keys are."""
    return tmp_path_factory.mktemp("strangers")


@pytest.mark.parametrize(("name", "column"), CASES)
def test_every_fault_comes_to_its_end(
    up: System, strangers: Path, fault_table: dict[tuple[str, str], str], name: str, column: str
) -> None:
    row, (gateway, kind) = FAULTS[name], COLUMNS[column]
    play = Play(up, gateway, kind, noon=STATEMENT_DAYS.get((name, column), NOON))
    fault_table[f"{row.catalogue} {name}", column] = "not as it should be"
    try:
        row.story(play, **({"strangers": strangers} if row.story is stories.key_unknown else {}))
        end = play.check()
    finally:
        play.leave()
    fault_table[f"{row.catalogue} {name}", column] = end

    assert end == (row.end if isinstance(row.end, str) else row.end[gateway])
