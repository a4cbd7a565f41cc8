"""flask ledger check | balances | entry: is the book right, what stands on the accounts, what an event booked."""

from time import perf_counter

import click
from flask.cli import AppGroup

from app.cli.parts import parts
from app.flows.watch.book import NUMBERS, check_book
from core.money import yuan
from payments.ledger.balances import entry_lines, trial_balance
from payments.number import household_of
from payments.truths.invariants import Finding

ledger = AppGroup("ledger", help="The book (账本).")


@ledger.command("check")
@click.argument("numbers", nargs=-1, type=click.Choice(NUMBERS))
def check(numbers: tuple[str, ...]) -> None:
    """Everything that must hold of the book, or NUMBERS only. Exit status 1 if something does not."""
    began = perf_counter()
    found = check_book(parts(), numbers or NUMBERS)
    for one in found:
        _say(one)
    broken = [one for one in found if one.rows]
    if broken:
        click.echo(f"\n{len(broken)} 项不成立：" + "、".join(one.number for one in broken), err=True)
        raise SystemExit(1)
    click.echo(f"\n{len(found)} 项都成立，用时 {perf_counter() - began:.1f} 秒。")


@ledger.command("balances")
def balances() -> None:
    """The trial balance: every account with its debits, credits and balance in yuan."""
    with parts().engine.connect() as connection:
        rows = trial_balance(connection)
    if not rows:
        click.echo("账上还没有分录。")
    for row in rows:
        click.echo(f"{row.code}\t{row.name}\t借 {yuan(row.debit)}\t贷 {yuan(row.credit)}\t余 {yuan(row.balance)}")


@ledger.command("entry")
@click.argument("cause")
@click.option("--household", type=int, help="If the cause does not carry it.")
def entry(cause: str, household: int | None) -> None:
    """What the event CAUSE booked, line by line."""
    number = next((part for part in cause.split(":") if household_of(part)), "")
    with parts().engine.connect() as connection:
        lines = entry_lines(connection, household if household is not None else household_of(number), cause)
    if not lines:
        raise click.ClickException("账上没有这个事由的分录。")
    for line in lines:
        click.echo(f"{'借' if line.amount > 0 else '贷'}\t{line.account}\t{line.name}\t{yuan(abs(line.amount))}")


def _say(finding: Finding) -> None:
    click.echo(f"{'✗' if finding.rows else '✓'} {finding.number}\t{finding.title}")
    for what in finding.sample:
        click.echo(f"      {what}")
    if finding.rows > len(finding.sample):
        click.echo(f"      …… 共 {finding.rows} 行")
