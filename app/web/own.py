"""An agent's and an officer's own account: another password, and where else he is logged in."""

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for

from app.access.tally import TooOften
from app.flows.enter.own import change_own, end_session, open_sessions
from app.web.door.access import Answer, agent_in, guarded_by, here, needs
from app.web.door.browser import network
from app.web.door.parts import parts
from core.errors import BadInput

agent = APIBlueprint("own_agent", __name__, enable_openapi=False)
office = APIBlueprint("own_office", __name__, enable_openapi=False)


def _account(problem: str | None = None) -> str:
    """Whose password an operator gave out sees nothing but this page until he has changed it."""
    held = here().agent or here().officer
    return render_template(
        "own/account.html",
        given=held is not None and held.given,
        frame="base.html" if here().agent is not None else "office/base.html",
        door="own_agent" if here().agent is not None else "own_office",
        open=open_sessions(parts(), here()),
        problem=problem,
    )


def _change(home: str) -> Answer:
    form = request.form
    fresh = form.get("password", "")
    if fresh != form.get("again", ""):
        return make_response(_account("两次填的新密码不一样，请再填一遍。"), 422)
    try:
        change_own(parts(), here(), former=form.get("former", ""), password=fresh)
    except (BadInput, TooOften) as error:
        return make_response(_account(error.sentence()), error.status)
    return redirect(url_for(home), 303)


@agent.get("/account")
@guarded_by(agent_in)
def agent_account() -> Answer:
    """我的账号."""
    return _account()


@agent.post("/account")
@guarded_by(agent_in)
def agent_change() -> Answer:
    """Another password."""
    return _change("agent.today")


@agent.post("/account/<name>/end")
def agent_end(name: str) -> Answer:
    """Out of one of them."""
    end_session(parts(), here(), name, network=network())
    return redirect(url_for("own_agent.agent_account", ended=1), 303)


@office.get("/account")
@needs("office.see", first=True)
def office_account() -> Answer:
    """我的账号."""
    return _account()


@office.post("/account")
@needs("office.see", first=True)
def office_change() -> Answer:
    """Another password."""
    return _change("desk.home")


@office.post("/account/<name>/end")
@needs("office.see")
def office_end(name: str) -> Answer:
    """Out of one other computer, at once."""
    end_session(parts(), here(), name, network=network())
    return redirect(url_for("own_office.office_account", ended=1), 303)
