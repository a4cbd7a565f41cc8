"""How UnionPay's far side answers a request: checked first, signed last, and spoilt on the way when asked to.

Answers are `name=value` texts that are not URL-encoded, with line ends inside the certificate; whatever cannot be
read is answered with a bare "Invalid request.".
"""

import time
from collections.abc import Callable
from typing import Any

from flask import Response, request

from payments.sandbox.trades import Refusal, Why
from payments.sandbox.unionpay.check import No, check_form, fields_of
from payments.sandbox.unionpay.side import NAME, side
from payments.sandbox.unionpay.voice import Fields
from payments.sandbox.unionpay.words import echo, verdict
from payments.sandbox.world import World, world

Act = Callable[[World, Fields], Fields]
_CODES = {
    Why.ABSENT: "35",
    Why.UNPAID: "35",
    Why.TOO_MUCH: "36",
    Why.TOO_MANY: "36",
    Why.SHORT: "90",
}


def answer(on: str, heard: Fields, kinds: frozenset[tuple[str, str, str]], act: Act) -> Response:
    """Check the request, act, sign what is said; faults waiting for one of its numbers spoil it on the way."""
    here, whose = world(), _whose(world(), heard)
    if delay := here.faults.take("delay", *whose, on=on, gateway=NAME):
        time.sleep(delay["seconds"])
    try:
        check_caller(here, heard)
        check_form(heard, kinds)
        if error := here.faults.take("error", *whose, on=on, gateway=NAME):
            if "code" not in error:
                return Response("", error.get("status", 500))
            raise No(error["code"])
        said = act(here, heard)
    except No as no:
        return _sent(side(here).voice.signed(echo(heard) | verdict(no.code))) if no.code else invalid()
    except Refusal as refusal:
        return _sent(side(here).voice.signed(echo(heard) | verdict(_CODES.get(refusal.why, "12"))))
    return _spoiled(here, on, whose, said)


def heard_form() -> Fields | None:
    """The request's fields; None if it is no form."""
    try:
        return fields_of(request.get_data())
    except No:
        return None


def check_caller(here: World, heard: Fields) -> None:
    """No unless it is the merchant, by its number, its certificate and its signature."""
    if heard.get("merId") != side(here).keys.mer_id:
        raise No
    if heard.get("certId") != side(here).voice.cert_id or not side(here).voice.is_merchants(heard):
        raise No("11")


def invalid() -> Response:
    """What is said to whatever cannot be read."""
    return Response("Invalid request.", 200, content_type="text/html;charset=UTF-8")


def _whose(here: World, heard: Fields) -> tuple[str, ...]:
    """The numbers a fault of this request may name: its own, and a refund's payment's."""
    found = (heard.get("orderId", ""),)
    try:
        if "origQryId" in heard:
            found += (here.trades.find_reference(NAME, heard["origQryId"])["number"],)
        elif heard.get("txnType") == "00":
            found += (here.trades.find_refund(NAME, heard.get("orderId", ""))[0]["number"],)
    except Refusal:
        pass
    return found


def _spoiled(here: World, on: str, whose: tuple[str, ...], said: Fields) -> Response:
    def waits(kind: str) -> dict[str, Any] | None:
        return here.faults.take(kind, *whose, on=on, gateway=NAME)

    if silent := waits("silent"):
        time.sleep(silent.get("seconds", 12))
    if waits("html"):
        return Response("<html><body>502 Bad Gateway</body></html>", 200, content_type="text/html")
    if waits("plain_text"):
        return invalid()
    wrongly = bool(waits("answer_wrong_signature") or (on == "statement" and waits("statement_hash")))
    fields = side(here).voice.signed(said, by_stranger=bool(waits("merchant_certificate")), wrongly=wrongly)
    if waits("unsigned"):
        del fields["signature"], fields["signPubKeyCert"]
    whole = _sent(fields)
    if waits("truncated"):
        whole.set_data(whole.get_data()[: len(whole.get_data()) // 2])
    return whole


def _sent(fields: Fields) -> Response:
    text = "&".join(f"{name}={value}" for name, value in fields.items())
    return Response(text.encode(), 200, content_type="text/html;charset=UTF-8")
