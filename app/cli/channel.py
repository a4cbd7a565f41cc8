"""flask channel list | pause | open: whether a channel takes new payments."""

from getpass import getuser

import click
from flask.cli import AppGroup

from app.cli.parts import parts
from app.flows.pay import pause as flow
from core.clock import beijing
from core.errors import AppError
from payments.gateways.known import GATEWAYS

channel = AppGroup("channel", help="Channels paused for new payments, and opened again (渠道暂停).")
_name = click.argument("name", type=click.Choice(list(GATEWAYS)))


@channel.command("list")
def list_command() -> None:
    """Each channel as it stands."""
    stands, _ = flow.channels(parts())
    for each in stands:
        if each.since is None:
            click.echo(f"{each.name}\t{each.title}\t正常收款")
            continue
        since = f"{beijing(each.since):%Y-%m-%d %H:%M}"
        click.echo(f"{each.name}\t{each.title}\t从 {since} 暂停\t{each.words}\t{each.why}\t{each.by}")


@channel.command("pause")
@_name
@click.option("--why", required=True, help="For the offices.")
@click.option("--words", required=True, help="What residents read beside the way to pay.")
def pause_command(name: str, why: str, words: str) -> None:
    """Channel NAME takes no new payment; codes that are out, callbacks, refunds and statements go on."""
    try:
        flow.pause(parts(), name, why=why, words=words, by=f"operator:{getuser()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"{GATEWAYS[name].facts.title}已暂停收款。恢复：channel open {name}")


@channel.command("open")
@_name
def open_command(name: str) -> None:
    """Channel NAME takes new payments again."""
    try:
        flow.open_again(parts(), name, by=f"operator:{getuser()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"{GATEWAYS[name].facts.title}已恢复收款。")
