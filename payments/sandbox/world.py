"""The parts of the sandbox, joined once and handed to every blueprint."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from payments.sandbox.clock import SandboxClock
from payments.sandbox.config import Knobs, SandboxConfig
from payments.sandbox.far import FarSide, Parts
from payments.sandbox.faults import Faults
from payments.sandbox.keys import SandboxKeys, make_keys
from payments.sandbox.notifier import Notifier
from payments.sandbox.shelf import Document, Shelf
from payments.sandbox.trades import Declined, Trades

_NAME = "liangxian.sandbox"


@dataclass(frozen=True)
class World(Parts):
    """Everything the outside world knows. `keys` are WeChat's, the mini-program's and the text provider's."""

    keys: SandboxKeys
    far: Mapping[str, FarSide]
    notifier: Notifier

    def behind(self, code: str) -> Document:
        """The order a phone finds behind a code, whichever gateway's. Declined."""
        for far in self.far.values():
            if trade := far.behind(code):
                return trade
        raise Declined("NOT_FOUND", "没有找到这个付款码")

    def pay(self, code: str, payer: str) -> Document:
        """A phone pays what is behind a code, and the merchant is told. Declined."""
        found = self.behind(code)
        trade = self.far[found["gateway"]].pay(found, payer)
        self.notifier.tell(trade)
        return trade

    def close(self, gateway: str, number: str) -> Document:
        """The merchant closes an order. Refusal; by a fault the payer was quicker by the blink of an eye."""
        payable = self.trades.payable(gateway, number)
        if payable is not None and self.faults.take("close_paid", number, gateway=gateway):
            self.notifier.tell(self.far[gateway].pay(payable, ""))
        return self.trades.close(gateway, number)

    def stop(self) -> None:
        """Threads end, the file is let go."""
        self.notifier.stop()
        self.shelf.close()


def join(config: SandboxConfig, app: Flask, far_sides: Iterable[Callable[[Parts], FarSide]]) -> World:
    """Make keys and shelf in the config's folder, start the callback threads, and remember it all in `app`."""
    keys, clock, faults = make_keys(config.folder), SandboxClock(config.offset_seconds), Faults()
    knobs = Knobs(config.notify_factor, config.callback_public_key_percent)
    shelf = Shelf(config.folder / "outside.sqlite")
    trades = Trades(shelf, clock, faults)
    parts = Parts(config, knobs, clock, shelf, faults, trades)
    far = {side.name: side for side in (make(parts) for make in far_sides)}
    world = World(**vars(parts), keys=keys, far=far, notifier=Notifier(knobs, trades, faults, far))
    app.extensions[_NAME] = world
    for side in far.values():
        app.register_blueprint(side.bp)
    world.notifier.resume()
    return world


def world() -> World:
    """The world of the request's app."""
    return cast(World, current_app.extensions[_NAME])
