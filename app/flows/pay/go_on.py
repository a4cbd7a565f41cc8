"""Somebody taps: on to the gateway's page, by an address that still lives and opens where he is.

An H5 page of WeChat opens for minutes and for one network address. The same order gives a fresh address; for another
network (the phone left its Wi-Fi) it is another order, and the former ends as when somebody changes the channel."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.flows.due.quote import SELF
from app.flows.parts import Parts
from app.flows.pay.checkout import kept, link_given, opens_for
from app.flows.pay.start import (
    Payer,
    Started,
    Want,
    find_started,
    place_of,
    start_payment,
    started_before,
    want_of,
)
from payments.errors import GatewaySilent
from payments.gateways.base import Kind, Order
from payments.states import State
from payments.taking import find
from payments.taking.start import hand_out


def go_on(parts: Parts, number: str, *, by: str, network: str) -> Started:
    """The payment with an address that opens now, or another one for the same items; without a link in its checkout
    there is nothing to open any more, and its page says why.

    GatewaySilent, GatewayRefused, AlreadyPaidThere; what `start_payment` says of a new one."""
    with parts.reading() as connection:
        row = find.payment(connection, number)
        assert row is not None
        bills = find.bills_of(connection, row.household_id, number)
    gateway, now = parts.gateways.get(row.gateway), parts.clocks.now()
    if row.state != State.PENDING or row.kind != Kind.H5 or gateway is None or now >= row.expires_at:
        return replace(find_started(parts, number), checkout=None)
    place = place_of(parts, network)
    if not opens_for(row.checkout, place):
        wants = [want_of(bill) for bill in bills]
        payer = Payer(by, SELF, row.gateway, Kind.H5, network=network)
        return _anew(parts, wants, payer, f"{number}:{place}")
    if now - link_given(row.checkout) < gateway.facts.link_lives:
        return find_started(parts, number)
    fresh = kept(gateway.start(_same(row, network)), at=parts.clocks.now(), place=place)
    with parts.engine.begin() as connection:
        waits = hand_out(connection, row.household_id, number, fresh) is not None
    started = find_started(parts, number)
    return started if waits else replace(started, checkout=None)  # it is being ended, or it has been paid


def _anew(parts: Parts, wants: Sequence[Want], payer: Payer, key: str) -> Started:
    """After silence the payment that was begun all the same, without a link: its page says that it is asked about."""
    try:
        return start_payment(parts, wants, payer, request_key=key)
    except GatewaySilent:
        begun = started_before(parts, wants, payer, request_key=key)
        if begun is None:
            raise
        return begun


def _same(row: Any, network: str) -> Order:
    """Word for word: under a number that is there already they take nothing else."""
    times = (row.ordered_at, Kind(row.kind), row.amount, row.description, row.expires_at)
    return Order(row.number, *times, network=network)
