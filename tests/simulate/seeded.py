"""One clock and one source of chance for every process of a simulation: nothing in it knows the real time, and nothing
is drawn that the seed does not decide. Patched in the simulator's own processes only."""

import mmap
import os
import random
import struct
import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType

import app.flows.levy
import app.observe
import core.clock
import core.http
import notifications.channels.wechat

SECOND = 1_000_000
_CELL = struct.Struct("!q")
_TRUE_CLOCK = core.clock.utc_now
_PATIENCE_S = 8  # the door's: a far side that answers later is not heard


class HungUp(BaseException):
    """The far side did what it was asked and hangs up without a word: how a time-out looks when nobody waits for it."""


class Clock:
    """Microseconds since 1970 in memory that all processes of a simulation share; only the director turns it."""

    def __init__(self, start: datetime) -> None:
        self._cell = mmap.mmap(-1, _CELL.size)
        self.turn(int(start.timestamp()) * SECOND)

    @property
    def micros(self) -> int:
        """Now."""
        return int(_CELL.unpack(self._cell[:])[0])

    def turn(self, micros: int) -> None:
        """It is this moment from now on."""
        self._cell[:] = _CELL.pack(micros)

    def now(self) -> datetime:
        """What core.clock.utc_now() is here."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.micros)


class Time(ModuleType):
    """Stands where a module has imported `time`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("time")
        self._clock = clock

    def time(self) -> float:
        return self._clock.micros / SECOND

    monotonic = perf_counter = time

    def sleep(self, seconds: float) -> None:
        """The far side's pauses. Who is asked waits as long as its patience lasts."""
        self._clock.turn(self._clock.micros + int(min(seconds, _PATIENCE_S) * SECOND))
        if seconds >= _PATIENCE_S:
            raise HungUp


def set_clocks(clock: Clock) -> None:
    """Every module that has a clock gets this one: utc_now by name, and `time` of those whose pauses are part of the
    story (the far side, the door out, the alarm)."""
    shim = Time(clock)
    for name, module in list(sys.modules.items()):
        if getattr(module, "utc_now", None) is _TRUE_CLOCK:
            module.utc_now = clock.now  # type: ignore[attr-defined]
        if name.startswith("payments.sandbox") and hasattr(module, "time") and isinstance(module.time, ModuleType):
            module.time = shim  # type: ignore[attr-defined]
    app.flows.levy.monotonic = shim.monotonic  # when it looks again whether a year opened
    for module in (core.http, app.observe, notifications.channels.wechat):
        module.time = shim  # type: ignore[attr-defined]


def draw_from(*seed: object) -> None:
    """From now on this process draws its random bytes (numbers, nonces, tokens) from the seed."""
    drawn = random.Random("/".join(map(str, seed)))
    os.urandom = drawn.randbytes
    random._urandom = drawn.randbytes  # type: ignore[attr-defined] where `secrets` has its bytes from
