"""Every village's roster: where it stands, one with its rows and what is odd; signed, sent back, handed on."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for

from app.access.roles import REVIEWS as REVIEWS_BY
from app.access.roles import may
from app.documents.hanging import grouped
from app.flows.roster import closings, desk, move, objections, post
from app.flows.roster.archive import archive_of
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.registry.closings import STANDS
from app.registry.rosters import CHANGES, DONE, LEFT_OUT, ODD, REVIEWS, WORDS, Stage, sends_back
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from app.web.office.rosters.asked import number, whole
from core.errors import AppError, NotFound

bp = APIBlueprint("office_rosters", __name__, enable_openapi=False)
MOST_PAGES, WIDEST = 100_000, 2000
SIGNED = frozenset({*REVIEWS, Stage.ISSUED_TO_TOWN, Stage.TAX_CONFIRMED, Stage.EFFECTIVE})


@bp.get("/")
@needs("roster.see")
def listed() -> Answer:
    """The rosters of a year; whoever may sign ticks those that he signs for."""
    return _listed()


@bp.post("/sign")
@needs("roster.sign")
def sign_some() -> Answer | tuple[Answer, int]:
    """勾选的审过, 移交镇街. Several steps at once are several lots, each whole or not at all."""
    lots: dict[Stage, dict[int, int]] = {}
    for roster, no, stage in filter(None, map(_ticked, request.form.getlist("roster")[: desk.PAGE])):
        lots.setdefault(stage, {})[roster] = no
    try:
        if not lots:
            raise move.NoRosterChosen
        for stage, seen in lots.items():
            move.sign(parts(), seen, stage, by=officer())
    except AppError as error:
        return _listed(problem=error.sentence()), error.status
    return redirect(url_for("office_rosters.listed", **_sought()), 303)


@bp.get("/<int:roster>")
@needs("roster.see")
def one(roster: int) -> Answer:
    """One: its rows, what is odd, who did each step, and what this desk may do."""
    return _one(roster)


@bp.post("/<int:roster>/sign")
@needs("roster.sign")
def sign_one(roster: int) -> Answer | tuple[Answer, int]:
    """审过, or 移交镇街."""

    def act() -> object:
        ticked = _ticked(request.form.get("roster", ""))
        if ticked is None or ticked[0] != roster:
            raise move.NoRosterChosen
        return move.sign(parts(), {roster: ticked[1]}, ticked[2], by=officer())

    return _done(roster, act)


@bp.post("/<int:roster>/back")
@needs("roster.back")
def back_one(roster: int) -> Answer | tuple[Answer, int]:
    """退回, why, and which rows it is about. What was typed stays on an error."""
    why = request.form.get("why", "")[:WIDEST]
    people = {
        int(each) for each in request.form.getlist("row") if each.isascii() and each.isdecimal() and len(each) < 19
    }
    return _done(roster, lambda: move.send_back(parts(), _seen(roster), why=why, people=people, by=officer()))


@bp.post("/<int:roster>/hand")
@needs("roster.hand")
def hand_one(roster: int) -> Answer | tuple[Answer, int]:
    """转给代办员."""
    agent = request.form.get("agent", "")
    number = int(agent) if agent.isascii() and agent.isdecimal() and len(agent) < 19 else 0
    return _done(roster, lambda: move.hand_over(parts(), _seen(roster), agent=number, by=officer()))


@bp.post("/<int:roster>/report")
@needs("roster.hand")
def report_one(roster: int) -> Answer | tuple[Answer, int]:
    """上报税务、人社: nobody objects any more, and the version says what was put right."""
    why = request.form.get("why", "")[:WIDEST]
    return _done(roster, lambda: move.report(parts(), _seen(roster), why=why, by=officer()))


@bp.get("/<int:roster>/photo/<int:no>")
@needs("roster.see")
def photo(roster: int, no: int) -> Response:
    """How it hung."""
    desk.sheet(parts(), officer(), roster)
    shown = post.photo_of(parts(), roster, no)
    return Response(shown, content_type="image/png" if shown.startswith(b"\x89PNG") else "image/jpeg")


@bp.get("/<int:roster>/archive.pdf")
@needs("roster.see")
def paper(roster: int) -> Response:
    """Everything of it on paper, for the file."""
    from app.documents.roster_archive import draw  # noqa: PLC0415 few processes draw

    return as_file(draw(archive_of(parts(), officer(), roster)), "application/pdf", f"清册档案-{roster}.pdf")


@bp.get("/<int:roster>/compare")
@needs("roster.see")
def compare(roster: int) -> Answer:
    """Two versions side by side: who came, who went."""
    found = desk.sheet(parts(), officer(), roster)
    first, second = number("a", max(1, found.version.no - 1)), number("b", found.version.no)
    added, removed = desk.compared(parts(), roster, first, second)
    return render_template(
        "office/roster_compare.html",
        most=desk.MOST,
        **{"found": found, "first": first, "second": second, "added": added, "removed": removed},
        **_words(),
    )


def _done(roster: int, act: Callable[[], object]) -> Answer | tuple[Answer, int]:
    desk.sheet(parts(), officer(), roster)
    try:
        act()
    except NotFound:
        raise
    except AppError as error:
        return _one(roster, problem=error.sentence()), error.status
    return redirect(url_for("office_rosters.one", roster=roster), 303)


def _listed(*, problem: str | None = None) -> str:
    held, who, args = parts(), officer(), request.args
    wanted = desk.Wanted(
        year=number("year", held.levy.newest.year),
        town=args.get("town", "")[:12],
        insurance=args.get("insurance", "")[:20],
        state=args.get("state", "")[:20],
        page=min(number("page", 1), MOST_PAGES),
    )
    rows, count = desk.board(held, who, wanted)
    shown = {"rows": rows, "count": count, "wanted": wanted, "pages": max(1, -(-count // desk.PAGE))}
    chosen = {name: value for name, value in _sought().items() if name != "page"}
    return render_template(
        "office/rosters.html",
        **shown,
        **_words(),
        chosen=chosen,
        stands=desk.stands(held, wanted),
        places=desk.towns(held),
        years=held.levy.years.all,
        signs=may(who.role, "roster.sign") and any(each.step in SIGNED for each in rows),
        signed=SIGNED,
        draws=may(who.role, "roster.draw"),
        problem=problem,
    )


def _sought() -> dict[str, str]:
    """What was looked for, by the names that we gave it: nothing else goes into an address."""
    return {name: request.args[name] for name in ("town", "insurance", "state", "year", "page") if name in request.args}


def _one(roster: int, *, problem: str | None = None) -> str:
    who = officer()
    page, odd_page = (min(number(name, 1), MOST_PAGES) for name in ("page", "odd"))
    found = desk.sheet(parts(), who, roster, no=number("no", 0) or None, page=page, odd_page=odd_page)
    row = found.line.row
    now = found.newest and not who.glass
    ticked = set(request.form.getlist("row"))
    return render_template(
        "office/roster.html",
        found=found,
        row=row,
        version=found.version,
        signs=now and found.line.step in SIGNED and may(who.role, "roster.sign"),
        hands=now and found.line.step is Stage.WITH_AGENT and may(who.role, "roster.hand"),
        reports=now and found.line.step is Stage.REPORTED and may(who.role, "roster.hand"),
        closing=closings.of_place(parts(), who, row.levy_year, row.insurance, row.village_code),
        said=objections.of_roster(parts(), roster),
        raises=now and row.state == Stage.POSTED and may(who.role, "roster.hand"),
        answers=REVIEWS_BY.get(who.role) == row.insurance and may(who.role, "objection.answer"),
        tells=may(who.role, "roster.hand") and not who.glass,
        code=grouped(found.version.code),
        backs=now and may(who.role, "roster.back") and sends_back(row.state, who.role, medical=row.medical),
        problem=problem,
        typed=request.form,
        ticked=ticked,
        page=page,
        pages=max(1, -(-found.version.people // desk.ROWS)),
        odd_page=odd_page,
        odd_pages=max(1, -(-max(found.odd_count, found.changes_count) // desk.MOST_ODD)),
        longest=move.LONGEST,
        **_words(),
    )


def _words() -> dict[str, object]:
    return {
        "words": WORDS,
        "closing_words": STANDS,
        "done": DONE,
        "odd_words": ODD,
        "left_words": LEFT_OUT,
        "why": CHANGES,
        "insurances": {str(each): phrases("names")[each] for each in Insurance},
    }


def _ticked(said: str) -> tuple[int, int, Stage] | None:
    """roster:version:step, as the page wrote it."""
    roster, _, rest = said.partition(":")
    no, _, stage = rest.partition(":")
    if not (whole(roster) and whole(no) and stage in SIGNED):
        return None
    return int(roster), int(no), Stage(stage)


def _seen(roster: int) -> dict[int, int]:
    no = request.form.get("no", "")
    return {roster: int(no) if whole(no) else 0}
