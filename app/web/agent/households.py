"""The pages of a village agent: log in, the village's list, whom he sought on it. What he does with somebody of it
stands in `app/web/table`."""

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for

from app.access.tally import TooOften
from app.flows.custody.hand import hand_of
from app.flows.enter.session import WrongLogin, leave_elsewhere, log_in
from app.flows.roster.closings import to_do
from app.flows.village.listed import not_in_force
from app.flows.village.people import (
    SHOWN,
    VillageName,
    closed_words,
    in_words,
    matching,
    search_noted,
    villagers,
    villages,
)
from app.flows.village.slips import can_be_handed_out
from app.web.door.access import (
    Answer,
    agent,
    agent_in,
    anybody,
    drop,
    guarded_by,
    here,
    mark_of,
    reference,
    visitor,
)
from app.web.door.browser import keep, network, typed_login
from app.web.door.onward import is_lasting
from app.web.door.parts import parts
from app.web.table import listing
from core.errors import NotFound

bp = APIBlueprint("agent", __name__, enable_openapi=False)
PAGE = 50


class NotYourVillage(NotFound):
    """A village of somebody else's, or none at all: the same answer (A30)."""

    text = "没有找到这个村，或者不归您负责。"


@bp.get("/login")
@guarded_by(anybody)
def login() -> Answer:
    """Login and password."""
    held = visitor()
    if held is not None and held.agent is not None:
        return redirect(url_for("agent.today"), 303)
    return render_template("agent/login.html", problem=None, typed="")


@bp.post("/login")
@guarded_by(anybody)
def enter() -> Answer | tuple[Answer, int]:
    """A new session with a new token, or the same words for whatever was wrong."""
    form = request.form
    try:
        entry = log_in(parts(), typed_login(), former=visitor())
    except (WrongLogin, TooOften) as error:
        typed = form.get("login", "")[:64]
        return render_template("agent/login.html", problem=error.sentence(), typed=typed), error.status
    wanted = form.get("then", "")
    return keep(redirect(wanted if is_lasting(wanted) else url_for("agent.today"), 303), entry)


@bp.post("/others/end")
def end_others() -> Answer:
    """Out of every other phone and computer, at once."""
    return redirect(url_for("own_agent.agent_account", ended=leave_elsewhere(parts(), here())), 303)


@bp.post("/logout")
@guarded_by(agent_in)
def logout() -> Answer:
    """Out, at once and for good."""
    return drop(redirect(url_for("agent.login"), 303))


@bp.get("/")
def today() -> Answer:
    """The agent's villages; straight to the list if there is one."""
    own = villages(parts(), sorted(agent().villages))
    if len(own) == 1:
        return redirect(url_for("agent.village", code=own[0].code), 303)
    return render_template("agent/today.html", villages=own)


@bp.get("/villages/<code>")
def village(code: str) -> Answer:
    """Everybody, or whom he sought: what is still to do first, or house by house; fifty a page."""
    place, asked = own_village(code), listing.asked(code)
    lines, progress = villagers(parts(), place.code)
    found = matching(lines, asked.wanted, asked.show, by_house=asked.by_house)
    unlisted = sum(line.unlisted for line in lines)
    pages = max(1, -(-len(found) // PAGE))
    page = min(asked.page, pages)
    shown = render_template(
        "agent/village.html",
        place=place,
        progress=in_words(progress, parts().rules.year),
        closed=(closed := closed_words(parts().rules.dates, parts().clocks.today())),
        waits=None if closed else not_in_force(parts(), place.code),
        slips=can_be_handed_out(parts().rules, parts().clocks.today()),
        lines=[
            (reference(line.subject.id), mark_of(line.subject.id), line)
            for line in found[(page - 1) * PAGE : page * PAGE]
        ],
        asked=asked,
        choices=[
            (show, f"{title} {unlisted} 人" if show == "unlisted" else title)
            for show, (title, _) in SHOWN.items()
            if show != "unlisted" or unlisted or asked.show == "unlisted"
        ],
        count=len(found),
        houses=None if asked.is_whole else len({line.subject.household_id for line in found}),
        page=page,
        pages=pages,
        several=len(agent().villages) > 1,
        cash=hand_of(parts(), agent().id),
        to_hang=to_do(parts(), agent().villages),
    )
    return listing.remember(make_response(shown), asked)


@bp.post("/villages/<code>")
def search(code: str) -> Answer:
    """By name or household number; on to the list of those found."""
    place, wanted = own_village(code), request.form.get("q", "").strip()[:30]
    if wanted:
        search_noted(parts(), here().by, wanted, place=place.code, network=network())
    return redirect(listing.sought(place.code, wanted), 303)


def own_village(code: str) -> VillageName:
    """A village of this agent's, of this moment. NotYourVillage."""
    if code not in agent().villages:
        raise NotYourVillage
    return villages(parts(), [code])[0]
