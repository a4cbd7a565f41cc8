"""Papers that prove a payment, for whoever may see it: what can be had of an item, and the file."""

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, url_for

from app.access.serving import serves
from app.flows.due.quote import subjects
from app.flows.pay.follow import follow
from app.flows.prove.papers import (
    CONFIRMATION,
    NoSuchProof,
    NotBookedYet,
    Proof,
    behind,
    certify,
    confirm,
    hand_out,
    proof,
)
from app.web.door.access import Answer, actor, here, own_payment
from app.web.door.parts import parts
from app.web.files import as_file
from app.web.sheets import item_of_person
from app.web.wishes import known

bp = APIBlueprint("proofs", __name__, enable_openapi=False)


@bp.get("/proof/<person>/<insurance>")
def offered(person: str, insurance: str) -> Answer:
    """Which papers there are of one item, and when the other one comes."""
    subject, item = item_of_person(known(person), insurance)
    papers = behind(parts(), subject, item.insurance, item.determination, rise=item.rise)
    return render_template(
        "resident/proof.html",
        subject=subject,
        title=papers.title,
        behind=papers,
        waiting=NotBookedYet.text,
        person=person,
        insurance=insurance,
    )


@bp.post("/proof/<person>/<insurance>")
def certificate(person: str, insurance: str) -> Answer:
    """Write the certificate, then to its file."""
    subject, item = item_of_person(known(person), insurance)
    paper = certify(parts(), subject, item.insurance, item.determination, rise=item.rise)
    return redirect(url_for("proofs.file", code=paper.code), 303)


@bp.post("/pay/<number>/proof")
def confirmation(number: str) -> Answer:
    """Write the confirmation of a payment, then to its file."""
    return redirect(url_for("proofs.file", code=confirm(parts(), own_payment(number).number).code), 303)


@bp.get("/proofs/<code>.pdf")
def file(code: str) -> Response:
    """A paper as PDF. NoSuchProof for what is not this account's."""
    return as_pdf(own_proof(code))


def own_proof(code: str) -> Proof:
    """A paper this session may see: it confirms what its account paid, its people are known here, or live in the
    agent's villages, the counter's towns. NoSuchProof."""
    found, held = proof(parts(), code), here()
    its = serves(held)
    if its is not None:
        people = subjects(parts(), found.people)
        mine = len(people) == len(found.people) and all(its(each.village_code) for each in people)
    else:
        mine = set(found.people) <= set(held.known.values()) or _confirms(found, actor(held))
    if not mine:
        raise NoSuchProof(code)
    return found


def _confirms(paper: Proof, payer: str) -> bool:
    return paper.kind == CONFIRMATION and follow(parts(), paper.facts["number"]).started_by == payer


def as_pdf(paper: Proof, *, shown: bool = False) -> Response:
    """The file, to be kept or to be shown."""
    return as_file(hand_out(parts(), paper), "application/pdf", f"{paper.title}-{paper.code}.pdf", shown=shown)
