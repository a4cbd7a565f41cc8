"""The parts of the sandbox, joined once and handed to every blueprint."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from payments.sandbox.clock import SandboxClock
from payments.sandbox.config import SandboxConfig
from payments.sandbox.faults import Faults
from payments.sandbox.keys import SandboxKeys, make_keys
from payments.sandbox.shelf import Shelf
from payments.sandbox.wechat_notify import Notifier
from payments.sandbox.wechat_trades import Trades
from payments.sandbox.wechat_voice import Voice

_NAME = "liangxian.sandbox"


@dataclass(frozen=True)
class World:
    """Everything the outside world knows."""

    config: SandboxConfig
    keys: SandboxKeys
    clock: SandboxClock
    shelf: Shelf
    faults: Faults
    voice: Voice
    trades: Trades
    notifier: Notifier

    def stop(self) -> None:
        """Threads end, the file is let go."""
        self.notifier.stop()
        self.shelf.close()


def join(config: SandboxConfig, app: Flask) -> World:
    """Make keys and shelf in the config's folder, start the callback threads, and remember it all in `app`."""
    keys, clock, faults = make_keys(config.folder), SandboxClock(config.offset_seconds), Faults()
    shelf, voice = Shelf(config.folder / "outside.sqlite"), Voice(keys)
    trades = Trades(shelf, clock, faults)
    world = World(config, keys, clock, shelf, faults, voice, trades, Notifier(config, voice, trades, faults))
    app.extensions[_NAME] = world
    world.notifier.resume()
    return world


def world() -> World:
    """The world of the request's app."""
    return cast(World, current_app.extensions[_NAME])
