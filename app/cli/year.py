"""flask year list | check | open | close: which levy years are collected."""

from getpass import getuser

import click
from flask.cli import AppGroup

from app.cli.parts import office_parts, parts
from app.flows.register import open_year as flow
from app.flows.register.check_year import check_year
from app.flows.register.open_year import State
from core.clock import beijing
from core.errors import AppError

year = AppGroup("year", help="Levy years: what they need, begun and ended (年度开征).")
_which = click.argument("which", metavar="YEAR", type=int)
_yes = click.option("--yes", is_flag=True, help="Without being asked.")
_SAYS = {True: "可以", False: "缺", None: "看一看"}


@year.command("list")
def list_command() -> None:
    """Each year that has a file or was opened, the newest first."""
    for each in flow.levy_years(parts()):
        click.echo(f"{each.year}\t{_stands(each)}")


@year.command("check")
@_which
def check_command(which: int) -> None:
    """Say line by line what YEAR needs before it is opened; exit status 1 if something is missing. Changes nothing."""
    if not _told(which):
        raise SystemExit(1)


@year.command("open")
@_which
@_yes
def open_command(which: int, yes: bool) -> None:
    """From now on YEAR is collected, beside the years that are; the register is carried over to it. Every process
    knows it within seconds. A year that was closed is collected again."""
    if not _told(which):
        raise click.ClickException(f"{which}年还不能开征：先把上面“缺”的补上。")
    if not yes:
        click.confirm(f"{which}年从现在起开征，登记照搬过去，不能撤销。开吗？", abort=True)
    try:
        opened = flow.open_year(office_parts(), which, by=f"operator:{getuser()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"{which}年已经开征。" if opened else f"{which}年早已开征，什么都没有改。")


@year.command("close")
@_which
@_yes
def close_command(which: int, yes: bool) -> None:
    """From now on nothing is charged for YEAR. Payments under way are still taken; refunds and papers go on."""
    try:
        stays = flow.what_stays(parts(), which)
        click.echo(f"{which}年没交的应缴单有{stays.unpaid}项，停了就不能再交，也不删。")
        click.echo(f"其中的码已经出了、还在付的有{stays.under_way}笔，付了照样记在{which}年。")
        click.echo(f"{which}年交过的，退费、缴费证明、对账照常。")
        if not yes:
            click.confirm(f"{which}年从现在起停止征缴。停吗？", abort=True)
        closed = flow.close_year(office_parts(), which, by=f"operator:{getuser()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"{which}年已经停止征缴。" if closed else f"{which}年早已停止，什么都没有改。")


def _told(which: int) -> bool:
    lines = check_year(parts(), which)
    for line in lines:
        click.echo(f"{_SAYS[line.ok]}\t{line.words}")
    return all(line.ok is not False for line in lines)


def _stands(each: flow.Listed) -> str:
    if each.state is State.WAITS or each.opened_at is None:
        return "未开征"
    opened = f"{beijing(each.opened_at):%Y-%m-%d %H:%M} {each.opened_by} 开"
    if each.closed_at is None:
        return f"正在征缴\t{opened}"
    return f"已结束\t{opened}\t{beijing(each.closed_at):%Y-%m-%d %H:%M} {each.closed_by} 停"
