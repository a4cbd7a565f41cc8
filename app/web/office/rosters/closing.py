"""After the season: every village's list of who is insured and who is not yet. Drawn, agreed to, hung in the hall,
taken down; where each stands and what is late."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from sqlalchemy import Row

from app.access.roles import may
from app.documents.hanging import grouped
from app.flows.hand_in.ask import NoSuchJob, ask, asked
from app.flows.hand_in.keep import FileGone, kept, pieces
from app.flows.roster import closings, put_up
from app.flows.roster.desk import towns
from app.flows.roster.draw import NothingToDraw
from app.flows.roster.print_all import NothingToPrint, PrintOld
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.registry.closings import COLUMNS, DONE, PLACES, STANDS, Place
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from app.web.office.rosters.asked import number, whole
from core.errors import AppError, NotFound

bp = APIBlueprint("office_closings", __name__, enable_openapi=False)
KIND, PRINTS, REFRESH_S, MOST_PAGES = "closing_draw", "closing_print", 2, 100_000


@bp.get("/")
@needs("roster.see")
def listed() -> Answer:
    """The lists of a year; who may agree ticks those that he agrees to."""
    return _listed()


@bp.post("/draw")
@needs("roster.draw")
def ask_one() -> Answer | tuple[Answer, int]:
    """出公示. Pressed twice it is one drawing."""
    rules = next((each for each in closings.seasons(parts()) if str(each.year) == request.form.get("year")), None)
    place = request.form.get("place", "")[:12]
    known = {code for each in towns(parts()) for code in (each.code, each.town_code)}
    if rules is None or place not in {"", *known}:
        return _listed(problem=NothingToDraw.text), 422
    insurances = [str(each) for each in Insurance if rules.offers(each)]
    about = {"year": rules.year, "insurances": insurances, "place": place}
    return redirect(url_for("office_closings.work", key=ask(parts(), officer(), KIND, about=about)), 303)


@bp.get("/drawn/<int:key>")
@needs("roster.draw")
def work(key: int) -> Answer:
    """How far it is, and what came of it."""
    row = asked(parts(), key, kinds=(KIND,))
    busy = row.state in ("waiting", "doing")
    return render_template(
        "office/closing_drawn.html", work=row, busy=busy, refresh=REFRESH_S if busy else None, **_words()
    )


@bp.post("/posters")
@needs("roster.hand")
def print_some() -> Answer | tuple[Answer, int]:
    """打印本镇街复核过的全部公示: one file. Pressed twice it is one."""
    form, who = request.form, officer()
    year, town, size = (form.get(each, "")[:9] for each in ("year", "town", "size"))
    known = year in {str(rules.year) for rules in closings.seasons(parts())} and size in ("a4", "a3")
    if not known or town not in who.towns or not closings.to_print(parts(), int(year), town):
        return _listed(problem=NothingToPrint.text), 409
    about = {"year": int(year), "town": town, "size": size}
    return redirect(url_for("office_closings.posters", key=ask(parts(), who, PRINTS, about=about)), 303)


@bp.get("/posters/<int:key>")
@needs("roster.hand")
def posters(key: int) -> Answer:
    """How far it is, and the file."""
    row = _printed(key)
    busy = row.state in ("waiting", "doing")
    return render_template(
        "office/closing_posters.html",
        work=row,
        busy=busy,
        over=not closings.to_print(parts(), row.about["year"], row.about["town"]),
        old=_is_old(row),
        refresh=REFRESH_S if busy else None,
    )


@bp.get("/posters/<int:key>/file.pdf")
@needs("roster.hand")
def poster_file(key: int) -> Response:
    """All sheets of all villages, in one file, as long as they hang."""
    work = _printed(key)
    file = (work.outcome or {}).get("file")
    if file is None:
        raise NoSuchJob(str(key))
    if not closings.to_print(parts(), work.about["year"], work.about["town"]):
        raise NothingToPrint
    if _is_old(work):
        raise PrintOld
    row = kept(parts(), file)
    if row.gone_at is not None:
        raise FileGone(str(key))
    answer = as_file(b"", "application/pdf", row.name)
    answer.response, answer.content_length = pieces(parts(), file), row.size
    return answer


@bp.post("/agree")
@needs("roster.draw")
def agree_some() -> Answer | tuple[Answer, int]:
    """勾选的复核过: each the version that he saw."""
    seen = dict(filter(None, map(_ticked, request.form.getlist("closing")[: closings.PAGE])))
    try:
        put_up.agree(parts(), seen, by=officer())
    except NotFound:
        raise
    except AppError as error:
        return _listed(problem=error.sentence()), error.status
    if "one" in request.form and len(seen) == 1:
        return redirect(url_for("office_closings.one", closing=next(iter(seen))), 303)
    return redirect(url_for("office_closings.listed", **_sought()), 303)


@bp.get("/<int:closing>")
@needs("roster.see")
def one(closing: int) -> Answer:
    """One: a version's names, and who did each step."""
    return _one(closing)


@bp.post("/<int:closing>/hang")
@needs("roster.hand")
def hang_one(closing: int) -> Answer | tuple[Answer, int]:
    """在镇里大厅贴好了."""
    no = request.form.get("no", "")
    seen = int(no) if whole(no) else 0
    return _done(closing, lambda: put_up.hang(parts(), closing, seen, session=officer().session))


@bp.post("/<int:closing>/down")
@needs("roster.hand")
def down_one(closing: int) -> Answer | tuple[Answer, int]:
    """已撤下."""
    place = request.form.get("place", "")
    if place not in PLACES:
        raise closings.NoSuchClosing(str(closing))
    return _done(closing, lambda: put_up.take_down(parts(), closing, Place(place), session=officer().session))


@bp.get("/<int:closing>/photo/<int:no>")
@needs("roster.see")
def photo(closing: int, no: int) -> Response:
    """How it hung (`no`: the step)."""
    closings.one(parts(), officer(), closing)
    shown = put_up.photo_of(parts(), closing, no)
    return Response(shown, content_type="image/png" if shown.startswith(b"\x89PNG") else "image/jpeg")


@bp.get("/<int:closing>/poster-<size>.pdf")
@needs("roster.hand")
def paper(closing: int, size: str) -> Response:
    """The sheets for the hall."""
    from app.documents.poster import SIZES, draw  # noqa: PLC0415 few processes draw

    row = closings.one(parts(), officer(), closing).line.row
    if size not in SIZES or row.agreed_no is None or parts().clocks.now() >= row.ends_at:
        raise NotFound(size[:10])
    drawn = draw(closings.poster(parts(), row, on=parts().clocks.today()), size=size)
    return as_file(drawn, "application/pdf", f"参保缴费公示-{row.village}-第{row.agreed_no}版-{size}.pdf")


def _printed(key: int) -> Row:
    """NoSuchJob for another town's."""
    row = asked(parts(), key, kinds=(PRINTS,))
    if row.about["town"] not in officer().towns:
        raise NoSuchJob(str(key))
    return row


def _is_old(work: Row) -> bool:
    """Is what was printed not what is to be printed by now?"""
    made = (work.outcome or {}).get("edition")
    return made is not None and made != closings.edition(parts(), work.about["year"], work.about["town"])


def _done(closing: int, act: Callable[[], object]) -> Answer | tuple[Answer, int]:
    closings.one(parts(), officer(), closing)
    try:
        act()
    except NotFound:
        raise
    except AppError as error:
        return _one(closing, problem=error.sentence()), error.status
    return redirect(url_for("office_closings.one", closing=closing), 303)


def _listed(*, problem: str | None = None) -> str:
    held, who, args = parts(), officer(), request.args
    seasons = closings.seasons(held)
    sought = closings.Sought(
        year=number("year", seasons[0].year if seasons else held.levy.newest.year),
        town=args.get("town", "")[:12],
        insurance=args.get("insurance", "")[:20],
        stand=args.get("stand", "")[:20],
        page=min(number("page", 1), MOST_PAGES),
    )
    rows, count, stand = closings.board(held, who, sought)
    days = next((closings.days_of(rules) for rules in seasons if rules.year == sought.year), None)
    open_now = days is not None and days[0] <= held.clocks.now() < days[1]
    return render_template(
        "office/closings.html",
        **{"rows": rows, "count": count, "stand": stand, "sought": sought, "days": days, "open_now": open_now},
        **_words(),
        pages=max(1, -(-count // closings.PAGE)),
        chosen={name: value for name, value in _sought().items() if name != "page"},
        places=towns(held),
        years=[rules.year for rules in seasons],
        draws=open_now and may(who.role, "roster.draw"),
        agrees=any(line.agrees for line in rows),
        hangs=may(who.role, "roster.hand"),
        prints=_prints(sought.year) if open_now and may(who.role, "roster.hand") and not who.glass else {},
        problem=problem,
    )


def _prints(year: int) -> dict[str, str]:
    """The towns of who looks of which there is something to print, by code."""
    own = {each.town_code: each.town for each in towns(parts()) if each.town_code in officer().towns}
    return {code: name for code, name in own.items() if closings.to_print(parts(), year, code)}


def _one(closing: int, *, problem: str | None = None) -> str:
    who, page = officer(), min(number("page", 1), MOST_PAGES)
    found = closings.one(parts(), who, closing, no=number("no", 0) or None, page=page)
    row, now = found.line.row, parts().clocks.now()
    hangs = may(who.role, "roster.hand") and not who.glass
    return render_template(
        "office/closing.html",
        found=found,
        row=row,
        version=found.version,
        page=page,
        code=grouped(row.code),
        agrees=found.line.agrees and found.version.no == row.no,
        hangs=hangs and row.agreed_no is not None and now < row.ends_at and "hall" not in row.hangs,
        prints=hangs and row.agreed_no is not None and now < row.ends_at,
        downs=[
            place for place in PLACES if hangs and now >= row.ends_at and place in row.hung and place not in row.down
        ],
        problem=problem,
        **_words(),
    )


def _words() -> dict[str, object]:
    return {
        "stands": STANDS,
        "done_words": DONE,
        "place_words": PLACES,
        "columns": COLUMNS,
        "insurances": {str(each): phrases("names")[each] for each in Insurance},
    }


def _sought() -> dict[str, str]:
    """What was looked for, by the names that we gave it: nothing else goes into an address."""
    return {name: request.args[name] for name in ("town", "insurance", "stand", "year", "page") if name in request.args}


def _ticked(said: str) -> tuple[int, int] | None:
    """closing:version, as the page wrote it."""
    closing, _, no = said.partition(":")
    return (int(closing), int(no)) if whole(closing) and whole(no) else None
