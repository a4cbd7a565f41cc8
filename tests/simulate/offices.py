"""The office's terminal and its pages, and whoever sits there: what was struck is asked again, as he would."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, ClassVar

from core.clock import BEIJING
from tests.simulate.people import Household
from tests.simulate.staff import STRUCK

if TYPE_CHECKING:
    from tests.simulate.season import Season

MOST_TRIES = 6
SEATS: Mapping[str, str] = {"medical": "medical", "hrss": "hrss", "counter": "counter"}  # login → role


class Office:
    """What offices have in hand to do it with. `wrong`: what did not come as it should, seen at once."""

    name: ClassVar[str] = "office"
    each: ClassVar[int] = 12  # so many payments for one act
    at_last: ClassVar[int] = 0  # acts when the season is over, beside what it does anyhow
    is_early: ClassVar[bool] = False  # acts in a day's first third

    def __init__(self, season: "Season") -> None:
        self.season, self.stage, self.owed = season, season.stage, season.owed
        self.chance = Random(f"{season.stage.seed}/{self.name}")
        self.wrong: list[str] = []
        self.done = 0
        self.folder = season.stage.folder / "handed"
        self.folder.mkdir(exist_ok=True)

    @property
    def in_dispute(self) -> set[int]:
        """Of whom offices said contrary things."""
        return set()

    @property
    def now(self) -> int:
        """The season's moment."""
        return self.stage.clock.micros

    @property
    def today(self) -> date:
        """In Beijing."""
        return self.stage.clock.now().astimezone(BEIJING).date()

    def must(self, true: bool, words: str) -> bool:
        """It is so, or is found when the season is judged."""
        if not true:
            self.wrong.append(words)
            self.stage.say(f"WRONG {words}")
        return true

    def homes(self) -> Sequence[Household]:
        """Where residents come from."""
        return self.season.county

    def anybody(self) -> tuple[int, str]:
        """A person and his number."""
        home = self.chance.choice(self.homes())
        person = self.chance.choice(home.people)[0]
        return person, home.numbers[person]

    # Files, commands, pages

    def a_file(self, rows: Sequence[Sequence[object]], kind: str) -> Path:
        """A file as somebody saved it."""
        self.done += 1
        held = StringIO()
        csv.writer(held).writerows(rows)
        path = self.folder / f"{kind}-{self.done}.csv"
        path.write_bytes(held.getvalue().encode(self.chance.choice(("utf-8-sig", "gb18030"))))
        return path

    def ask(self, *words: object, typed: str = "") -> str:
        """What the terminal says in the end; an error's sentence begins with "Error"."""
        said = [str(word) for word in words]
        told = " ".join(Path(word).name if word.startswith("/") else word for word in said)
        for _ in range(MOST_TRIES):
            reply = self.stage.call("office", "command", said, typed, told=told)
            if reply.word not in STRUCK:
                return str(reply.data)
        self.must(False, f"{told} never came to its end")
        return ""

    def at_page(self, login: str, path: str, form: Mapping[str, str]) -> tuple[int, str]:
        """A form of the pages' sent by somebody of an office, with a session of this moment."""
        for _ in range(MOST_TRIES):
            reply = self.stage.call("web", "page", self._session(login), path, form, told=f"{login} {path}")
            if reply.word not in STRUCK:
                status, text = reply.data
                return int(status), str(text)
        self.must(False, f"{path} never came to its end")
        return 0, ""

    def _session(self, login: str) -> str:
        """He came in by his password and second factor; that is tried elsewhere."""
        eye, now = self.stage.eye, self.stage.clock.now()
        role = SEATS[login]
        token = f"{self.name}-{self.stage.steps}"
        towns = ["370404103"] if role == "counter" else []
        eye.execute(_SEAT, (login, role, towns))
        eye.execute(
            _SESSION, (sha256(token.encode()).digest(), now + timedelta(minutes=15), now + timedelta(hours=8), login)
        )
        return token

    def act(self) -> None:
        """One of the things it does."""

    def judge(self) -> Mapping[str, Sequence[str]]:
        """When all is over: what is not as it was played, by what it is about."""
        return {"seen at once": self.wrong}


_SEAT = """
insert into staff (login, name, role, towns, password_hash, given) values (%s, '', %s, %s, '', false)
    on conflict (login) do nothing"""
_SESSION = """
insert into session (token_hash, expires_at, ends_at, staff_id) select %s, %s, %s, id from staff where login = %s"""
