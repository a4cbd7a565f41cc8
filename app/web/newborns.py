"""A child without an identity number is applied for: the same page for a resident's own and at a table."""

from flask import redirect, render_template, request, url_for

from app.documents.picture import photo
from app.flows.newborn.apply import Child, NoSuchNewborn, applied, apply, withdraw
from app.registry.find import Subject
from app.web.door.access import Answer, actor, here
from app.web.door.parts import parts
from core.errors import AppError


def newborn_page(parent: Subject, *, back: str, problem: AppError | None = None) -> str:
    """What was asked for and where it stands, and the form; what was typed stays."""
    return render_template(
        "newborn.html",
        parent=parent,
        person=_person(),
        back=back,
        applied=applied(parts(), parent, reader=actor(here())),
        problem=problem.sentence() if problem else None,
        fields=(problem.fields if problem else None) or {},
        typed=request.form,
        today=parts().clocks.today(),
    )


def apply_here(parent: Subject, *, back: str) -> Answer | tuple[Answer, int]:
    """申请登记."""
    form, file = request.form, request.files.get("picture")
    try:
        given = file.read() if file else b""
        said = (form.get(name, "")[:100] for name in ("certificate", "name", "born", "sex"))
        apply(parts(), parent, Child(*said, photo(given) if given else None), by=actor(here()))
    except AppError as error:
        return newborn_page(parent, back=back, problem=error), error.status
    return _again()


def withdraw_newborn(parent: Subject, number: str, *, back: str) -> Answer | tuple[Answer, int]:
    """不申请了. NoSuchNewborn for another's."""
    known = {str(each.id): each.id for each in applied(parts(), parent, reader=actor(here()))}
    if number not in known:
        raise NoSuchNewborn(number[:20])
    try:
        withdraw(parts(), known[number], by=here())
    except AppError as error:
        return newborn_page(parent, back=back, problem=error), error.status
    return _again()


def _person() -> str:
    return request.view_args["person"] if request.view_args else ""


def _again() -> Answer:
    return redirect(url_for(".newborn", person=_person()), 303)
