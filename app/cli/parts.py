"""The settings and the joined parts, for the command in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click
from flask import current_app

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from app.flows.parts import Parts, Urls
    from payments.gateways.base import Gateway


def settings() -> Any:
    """The Settings this process started with."""
    return current_app.extensions["settings"]


def parts() -> Parts:
    """What create_app joined; made at the first call. Which years are collected is heard before anything is asked with
    a connection in hand."""
    return _up_to_date(cast("Parts", current_app.extensions["joined"].parts))


def office_parts() -> Parts:
    """The same with the office's role: for commands that make accounts, take files in, or decide for a bureau."""
    return _up_to_date(cast("Parts", current_app.extensions["joined"].office))


def _up_to_date(held: Parts) -> Parts:
    held.levy.keep_up()
    return held


def year_meant(said: int | None) -> int:
    """The levy year that was said, or the only one that is collected; of two, which one must be said."""
    collected = parts().levy.years.all
    if said is None and len(collected) > 1:
        years = "、".join(map(str, collected))
        raise click.ClickException(f"现在收 {years} 两个年度的钱，请用 --year 写明是哪一年。")
    return parts().levy.only if said is None else said


def urls() -> Urls:
    """The database's addresses; starts the embedded server if no other is named."""
    return cast("Urls", current_app.extensions["urls"](settings()))


def gateway(name: str) -> Gateway:
    """One channel from this process's settings, without the others. UnknownGateway, BadKey."""
    return cast("Gateway", current_app.extensions["gateway"](settings(), name))


def joined(other: Any, engine: Engine) -> Parts:
    """The parts joined from other settings than this process's own: another system beside it."""
    return cast("Parts", current_app.extensions["join"](other, engine))
