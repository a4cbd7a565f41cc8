"""flask staff add | bring | password | disable | second | code: accounts of the offices."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from flask.cli import AppGroup

from app.access.models import Staff
from app.access.roles import GIVEN, ROLES, Role
from app.cli.agent import give_second, password_for, show_code, show_login
from app.cli.parts import office_parts
from app.flows.enter.accounts import add_staff, change_staff
from app.flows.parts import Parts
from app.flows.staffing.bring_staff import bring, look, place_words
from app.flows.staffing.make import paper
from app.flows.staffing.staff_rows import WHY, JudgedStaff
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


@staff.command("bring")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--take", type=click.Path(path_type=Path), help="Make the accounts; the slips go into this new PDF file.")
def bring_command(path: Path, take: Path | None) -> None:
    """The accounts of a list (姓名、账号、角色、镇街、部门): what would come of it, or made, with a slip for each. Exit
    status 1 if rows are refused and nobody is new."""
    parts = office_parts()
    try:
        if take is None:
            _tell(parts, look(parts, path), "可以建")
            return
        with _new_file(take) as slips:
            brought = bring(parts, path)
            at, author = parts.clocks.now(), parts.rules.source.district
            slips.write(paper(brought.slips, author=author, at=at, title="办公账号") if brought.slips else b"")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    if brought.slips:
        click.echo(f"账号条在 {take}（每人一页，只在这里，交给本人以后请删掉）")
    _tell(parts, brought.judged, "建好了")


def _tell(parts: Parts, judged: JudgedStaff, done: str) -> None:
    for each in judged.new:
        click.echo(f"第{each.row}行 {each.login} {ROLES[each.role]} {place_words(parts, each)}".rstrip())
    for refused in judged.refused:
        click.echo(f"第{refused.row}行 不能建：{WHY[refused.code]}（{refused.code}）")
    click.echo(f"{done} {len(judged.new)} 个，已经有 {len(judged.known)} 个，不能建 {len(judged.refused)} 个")
    if judged.refused and not judged.new:
        raise click.exceptions.Exit(1)  # nothing can be made of it, or was


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """There before anything is made, for nobody else to read; gone again if nothing was written into it."""
    try:
        into = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise click.ClickException(f"{path} 写不了，或者已经有了") from error
    try:
        with into:
            yield into
    finally:
        if not path.stat().st_size:
            path.unlink()


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
