"""A resident's way in: the phone, the code sent to it, at the first visit the name and number too; and his own page."""

from collections.abc import Mapping
from types import MappingProxyType

from apiflask import APIBlueprint
from flask import current_app, make_response, redirect, render_template, request, url_for

from app.access.sessions import Visitor
from app.access.tally import TooOften
from app.flows.due.quote import subjects
from app.flows.enter.session import open_session
from app.flows.enter.sign_in import BadPhone, TextNotSent, WrongCode, ask_code, awaits, prove_code, sent
from app.flows.family.holders import allow, bar, holders
from app.flows.family.people import account_of, end_other_phones, let_go, say_who
from app.flows.pay.history import history
from app.web.door.access import (
    Answer,
    admit,
    anybody,
    guarded_by,
    here,
    page_account,
    page_resident,
    reference,
    visitor,
)
from app.web.door.browser import device, keep, network
from app.web.door.onward import onward, then
from app.web.door.parts import parts
from app.web.resident.dues import bring_in
from app.web.wishes import known

bp = APIBlueprint("sign_in", __name__, enable_openapi=False)


@bp.get("/login")
@guarded_by(anybody)
def phone() -> Answer:
    """The phone number. Who is in already goes on."""
    return _further() or _ask_phone()


@bp.post("/login")
@guarded_by(anybody)
def ask() -> Answer | tuple[Answer, int]:
    """A code is sent, whoever's phone it is. Where one is on its way already, its page says when the next may be asked
    for; where none is, what was typed stays."""
    further = _further()
    if further is not None:
        return further
    entry = None
    if visitor() is None:
        entry = open_session(parts(), network=network())
        admit(entry)
    typed = request.form.get("phone", "")[:30]
    try:
        ask_code(parts(), here(), phone=typed, network=network(), device=device())
        answer = redirect(url_for("sign_in.code", then=then()), 303)
    except BadPhone as error:
        answer = make_response(_ask_phone(typed, error.fields), error.status)
    except (TextNotSent, TooOften) as error:
        if isinstance(error, TooOften) and awaits(parts(), here(), typed):
            answer = redirect(url_for("sign_in.code", then=then()), 303)
        else:
            answer = make_response(_ask_phone(typed, problem=error.sentence()), error.status)
    return keep(answer, entry) if entry else answer


@bp.get("/login/code")
@guarded_by(anybody)
def code() -> Answer:
    """The code from the message; at the first visit name and number too."""
    if visitor() is None:
        return redirect(url_for("sign_in.phone", then=then()), 303)
    return _further() or _ask_for_code()


@bp.post("/login/code")
@guarded_by(anybody)
def prove() -> Answer | tuple[Answer, int]:
    """In; on to what is due, or to name and number for an account that knows nobody yet."""
    held = visitor()
    if held is None:
        return redirect(url_for("sign_in.phone", then=then()), 303)
    further = _further()
    if further is not None:
        return further
    try:
        typed = request.form.get("code", "")[:20]
        entry = prove_code(parts(), held, code=typed, network=network(), device=device())
    except WrongCode as error:
        return _ask_for_code(error.sentence()), error.status
    admit(entry)
    named = any(request.form.get(field, "").strip() for field in ("name", "id_number"))
    if named or "agreed" in request.form:
        return keep(make_response(bring_in(request.form)), entry)
    return keep(redirect(onward(), 303), entry)


@bp.get("/privacy")
@guarded_by(anybody)
def privacy() -> Answer:
    """What is done with personal data: readable before anything is agreed to."""
    return render_template("resident/privacy.html")


@bp.get("/me")
@guarded_by(page_account)
def me() -> Answer:
    """The account: the phone, the people, the other devices, the way out."""
    account = account_of(parts(), here())
    cards = [
        (reference(person.id), person)
        for person in subjects(parts(), sorted(account.people.keys() & set(here().known.values())))
    ]
    return render_template("resident/me.html", account=account, cards=cards, holders=holders(parts(), here()))


@bp.post("/me/people/<person>/remove")
@guarded_by(page_account)
def remove(person: str) -> Answer:
    """不再替他交."""
    let_go(parts(), here(), known(person))
    return redirect(url_for("sign_in.me"), 303)


@bp.post("/me/people/<person>/self")
@guarded_by(page_account)
def myself(person: str) -> Answer:
    """这是我本人."""
    say_who(parts(), here(), known(person))
    return redirect(url_for("sign_in.me"), 303)


@bp.post("/me/holders/<holder>/remove")
@guarded_by(page_account)
def bar_holder(holder: str) -> Answer:
    """不让他替我交."""
    bar(parts(), here(), holder)
    return redirect(url_for("sign_in.me"), 303)


@bp.post("/me/holders/<holder>/allow")
@guarded_by(page_account)
def allow_holder(holder: str) -> Answer:
    """又让他替我交."""
    allow(parts(), here(), holder)
    return redirect(url_for("sign_in.me"), 303)


@bp.post("/me/others/end")
@guarded_by(page_account)
def end_others() -> Answer:
    """退出其他手机上的登录."""
    ended = end_other_phones(parts(), here())
    return redirect(url_for("sign_in.me", ended=ended), 303)


@bp.get("/history")
@guarded_by(page_resident)
def past() -> Answer:
    """What this account has paid, the newest first; the rest on the next page."""
    found = history(parts(), here(), after=request.args.get("after", ""))
    return render_template("resident/history.html", found=found)


def _ask_phone(typed: str = "", fields: Mapping[str, str] = MappingProxyType({}), problem: str | None = None) -> str:
    return render_template("resident/login.html", then=then(), typed=typed, fields=fields, problem=problem)


def _ask_for_code(problem: str | None = None) -> str:
    """What was typed of name and number stays; a code is typed anew."""
    settings = current_app.extensions["settings"]
    return render_template(
        "resident/code.html",
        then=then(),
        problem=problem,
        texts=f"{settings.sandbox_url}/phone/texts" if settings.is_sandbox else None,
        sent=sent(parts(), here()),
        typed=request.form,
    )


def _further() -> Answer | None:
    """Where somebody who is in already goes."""
    held: Visitor | None = visitor()
    if held is None or not (held.by or held.unsure_id):
        return None
    return redirect(onward(), 303)
