"""flask people show: whom to try a sandbox with."""

import click
from flask.cli import AppGroup

from app.cli.parts import settings
from app.registry.cast import PARTS, showcase

people_group = AppGroup("people", help="The invented people of a sandbox.")


@people_group.command("show")
def show() -> None:
    """One of each kind to try: name, identity number, phone, and what he is."""
    if not settings().is_sandbox:
        raise click.ClickException("people show 只用于沙盒。 Only for the sandbox.")
    click.echo(whom_to_try())


def whom_to_try() -> str:
    """The cast, a line each, by household."""
    cast = showcase()
    everybody = [getattr(cast, part.kind) for part in PARTS]
    return "\n".join(
        f"  第{one.household}户  {one.name}  {one.id_number}  {one.phone or '（没有手机）'}  {one.words}"
        for one in everybody
    )
