"""flask determination apply | list | check | decide: what a bureau decides before there is a bill."""

from datetime import datetime

import click
from flask.cli import AppGroup

from app.cli.parts import office_parts, parts, year_meant
from app.cli.sheet import id_number_asked
from app.flows.due.look_up import identify
from app.flows.register.apply import apply
from app.flows.register.desk import listed
from app.flows.register.determine import Ruling, check, decide
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.registry.determinations import WORDS, Kind
from core.clock import beijing
from core.errors import AppError
from core.money import Fen, fen

determination = AppGroup("determination", help="Back-pay, newborn, late waiver: decided by bureaus (核定).")


@determination.command("apply")
@click.option("--name", prompt="姓名", help="The name as on the identity card; the number comes on standard input.")
@click.option("--insurance", required=True, type=click.Choice([each.value for each in Insurance]))
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in Kind]))
@click.option("--year", type=int, help="Of which levy year; needed where two are collected.")
@click.option("--by", required=True, help="Who applies.")
def apply_command(name: str, insurance: str, kind: str, *, year: int | None, by: str) -> None:
    """Apply for a determination of a levy year; one that is open already is not applied for twice."""
    of = year_meant(year)  # before anything is asked
    try:
        person = identify(parts(), name=name, id_number=id_number_asked())
        number = apply(parts(), person, Insurance(insurance), Kind(kind), by=f"staff:{by.strip()}", levy_year=of)
    except AppError as error:
        raise click.ClickException(next(iter(error.fields.values()), error.sentence())) from error
    click.echo(f"申请号 {number}")


@determination.command("list")
@click.option("--all", "everything", is_flag=True, help="The decided ones too.")
def list_command(everything: bool) -> None:
    """The open applications, oldest first."""
    for each in listed(parts(), everything=everything):
        click.echo(
            f"{each.id}\t{beijing(each.applied_at):%Y-%m-%d}\t{each.levy_year}年\t{WORDS[each.kind]}\t"
            f"{phrases('names')[each.insurance]}\t"
            f"{each.name}\t{each.village}\t{WORDS[each.state]}\t{each.requested_by}\t{each.decided_by or ''}"
        )


@determination.command("check")
@click.argument("number", type=int)
def check_command(number: int) -> None:
    """The bureau has NUMBER in hand."""
    try:
        check(office_parts(), number)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("核实中。")


@determination.command("decide")
@click.argument("number", type=int)
@click.option("--approve/--reject", "approved", required=True, default=None, help="The decision.")
@click.option("--by", required=True, help="Who decides; not who applied.")
@click.option("--amount", help="Yuan; of a back-payment.")
@click.option("--year", "years", type=int, multiple=True, help="A year of a back-payment; may be repeated.")
@click.option("--benefit-start", type=click.DateTime(["%Y-%m-%d"]), help="First day of cover.")
@click.option("--reason", default="", help="Why not; required for --reject.")
def decide_command(
    number: int,
    *,
    approved: bool,
    by: str,
    amount: str | None,
    years: tuple[int, ...],
    benefit_start: datetime | None,
    reason: str,
) -> None:
    """Approve or reject NUMBER, for good."""
    start = benefit_start.date() if benefit_start else None
    try:
        decide(office_parts(), number, Ruling(approved, _fen(amount), years, start, reason), by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("已核定。")


def _fen(text: str | None) -> Fen | None:
    try:
        return fen(text) if text else None
    except ValueError:
        raise click.BadParameter("an amount in yuan, like 1500 or 1500.50", param_hint="--amount") from None
