"""What a provider approves is a template with places; here are its places in order, and values made to fit them. Pure.

Facts, with where they stand:
- Alibaba Cloud: a variable holds 1 to 35 characters, of a code 4 to 6 digits; neither 【】 nor a link in it
  (help.aliyun.com 44357, 463270, 463237).
- Tencent Cloud: a code is at most 6 digits; another variable 6 characters for accounts since 25 January 2024, more as
  the console shows; no link (errorcodes.py of tencentcloud-sdk-python-sms 3.1.153; cloud.tencent.com 382/13301).
- Both count the signature and cut a message over 70 letters into parts of 67 (help.aliyun.com 414224)."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from string import Template

from core.redact import scrub

TEMPLATES = Path(__file__).parent / "templates"
KINDS = tuple(sorted(path.stem for path in TEMPLATES.glob("*.txt")))
ONE, PART = 70, 67  # letters of a message in one piece, and of each piece of a longer one
EMPTY = "见缴费页面"
PLACES: Mapping[str, Callable[[int, str], str]] = {  # how a provider writes the n-th variable
    "aliyun": lambda _number, name: f"${{{name}}}",
    "tencent": lambda number, _name: f"{{{number}}}",
}
_BRACKETS = str.maketrans("【】[]{}<>『』「」", "（）（）（）（）（）（）")
_LINK = re.compile(r"(?i)(?:https?://|www\.)[!-~]*|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|net|org|top|cc)\b[!-~]*")
_SO_MANY = re.compile(r"等([0-9]+)(人|项)$")


class TooLong(ValueError):
    """A value that may not be cut does not fit its place: its name."""


@cache
def template(kind: str) -> Template:
    """The text of a kind, $name in each place; its sender's mark comes where it leaves. FileNotFoundError."""
    return Template((TEMPLATES / f"{kind}.txt").read_text(encoding="utf-8").strip())


@cache
def places(kind: str) -> tuple[str, ...]:
    """The variables of a kind in the order in which they are read, each once."""
    found = (match["named"] or match["braced"] for match in Template.pattern.finditer(template(kind).template))
    return tuple(dict.fromkeys(name for name in found if name))


def to_approve(kind: str, place: Callable[[int, str], str]) -> str:
    """The text to hand in; `place` writes the n-th variable, and a provider puts the mark before it."""
    written = {name: place(number, name) for number, name in enumerate(places(kind), 1)}
    return template(kind).substitute(written)


def fitted(kind: str, fields: Mapping[str, str], *, most: int) -> dict[str, str]:
    """The values of a kind in order, none longer than `most` letters and none with a letter that is refused. KeyError
    for one that is missing, TooLong for one that would say something else if it were cut."""
    return {name: _fit(name, fields[name], most) for name in places(kind)}


def numbers_in(text: str) -> tuple[str, ...]:
    """The places of a text that numbers them, {1} and on, in their order."""
    return tuple(dict.fromkeys(re.findall(r"\{([0-9]+)\}", text)))


def parts(letters: int) -> int:
    """How many messages a text of so many letters, mark included, is paid as."""
    return 1 if letters <= ONE else -(-letters // PART)


def _fit(name: str, value: str, most: int) -> str:
    if name not in CUT:  # a code, an amount, a day or a telephone number
        if len(value) > most:
            raise TooLong(name)
        return value
    clean = _LINK.sub("", scrub(value).replace("<phone>", "").replace("<id>", ""))
    clean = " ".join(clean.translate(_BRACKETS).split()) or EMPTY
    return clean if len(clean) <= most else CUT[name](clean, most)


def _list(text: str, most: int, unit: str) -> str:
    """Whole members of a list and how many there are, as many as fit."""
    members = text.split("、")
    said = _SO_MANY.search(members[-1])
    how_many = int(said[1]) if said else len(members)
    if said:
        members[-1] = members[-1][: said.start()]
    for kept in range(len(members), 0, -1):
        shown = "、".join(members[:kept]) + f"等{how_many}{unit}"
        if len(shown) <= most and how_many > 1:
            return shown
    return text.partition("：")[0][:most]  # what is said of a member comes last


CUT: Mapping[str, Callable[[str, int], str]] = {
    "names": lambda text, most: _list(text, most, "人"),
    "items": lambda text, most: _list(text, most, "项"),
    "village": lambda text, most: text[-most:],  # its own name comes last
    "reason": lambda text, most: text[:most],
}
