"""flask agent add | disable | password: village agents and their logins."""

import secrets

import click
from flask.cli import AppGroup

from app.cli.parts import parts
from app.flows.agents import add_agent, change_password, disable_agent
from core.errors import AppError

agent = AppGroup("agent", help="Village agents (代办员).")


@agent.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The agent's name, as residents know it.")
@click.option("--village", "villages", multiple=True, required=True, help="A village code; may be repeated.")
@click.option("--ask", is_flag=True, help="Type a password instead of having one made.")
def add(login: str, name: str, villages: tuple[str, ...], ask: bool) -> None:
    """A new agent LOGIN for one or more villages."""
    password = password_for(ask=ask)
    try:
        add_agent(parts(), login=login, name=name, password=password, villages=villages)
    except AppError as error:
        raise click.ClickException(f"{error.sentence()} {error}") from error
    show_login(login, password, ask=ask)


@agent.command("disable")
@click.argument("login")
def disable(login: str) -> None:
    """LOGIN is out at once and cannot come back."""
    try:
        disable_agent(parts(), login=login)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("已停用。 Disabled.")


@agent.command("password")
@click.argument("login")
@click.option("--ask", is_flag=True, help="Type a password instead of having one made.")
def password_command(login: str, ask: bool) -> None:
    """A new password for LOGIN; every open session ends."""
    password = password_for(ask=ask)
    try:
        change_password(parts(), login=login, password=password)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    show_login(login, password, ask=ask)


def password_for(*, ask: bool) -> str:
    """Typed by the operator, or made."""
    if ask:
        return str(click.prompt("密码 password", hide_input=True, confirmation_prompt=True))
    return secrets.token_urlsafe(9)


def show_login(login: str, password: str, *, ask: bool) -> None:
    """The login, and a password that was made, this once."""
    click.echo(f"账号 login: {login.strip().lower()}")
    if not ask:
        click.echo(f"密码 password: {password}   （只显示这一次 shown this once）")
