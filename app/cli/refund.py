"""flask refund apply | list | show | accept | review | decide | again | transfer: money back, one person a step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from app.cli.parts import parts
from app.flows.refund.follow import WORDS, follow
from app.flows.refund.give_back import HOLDERS, Account, again, ask_transfer, decide_transfer
from app.flows.refund.steps import accept, apply, decide, review
from app.policy.facts import Insurance
from app.policy.refunds import QUESTIONS, Why
from core.clock import beijing
from core.errors import AppError
from core.money import yuan
from payments.refunds.find import listed
from payments.states import RefundState

refund = AppGroup("refund", help="Money back the way it came (退款).")
OPEN = tuple(state for state in RefundState if state not in (RefundState.PAID, RefundState.REJECTED))
INSURANCES = {"pension": Insurance.RES_PENSION, "medical": Insurance.RES_MEDICAL}
_by = click.option("--by", required=True, callback=lambda _c, _p, who: f"staff:{who.strip()}", help="Who does this.")


@contextmanager
def _said() -> Iterator[None]:
    """A no, in its own words."""
    try:
        yield
    except AppError as error:
        raise click.ClickException(error.sentence()) from error


@refund.command("apply")
@click.argument("payment")
@click.option("--why", type=click.Choice([str(why) for why in QUESTIONS]), default=str(Why.TWICE), show_default=True)
@click.option("--reason", default="", help="Shown to the payer in place of the usual words; no names, no numbers.")
@_by
def apply_command(payment: str, why: str, reason: str, by: str) -> None:
    """Ask for the money of PAYMENT: what came beyond its bills, else all it paid."""
    with _said():
        asked = apply(parts(), payment, why=Why(why), reason=reason, by=by)
    click.echo(f"退款单 {asked.number}，{yuan(asked.amount)} 元，等别的人办下一步")


@refund.command("list")
@click.option("--all", "everything", is_flag=True, help="The paid and the rejected too.")
def list_command(everything: bool) -> None:
    """Refunds under way, oldest first."""
    with parts().engine.connect() as connection:
        rows = listed(connection, states=tuple(RefundState) if everything else OPEN)
    if not rows:
        click.echo("没有要处理的退款。")
    for row in rows:
        click.echo(
            f"{row.number}\t{beijing(row.applied_at):%Y-%m-%d %H:%M}\t{row.gateway}\t{yuan(row.amount)}\t"
            f"{WORDS[RefundState(row.state)]}\t{row.their_word}\t{row.owner}\t{row.applied_by}\t{row.decided_by or ''}"
        )


@refund.command("show")
@click.argument("number")
def show_command(number: str) -> None:
    """Every step of refund NUMBER."""
    with _said():
        found = follow(parts(), number)
    click.echo(f"{found.number}  {yuan(found.amount)} 元  {found.reason}  {found.words}")
    for step in found.steps:
        click.echo(f"  {beijing(step.at):%Y-%m-%d %H:%M}  {step.text}  {step.by}  {step.reason}".rstrip())


@refund.command("accept")
@click.argument("number")
@_by
def accept_command(number: str, by: str) -> None:
    """Tax takes refund NUMBER on."""
    _done(lambda: accept(parts(), number, by=by), "已受理，等部门复核。")


@refund.command("review")
@click.argument("number")
@click.option("--insurance", type=click.Choice(list(INSURANCES)), required=True, help="Whose bureau looked at it.")
@_by
def review_command(number: str, insurance: str, by: str) -> None:
    """A bureau has looked at its part of refund NUMBER."""
    with _said():
        whole = review(parts(), number, INSURANCES[insurance], by=by)
    click.echo("已复核，等审批。" if whole else "已复核，还等另一个部门复核。")


@refund.command("decide")
@click.argument("number")
@click.option("--approve/--reject", "approved", required=True, default=None, help="The decision.")
@click.option("--reason", default="", help="Why not; the payer reads it.")
@_by
def decide_command(number: str, approved: bool, reason: str, by: str) -> None:
    """Agree to refund NUMBER or not; once agreed the worker hands it to the gateway."""
    _done(
        lambda: decide(parts(), number, approved=approved, by=by, reason=reason),
        "已同意，马上退。" if approved else "已记下，不退。",
    )


@refund.command("again")
@click.argument("number")
@_by
def again_command(number: str, by: str) -> None:
    """After the gateway's definite no: send refund NUMBER again, under a new number."""
    _done(lambda: again(parts(), number, by=by), "已换新单号，马上再退。")


@refund.command("transfer")
@click.argument("number")
@click.option("--holder", type=click.Choice(list(HOLDERS)), default="insured", show_default=True)
@click.option("--name", prompt="户名", help="Whose account it is; asked for on standard input.")
@click.option("--account", prompt="账号", hide_input=True, help="Asked for on standard input.")
@click.option("--bank", required=True)
@click.option("--proof", required=True, help="The slip's number.")
@_by
def transfer_command(number: str, by: str, **account: str) -> None:
    """No way leads back: refund NUMBER went by bank transfer. Another person confirms it."""
    _done(
        lambda: ask_transfer(parts(), number, Account(**account), by=by),
        "已记下，等另一个人核对回单。",
    )


@refund.command("confirm")
@click.argument("number")
@click.option("--agree/--refuse", "agreed", required=True, default=None, help="Is the slip right?")
@_by
def confirm_command(number: str, agreed: bool, by: str) -> None:
    """Another person has seen the slip of the transfer for refund NUMBER."""
    _done(
        lambda: decide_transfer(parts(), number, agreed=agreed, by=by),
        "已入账，退完了。" if agreed else "已记下，这次转账不算。",
    )


def _done(act: Callable[[], None], words: str) -> None:
    with _said():
        act()
    click.echo(words)
