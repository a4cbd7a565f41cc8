"""flask suspense list | take | keep | propose | agree | back: money in doubt, with an owner and a day."""

from collections.abc import Callable
from datetime import date

import click
from flask.cli import AppGroup

from app.cli.parts import parts, year_meant
from app.cli.sheet import id_number_asked
from app.flows.due.look_up import identify
from app.flows.pay.start import Want
from app.flows.suspense import solve as flow
from app.flows.suspense.desk import DOUBTS, SOLUTIONS, doubt, proposal
from app.policy.facts import Insurance
from core.clock import beijing
from core.errors import AppError
from core.money import fen, yuan
from payments.suspense.solve import listed

suspense = AppGroup("suspense", help="Money that fits no bill (待查款).")
_by = click.option("--by", required=True, callback=lambda _c, _p, who: f"staff:{who.strip()}", help="Who does this.")


@suspense.command("list")
@click.option("--solved", is_flag=True, help="The solved ones, latest first.")
def list_command(solved: bool) -> None:
    """What waits for a solution, the earliest day first."""
    with parts().reading() as connection:
        rows = listed(connection, solved=solved)
    if not rows:
        click.echo("没有待查款。")
    for row in rows:
        click.echo(
            f"{row.cause}\t{beijing(row.created_at):%Y-%m-%d}\t{DOUBTS.get(row.doubt, row.doubt)}\t"
            f"{yuan(row.amount) if row.amount else '-'}\t{row.number}\t{row.owner}\t{row.due_on}\t"
            f"{SOLUTIONS.get(row.solution, '')}\t{row.solved_by or ''}"
        )


@suspense.command("take")
@click.argument("cause")
@_by
def take_command(cause: str, by: str) -> None:
    """CAUSE is mine from now on."""
    _done(lambda: flow.take(parts(), flow.key_of(parts(), cause), by=by), "已记下，由您负责。")


@suspense.command("keep")
@click.argument("cause")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The last day.")
@click.option("--reason", required=True)
@_by
def keep_command(cause: str, until: date, reason: str, by: str) -> None:
    """CAUSE stays for a reason until a day."""
    _done(
        lambda: flow.keep(
            parts(), flow.key_of(parts(), cause), until=date.fromisoformat(f"{until:%Y-%m-%d}"), reason=reason, by=by
        ),
        "已记下，到期再看。",
    )


@suspense.command("propose")
@click.argument("cause")
@click.option("--name", prompt="姓名", help="For whom; the identity number comes on standard input.")
@click.option("--insurance", "insurances", multiple=True, required=True, type=click.Choice([str(i) for i in Insurance]))
@click.option("--tier", help="The pension tier or amount, in yuan.")
@click.option("--level", type=int, help="The level of the medical insurance, where the year has any.")
@click.option("--year", type=int, help="For which levy year; needed where two are collected.")
@_by
def propose_command(
    cause: str,
    name: str,
    *,
    by: str,
    insurances: tuple[str, ...],
    tier: str | None,
    level: int | None,
    year: int | None,
) -> None:
    """CAUSE was meant for these items of one person and year; another person agrees."""
    of = year_meant(year)

    def act() -> None:
        person = identify(parts(), name=name, id_number=id_number_asked())
        chosen = {
            Insurance.RES_PENSION: {"tier": fen(tier) if tier else None},
            Insurance.RES_MEDICAL: {"level": level},
        }
        wants = [Want(person, each, levy_year=of, **chosen[each]) for each in map(Insurance, insurances)]
        flow.propose(parts(), flow.key_of(parts(), cause), wants, by=by)

    _done(act, "已记下，等另一个人同意。")


@suspense.command("agree")
@click.argument("cause")
@_by
def agree_command(cause: str, by: str) -> None:
    """The proposed items are settled with CAUSE, once whoever agrees has seen them."""

    def act() -> None:
        key = flow.key_of(parts(), cause)
        found, _, proposed = doubt(parts(), key)
        for each in proposed:
            click.echo(f"{each.name}\t{each.title}\t{yuan(each.amount)}")
        if proposed:
            click.confirm("同意用这笔钱交这几项？", abort=True)
        flow.settle(parts(), key, proposal(found, proposed), by=by)

    _done(act, "已入账，这几项算交过了。")


@suspense.command("back")
@click.argument("cause")
@click.option("--reason", default="", help="Shown to the payer.")
@_by
def back_command(cause: str, reason: str, by: str) -> None:
    """Ask for CAUSE to go back the way it came; another person decides (refund decide)."""
    _done(
        lambda: flow.give_back(parts(), flow.key_of(parts(), cause), by=by, reason=reason),
        "已申请退款，等另一个人审批。",
    )


def _done(act: Callable[[], object], words: str) -> None:
    try:
        act()
    except AppError as error:
        raise click.ClickException(next(iter(error.fields.values()), error.sentence())) from error
    click.echo(words)
