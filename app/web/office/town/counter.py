"""A town's counter: what it does for somebody who stands there beside taking his money (`app/web/table`): money back,
papers, a phone put right, a sentence to an office. Each is signed with the clerk's name."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.flows.cases.say import said_at_counter
from app.flows.due.quote import dues_of_year
from app.flows.family.correct_phone import correct_phone
from app.flows.prove.papers import certify
from app.flows.refund.follow import follow_all
from app.flows.refund.steps import withdraw
from app.flows.refund.wish import refundables
from app.registry.find import Subject
from app.web.door.access import Answer, actor, here, needs, officer, reference
from app.web.door.parts import parts
from app.web.refunding import apply_here, begin_page, one_page
from app.web.saying import say_here, saying_page, settle_here, shown
from app.web.sheets import item_of
from app.web.table.place import own_person
from app.web.wishes import own_refund
from core.errors import AppError
from core.redact import mask_phone

bp = APIBlueprint("office_counter", __name__, enable_openapi=False)


@bp.get("/people/<person>/paid")
@needs("counter.serve")
def paid(person: str) -> Answer:
    """What was paid: its certificate, its money back, and every refund asked for."""
    subject = own_person(person)
    now = parts().clocks.now()
    years = parts().levy.ever.all
    done = [due for year in years for due in dues_of_year(parts(), subject.in_year(year), at=now) if due.settled]
    back = {each.key: each for _, each in refundables(parts(), [subject], actor=actor(here()))}
    refunds = follow_all(parts(), [subject])
    return render_template(
        "office/counter_paid.html", person=person, subject=subject, done=done, back=back, refunds=refunds
    )


@bp.post("/people/<person>/certificate/<insurance>")
@needs("counter.serve")
def certificate(person: str, insurance: str) -> Answer:
    """Write the certificate, then to its file."""
    item = item_of(insurance)
    subject = own_person(person).in_year(item.levy_year)
    paper = certify(parts(), subject, item.insurance, item.determination, rise=item.rise)
    return redirect(url_for("counter.file", code=paper.code), 303)


@bp.get("/people/<person>/refund/<insurance>")
@needs("counter.serve")
def begin(person: str, insurance: str) -> Answer:
    """Why, and then: is it right?"""
    return begin_page(own_person(person), insurance, back=url_for(".paid", person=person))


@bp.post("/people/<person>/refund/<insurance>")
@needs("counter.serve")
def apply(person: str, insurance: str) -> Answer:
    """提交申请."""
    return apply_here(own_person(person), insurance)


@bp.get("/refunds/<number>")
@needs("counter.serve")
def one(number: str) -> Answer:
    """Where a refund stands."""
    found = own_refund(number)
    return one_page(found, back=url_for(".paid", person=reference(found.items[0].person_id)))


@bp.post("/refunds/<number>/withdraw")
@needs("counter.serve")
def take_back(number: str) -> Answer:
    """撤回申请, by the clerk who asked."""
    withdraw(parts(), own_refund(number).number, by=actor(here()))
    return redirect(url_for(".one", number=number), 303)


@bp.get("/people/<person>/phone")
@needs("counter.serve")
def phone(person: str) -> Answer:
    """改登记的手机号."""
    return _phone(person)


@bp.post("/people/<person>/phone")
@needs("counter.serve")
def correct(person: str) -> Answer | tuple[Answer, int]:
    """It is the one he holds in his hand."""
    subject, form = own_person(person), request.form
    try:
        correct_phone(
            parts(), officer(), subject.id, phone=form.get("phone", "")[:20], proof=form.get("proof", "")[:400]
        )
    except AppError as error:
        return _phone(person, problem=error.sentence()), error.status
    return redirect(url_for(".phone", person=person, done=1), 303)


@bp.get("/people/<person>/matters")
@needs("counter.serve")
def matters(person: str) -> Answer:
    """有话要说, for who stands there."""
    return _matters(own_person(person), person)


@bp.post("/people/<person>/matters")
@needs("counter.serve")
def say_one(person: str) -> Answer | tuple[Answer, int]:
    """告诉他们. That he died is asked once more: he may be the one who stands there."""
    subject = own_person(person)
    words = request.form.get("words", "")[:2000]
    if "again" in request.form:
        return _matters(subject, person)
    if request.form.get("kind") == "DIED" and "sure" not in request.form and words.strip():
        return render_template("office/counter_died.html", person=person, subject=subject, words=words)
    return shown(
        lambda: say_here(subject.id, village=subject.village_code, by=actor(here())),
        lambda problem: _matters(subject, person, problem),
        url_for(".matters", person=person),
        said=True,
    )


@bp.post("/people/<person>/matters/<number>")
@needs("counter.serve")
def settle_one(person: str, number: str) -> Answer | tuple[Answer, int]:
    """解决了, or 没解决."""
    subject = own_person(person)
    return shown(
        lambda: settle_here(number, said_at_counter(parts(), subject.id)),
        lambda problem: _matters(subject, person, problem),
        url_for(".matters", person=person),
    )


def _phone(person: str, problem: str | None = None) -> str:
    subject = own_person(person)
    held = subject.phone_sealed
    number = parts().vault.open(held, bound_to=f"person.phone:{subject.id}") if held else ""
    shown_as = mask_phone(number) if number else "没有登记"
    return render_template(
        "office/counter_phone.html",
        subject=subject,
        person=person,
        phone=shown_as,
        done="done" in request.args,
        problem=problem,
        typed=request.form,
    )


def _matters(subject: Subject, person: str, problem: str | None = None) -> str:
    return saying_page(
        {person: subject},
        said_at_counter(parts(), subject.id),
        own=url_for(".matters", person=person),
        back=url_for("counter.person", person=person),
        problem=problem,
        of_him=True,
    )
