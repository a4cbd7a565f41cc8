"""A browser without a screen: follows redirects, keeps cookies, sends the forms it was given."""

import itertools
import re
from dataclasses import dataclass, field
from html import unescape

import requests

from app.flows.enter.session import open_session, visitor_of
from app.flows.enter.sign_in import ask_code, prove_code
from tests.system import System, last_text, second_code

_SERIAL = itertools.count(1)


def a_phone() -> str:
    """A phone nobody had before in this run."""
    return f"1380{next(_SERIAL):07d}"


@dataclass
class Page:
    """What came back, and what a person would see and press on it."""

    status: int
    url: str
    html: str

    @property
    def text(self) -> str:
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    def fields(self, form: str = "") -> dict[str, list[str]]:
        """The hidden fields and ticked boxes of the form whose opening tag contains `form`."""
        found = next(match for match in re.finditer(r"<form([^>]*)>(.*?)</form>", self.html, re.S) if form in match[1])
        held: dict[str, list[str]] = {}
        for tag in re.findall(r"<input[^>]*>", found[2]):
            kept = 'type="hidden"' in tag or " checked" in tag
            if kept and (name := re.search(r'name="([^"]*)"', tag)):
                value = re.search(r'value="([^"]*)"', tag)
                held.setdefault(name[1], []).append(unescape(value[1] if value else "on"))
        return held

    def link(self, words: str) -> str:
        """The address behind a link that says `words`."""
        for match in re.finditer(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>', self.html, re.S):
            if words in match[2]:
                return unescape(match[1])
        raise AssertionError(f"no link {words!r} in {self.text}")

    def values(self, name: str) -> list[str]:
        """Every value an input or button of that name carries, in the whole page."""
        tags = re.findall(rf'<(?:input|button)[^>]*name="{re.escape(name)}"[^>]*>', self.html)
        return [unescape(value[1]) for tag in tags if (value := re.search(r'value="([^"]*)"', tag))]


@dataclass
class Browser:
    """Follows redirects and keeps cookies, like the one on a phone."""

    base: str
    session: requests.Session = field(default_factory=requests.Session)
    phone: str = field(default_factory=a_phone)
    signed_in: bool = False

    def get(self, path: str, **query: object) -> Page:
        return self._page(self.session.get(self._url(path), params=query, timeout=10))

    def post(self, path: str, fields: dict[str, object]) -> Page:
        return self._page(self.session.post(self._url(path), data=fields, timeout=10))

    def submit(self, page: Page, path: str, /, *, form: str = "", **fields: object) -> Page:
        """Send a form of a page with what was typed into it."""
        return self.post(path, {**page.fields(form), **fields})

    def sign_in(self, **more: object) -> Page:
        """Prove this browser's phone; at the first visit with name, number and consent in `more`."""
        return self.sign_in_from(self.get("/login"), **more)

    def sign_in_from(self, page: Page, **more: object) -> Page:
        """The same on the page of the login that somebody was led to."""
        asked = self.submit(page, "/login", form="/login", phone=self.phone)
        self.signed_in = True
        return self.submit(
            asked, "/login/code", form="/login/code", code=code_in(last_text(self.base, self.phone)), **more
        )

    def look_up(self, name: str, id_number: str) -> Page:
        """Into this phone's account, signed in before if it was not."""
        if not self.signed_in:
            self.sign_in()
        return self.submit(self.get("/who"), "/who", form="/who", name=name, id_number=id_number, agreed="1")

    def log_in(self, login: str, password: str) -> Page:
        return self.log_in_from(self.get("/agent/login"), login, password)

    def log_in_from(self, page: Page, login: str, password: str) -> Page:
        fields = {"login": login, "password": password, "code": second_code(self.base, login)}
        return self.submit(page, "/agent/login", form="login", **fields)

    def close(self) -> None:
        self.session.close()

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.base + path

    @staticmethod
    def _page(answer: requests.Response) -> Page:
        return Page(answer.status_code, answer.url, answer.text)


def a_token(running: System, phone: str = "") -> str:
    """The token of a session whose phone is proved: one nobody had before, if none is named."""
    phone = phone or a_phone()
    visitor = visitor_of(running.parts, open_session(running.parts, network="here").token)
    assert visitor is not None
    ask_code(running.parts, visitor, phone=phone, network="here")
    return prove_code(running.parts, visitor, code=code_in(last_text(running.url, phone))).token


def code_in(text: str) -> str:
    """The six digits of a message."""
    found = re.search(r"验证码(\d{6})", text)
    assert found, text
    return found[1]
