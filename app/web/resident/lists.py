"""Lists that hang in villages: for anybody who has a poster's code, and one's own people on them by one's own login."""

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.documents.hanging import FREE, grouped
from app.flows.due.quote import subjects
from app.flows.roster import closings, objections, post
from app.flows.roster.show import NothingPosted, Posted, show
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.web.door.access import Answer, actor, anybody, guarded_by, here
from app.web.door.browser import network
from app.web.door.parts import parts
from core.errors import AppError, NotFound
from core.redact import mask_name

bp = APIBlueprint("lists", __name__, enable_openapi=False)
KEEP_S = 60  # so long a browser or a proxy may keep a list that hangs, and never past its end
MOST_PAGES = 1000


@bp.get("/posted")
@guarded_by(anybody)
def ask_code() -> Answer | Response:
    """Where a poster's code is typed."""
    code = post.plain(request.args.get("code", ""))
    return redirect(url_for("lists.posted", code=code), 303) if code else render_template("resident/posted.html")


@bp.get("/posted/<code>")
@guarded_by(anybody)
def posted(code: str) -> Response | tuple[Answer, int]:
    """The list that hangs, masked; kept by nobody longer than it hangs."""
    said = request.args.get("page", "1")
    page = int(said) if said.isascii() and said.isdecimal() and 0 < int(said[:6]) <= MOST_PAGES else 1
    try:
        found = show(parts(), code[:40], network=network(), page=page)
    except NothingPosted as error:
        return render_template("resident/posted.html", problem=error.sentence(), typed=code[:40]), error.status
    answer = make_response(
        render_template("resident/posted.html", found=found, code=grouped(found.code), free_words=FREE)
    )
    answer.headers["Cache-Control"] = f"public, max-age={_kept(found)}"
    answer.headers["Vary"] = "Cookie"
    return answer


@bp.get("/lists")
def mine() -> Answer:
    """Whether one's own people are on the lists that hang where they live, and a form to object."""
    return _mine()


@bp.post("/lists/<int:roster>")
def object_one(roster: int) -> Answer | tuple[Answer, int]:
    """提异议. What was typed stays on an error."""
    words = request.form.get("words", "")[:2000]
    try:
        objections.raise_one(parts(), roster, words, session=here().token_hash, by=actor(here()))
    except NotFound:
        raise
    except AppError as error:
        return _mine(problem=error.sentence(), typed=(roster, words)), error.status
    return redirect(url_for("lists.mine", said=1), 303)


def _mine(*, problem: str | None = None, typed: tuple[int, str] = (0, "")) -> str:
    held, known = parts(), sorted(set(here().known.values()))
    names = {person.id: mask_name(person.name) for person in subjects(held, known)}
    return render_template(
        "resident/lists.html",
        rows=objections.listed_of(held, known),
        closings=closings.listed_of(held, known),
        as_of=closings.as_of_words,
        free_words=FREE,
        names=names,
        said=objections.of_account(held, actor(here())),
        until=post.stands_until,
        insurances={str(each): phrases("names")[each] for each in Insurance},
        problem=problem,
        typed=typed,
    )


def _kept(found: Posted) -> int:
    left = (found.until - parts().clocks.now()).total_seconds()
    return max(0, min(KEEP_S, int(left)))
