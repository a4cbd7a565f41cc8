"""The joined parts, for the request in hand."""

from typing import cast

from flask import current_app

from app.flows.parts import Parts
from app.flows.pay.collect import Collector


def parts() -> Parts:
    """What create_app joined."""
    return cast(Parts, current_app.extensions["joined"].parts)


def collector() -> Collector:
    """This process's collector."""
    return cast(Collector, current_app.extensions["joined"].collector)
