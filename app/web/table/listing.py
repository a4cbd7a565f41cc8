"""The agent's list as he left it: whom he sought, what he asked it to show. A sought name stands in no address: it is
sealed for this session, so that the browser's way back, the next page and 下一位 bring the same list again."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from flask import request, url_for
from werkzeug.wrappers import Response

from app.access.references import hidden, hide
from app.flows.village.people import SHOWN
from app.web.door.access import here
from app.web.door.parts import parts

_COOKIE = "list"
_LONGEST = 30  # letters of what is sought


@dataclass(frozen=True)
class Asked:
    """What an address asks of the list of a village. `sealed` is what is sought, as addresses carry it."""

    code: str
    sealed: str = ""
    wanted: str = ""
    show: str = "all"
    by_house: bool = False
    page: int = 1

    @property
    def is_whole(self) -> bool:
        """Does it show everybody of the village?"""
        return not self.wanted and self.show == "all"

    def address(self, **other: object) -> str:
        """This list, or one that differs in what is named; what is usual is left out."""
        asked = {"sought": self.sealed, "show": self.show, "house": self.by_house, "page": self.page} | other
        usual = {"sought": "", "show": "all", "house": False, "page": 1}
        kept = {name: int(said) if said is True else said for name, said in asked.items() if said != usual[name]}
        return url_for("agent.village", code=self.code, **kept)

    def on_paper(self) -> str:
        """The slips of whom this list shows, on all its pages."""
        shown = {"sought": self.sealed or None, "show": None if self.show == "all" else self.show}
        return url_for("village.paper", code=self.code, **shown)


def asked(code: str) -> Asked:
    """Of this request's address."""
    return _read(code, request.args.to_dict())


def sought(code: str, words: str) -> str:
    """The address of a new search. An empty one is the whole list."""
    wanted = words.strip()[:_LONGEST]
    return Asked(code).address(sought=hide(parts().vault, here().key, wanted) if wanted else "")


def as_left(code: str) -> str:
    """The address of a village's list as it was seen last."""
    kept = {name: values[0] for name, values in parse_qs(request.cookies.get(_COOKIE, "")).items()}
    return _read(code, kept if kept.get("code") == code else {}).address()


def remember(answer: Response, held: Asked) -> Response:
    """For the pages that lead back to it; gone with the browser, and of no use to another session."""
    said = {"code": held.code, "sought": held.sealed, "show": held.show, "house": int(held.by_house), "page": held.page}
    answer.set_cookie(
        _COOKIE, urlencode(said), httponly=True, samesite="Lax", secure=request.is_secure, path=url_for("agent.today")
    )
    return answer


def _read(code: str, fields: dict[str, str]) -> Asked:
    sealed, page, show = fields.get("sought", ""), fields.get("page", ""), fields.get("show", "")
    wanted = hidden(parts().vault, here().key, sealed) if sealed else None
    return Asked(
        code,
        sealed if wanted else "",
        wanted or "",
        show if show in SHOWN else "all",
        fields.get("house") == "1",
        max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
    )
