"""An agent's cash: read back and taken, its receipts, what he holds, and how it goes to the bank."""

import secrets

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for

from app.documents.picture import photo
from app.flows.custody import hand, paper, remit, void
from app.flows.custody.books import serial_words
from app.flows.custody.take import Asked, read_back, take
from app.flows.due.quote import subjects
from app.web.codes import drawn
from app.web.door.access import Answer, agent, here
from app.web.door.parts import parts
from app.web.files import as_file
from app.web.paying import NoKey
from app.web.table.chosen import chosen_items
from app.web.table.place import all_mine, own_person
from app.web.wishes import MOST_ITEMS, tier_fields
from core.errors import AppError, NotFound
from core.money import Fen

bp = APIBlueprint("agent_cash", __name__, enable_openapi=False)


@bp.get("/cash")
def mine() -> Answer:
    """我的现金: in hand, since when, what to take to the bank, what is there."""
    return _mine()


@bp.post("/people/<person>/cash")
def offer(person: str) -> Answer | tuple[Answer, int]:
    """Names and amounts to be read out, before a fen is taken."""
    return _offer(person)


@bp.post("/people/<person>/cash/take")
def taken(person: str) -> Answer | tuple[Answer, int]:
    """收到了: the receipts."""
    own_person(person)
    key, total = request.form.get("key", ""), request.form.get("total", "")
    if not 8 <= len(key) <= 64 or not (total.isascii() and total.isdecimal() and len(total) <= 9):
        raise NoKey
    wants = chosen_items(request.form)
    all_mine(subjects(parts(), sorted({want.person_id for want in wants})))
    try:
        serials = take(parts(), Asked(wants, Fen(total), key), by=here())
    except AppError as error:
        return _offer(person, problem=error.sentence()), error.status
    return redirect(url_for("agent_cash.receipt", serial=serials[0]), 303)


@bp.get("/cash/receipts")
def listed() -> Answer:
    """His receipts, the newest first."""
    asked = request.args.get("page", "1")
    page = max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 5 else 1
    rows = paper.of_agent(parts(), agent().id, page)
    return render_template("agent/cash_receipts.html", rows=rows, page=page, full=len(rows) == paper.PAGE, **_words())


@bp.get("/cash/receipts/<int:serial>")
def receipt(serial: int) -> Answer:
    """One: to be printed, or voided."""
    return _receipt(serial)


@bp.get("/cash/receipts/<int:serial>/paper.pdf")
def printed(serial: int) -> Response:
    """Three copies of A5."""
    from app.documents.receipt import draw  # noqa: PLC0415 few processes draw

    _own(serial)
    return as_file(draw(paper.facts(parts(), serial)), "application/pdf", f"专用收据-{serial}.pdf", shown=True)


@bp.get("/cash/receipts/<int:serial>/strip")
def strip(serial: int) -> Answer:
    """For a printer at the belt, 58 mm wide."""
    _own(serial)
    found = paper.facts(parts(), serial)
    return render_template("agent/cash_strip.html", receipt=found, picture=drawn(found.address), serial=serial)


@bp.post("/cash/receipts/<int:serial>/void")
def voided(serial: int) -> Answer | tuple[Answer, int]:
    """作废; a torn one has another in its place."""
    _own(serial)
    try:
        made = void.void(parts(), serial, request.form.get("why", "")[:20], by=here())
    except NotFound:
        raise
    except AppError as error:
        return _receipt(serial, problem=error.sentence()), error.status
    return redirect(url_for("agent_cash.receipt", serial=made[0] if made else serial), 303)


@bp.post("/cash/remit")
def remitted() -> Answer | tuple[Answer, int]:
    """存好了: up to which receipt, by which slip."""
    until, total = (request.form.get(name, "") for name in ("until", "total"))
    seen, _, shown = until.partition(":")
    try:
        if not all(each.isascii() and each.isdecimal() and len(each) <= 14 for each in (seen, shown)):
            raise remit.RemittedOtherwise(total)
        slip = request.form.get("slip", "")[:60]
        remit.remit(parts(), int(seen), Fen(shown), slip=slip, photo=_photo(), by=here())
    except AppError as error:
        return _mine(problem=error.sentence()), error.status
    return redirect(url_for("agent_cash.mine"), 303)


@bp.post("/cash/batches/<int:batch>/slips")
def slipped(batch: int) -> Answer | tuple[Answer, int]:
    """Another slip of a batch that is not whole."""
    try:
        remit.add_slip(parts(), batch, slip=request.form.get("slip", "")[:60], photo=_photo(), by=here())
    except AppError as error:
        return _mine(problem=error.sentence(), batch=batch), error.status
    return redirect(url_for("agent_cash.mine"), 303)


def _offer(person: str, *, problem: str | None = None) -> Answer:
    subject, wants = own_person(person), chosen_items(request.form)
    fields = {"item": request.form.getlist("item")[:MOST_ITEMS]} | tier_fields(request.form)
    back = url_for("agent_table.person", person=person, seen=1, **fields)
    found = []
    try:
        all_mine(subjects(parts(), sorted({want.person_id for want in wants})) or [subject])
        found = read_back(parts(), wants)
    except NotFound:
        raise
    except AppError as error:
        problem = problem or error.sentence()
    key = request.form.get("key", "")
    return render_template(
        "agent/cash_take.html",
        items=found,
        names="、".join(dict.fromkeys(each.name for each, _ in found)),
        total=sum(due.quote.to_pay for _, due in found),
        fields=fields,
        key=key if 8 <= len(key) <= 64 else secrets.token_urlsafe(12),
        person=person,
        back=back,
        problem=problem,
    )


def _mine(*, problem: str | None = None, batch: int | None = None) -> str:
    rows = remit.waiting(parts(), agent().id)
    return render_template(
        "agent/cash.html",
        hand=hand.hand_of(parts(), agent().id),
        rows=rows,
        batches=remit.batches(parts(), agent=agent().id),
        problem=problem,
        at=batch,
        typed=request.form.get("slip", "")[:60],
        chosen=request.form.get("until", "")[:40],
        **_words(),
    )


def _receipt(serial: int, *, problem: str | None = None) -> str:
    row = _own(serial)
    return render_template(
        "agent/cash_receipt.html",
        row=row,
        receipt=paper.facts(parts(), serial),
        others=paper.together(parts(), row),
        why=void.WHY,
        today=parts().clocks.today(),
        problem=problem,
        **_words(),
    )


def _own(serial: int) -> object:
    row = paper.of_serial(parts(), serial)
    if row.agent_id != agent().id:
        raise void.NoSuchReceipt(str(serial))
    return row


def _photo() -> bytes | None:
    sent = request.files.get("photo")
    return photo(sent.read()) if sent is not None and sent.filename else None


def _words() -> dict[str, object]:
    return {"serial_words": serial_words, "states": {"ISSUED": "在手里", "VOIDED": "已作废", "REMITTED": "已存银行"}}
