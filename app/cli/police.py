"""flask police look | take | conflicts: what the police's lists say of people, and what offices contradict each other
about."""

from contextlib import ExitStack
from pathlib import Path

import click
from flask.cli import AppGroup

from app.cli.parts import office_parts
from app.flows.conflicts.bring_police import Brought, bring_police
from app.flows.conflicts.queue import open_ones
from app.registry.conflicts import KINDS
from app.registry.failures import Failure, FailureFile
from app.registry.police import TITLES, Code
from core.errors import AppError

police = AppGroup("police", help="The police's lists and what contradicts the register (公安名单、登记冲突).")
_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_code = click.option(
    "--code", type=click.Choice([each.value for each in Code]), help="What the rows say that say nothing themselves."
)
_failures = click.option(
    "--failures", type=click.Path(dir_okay=False, path_type=Path), help="Where refused rows go: .csv, .xlsx"
)
SHOWN = 20


@police.command("look")
@_file
@_code
@_failures
def look_command(file: Path, code: str | None, failures: Path | None) -> None:
    """What FILE would change. Nothing counts yet."""
    _bring(file, code, failures, stays=False)


@police.command("take")
@_file
@_code
@_failures
def take_command(file: Path, code: str | None, failures: Path | None) -> None:
    """The good rows of FILE count from now on; the same file again changes nothing."""
    _bring(file, code, failures, stays=True)


@police.command("conflicts")
def conflicts_command() -> None:
    """What offices have to decide, the nearest day first; names are masked. They decide at their page."""
    for each in open_ones(office_parts()):
        late = "，过期了" if each.late else ""
        click.echo(f"{each.id}\t{each.due_on}{late}\t{each.office}\t{each.words}\t{each.name}\t{each.village}")


def _bring(file: Path, code: str | None, failures: Path | None, *, stays: bool) -> None:
    with ExitStack() as stack:
        sink = stack.enter_context(FailureFile(failures)) if failures else None
        shown = 0

        def report(failure: Failure) -> None:
            nonlocal shown
            shown += 1
            if sink:
                sink.add(failure)
            elif shown <= SHOWN:
                click.echo(f"第{failure.row}行 {failure.column}：{failure.reason}", err=True)

        try:
            said = Code(code) if code else None
            brought = bring_police(
                office_parts(), file, code=said, report=report, settle=lambda _connection, _brought: stays
            )
        except AppError as error:
            raise click.ClickException(error.sentence()) from error
    _tell(brought, stays=stays)


def _tell(brought: Brought, *, stays: bool) -> None:
    kinds = "，".join(f"{TITLES[code]} {number} 人" for code, number in brought.codes.items())
    click.echo(
        f"读入 {brought.rows_in} 行：新的 {brought.added}，和以前不同 {brought.changed}，相同 {brought.same}，"
        f"登记里没有的人 {brought.unknown}，退回 {brought.refused}。{kinds}"
    )
    click.echo(
        f"应缴单作废 {brought.bills} 张，正在付款 {brought.paying} 人（不打断），可能退费 {brought.refunds} 份。"
    )
    for kind, number in brought.conflicts.items():
        click.echo(f"转给主管局来定：{KINDS[kind].words} {number} 人")
    if not stays:
        click.echo("只看了一遍，没有导入。")
    elif not brought.taken:
        click.echo("没有新的内容，什么都没有改。")
