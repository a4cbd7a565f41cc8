"""What every flow is handed: the joined parts of the running system. Made once, by create_app."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from app.flows.levy import Levy
from app.policy.terms import PolicyYear
from app.policy.year import YEARS
from core.clock import business_day, utc_now
from core.db import holds_connection
from core.vault import Vault
from notifications.channels import Channel
from payments.gateways.base import Gateway

if TYPE_CHECKING:
    from notifications.channels.account import OfficialAccount


class Clocks:
    """The two clocks (decision 22). The offset lives in the database so that every process turns together; it is read
    at most once a second, by nobody who has a connection in hand, and never outside the sandbox, where it is zero."""

    def __init__(self, engine: Engine, *, movable: bool) -> None:
        self._engine = engine
        self._movable = movable
        self._offset = timedelta(0)
        self._read_at: datetime | None = None
        self._lock = threading.Lock()

    @property
    def is_movable(self) -> bool:
        """Whether it may be turned: in a sandbox."""
        return self._movable

    def wall(self) -> datetime:
        """The system clock."""
        return utc_now()

    def now(self) -> datetime:
        """The business clock, an aware UTC moment."""
        wall = utc_now()
        if self._movable and self._is_old(wall):
            with self._lock, self._engine.connect() as connection:
                seconds = connection.execute(text("select offset_seconds from business_clock")).scalar_one_or_none()
                self._offset = timedelta(seconds=seconds or 0)
                self._read_at = wall
        return wall + self._offset

    def ahead(self) -> timedelta:
        """By how much the business clock is ahead of the system clock: nothing outside a sandbox. Added to a moment of
        the system clock where people read it beside others of the business clock."""
        return timedelta(seconds=round((self.now() - self.wall()).total_seconds()))

    def _is_old(self, wall: datetime) -> bool:
        if self._read_at is None:
            return True
        return wall - self._read_at > timedelta(seconds=1) and not holds_connection()

    def today(self) -> date:
        """The Beijing date of the business clock."""
        return business_day(self.now())

    def is_set(self) -> bool:
        """Has somebody turned it before?"""
        with self._engine.connect() as connection:
            return bool(connection.execute(text("select count(*) from business_clock")).scalar_one())

    def set_to(self, moment: datetime) -> timedelta:
        """Turn the business clock to a moment; the new offset. Sandbox only."""
        assert self._movable, "the business clock is the true time outside the sandbox"
        offset = timedelta(seconds=ceil((moment - utc_now()).total_seconds()))  # never before it
        with self._engine.begin() as connection:
            connection.execute(
                text(
                    "insert into business_clock (id, offset_seconds) values (1, :seconds)"
                    " on conflict (id) do update set offset_seconds = excluded.offset_seconds"
                ),
                {"seconds": int(offset.total_seconds())},
            )
        self._offset, self._read_at = offset, utc_now()
        return offset


@dataclass(frozen=True)
class Urls:
    """The database under its three roles: the application's, the office commands', the owner's."""

    app: str
    office: str
    owner: str


@dataclass(frozen=True)
class Parts:
    """The joined system. `public_url` without a trailing slash."""

    engine: Engine
    vault: Vault
    levy: Levy
    clocks: Clocks
    gateways: Mapping[str, Gateway]
    channels: Mapping[str, Channel]
    public_url: str
    help_phone: str
    issuer: str  # the office in whose name papers are issued
    departments: Mapping[str, str]  # those that pay in residents' place: code → name
    year_files: Path = YEARS  # the folder of the district's years
    place_words: tuple[str, ...] = ()  # names of the place, which make no password
    answer_days: int = 5  # working days within which an office answers what was said to it
    days_off: frozenset[date] = frozenset()  # holidays on which nobody of an office works
    login: Callable[[str], str] | None = None  # a mini-program login code → openid
    account: "Callable[[], OfficialAccount] | None" = None  # whose users pay in WeChat's browser
    program_link: Callable[[], str] | None = None  # or else: an address there that opens the mini-program
    senders: int = 1  # how many notices are handed over at once
    certificate_key: bytes = bytes(32)  # signs what is said of closed days (Ed25519)
    keeper: tuple[str, ...] = ()  # the program that keeps backups, as it is called
    papers: Path | None = None  # where closed days' certificates are kept outside the database
    backups_due: bool = False  # where none are taken somebody is woken
    alert: Callable[..., None] = field(default=lambda *_a, **_k: None)

    @property
    def rules(self) -> PolicyYear:
        """Those of the newest levy year."""
        return self.levy.newest

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection for queries; nothing is written."""
        return self.engine.connect()
