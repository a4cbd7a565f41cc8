"""Rosters are drawn up: asked for here, done by the office process, and what came of it."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.flows.hand_in.ask import ask, asked
from app.flows.roster.desk import towns
from app.flows.roster.draw import NothingToDraw
from app.policy.facts import Insurance
from app.policy.terms import PolicyYear
from app.policy.words import phrases
from app.registry.rosters import ODD
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts

bp = APIBlueprint("office_draws", __name__, enable_openapi=False)
REFRESH_S = 2
KIND = "roster_draw"


@bp.get("/")
@needs("roster.draw")
def new() -> Answer:
    """Of which year, insurance and place."""
    return _form()


@bp.post("/")
@needs("roster.draw")
def ask_one() -> Answer | tuple[Answer, int]:
    """出清册. Pressed twice it is one drawing."""
    form, rules = request.form, _rules(request.form.get("year", ""))
    offered = [str(each) for each in Insurance if rules.offers(each)]
    chosen = offered if not form.get("insurance") else [each for each in offered if each == form["insurance"]]
    place = form.get("place", "")[:12]
    if not chosen or place not in {"", *(each.code for each in towns(parts())), *_towns()}:
        return _form(problem=NothingToDraw.text), 422
    about = {"year": rules.year, "insurances": chosen, "place": place, "medical": form.get("medical") == "yes"}
    return redirect(url_for("office_draws.one", key=ask(parts(), officer(), KIND, about=about)), 303)


@bp.get("/<int:key>")
@needs("roster.draw")
def one(key: int) -> Answer:
    """How far it is, and what came of it."""
    row = asked(parts(), key, kinds=(KIND,))
    busy = row.state in ("waiting", "doing")
    return render_template(
        "office/roster_drawn.html", work=row, busy=busy, refresh=REFRESH_S if busy else None, **_words()
    )


def _form(*, problem: str | None = None) -> str:
    rules = _rules(request.values.get("year", ""))
    offered = {str(each): phrases("names")[each] for each in Insurance if rules.offers(each)}
    shown = {
        "year": rules.year,
        "years": parts().levy.ever.all,
        "offered": offered,
        "places": towns(parts()),
        "towns": _towns(),
    }
    return render_template("office/roster_draw.html", problem=problem, typed=request.form, **shown)


def _rules(year: str) -> PolicyYear:
    """Those of a year that was ever collected here; of the newest if none is said. Of a former year only what there is
    already is drawn anew."""
    levy = parts().levy
    return levy.rules(int(year)) if year in map(str, levy.ever.all) else levy.newest


def _towns() -> dict[str, str]:
    return {each.town_code: each.town for each in towns(parts())}


def _words() -> dict[str, object]:
    return {"odd_words": ODD, "insurances": {str(each): phrases("names")[each] for each in Insurance}}
