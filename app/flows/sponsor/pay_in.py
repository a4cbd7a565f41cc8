"""A sponsor's contact pays by a code of any channel: the money is the pledge's when the gateway says that it came."""

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from app.flows.parts import Parts
from app.flows.pay.expire import close_at_gateway
from app.flows.pay.start import KindNotOffered, Started, ask_gateway, find_started
from app.flows.sponsor.desk import pledge_within
from app.flows.sponsor.enter import PledgeMoved
from core.clock import business_day
from core.errors import BadInput
from core.money import Fen
from payments.errors import KeyReused, NoSuchPayment, UnknownGateway
from payments.gateways.base import Gateway, Kind, Order
from payments.number import new_number
from payments.pledges.pay_in import NOBODYS, begin_for, of_key, pledge_of
from payments.refusals import as_errors
from payments.states import LIVE
from payments.taking import find as find_money
from payments.taking.start import Asked, Attempt


class TooMuchForPledge(BadInput):
    """Nothing, or more than is still missing."""

    status = 422
    text = "金额要大于0，最多是还没到账的预算。"


@dataclass(frozen=True)
class Wish:
    """So much for a pledge, by a gateway's code; `key` makes the same wish once."""

    pledge: int
    amount: Fen
    gateway: str
    key: str


def pay_in(parts: Parts, wish: Wish, *, by: str) -> Started:
    """The code, or that of the same wish before. TooMuchForPledge, PledgeMoved, NoSuchPledge, UnknownGateway,
    ChannelPaused, KeyReused, GatewaySilent, GatewayRefused."""
    gateway = parts.gateways.get(wish.gateway)
    if gateway is None:
        raise UnknownGateway(wish.gateway)
    if Kind.NATIVE not in gateway.facts.kinds:
        raise KindNotOffered(wish.gateway)
    body = json.dumps([wish.pledge, wish.amount, wish.gateway]).encode()
    asked = Asked(sha256(f"{by}\0pledge\0{wish.key}".encode()).digest(), sha256(body).digest())
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        before = of_key(connection, asked.key)
        if before is None:
            found = pledge_within(connection, wish.pledge, today=business_day(now))
            if found.state not in ("AGREED", "FUNDED", "ACTIVE", "EXHAUSTED"):
                raise PledgeMoved(found.row.number)
            if not 0 < wish.amount <= found.row.budget - found.row.taken:
                raise TooMuchForPledge(fields={"amount": TooMuchForPledge.text})
            attempt = _attempt(parts, gateway, found.row.number, by)
            with as_errors({"LX131": PledgeMoved}):
                row = begin_for(connection, wish.pledge, wish.amount, attempt, asked)
    if before is not None or row is None:
        return _again(parts, asked, wish)
    order = Order(row.number, row.ordered_at, Kind.NATIVE, row.amount, row.description, row.expires_at)
    return ask_gateway(parts, gateway, NOBODYS, order)


def money_of(parts: Parts, number: str) -> tuple[int, Started]:
    """For which pledge a code is, and how it stands. NoSuchPayment."""
    with parts.reading() as connection:
        pledge = pledge_of(connection, number)
    if pledge is None:
        raise NoSuchPayment(number)
    return pledge, find_started(parts, number)


def _again(parts: Parts, asked: Asked, wish: Wish) -> Started:
    with parts.reading() as connection:
        number = of_key(connection, asked.key) or ""
        row, pledge = find_money.payment(connection, number), pledge_of(connection, number)
    if row is None or (row.amount, row.gateway, pledge) != (wish.amount, wish.gateway, wish.pledge):
        raise KeyReused
    return find_started(parts, number)


def close(parts: Parts, number: str) -> None:
    """Nobody wants this code any more: it ends at its gateway, or by its time."""
    money_of(parts, number)
    with parts.reading() as connection:
        row = find_money.payment(connection, number)
    gateway = parts.gateways.get(row.gateway) if row else None
    if row is not None and gateway is not None and row.state in LIVE:
        close_at_gateway(parts, gateway, row)


def _attempt(parts: Parts, gateway: Gateway, number: str, by: str) -> Attempt:
    now, wall = parts.clocks.now(), parts.clocks.wall()
    lives = min(timedelta(minutes=parts.rules.campaign.order_minutes), gateway.facts.lives_at_most)
    return Attempt(
        number=new_number(NOBODYS, business_day(now)),
        gateway=gateway.name,
        merchant=gateway.merchant,
        app=gateway.app,
        kind=Kind.NATIVE,
        description=f"{parts.rules.source.district}居民医保资助款{number}",
        started_by=by,
        started_at=wall,
        ordered_at=now.replace(microsecond=0),
        expires_at=(now + lives).replace(microsecond=0),
        next_query_at=wall + timedelta(seconds=gateway.facts.poll_after_s[0]),
        check_code="",  # no notice is written that anybody could check
        memo={},
    )
