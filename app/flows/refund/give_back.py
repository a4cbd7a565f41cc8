"""An agreed refund is paid: handed to its gateway, asked about, its word booked; or, where no way leads back, by a
bank transfer that two people and a proof stand for."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.refund.announce import tell_refund
from core.clock import business_day
from core.errors import BadInput
from payments.errors import (
    AlreadyPaidThere,
    GatewayRefused,
    GatewayShort,
    GatewaySilent,
    RefundDecided,
    RefundTooOld,
)
from payments.gateways.base import Gateway, RefundOrder, RefundOutcome, RefundWord
from payments.gateways.known import GATEWAYS
from payments.number import REFUND, new_number
from payments.refunds import find as find_refunds
from payments.refunds import moves, transfers
from payments.refunds.transfers import Transfer
from payments.states import RefundState

LEASE = timedelta(seconds=60)
ASK_AFTER_S = (10, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)  # after approval; then every half day
SHORT, SHORT_FOR = "balance", timedelta(minutes=30)  # our balance there was too low
LISTS, LISTS_EACH = "lists", timedelta(minutes=10)  # their lists of minutes that our book has lost are not in yet
NO_LIST = timedelta(days=8)  # by then nobody asks for them any more
SAME_FOR = timedelta(minutes=5)  # a request under its former moment is taken for as long, whatever the clocks
GONE_AFTER = timedelta(minutes=10)  # and by nobody any more after this (UnionPay)
RESENDS = 5  # more of them are no silence
HOLDERS = {"insured": "参保人本人", "heir": "继承人"}


class BadTransfer(BadInput):
    """A transfer without a whole account, its holder's name, the bank or a proof."""

    text = "转账要写清：户名、银行、账号（8到30位数字）、回单号。"


@dataclass(frozen=True)
class Account:
    """Where a transfer went, in clear: it is sealed before it is written. `holder`: insured or heir."""

    holder: str
    name: str
    account: str
    bank: str
    proof: str
    digest: bytes | None = None  # SHA-256 of the slip's picture


def pay_due(parts: Parts, *, most: int = 20) -> int:
    """Hand agreed refunds to their gateways and ask about those under way; how many were looked at."""
    short: set[str] = set()
    with parts.engine.begin() as connection:
        due = moves.lease_due(connection, now=parts.clocks.wall(), lease=LEASE, most=most)

    def one(row: Any) -> None:
        gateway = parts.gateways.get(row.gateway)
        with parts.reading() as connection:
            way = row.state != RefundState.APPROVED or _has_a_way(parts, connection, row)
        if not way:
            _stuck(parts, row, "too_old" if _came_by_gateway(row) else "no_way_back")
        elif (
            gateway is not None and not _belongs_to_a_gap(parts, gateway, row) and advance(parts, gateway, row) == SHORT
        ):
            short.add(gateway.name)

    one_by_one(parts, "refund", due, one, name=lambda row: row.number)
    if short:
        _say_short(parts, short)
    return len(due)


def _has_a_way(parts: Parts, connection: Connection, row: Any) -> bool:
    """Does it go back the way it came: by a gateway, and within the time that gateway gives money back?"""
    if not _came_by_gateway(row):
        return False
    came = find_refunds.received_at(connection, row.household_id, row.receipt)
    return parts.clocks.now() < came + GATEWAYS[row.gateway].facts.refund_within


def _belongs_to_a_gap(parts: Parts, gateway: Gateway, row: Any) -> bool:
    """Before a server was restored its money may have gone back already, by this very refund or by one that is
    forgotten: nothing is sent until their lists of the lost minutes are compared, and nothing that they have."""
    if row.state != RefundState.APPROVED:
        return False
    with parts.reading() as connection:
        gap = find_refunds.of_a_gap(connection, row, begins=gateway.facts.day_begins)
    if gap is None or not (gap.waits or gap.sent_at or gap.gone):
        return False
    if gap.waits and parts.clocks.now() - gap.until > NO_LIST:
        _stuck(parts, row, "no_list")
    elif gap.waits:
        with parts.engine.begin() as connection:
            moves.wait(connection, row.number, parts.clocks.wall() + LISTS_EACH, their_word=LISTS)
    elif gap.sent_at:
        with parts.engine.begin() as connection:
            moves.sending(connection, row, gap.sent_at, again=False)
    else:
        _stuck(parts, row, "given_back")
    return True


def _came_by_gateway(row: Any) -> bool:
    """Money that a difference of their list put into the book is no trade of theirs that they could give back of."""
    return row.gateway in GATEWAYS and row.receipt.startswith("receipt:")


def _stuck(parts: Parts, row: Any, word: str) -> None:
    with parts.engine.begin() as connection:
        moves.stuck(connection, row.number, word, now=parts.clocks.now())
    parts.alert("refund_stuck", gateway=row.gateway, number=row.number, word=word)


def _say_short(parts: Parts, gateways: Set[str]) -> None:
    """Somebody must bring money to these channels' refund accounts: one alert each, with what waits for it."""
    with parts.reading() as connection:
        waiting = find_refunds.waiting(connection, word=SHORT)
    for row in waiting:
        if row.gateway in gateways:
            parts.alert("refund_account_short", gateway=row.gateway, refunds=row.refunds, fen=row.amount)


def advance(parts: Parts, gateway: Gateway, row: Any) -> str:
    """One step of one refund, and what came of it: the first time it is sent; after that the gateway is asked first,
    and hears the same number again only when it knows nothing of it (F10, F57)."""
    anew = row.state == RefundState.PAYING and row.queries == 1  # a new number that nobody has sent yet
    first = row.state == RefundState.APPROVED or anew
    order = order_of(row, row.ordered_at)
    try:
        outcome = None if first else gateway.query_refund(order)
        if outcome is None or outcome.word is RefundWord.ABSENT:
            _never_taken(parts, row)
            if not first and (wait := _wait_for_a_fresh_moment(parts, row)):
                return _later(parts, row, parts.clocks.wall() + wait, "silent")
            order = order_of(row, _dated(parts, row, first=first))
            with parts.engine.begin() as connection:
                if not moves.sending(connection, row, order.ordered_at, again=not first):
                    return "moved_on"
            outcome = gateway.refund(order)
    except GatewayShort:
        return _later(parts, row, parts.clocks.wall() + SHORT_FOR, SHORT)
    except (GatewaySilent, AlreadyPaidThere):
        return _later(parts, row, _next(parts, row), "silent")
    except GatewayRefused as refused:
        outcome = RefundOutcome(gateway.name, row.sent_as, RefundWord.FAILED, their_word=str(refused.args[0]))
    word = take_refund(parts, outcome)
    return _later(parts, row, _next(parts, row), outcome.their_word) if word == "noted" else word


def _dated(parts: Parts, row: Any, *, first: bool) -> datetime:
    """When it is ordered. A gateway that knows nothing of it hears it under its former moment while that is fresh, so
    that what may still be on its way is the same refund; under a new one only when the former is refused."""
    now = parts.clocks.now().replace(microsecond=0)
    return row.ordered_at if not first and now - row.ordered_at < SAME_FOR else now


def _wait_for_a_fresh_moment(parts: Parts, row: Any) -> timedelta | None:
    """How long to wait until the former moment is certainly refused: two moments of one number would be two refunds."""
    age = parts.clocks.now() - row.ordered_at
    return GONE_AFTER - age if SAME_FOR <= age < GONE_AFTER else None


def _never_taken(parts: Parts, row: Any) -> None:
    """Sent again and again, and they still know nothing of it: whatever they answered, a person must look (W1)."""
    if row.resends >= RESENDS and row.their_word != SHORT:
        parts.alert("refund_never_taken", gateway=row.gateway, number=row.number, word=row.their_word)


def order_of(row: Any, ordered_at: datetime) -> RefundOrder:
    """A refund's row as its gateway is told, always with the same content."""
    return RefundOrder(row.sent_as, ordered_at, row.payment, row.reference, row.paid, row.amount, row.reason)


def again(parts: Parts, number: str, *, by: str) -> None:
    """After a definite no: the same refund under a new number. NoSuchRefund; RefundDecided if it has not failed, or
    goes by transfer; RefundTooOld; NothingToGiveBack: it went back by hand."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        row = find_refunds.find(connection, number)
        if row.state == RefundState.FAILED and not _has_a_way(parts, connection, row):
            raise RefundTooOld(number)
        sent_as = new_number(row.household_id, business_day(now), kind=REFUND)
        with moves.in_our_words():  # while it goes by transfer it is not sent again
            if row.state != RefundState.FAILED or not moves.move(
                connection,
                number,
                RefundState.PAYING,
                sent_as=sent_as,
                ordered_at=now,
                next_query_at=parts.clocks.wall(),
                queries=0,
                resends=0,
            ):
                raise RefundDecided(number)
    parts.alert("refund_sent_again", number=number, by=by)


def take_refund(
    parts: Parts, outcome: RefundOutcome, *, message: tuple[str, Mapping[str, str], bytes] | None = None
) -> str:
    """Book what a gateway says about a refund, once; what needs a person wakes somebody."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        word = moves.take(connection, outcome, now=now, booked_on=business_day(now), message=message)
        if word == "paid":
            tell_refund(parts, connection, moves.known_as(connection, outcome.number), "refunded")
    if outcome.word is RefundWord.UNKNOWN or word in ("unknown", "doubt", "abnormal", "failed", "twice"):
        parts.alert(f"refund_{word}", gateway=outcome.gateway, number=outcome.number, word=outcome.their_word)
    return word


def _later(parts: Parts, row: Any, moment: datetime, their_word: str) -> str:
    with parts.engine.begin() as connection:
        moves.put_off(connection, row.number, moment, their_word=their_word)
    return their_word


def _next(parts: Parts, row: Any) -> datetime:
    """By the schedule from now on: a refund waits at most half a day for its next question."""
    return parts.clocks.wall() + timedelta(seconds=ASK_AFTER_S[min(row.queries, len(ASK_AFTER_S) - 1)])


def went_by_hand(parts: Parts, number: str, *, by: str) -> None:
    """The payer has the money: somebody gave it back at the gateway by hand, as its list says. NoSuchRefund,
    RefundDecided, NothingToGiveBack."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        find_refunds.find(connection, number)
        moves.went_by_hand(connection, number, by=by, now=now, booked_on=business_day(now))
        tell_refund(parts, connection, number, "refunded")


def ask_transfer(parts: Parts, number: str, given: Account, *, by: str) -> None:
    """One person writes down the transfer made in place of the way back. BadTransfer, NoSuchRefund, RefundDecided,
    RefundStepMissing; NothingToGiveBack: it went back by hand."""
    account = "".join(given.account.split())
    words = {"name": given.name.strip(), "bank": given.bank.strip(), "proof": given.proof.strip()}
    plain = account.isascii() and account.isdigit() and 8 <= len(account) <= 30
    if not plain or given.holder not in HOLDERS or not all(0 < len(word) <= 100 for word in words.values()):
        raise BadTransfer
    transfer = Transfer(
        holder=given.holder,
        name=parts.vault.seal(words["name"], bound_to=f"refund_transfer.name:{number}"),
        account=parts.vault.seal(account, bound_to=f"refund_transfer.account:{number}"),
        last4=account[-4:],
        bank=words["bank"],
        proof=words["proof"],
        digest=given.digest,
    )
    with parts.engine.begin() as connection:
        find_refunds.find(connection, number)
        transfers.ask(connection, number, transfer, by=by, now=parts.clocks.now())


def decide_transfer(parts: Parts, number: str, *, agreed: bool, by: str) -> None:
    """Another person has seen the proof: booked as gone from the bank, or not. OwnRefund, RefundStepMissing."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        find_refunds.find(connection, number)
        transfers.decide(connection, number, agreed=agreed, by=by, now=now, booked_on=business_day(now))
        if agreed:
            tell_refund(parts, connection, number, "refunded")
