"""flask staff add | password | disable | second | code: accounts of the offices."""

import click
from flask.cli import AppGroup

from app.access.models import Staff
from app.access.roles import GIVEN, ROLES, Role
from app.cli.agent import give_second, password_for, show_code, show_login
from app.cli.parts import office_parts
from app.flows.enter.accounts import add_staff, change_staff
from core.errors import AppError

staff = AppGroup("staff", help="Staff of the offices (税务、人社、医保、镇街、审计).")


@staff.command("add")
@click.argument("login")
@click.option("--name", prompt="姓名", help="The person's name, as certificates show it.")
@click.option("--role", required=True, type=click.Choice([str(role) for role in GIVEN]), help="What he may do.")
@click.option("--town", "towns", multiple=True, help="A town's code, for the roles town and counter; may be repeated.")
@click.option("--department", "departments", multiple=True, help="Its code, for the role department; may be repeated.")
@click.option("--ask", is_flag=True, help="Type a password instead of having one made.")
def add(  # noqa: PLR0917 one for each option
    login: str, name: str, role: str, towns: tuple[str, ...], departments: tuple[str, ...], ask: bool
) -> None:
    """A new account LOGIN with one role."""
    password = password_for(ask=ask)
    try:
        add_staff(
            office_parts(),
            login=login,
            name=name,
            role=Role(role),
            password=password,
            towns=towns,
            departments=departments,
            given=True,
        )
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(ROLES[Role(role)])
    show_login(login, password, ask=ask)
    give_second(Staff, login)


@staff.command("password")
@click.argument("login")
@click.option("--ask", is_flag=True, help="Type a password instead of having one made.")
def password_command(login: str, ask: bool) -> None:
    """A new password for LOGIN; every open session ends."""
    password = password_for(ask=ask)
    try:
        change_staff(office_parts(), login=login, password=password)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    show_login(login, password, ask=ask)


@staff.command("disable")
@click.argument("login")
def disable(login: str) -> None:
    """LOGIN is out at once and cannot come back."""
    try:
        change_staff(office_parts(), login=login, active=False)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("已停用。 Disabled.")


@staff.command("second")
@click.argument("login")
def second_command(login: str) -> None:
    """A new second factor for LOGIN, whose telephone is gone; the old one and every open session end."""
    give_second(Staff, login)


@staff.command("code")
@click.argument("login")
def code_command(login: str) -> None:
    """What LOGIN's telephone shows now. Sandbox only."""
    show_code(Staff, login)
