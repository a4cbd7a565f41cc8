"""flask correction ask | list | agree | refuse | withdraw: a name the register has wrong, put right by two people."""

import click
from flask.cli import AppGroup

from app.cli.parts import office_parts
from app.cli.sheet import id_number_asked
from app.flows.register.correct_name import agree, ask, listed, refuse, withdraw
from core.clock import beijing
from core.errors import AppError

correction = AppGroup("correction", help="Names the register has wrong (姓名更正).")


@correction.command("ask")
@click.option("--name", prompt="姓名", help="The right name; the identity number comes on standard input.")
@click.option("--reason", required=True, help="Why: a slip of the pen, a changed name.")
@click.option("--proof", required=True, help="By which paper.")
@click.option("--by", required=True, help="Who asks.")
def ask_command(name: str, reason: str, proof: str, by: str) -> None:
    """Ask for a name to be put right; nothing changes before somebody else agrees."""
    try:
        number = ask(
            office_parts(), id_number=id_number_asked(), name=name, reason=reason, proof=proof, by=f"staff:{by.strip()}"
        )
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"更正号 {number}，请另一个人看过依据后同意：correction agree {number}")


@correction.command("list")
def list_command() -> None:
    """The open corrections, the oldest first."""
    for each in listed(office_parts()):
        when = f"{beijing(each.asked_at):%Y-%m-%d}"
        click.echo(
            "\t".join((str(each.id), when, f"{each.former}→{each.name}", each.reason, each.proof, each.asked_by))
        )


@correction.command("agree")
@click.argument("number", type=int)
@click.option("--by", required=True, help="Who agrees; not who asked.")
def agree_command(number: int, by: str) -> None:
    """The name of correction NUMBER is the right one from now on."""
    try:
        click.echo(f"已更正为 {agree(office_parts(), number, by=f'staff:{by.strip()}')}。")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error


@correction.command("refuse")
@click.argument("number", type=int)
@click.option("--by", required=True, help="Who refuses; not who asked.")
def refuse_command(number: int, by: str) -> None:
    """The name stays as it is."""
    try:
        refuse(office_parts(), number, by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("没有更正。")


@correction.command("withdraw")
@click.argument("number", type=int)
@click.option("--by", required=True, help="Who asked.")
def withdraw_command(number: int, by: str) -> None:
    """Who asked takes correction NUMBER back."""
    try:
        withdraw(office_parts(), number, by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("已撤回，姓名没有改。")
