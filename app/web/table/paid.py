"""A code with the name to be read back, what became of it, and its papers, to be printed for who has no phone."""

from flask import Response, redirect, render_template, url_for

from app.flows.pay.follow import Phase, close_payment
from app.flows.prove.papers import confirm
from app.web.codes import drawn
from app.web.door.access import Answer, actor, here, own_payment, reference
from app.web.door.parts import parts
from app.web.paying import show
from app.web.proofs import as_pdf, own_proof
from app.web.table.house import bp
from app.web.table.place import place
from core.errors import Conflict


class NothingToScan(Conflict):
    """A code that is paid, closed or not there: there is nothing to print any more (A29)."""

    text = "这个码已经不能付了，请回到人名下重新出码。"


@bp.get("/pay/<number>")
def payment(number: str) -> Answer:
    """The code with the name to be read back, or 缴费成功 in large letters."""
    found = own_payment(number)
    first = found.items[0]
    return show(found, "table/payment.html", first=reference(first.person_id), back=place().back(first.village_code))


@bp.post("/pay/<number>/close")
def close(number: str) -> Answer:
    """The code shall not be paid any more."""
    close_payment(parts(), own_payment(number).number, by=actor(here()))
    return redirect(url_for(".payment", number=number), 303)


@bp.get("/pay/<number>/paper")
def code_paper(number: str) -> Answer:
    """The code of one payment, to be printed: sharp at any size, with its last minute on it."""
    found = own_payment(number)
    if found.phase is not Phase.WAITING or not found.code_url:
        raise NothingToScan(number)
    return render_template("table/code.html", payment=found, picture=drawn(found.code_url))


@bp.post("/pay/<number>/proof")
def confirmation(number: str) -> Answer:
    """The confirmation of a payment, to be printed."""
    return redirect(url_for(".file", code=confirm(parts(), own_payment(number).number).code), 303)


@bp.get("/proofs/<code>.pdf")
def file(code: str) -> Response:
    """A paper about people of this place, to be printed."""
    return as_pdf(own_proof(code), shown=True)
