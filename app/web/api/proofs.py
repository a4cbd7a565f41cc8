"""/api/v1/proofs: the paper that proves a payment, and its file."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from app.flows.prove.papers import Proof, certify, confirm
from app.web.api.told import answers
from app.web.api.told_money import ProofTold
from app.web.door.access import own_payment
from app.web.door.parts import parts
from app.web.proofs import as_pdf, own_proof
from app.web.sheets import item_of_person
from app.web.wishes import known

bp = APIBlueprint("api_proofs", __name__, tag="凭证 proof")


@bp.post("/payments/<number>/proof")
@bp.doc(security="session", responses=answers(ProofTold, 201, 401, 403, 404, 409))
def confirmation(number: str) -> tuple[dict[str, Any], int]:
    """Issue the confirmation of a payment

    At once when it is paid. The same payment gives the same paper."""
    return _told(confirm(parts(), own_payment(number).number)), 201


@bp.post("/people/<person>/proof/<insurance>")
@bp.doc(security="session", responses=answers(ProofTold, 201, 401, 403, 404, 409))
def certificate(person: str, insurance: str) -> tuple[dict[str, Any], int]:
    """Issue the certificate of one settled item

    As soon as the treasury has booked the money; 409 `NOT_BOOKED_YET` before."""
    subject, item = item_of_person(known(person), insurance)
    return _told(certify(parts(), subject, item.insurance, item.determination, rise=item.rise)), 201


@bp.get("/proofs/<code>")
@bp.doc(security="session", responses=answers(ProofTold, 200, 401, 404))
def one(code: str) -> dict[str, Any]:
    """Does a paper still stand"""
    return _told(own_proof(code))


@bp.get("/proofs/<code>/file")
@bp.doc(
    security="session",
    responses={
        **answers(ProofTold, 200, 401, 404),
        200: {"description": "PDF", "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
    },
)
def file(code: str) -> Response:
    """The paper as PDF"""
    return as_pdf(own_proof(code))


def _told(paper: Proof) -> dict[str, Any]:
    return {
        "code": paper.code,
        "kind": paper.kind,
        "title": paper.title,
        "amount": paper.facts["amount"],
        "issued_on": paper.issued_on.isoformat(),
        "stands": paper.stands,
    }
