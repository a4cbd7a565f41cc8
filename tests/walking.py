"""Every link of every page that somebody can reach from his first one, followed as a browser would."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests

from app.access.references import referred
from app.access.sessions import hash_of
from tests.system import System

MOST = 400  # pages of one walk: more means that two addresses of one page are not known as one
ALSO_HERE = ("skip", "name", "size")  # the way to the text, the brand, the size of the type: on each page, its own too
_LINK = re.compile(r"<a\b([^>]*)>(.*?)</a>", re.S)
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.S)


@dataclass
class Seen:
    """A page that was opened: by which address, from where, and what stood there."""

    path: str
    came_from: str
    status: int
    landed: str  # after redirects
    html: str


@dataclass
class Walk:
    """One visitor's walk. `judge` sees every page and says what is wrong with it; `known`: what it need not open."""

    running: System
    session: requests.Session
    judge: Callable[[Seen], Iterator[str]]
    known: Callable[[str], bool] = lambda _path: False
    faults: list[str] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)

    def from_pages(self, *paths: str) -> "Walk":
        """Follow everything from these pages on."""
        waiting = [(path, "the start") for path in paths]
        while waiting:
            path, came_from = waiting.pop(0)
            key = self.name_of(path)
            if key in self.seen or self.known(key):
                continue
            assert len(self.seen) < MOST, sorted(self.seen)[-20:]
            page = self.seen[key] = self._open(path, came_from)
            if page.status >= 400:
                self.faults.append(f"{page.status}: {key} linked by {came_from}")
            if page.html:
                self.faults += [f"{words} on {key}" for words in self.judge(page)]
                waiting += [(target, key) for target in self._targets(page)]
        return self

    def name_of(self, path: str) -> str:
        """An address with its references as person numbers: an agent's are other ones each time."""
        split = urlsplit(path)
        steps = [self._person(step) for step in split.path.split("/")]
        query = sorted((self._field(name), self._person(value)) for name, value in parse_qsl(split.query))
        return "/".join(steps) + (f"?{urlencode(query)}" if query else "")

    def _open(self, path: str, came_from: str) -> Seen:
        answer = self.session.get(self.running.url + path, timeout=20)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        landed = answer.url.removeprefix(self.running.url)
        return Seen(path, came_from, answer.status_code, landed, answer.text if is_page else "")

    def _targets(self, page: Seen) -> Iterator[str]:
        for target, words in self.links(page):
            yield target
            if self.name_of(target) in (self.name_of(page.path), self.name_of(page.landed)):
                self.faults.append(f"{words!r} leads to its own page {self.name_of(page.path)}")

    def links(self, page: Seen) -> Iterator[tuple[str, str]]:
        """Where its links and asking forms lead on this site, and their words."""
        for attributes, words in _LINK.findall(page.html):
            kind = re.search(r'class="([^"]*)"', attributes)
            if kind and kind[1] in ALSO_HERE:
                continue
            target = self._here(page, re.search(r'href="([^"]*)"', attributes)[1])
            if target:
                yield target, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", words)).strip()
        for attributes, inner in _FORM.findall(page.html):
            if 'method="get"' in attributes and _can_be_sent(attributes, inner, page.html):
                action = re.search(r'action="([^"]*)"', attributes)
                target = self._here(page, action[1] if action else page.landed)
                asked = urlencode(fields_of(inner, page.html, attributes))
                if target and asked:
                    yield f"{target.partition('?')[0]}?{asked}", "a form's button"

    def _here(self, page: Seen, target: str) -> str | None:
        full = urljoin(self.running.url + page.landed, unescape(target))
        return full.removeprefix(self.running.url).partition("#")[0] if full.startswith(self.running.url) else None

    def _field(self, name: str) -> str:
        return ".".join(self._person(part) for part in name.split("."))

    def _person(self, step: str) -> str:
        token = self.session.cookies.get("session", "")
        named, rest = re.fullmatch(r"([^@:]*)(.*)", step, re.DOTALL).groups()
        found = referred(self.running.parts.vault, hash_of(token).hex(), named) if len(named) > 20 else None
        return f"person-{found}{rest}" if found is not None else step


def _can_be_sent(attributes: str, inner: str, html: str) -> bool:
    """Has it a button, and nothing that must be typed?"""
    own = re.search(r'\bid="([^"]*)"', attributes)
    button = "<button" in inner or (own is not None and f'<button form="{own[1]}"' in html)
    return button and not re.search(r"<input(?![^>]*type=\"(hidden|radio|checkbox)\")", inner)


def fields_of(inner: str, html: str, attributes: str) -> Sequence[tuple[str, str]]:
    """What a browser would send of a form: hidden fields, ticks, the first choice of each list; also of the fields
    outside that belong to it."""
    own = re.search(r'\bid="([^"]*)"', attributes)
    tags = re.findall(r"<input\b[^>]*>", inner)
    if own:
        tags += re.findall(rf'<input\b[^>]*\bform="{re.escape(own[1])}"[^>]*>', html)
    held, radios = [], set()
    for tag in tags:
        name = re.search(r'\bname="([^"]*)"', tag)
        if name is None:
            continue
        value = re.search(r'\bvalue="([^"]*)"', tag)
        if 'type="radio"' in tag:
            if name[1] in radios:
                continue  # any choice will do
            radios.add(name[1])
        elif 'type="checkbox"' in tag and " checked" not in tag:
            continue
        held.append((unescape(name[1]), unescape(value[1]) if value else "on"))
    return held
