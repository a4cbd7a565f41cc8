"""The offices' refunds: the work list, one with its evidence, and a button for each step a role may do."""

from collections.abc import Mapping
from hashlib import sha256

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import REVIEWS, Role, may
from app.access.sessions import Officer
from app.flows.refund.desk import NOBODYS, Case, Work, case, work
from app.flows.refund.follow import BUREAUS
from app.flows.refund.give_back import HOLDERS, Account, again, ask_transfer, decide_transfer, went_by_hand
from app.flows.refund.steps import accept, decide, own, review, withdraw
from app.policy.facts import Insurance
from app.web.door.access import Answer, NotYourDesk, needs, officer
from app.web.door.parts import parts
from payments.states import STUCK, UNDECIDED, RefundState

bp = APIBlueprint("office_refunds", __name__, enable_openapi=False)
WAYS: Mapping[str, str] = {
    "too_old": "超过渠道的退款期限",
    "no_way_back": "不是从线上渠道来的",
    "balance": "渠道上的余额不够，稍后自动再退",
    "lists": "数据库恢复过，等丢失时段的对账单核对完再退",
    "no_list": "数据库恢复过，丢失时段的对账单一直没来，先到渠道后台查",
    "given_back": "数据库丢失的时段里，渠道上已经退过",
    "silent": "渠道没有回话，稍后自动再问",
    "transfer": "银行转账",
    "by_hand": "在渠道后台手工退的",
}


@bp.get("/")
@needs("refund.see")
def listed() -> Answer:
    """What is under way, what waits for this desk first; or what ended."""
    done = "done" in request.args
    rows = sorted(work(parts(), done=done), key=lambda row: not _mine(row))
    return render_template("office/refunds.html", rows=rows, done=done, mine=_mine, nobodys=NOBODYS)


@bp.get("/<number>")
@needs("refund.see")
def one(number: str) -> Answer:
    """One refund, its evidence, its steps, and what this desk may do."""
    found = case(parts(), number)
    return render_template(
        "office/refund.html",
        case=found,
        nobodys=NOBODYS,
        ways=WAYS,
        holders=HOLDERS,
        acts=_acts(found),
        bureaus=BUREAUS,
    )


@bp.post("/<number>/accept")
@needs("refund.accept")
def accept_one(number: str) -> Answer:
    """受理."""
    accept(parts(), number, by=_by())
    return _back(number)


@bp.post("/<number>/own")
@needs("refund.accept")
def own_one(number: str) -> Answer:
    """由我处理."""
    own(parts(), number, by=_by())
    return _back(number)


@bp.post("/<number>/review")
@needs("refund.review")
def review_one(number: str) -> Answer:
    """复核: each bureau its own insurance."""
    review(parts(), number, Insurance(REVIEWS[officer().role]), by=_by(), reason=_reason())
    return _back(number)


@bp.post("/<number>/approve")
@needs("refund.approve")
def approve_one(number: str) -> Answer:
    """同意."""
    decide(parts(), number, approved=True, by=_by(), reason=_reason())
    return _back(number)


@bp.post("/<number>/reject")
@needs("refund.reject")
def reject_one(number: str) -> Answer:
    """不同意, by whoever has the next step. NotYourDesk."""
    if "reject" not in _acts(case(parts(), number)):
        raise NotYourDesk("refund.reject")
    decide(parts(), number, approved=False, by=_by(), reason=_reason())
    return _back(number)


@bp.post("/<number>/withdraw")
@needs("refund.accept")
def withdraw_one(number: str) -> Answer:
    """撤回, by who asked."""
    withdraw(parts(), number, by=_by())
    return _back(number)


@bp.post("/<number>/again")
@needs("refund.accept")
def again_one(number: str) -> Answer:
    """换新单号再退."""
    again(parts(), number, by=_by())
    return _back(number)


@bp.post("/<number>/transfer")
@needs("refund.accept")
def transfer_one(number: str) -> Answer:
    """改用银行转账: what was transferred where, and the slip."""
    form, slip = request.form, request.files.get("slip")
    written = slip.read() if slip else b""
    account = Account(
        holder=form.get("holder", ""),
        name=form.get("name", ""),
        account=form.get("account", ""),
        bank=form.get("bank", ""),
        proof=form.get("proof", ""),
        digest=sha256(written).digest() if written else None,
    )
    ask_transfer(parts(), number, account, by=_by())
    return _back(number)


@bp.post("/<number>/by-hand")
@needs("refund.accept")
def by_hand_one(number: str) -> Answer:
    """按手工退款办结: their list has it, given back by hand."""
    went_by_hand(parts(), number, by=_by())
    return _back(number)


@bp.post("/<number>/confirm")
@needs("refund.approve")
def confirm_one(number: str) -> Answer:
    """回单核对无误, or not."""
    decide_transfer(parts(), number, agreed=request.form.get("agreed") == "yes", by=_by())
    return _back(number)


def waits_for(who: Officer, row: Work) -> bool:
    """Does it wait for this desk: for its next step, if it did not ask itself; where nothing goes by itself, for a way
    by whoever may, and for the second person once a transfer was written down?"""
    if row.stuck:
        return may(who.role, "refund.approve" if row.by_transfer else "refund.accept")
    return row.applied_by != who.by and bool(_next(who, row.state, held=row.held, missing=row.missing))


def _mine(row: Work) -> bool:
    return waits_for(officer(), row)


def _acts(found: Case) -> frozenset[str]:
    """The buttons on this desk's page."""
    held = officer()
    acts = set(_next(held, found.refund.state, held=found.refund.held, missing=found.missing))
    asked = found.transfer is not None and found.transfer.state == "asked"
    if found.refund.state in STUCK:
        if asked:
            acts &= {"confirm", "own"}
        else:
            acts -= {"confirm"}
        if asked or not found.by_hand:
            acts -= {"by_hand"}
        if found.spent:
            acts -= {"again", "transfer"}
    if found.refund.state is not RefundState.FAILED or found.refund.their_word in ("too_old", "no_way_back"):
        acts -= {"again"}  # only after a definite no of a gateway that still gives money back
    if f"staff:{held.login}" in {step.by for step in found.refund.steps} and found.refund.state in UNDECIDED:
        acts.clear()  # who did one step does no other
        if found.refund.applied_by == f"staff:{held.login}" and may(held.role, "refund.accept"):
            acts.add("withdraw")
    return frozenset(acts)


def _next(who: Officer, state: RefundState, *, held: bool, missing: frozenset[Insurance]) -> frozenset[str]:
    """What a role may do next with a refund that stands there."""
    clerk, lead = may(who.role, "refund.accept"), may(who.role, "refund.approve")
    if state is RefundState.APPLIED and not held:
        return frozenset({"accept", "reject"} if clerk else ())
    if state is RefundState.ACCEPTED:
        return frozenset({"review", "reject"} if REVIEWS.get(Role(who.role)) in missing else ())
    if state in (RefundState.APPLIED, RefundState.REVIEWED):
        return frozenset({"approve", "reject"} if lead else ())
    if state in STUCK:
        return frozenset({"own", "again", "transfer", "by_hand"} if clerk else {"confirm"} if lead else ())
    return frozenset()


def _by() -> str:
    return f"staff:{officer().login}"


def _reason() -> str:
    return request.form.get("reason", "").strip()


def _back(number: str) -> Answer:
    return redirect(url_for("office_refunds.one", number=number), 303)
