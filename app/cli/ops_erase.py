"""flask ops erase ask | list | agree | withdraw | show | lift-ask | lift: a person's data erased by two people."""

import click
from flask.cli import AppGroup

from app.access.erasures import GROUNDS
from app.cli.ops import ops
from app.cli.parts import office_parts
from app.cli.sheet import id_number_asked
from app.flows.keep import erase as flow
from core.clock import beijing
from core.errors import AppError

erase = AppGroup("erase", help="A person's data erased; the accounts stay (删除个人信息).")
ops.add_command(erase)
BY = click.option("--by", required=True, help="Who does it.")


@erase.command("ask")
@click.option("--ground", type=click.Choice(list(GROUNDS)), required=True, help="Of what kind the reason is.")
@click.option("--reason", required=True, help="Why, and by which paper; the identity number comes on standard input.")
@BY
def ask_command(ground: str, reason: str, by: str) -> None:
    """Ask for somebody's data to be erased; nothing changes before somebody else agrees."""
    try:
        number = flow.ask(
            office_parts(), id_number=id_number_asked(), ground=ground, reason=reason, by=f"staff:{by.strip()}"
        )
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"删除编号 {number}，请另一个人核对以后同意：ops erase agree {number}")


@erase.command("list")
def list_command() -> None:
    """All of them, the latest first; names masked."""
    for each in flow.trail(office_parts()):
        click.echo("\t".join((str(each.row.id), each.stands, each.name or "—", GROUNDS[each.row.ground])))


@erase.command("show")
@click.argument("number", type=int)
def show_command(number: int) -> None:
    """Who asked and agreed to erasure NUMBER, why, what went and what stays."""
    for each in flow.trail(office_parts(), erasure=number):
        row = each.row
        click.echo(f"{row.id}\t{each.stands}\t{each.name or '—'}\t{GROUNDS[row.ground]}：{row.reason}")
        click.echo(f"提出 {row.asked_by} {beijing(row.asked_at):%Y-%m-%d %H:%M}")
        if row.agreed_at:
            click.echo(f"同意 {row.agreed_by} {beijing(row.agreed_at):%Y-%m-%d %H:%M}")
            click.echo(f"清空：{each.gone}")
            click.echo(f"留下：{flow.STAYS}")
        if row.lift_asked_at:
            click.echo(f"要求恢复 {row.lift_asked_by}：{row.lift_reason}")
        if row.lifted_at:
            click.echo(f"同意恢复 {row.lifted_by} {beijing(row.lifted_at):%Y-%m-%d %H:%M}")


@erase.command("agree")
@click.argument("number", type=int)
@BY
def agree_command(number: int, by: str) -> None:
    """Erasure NUMBER is done at once; not by who asked."""
    try:
        went = flow.agree(office_parts(), number, by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"已经删除。清空：{flow.gone_words(went)}")
    click.echo(f"留下：{flow.STAYS}")


@erase.command("withdraw")
@click.argument("number", type=int)
@BY
def withdraw_command(number: int, by: str) -> None:
    """Who asked for erasure NUMBER takes it back."""
    try:
        flow.withdraw(office_parts(), number, by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("已撤回，什么都没有删。")


@erase.command("lift-ask")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why he is to come back to the lists.")
@BY
def lift_ask_command(number: int, reason: str, by: str) -> None:
    """Ask for the person of erasure NUMBER to come back; nothing changes before somebody else agrees."""
    try:
        flow.ask_to_lift(office_parts(), number, reason=reason, by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"请另一个人同意：ops erase lift {number}")


@erase.command("lift")
@click.argument("number", type=int)
@BY
def lift_command(number: int, by: str) -> None:
    """The person of erasure NUMBER is in the lists again, without phone and account."""
    try:
        flow.lift(office_parts(), number, by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("已经不再限制。删掉的手机号和账号不会回来。")
