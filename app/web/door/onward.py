"""Where a visit leads: to what is due, to what is paid, or to the page somebody asked for before he was in."""

import re
from urllib.parse import urlsplit

from flask import request, url_for

NEXT = {"due": "resident.due", "paid": "paid.paid"}
_LASTING = re.compile(
    r"/(me|history|refunds|pay/[0-9A-Z]{26}|refunds/[0-9A-Z]{26})"
    r"|/agent/(pay/[0-9A-Z]{26}|villages/[0-9]{12}(/slips|/visits)?)"
)


def asked_for() -> str | None:
    """What the login is told of this request: a page that the next session can open too."""
    if request.endpoint == NEXT["paid"]:
        return "paid"
    return request.path if request.method == "GET" and is_lasting(request.path) else None


def is_lasting(path: str) -> bool:
    """Does this address mean the same in the next session? One that names a person does not."""
    return _LASTING.fullmatch(path) is not None


def then() -> str:
    """Where this visit is to lead: a name of NEXT, or the page he asked for first."""
    wanted = request.values.get("then", "")
    return wanted if wanted in NEXT or is_lasting(wanted) else "due"


def onward(**fields: str) -> str:
    """Its address."""
    wanted = then()
    return url_for(NEXT[wanted], **fields) if wanted in NEXT else wanted


def own_path(wanted: str, otherwise: str) -> str:
    """A path on this site and nowhere else (A36)."""
    split = urlsplit(wanted)
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if plain and "\\" not in wanted and not split.scheme and not split.netloc else otherwise
