"""flask clock show | set: the business clock of a sandbox, and the sandbox's own, turned together."""

import json
from datetime import datetime

import click
from flask.cli import AppGroup

from app.cli.parts import parts, settings
from core.clock import BEIJING, beijing
from core.http import Door

clock = AppGroup("clock", help="The business clock (sandbox only).")


@clock.command("show")
def show() -> None:
    """What time it is for windows, prices and ages."""
    click.echo(beijing(parts().clocks.now()).isoformat(timespec="seconds"))


@clock.command("set")
@click.argument("moment")
def set_command(moment: str) -> None:
    """Turn the clock to MOMENT, e.g. 2021-12-31T23:59:50 (Beijing)."""
    held = settings()
    if not held.is_sandbox:
        raise click.ClickException("only a sandbox's clock can be turned")
    try:
        wanted = datetime.fromisoformat(moment)
    except ValueError:
        raise click.BadParameter("a moment like 2021-12-31T23:59:50", param_hint="MOMENT") from None
    turn(wanted if wanted.tzinfo else wanted.replace(tzinfo=BEIJING))
    click.echo(beijing(parts().clocks.now()).isoformat(timespec="seconds"))


def turn(moment: datetime) -> None:
    """Ours first, then the far side's, so that its success times follow."""
    offset = parts().clocks.set_to(moment)
    url = settings().sandbox_url
    body = json.dumps({"offset_seconds": int(offset.total_seconds())}).encode()
    door = Door(hosts=frozenset({url.removeprefix("http://")}))
    door.send("POST", f"{url}/clock", headers={"Content-Type": "application/json"}, body=body)
