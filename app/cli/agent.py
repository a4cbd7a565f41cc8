"""flask agent add | disable | password | second | code: village agents and their logins."""

import io
import secrets

import click
import qrcode
from flask.cli import AppGroup

from app.access.models import Agent
from app.cli.parts import office_parts, settings
from app.flows.enter.accounts import add_agent, change_password, disable_agent
from app.flows.enter.second import Whose, code_of_now, issue_second
from core.errors import AppError

agent = AppGroup("agent", help="Village agents (代办员).")


@agent.command("add")
@click.argument("login")
@click.option("--name", prompt="姓名", help="The agent's name, as residents know it.")
@click.option("--village", "villages", multiple=True, required=True, help="A village code; may be repeated.")
@click.option("--ask", is_flag=True, help="Type a password instead of having one made.")
def add(login: str, name: str, villages: tuple[str, ...], ask: bool) -> None:
    """A new agent LOGIN for one or more villages."""
    password = password_for(ask=ask)
    try:
        add_agent(office_parts(), login=login, name=name, password=password, villages=villages, given=True)
    except AppError as error:
        raise click.ClickException(f"{error.sentence()} {error}") from error
    show_login(login, password, ask=ask)
    give_second(Agent, login)


@agent.command("disable")
@click.argument("login")
def disable(login: str) -> None:
    """LOGIN is out at once and cannot come back."""
    try:
        disable_agent(office_parts(), login=login)
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
        change_password(office_parts(), login=login, password=password)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    show_login(login, password, ask=ask)


@agent.command("second")
@click.argument("login")
def second_command(login: str) -> None:
    """A new second factor for LOGIN, whose telephone is gone; the old one and every open session end."""
    give_second(Agent, login)


@agent.command("code")
@click.argument("login")
def code_command(login: str) -> None:
    """What LOGIN's telephone shows now. Sandbox only."""
    show_code(Agent, login)


def password_for(*, ask: bool) -> str:
    """Typed by the operator, or made."""
    if ask:
        return str(click.prompt("密码 password", hide_input=True, confirmation_prompt=True))
    return secrets.token_urlsafe(9)


def show_login(login: str, password: str, *, ask: bool) -> None:
    """The login, and a password that was made, this once."""
    click.echo(f"账号 login: {login.strip().lower()}")
    if not ask:
        click.echo(
            f"密码 password: {password}   （只显示这一次，第一次登录要换 shown this once, changed at the first login）"
        )


def give_second(whose: Whose, login: str) -> None:
    """A new second factor: what goes into the telephone, and the codes for the day it is gone; shown this once."""
    try:
        issued = issue_second(office_parts(), whose, login=login)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    code = qrcode.QRCode(border=1)
    code.add_data(issued.address)
    drawn = io.StringIO()
    code.print_ascii(out=drawn)
    click.echo("动态码 second factor: 用手机验证器扫下面的码，或输入这些字母 (scan, or type the letters)")
    click.echo(drawn.getvalue())
    click.echo(f"  {issued.secret}")
    click.echo("恢复码 recovery codes: 抄下来收好，每个只能用一次 (each works once, shown this once)")
    for recovery in issued.recovery:
        click.echo(f"  {recovery}")


def show_code(whose: Whose, login: str) -> None:
    """The code of now, in a sandbox."""
    if not settings().is_sandbox:
        raise click.ClickException("只用于沙盒。 Only in the sandbox.")
    try:
        click.echo(code_of_now(office_parts(), whose, login=login))
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
