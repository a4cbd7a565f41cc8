"""GET /api/v1/people/<person>/sheet/<insurance>: why this amount. POST …/verification: ask the medical bureau."""

from typing import Any

from apiflask import APIBlueprint
from flask import request

from app.flows.due.quote import ASKED_WORDS, SELF, subjects
from app.flows.due.record import answer, asked_of
from app.flows.register.apply import ask_for_waiver
from app.policy.sheet import Sheet, SheetLine
from app.web.api.told import AskedTold, SheetTold, answers
from app.web.door.access import actor, here
from app.web.door.parts import parts
from app.web.sheets import ask_at_the_bureau, in_its_year, item_of, sheet_of
from app.web.wishes import known
from core.clock import beijing
from core.redact import mask_name

bp = APIBlueprint("sheets", __name__, tag="查询 look-up")


@bp.get("/people/<person>/sheet/<insurance>")
@bp.doc(
    security="session",
    description="`tier.<person>=<fen>` chooses a pension tier, `level.<person>=<level>` a level of the"
    " medical insurance; a back-payment is `RES_PENSION:<determination>`, a tier that is raised"
    " `RES_PENSION@<year>:rise` with `rise.<person>@<year>=<fen>`."
    " The person must be known to this session.",
    responses=answers(SheetTold, 200, 401, 404, 422),
)
def sheet(person: str, insurance: str) -> dict[str, Any]:
    """Why this amount: the sheet of one person and insurance"""
    subject = subjects(parts(), [known(person)])[0]
    now = parts().clocks.now()
    found = sheet_of(subject, insurance, at=now, channel=SELF)
    return {
        "person": person,
        "masked_name": mask_name(subject.name),
        "village": f"{subject.town}{subject.village}",
        "asked_at": beijing(now).isoformat(timespec="seconds"),
    } | _told(found)


@bp.post("/people/<person>/verification")
@bp.doc(security="session", responses=answers(AskedTold, 200, 401, 403, 404, 409))
def verification(person: str) -> dict[str, Any]:
    """Ask the medical bureau to look (reason_code LATE_WAIVER_REVIEW)

    Asking again changes nothing. `?year=` says for which levy year, needed where two are collected."""
    year = request.args.get("year", type=int) or parts().levy.only
    ask_for_waiver(parts(), in_its_year(subjects(parts(), [known(person)])[0], year), by=actor(here()))
    return {"person": person, "text": ASKED_WORDS}


@bp.post("/people/<person>/sheet/<insurance>/history")
@bp.doc(security="session", responses=answers(AskedTold, 200, 401, 403, 404, 409))
def history(person: str, insurance: str) -> dict[str, Any]:
    """Ask the medical bureau to look at the years of enrolment (`may_ask` of the sheet)

    Asking again changes nothing."""
    ask_at_the_bureau(subjects(parts(), [known(person)])[0], insurance, by=actor(here()))
    subject = in_its_year(subjects(parts(), [known(person)])[0], item_of(insurance).levy_year)
    return {"person": person, "text": answer(asked_of(subject) or {})}


def _told(sheet: Sheet) -> dict[str, Any]:
    return {
        "insurance": sheet.insurance,
        "title": sheet.title,
        "answer": sheet.answer,
        "reason_code": sheet.reason_code,
        "personal_due": sheet.personal_due,
        "total": sheet.total,
        "account_credit": sheet.account_credit,
        "lines": [_line(line) for line in sheet.lines],
        "behind": list(sheet.behind),
        "change": sheet.change,
        "waiting": sheet.waiting,
        "record": list(sheet.record),
        "may_ask": sheet.may_ask,
        "benefits": sheet.benefits,
        "valid": sheet.valid,
        "waiting_end": sheet.waiting_end.isoformat() if sheet.waiting_end else None,
        "benefit_start": sheet.benefit_start.isoformat() if sheet.benefit_start else None,
        "price_until": beijing(sheet.price_until).isoformat() if sheet.price_until else None,
        "source": sheet.source,
    }


def _line(line: SheetLine) -> dict[str, Any]:
    return {
        "part": line.part,
        "payer": line.payer,
        "fund": line.fund,
        "amount": line.amount,
        "text": line.text,
        "payer_words": line.payer_words,
        "fund_words": line.fund_words,
        "clause": line.clause,
        "clause_words": line.clause_words,
        "evidence": line.evidence,
    }
