"""flask helped bill open | draw | list | show: what departments owe for their people, as bills."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from app.cli.parts import office_parts
from app.flows.helped import bills
from app.flows.helped.bill_papers import fund_name, note, sheet
from app.flows.helped.bills import What
from app.flows.helped.live import Hand
from core.clock import beijing
from core.errors import AppError
from core.money import fen, yuan

bill = AppGroup("bill", help="Departments' bills (代缴账单).")
_by = click.option("--by", required=True, callback=lambda _c, _p, who: f"staff:{who.strip()}", help="Who does this.")


@bill.command("open")
def open_command() -> None:
    """What is on no bill yet: department, year, fund, list, lines, new, credits, total."""
    parts = office_parts()
    for each in bills.unbilled(parts):
        what = each.what
        click.echo(
            f"{what.department}\t{what.levy_year}\t{what.fund}\t{what.source or '-'}\t{each.lines}\t"
            f"{yuan(each.amount)}\t{yuan(each.credit)}\t{yuan(each.total)}"
        )


@bill.command("draw")
@click.argument("what", type=(str, int, str), metavar="DEPARTMENT YEAR FUND")
@click.option("--list", "source", type=int, help="The list its people came by; the bureaus' register if not said.")
@click.option("--total", required=True, help="In yuan, as `open` shows it.")
@_by
def draw_command(what: tuple[str, int, str], source: int | None, total: str, by: str) -> None:
    """Draw up the bill of what DEPARTMENT owes into FUND for YEAR."""
    try:
        seen = fen(total)
        click.echo(bills.draw(office_parts(), What(*what, source), seen=seen, hand=Hand(by=by)))
    except ValueError as error:
        raise click.BadParameter(total, param_hint="--total") from error
    except AppError as error:
        raise click.ClickException(error.sentence()) from error


@bill.command("list")
@click.option("--department", default="", help="Only its own.")
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True)
def list_command(department: str, page: int) -> None:
    """The bills, the latest first."""
    parts = office_parts()
    rows, more = bills.demands(parts, department=department, page=page)
    for row in rows:
        click.echo(
            f"{row.number}\t{beijing(row.drawn_at):%Y-%m-%d}\t{row.department}\t{row.levy_year}\t"
            f"{fund_name(parts, row.fund)}\t{row.lines} 行\t应付 {yuan(row.amount)}\t已收 {yuan(row.paid)}\t"
            f"{bills.STATES[row.state]}"
        )
    if more:
        click.echo(f"还有，看下一页：--page {page + 1}")


@bill.command("show")
@click.argument("number")
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--sheet", "into_sheet", type=click.Path(dir_okay=False, path_type=Path), help="Its people, in full.")
@click.option("--note", "into_note", type=click.Path(dir_okay=False, path_type=Path), help="The demand note.")
@_by
def show_command(number: str, page: int, into_sheet: Path | None, into_note: Path | None, by: str) -> None:
    """A bill's people, names masked; or its papers."""
    parts = office_parts()
    try:
        held = bills.demand(parts, number)
        if into_sheet:
            into_sheet.write_bytes(sheet(parts, number, mark=f"{by} {beijing(parts.clocks.now()):%Y-%m-%d %H:%M}"))
        if into_note:
            into_note.write_bytes(note(parts, number, payee=current_app.extensions["settings"].payee_name))
        rows, more = bills.people(parts, held, page=page)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    for row in bills.payments(parts, held):
        click.echo(f"{row.kind}\t{row.serial}\t{row.way}\t{yuan(row.amount)}")
    for each in rows:
        click.echo(f"{each.no}\t{each.name}\t{each.id_number}\t{each.village}\t{yuan(each.amount)}")
    if more:
        click.echo(f"还有，看下一页：--page {page + 1}")
