"""A bureau asked for its word: the same page for a resident's people and for those of an agent's villages."""

from flask import redirect, render_template, request, url_for

from app.documents.picture import photo
from app.flows.register.apply import Evidence, NothingToDetermine, ask_bureau, withdraw
from app.flows.register.determine import NoSuchDetermination
from app.flows.register.offers import Offer, applied, offers
from app.registry.find import Subject
from app.web.door.access import Answer, actor, here
from app.web.door.parts import parts
from core.errors import AppError

LONGEST_KEY = 100


def offer_named(subject: Subject, key: str) -> Offer:
    """What a key of a page of ours names, offered or open already. NothingToDetermine."""
    found = {offer.key: offer for offer in offers(parts(), subject, open_too=True)}
    if key not in found:
        raise NothingToDetermine
    return found[key]


def known_case(subject: Subject, number: str) -> int:
    """The number of a case of this person's. NoSuchDetermination."""
    found = {str(each.id): each.id for each in applied(parts(), subject, reader=actor(here()))}
    if number not in found:
        raise NoSuchDetermination(number[:20])
    return found[number]


def asking_page(subject: Subject, *, back: str, problem: str | None = None) -> str:
    """What may be asked for and where stands what was; what was typed stays."""
    return render_template(
        "asking.html",
        subject=subject,
        person=request.view_args["person"] if request.view_args else "",
        back=back,
        offers=offers(parts(), subject),
        applied=applied(parts(), subject, reader=actor(here())),
        problem=problem,
        typed=request.form,
    )


def ask_here(subject: Subject, *, by: str, back: str) -> Answer | tuple[Answer, int]:
    """What the form asks for; back to the page, which says where it stands. What was typed stays on an error."""
    form, file = request.form, request.files.get("picture")
    try:
        given = file.read() if file else b""
        evidence = Evidence(form.get("words", "")[:2000], photo(given) if given else None)
        ask_bureau(parts(), subject, offer_named(subject, form.get("offer", "")[:LONGEST_KEY]), evidence, by=by)
    except AppError as error:
        return asking_page(subject, back=back, problem=error.sentence()), error.status
    return _again()


def withdraw_here(subject: Subject, number: str, *, back: str) -> Answer | tuple[Answer, int]:
    """不申请了. NoSuchDetermination for another person's."""
    case = known_case(subject, number)
    try:
        withdraw(parts(), case, by=here())
    except AppError as error:
        return asking_page(subject, back=back, problem=error.sentence()), error.status
    return _again()


def _again() -> Answer:
    person = request.view_args["person"] if request.view_args else ""
    return redirect(url_for(".bureau", person=person), 303)
