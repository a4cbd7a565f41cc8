"""Which levy years are collected here: the table says, and one that opens or closes is known everywhere in seconds."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.policy.terms import PolicyYear
from app.policy.year import funds_of, load_year
from app.registry.years import Years
from core.db import CONNECT_S, PATIENCE, Patience, holds_connection
from core.errors import BadInput, Conflict

LOOK_S = 5.0
MOST_S = 0.5  # that a look may take


class YearUnsaid(BadInput):
    """Two levy years are collected, and somebody did not say for which; an old page does not."""

    status = 422
    text = "现在收两个年度的钱，请返回重新选是哪一年。"


class YearClosed(Conflict):
    """A levy year that is not collected, or not any more."""

    text = "{year}年度现在不收了。"


class Levy:
    """`first` is the year of a database that says of none yet. The database is asked every few seconds, by nobody who
    has a connection in hand; while it cannot be, what was known stands."""

    def __init__(self, engine: Engine, folder: Path, first: int) -> None:
        self._engine, self._folder = engine, folder
        self._known: tuple[tuple[int, bool], ...] = ((first, True),)
        self._looked_at = -LOOK_S
        self._heard = False
        self._lock = threading.Lock()

    def look(self) -> None:
        """Ask again now. SQLAlchemyError."""
        self._looked_at = monotonic()
        with self._engine.connect() as connection:
            self.hear(connection)

    def keep_up(self) -> None:
        """Said with no connection in hand, at the begin of a request or now and then by a worker: what opened or closed
        is heard of."""
        self._said()

    def hear(self, connection: Connection) -> None:
        """What is so in this transaction is known now. Asked where something is written: whose year the register is
        hangs on it."""
        self.heard(connection.execute(text("select year, closed_at is null from levy_year order by year")).all())

    def heard(self, said: Iterable[Sequence[Any]]) -> None:
        """The same for somebody who has read it: each year that ever was, and whether it can be paid."""
        self._known = tuple((year, still) for year, still in said) or self._known
        self._heard = True

    def rules(self, year: int) -> PolicyYear:
        """Any year's, closed or not: what was paid for it may still go back. NoSuchYear."""
        return load_year(year, self._folder)

    @property
    def newest(self) -> PolicyYear:
        """The one whose register is the register."""
        return self.rules(self._said()[-1][0])

    @property
    def first(self) -> int:
        """The one before which there was none. A wish of that names no year where its digest is kept: so it was at a
        time when nobody knew another, and so it stays, whatever is opened."""
        return self._said()[0][0]

    @property
    def open(self) -> Sequence[PolicyYear]:
        """Those that can be paid, the newest first."""
        return [self.rules(year) for year, still in reversed(self._said()) if still]

    @property
    def years(self) -> Years:
        """Those that can be paid, as the register is asked."""
        newest, *_ = said = self._said()[::-1]
        return Years(newest[0], tuple(year for year, still in said[1:] if still))

    @property
    def ever(self) -> Years:
        """Each that ever was."""
        newest, *former = (year for year, _ in self._said()[::-1])
        return Years(newest, tuple(former))

    @property
    def funds(self) -> dict[str, str]:
        """The other funds that any of these years has or had: code → the name that people read."""
        return {code: words for year in self.ever.all[::-1] for code, words in funds_of(self._folder)(year).items()}

    def known(self, year: int) -> PolicyYear:
        """One that can be paid. YearClosed."""
        if year not in self.years.all:
            raise YearClosed(str(year), year=year)
        return self.rules(year)

    @property
    def only(self) -> int:
        """The one year that can be paid, where nobody need say which. YearUnsaid where there are two."""
        open_years = self.open
        if len(open_years) != 1:
            raise YearUnsaid
        return open_years[0].year

    def _look_shortly(self) -> None:
        """While the database cannot be asked nobody waits for this: whoever needs it is told by itself. Only who has
        heard nothing yet, as every command, waits for a connection: the year of the settings may be long over."""
        connect_s = 0 if self._heard else CONNECT_S
        patience = PATIENCE.set(Patience(MOST_S, monotonic() + connect_s + MOST_S))
        try:
            with suppress(SQLAlchemyError):
                self.look()
        finally:
            PATIENCE.reset(patience)

    def _said(self) -> tuple[tuple[int, bool], ...]:
        if monotonic() - self._looked_at >= LOOK_S and not holds_connection() and self._lock.acquire(blocking=False):
            try:
                self._look_shortly()
            finally:
                self._lock.release()
        return self._known
