"""/api/v1/session: a token for everything else; a phone and its code make it an account's. /api/v1/me: the account."""

from typing import Any

from apiflask import APIBlueprint

from app.flows.due.quote import subjects
from app.flows.enter.session import Entry, leave, open_session
from app.flows.enter.sign_in import ask_code, prove_code
from app.flows.family.holders import allow, bar, holders
from app.flows.family.people import account_of, end_other_phones, let_go
from app.web.api.asked import CodeAsked, PhoneAsked, SessionAsked
from app.web.api.told import AccountTold, EndedTold, SentTold, SessionTold, answers
from app.web.door.access import api_resident, guarded_by, here, reference
from app.web.door.browser import network
from app.web.door.parts import parts
from app.web.wishes import known
from core.redact import mask_name

bp = APIBlueprint("session", __name__, tag="会话 session")


@bp.post("/session")
@bp.input(SessionAsked)
@bp.doc(responses=answers(SessionTold, 201, 401, 409, 429, 503))
def begin(json_data: SessionAsked) -> tuple[dict[str, Any], int]:
    """Begin a session

    With the mini-program's login code the session knows the WeChat user, which JSAPI payments need; who has an account
    is in it."""
    return _told(open_session(parts(), network=network(), code=json_data.code)), 201


@bp.delete("/session")
@guarded_by(api_resident)
@bp.doc(security="session", responses=answers(EndedTold, 200, 401, 403))
def end() -> dict[str, Any]:
    """End this session, at once"""
    leave(parts(), here(), network=network())
    return {"ended": 1}


@bp.post("/session/phone")
@guarded_by(api_resident)
@bp.input(PhoneAsked)
@bp.doc(security="session", responses=answers(SentTold, 200, 401, 403, 409, 422, 429, 503))
def ask(json_data: PhoneAsked) -> dict[str, Any]:
    """Have a code sent to a phone

    Six digits, good for five minutes and five tries, in this session only. The answer is the same for every phone."""
    ask_code(parts(), here(), phone=json_data.phone, network=network())
    return {"text": "验证码发出去了，请看短信。", "again_after_s": 60}


@bp.post("/session/phone/confirm")
@guarded_by(api_resident)
@bp.input(CodeAsked)
@bp.doc(security="session", responses=answers(SessionTold, 200, 401, 403, 422))
def confirm(json_data: CodeAsked) -> dict[str, Any]:
    """Prove the phone

    A new token of the phone's account; the one before is over."""
    return _told(prove_code(parts(), here(), code=json_data.code, network=network()))


@bp.get("/me")
@guarded_by(api_resident)
@bp.doc(security="session", responses=answers(AccountTold, 200, 401))
def me() -> dict[str, Any]:
    """The account of this session"""
    account = account_of(parts(), here())
    people = sorted(account.people.keys() & set(here().known.values()))
    return {
        "phone": account.phone,
        "agreed": account.consented,
        "people": [
            {
                "person": reference(person.id),
                "masked_name": mask_name(person.name),
                "village": f"{person.town}{person.village}",
                "own": person.id == account.himself,
            }
            for person in subjects(parts(), people)
        ],
        "holders": [
            {
                "holder": each.reference,
                "phone": each.phone,
                "masked_name": each.name,
                "since": each.since.isoformat(timespec="seconds"),
                "barred": each.barred,
            }
            for each in holders(parts(), here())
        ],
    }


@bp.delete("/me/people/<person>")
@guarded_by(api_resident)
@bp.doc(security="session", responses=answers(AccountTold, 200, 401, 403, 404))
def remove(person: str) -> dict[str, Any]:
    """Pay for somebody no more; looking him up again is the undo"""
    let_go(parts(), here(), known(person))
    return me()


@bp.delete("/me/holders/<holder>")
@guarded_by(api_resident)
@bp.doc(security="session", responses=answers(AccountTold, 200, 401, 403, 404))
def bar_holder(holder: str) -> dict[str, Any]:
    """Somebody else pays for me no more, and cannot bring me in again

    Until I allow it."""
    bar(parts(), here(), holder)
    return me()


@bp.post("/me/holders/<holder>/allow")
@guarded_by(api_resident)
@bp.doc(security="session", responses=answers(AccountTold, 200, 401, 403, 404))
def allow_holder(holder: str) -> dict[str, Any]:
    """Somebody I let go may pay for me again"""
    allow(parts(), here(), holder)
    return me()


@bp.delete("/me/sessions")
@guarded_by(api_resident)
@bp.doc(security="session", responses=answers(EndedTold, 200, 401, 403))
def end_others() -> dict[str, Any]:
    """End every other session of this account, at once"""
    return {"ended": end_other_phones(parts(), here())}


def _told(entry: Entry) -> dict[str, Any]:
    return {"token": entry.token, "expires_at": entry.expires_at.isoformat(timespec="seconds")}
