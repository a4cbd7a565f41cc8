"""A resident pays: with what he holds in his hand, or by a code for somebody else's phone. Routes of `dues`' door."""

from flask import redirect, request, url_for
from werkzeug.datastructures import MultiDict

from app.flows.due.quote import SELF
from app.flows.enter.detour import come_back
from app.flows.pay.follow import close_payment
from app.flows.pay.go_on import go_on
from app.flows.pay.start import Kind, NotPayable
from app.policy.answer import Reason
from app.web.door.access import Answer, actor, here, own_payment
from app.web.door.parts import parts
from app.web.paying import sends_origin, show, start_chosen
from app.web.resident.choose import bp
from app.web.resident.offer import another_way, ask_again, to_wechat
from app.web.ways import chosen, into_program
from app.web.wishes import tier_fields, wants
from core.errors import TryLater
from payments.errors import ChannelPaused, GatewayRefused

_ON_THIS_PHONE = frozenset({Kind.H5, Kind.ACCOUNT})


@bp.post("/pay")
def pay() -> Answer:
    """Start the payment and go to its page; what costs nothing is settled and told on the former page.

    In WeChat's browser WeChat says first who pays, or it goes on into the mini-program."""
    by = request.form.get("by", "")
    way, link = chosen(by), parts().program_link
    if into_program(by) and link is not None:
        try:
            return redirect(link(), 303)
        except TryLater:
            return redirect(another_way(request.form), 303)
    if way is not None and way[1] is Kind.ACCOUNT:
        return redirect(to_wechat(request.form), 303)
    return _begin(request.form)


@bp.get("/wechat/back")
def back_from_wechat() -> Answer:
    """WeChat says whose phone it is, and what was begun goes on; what it brings counts once, in this session."""
    returned = come_back(parts(), here(), state=request.args.get("state", ""), code=request.args.get("code", ""))
    wish = MultiDict(returned.wish)
    return redirect(another_way(wish), 303) if returned.openid is None else _begin(wish, returned.openid)


@bp.get("/pay/<number>")
def payment(number: str) -> Answer:
    """The code, the page to go to, or what became of it."""
    return show(own_payment(number), "resident/payment.html")


@bp.post("/pay/<number>/open")
def open_page(number: str) -> Answer:
    """On to the gateway's page, by an address that opens now and here."""
    network = request.remote_addr or ""
    started = go_on(parts(), own_payment(number).number, by=actor(here()), network=network)
    if started.number is None:
        return redirect(url_for("resident.due"), 303)
    if started.checkout is None or started.checkout.link is None:
        return redirect(url_for("resident.payment", number=started.number), 303)
    return sends_origin(redirect(started.checkout.link, 303))


@bp.post("/pay/<number>/close")
def close(number: str) -> Answer:
    """The person does not want it: nobody shall be able to pay this code any more."""
    close_payment(parts(), own_payment(number).number, by=actor(here()))
    return redirect(url_for("resident.payment", number=number), 303)


def _begin(fields: MultiDict[str, str], openid: str | None = None) -> Answer:
    way = chosen(fields.get("by", ""))
    try:
        started = start_chosen(wants(fields), channel=SELF, fields=fields, openid=openid)
    except NotPayable as no:
        if no.choice_open:  # a link of before there was anything to choose: the page that asks leads to the choice
            return redirect(ask_again(fields), 303)
        if no.reason != Reason.ALREADY_PAID:
            raise
        return redirect(url_for("paid.paid"), 303)  # a page of before, sent again
    except ChannelPaused:  # since the page was opened: the same page, with the words and the other ways
        return redirect(ask_again(fields), 303)
    except GatewayRefused:
        if way is None or way[1] not in _ON_THIS_PHONE:
            raise
        return redirect(another_way(fields), 303)
    if started.number is None:
        return redirect(url_for("resident.due", **tier_fields(fields)), 303)
    return redirect(url_for("resident.payment", number=started.number), 303)
