"""What each year says: the list of years, one of them in plain Chinese, the same as a paper to sign."""

from apiflask import APIBlueprint
from flask import Response, render_template, request

from app.access.roles import may
from app.documents.year import draw
from app.flows.register.open_year import levy_years
from app.policy.told import Document, tell
from app.policy.year import BadPolicyYear, NoSuchYear, written_year, years
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file

bp = APIBlueprint("office_policy", __name__, enable_openapi=False)


@bp.get("/")
@needs("policy.see")
def listed() -> Answer:
    """Each year that has a file or was opened, the newest first, and where it stands."""
    found = [(held, _title(held.year)) for held in levy_years(parts())]
    return render_template("office/years.html", years=found, sees=may(officer().role, "year.see"))


@bp.get("/<int:year>")
@needs("policy.see")
def one(year: int) -> Answer:
    """A year in words; with `against` first what changed since that one."""
    others = [each for each in reversed(years(parts().year_files)) if each != year]
    return render_template(
        "office/year.html",
        document=_told(year),
        others=others,
        against=request.args.get("against"),
        is_open=year in parts().levy.years.all,
    )


@bp.get("/<int:year>.pdf")
@needs("policy.see")
def paper(year: int) -> Response:
    """The same on A4."""
    document = _told(year)
    body = draw(document, issuer=parts().issuer, at=parts().clocks.now())
    return as_file(body, "application/pdf", f"{document.title}.pdf", shown=True)


def _told(year: int) -> Document:
    """NoSuchYear for either of the two."""
    folder, names, other = parts().year_files, parts().departments, request.args.get("against")
    if other is None:
        return tell(written_year(year, folder), departments=names)
    if not other.isascii() or not other.isdigit():
        raise NoSuchYear(other)
    return tell(written_year(year, folder), against=written_year(int(other), folder), departments=names)


def _title(year: int) -> str | None:
    """None for a file that is wrong or gone: the other years can be read all the same."""
    try:
        return written_year(year, parts().year_files).rules.source.title
    except (BadPolicyYear, NoSuchYear):
        return None
