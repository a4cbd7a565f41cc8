"""From door to door: whom an agent still has to see, and what he found."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.flows.village.people import VillageName
from app.flows.village.rounds import SHOWN, BadNote, NoSuchDoor, houses, note, shown
from app.registry.door_notes import REASONS
from app.web.agent.households import own_village
from app.web.door.access import Answer, agent, reference
from app.web.door.parts import parts

bp = APIBlueprint("rounds", __name__, enable_openapi=False)
PAGE = 20


@bp.get("/villages/<code>/round")
def doors(code: str) -> Answer:
    """Households that are not done, twenty a page; today's appointments, or who was not visited yet."""
    return _page(own_village(code))


@bp.post("/villages/<code>/round")
def found_there(code: str) -> Answer | tuple[Answer, int]:
    """记下: what was found at one door; back to the same page of the same list."""
    place, form = own_village(code), request.form
    household = form.get("household", "")
    if not (household.isascii() and household.isdecimal() and len(household) < 18):
        raise NoSuchDoor
    typed = (int(household), form.get("reason", "")[:20], form.get("again", "")[:20])
    try:
        note(parts(), [place.code], *typed, by=f"agent:{agent().login}")
    except BadNote as error:
        return _page(place, problem=error.sentence(), typed=typed), error.status
    back = {"show": _show(), "page": _number(), "done": typed[0]}
    return redirect(url_for("rounds.doors", code=place.code, **back, _anchor=f"door{typed[0]}"), 303)


def _page(place: VillageName, *, problem: str = "", typed: tuple[int, str, str] = (0, "", "")) -> Answer:
    found = houses(parts(), place.code)
    wanted = shown(found, _show())
    pages = max(1, -(-len(wanted) // PAGE))
    page = min(_number(), pages)
    rules, today = parts().rules, parts().clocks.today()
    return render_template(
        "agent/round.html",
        place=place,
        show=_show(),
        choices=[(show, f"{title} {len(shown(found, show))} 户") for show, title in SHOWN.items()],
        houses=[
            (house, [(reference(line.subject.id), line) for line in house.people])
            for house in wanted[(page - 1) * PAGE : page * PAGE]
        ],
        count=len(wanted),
        page=page,
        pages=pages,
        reasons=REASONS,
        today=today,
        last=rules.dates.concentrated_end,
        problem=problem,
        typed=typed,
        done=request.args.get("done", "") if not problem else "",
    )


def _show() -> str:
    said = request.args.get("show", "all")
    return said if said in SHOWN else "all"


def _number() -> int:
    said = request.args.get("page", "1")
    return max(1, int(said)) if said.isascii() and said.isdecimal() and len(said) < 7 else 1
