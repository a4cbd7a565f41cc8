"""flask refund apply | list | decide | again: money back, asked for by one person and agreed to by another."""

import click
from flask.cli import AppGroup

from app.cli.parts import parts
from app.flows.refund import again, apply, decide
from core.clock import beijing
from core.errors import AppError
from core.money import yuan
from payments.refunds import listed
from payments.states import RefundState

refund = AppGroup("refund", help="Money back the way it came (退款).")
WORDS = {
    RefundState.APPLIED: "待审批",
    RefundState.REJECTED: "没有同意",
    RefundState.APPROVED: "已同意，待退",
    RefundState.PAYING: "退款中",
    RefundState.PAID: "已退",
    RefundState.ABNORMAL: "对方账户收不了，要人工处理",
    RefundState.FAILED: "没有退成，要人工处理",
}
OPEN = tuple(state for state in RefundState if state not in (RefundState.PAID, RefundState.REJECTED))


@refund.command("apply")
@click.argument("payment")
@click.option("--reason", required=True, help="Shown to the payer; no names, no numbers of people.")
@click.option("--by", required=True, help="Who asks.")
def apply_command(payment: str, reason: str, by: str) -> None:
    """Ask for the money of PAYMENT: what came beyond its bills, else all it paid."""
    try:
        asked = apply(parts(), payment, reason=reason.strip(), by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"退款单 {asked.number}，{yuan(asked.amount)} 元，等另一个人审批")


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
            f"{WORDS[RefundState(row.state)]}\t{row.their_word}\t{row.applied_by}\t{row.decided_by or ''}"
        )


@refund.command("decide")
@click.argument("number")
@click.option("--approve/--reject", "approved", required=True, default=None, help="The decision.")
@click.option("--by", required=True, help="Who decides; not who asked.")
def decide_command(number: str, approved: bool, by: str) -> None:
    """Agree to refund NUMBER or not; once agreed the worker hands it to the gateway."""
    try:
        decide(parts(), number, approved=approved, by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("已同意，马上退。" if approved else "已记下，不退。")


@refund.command("again")
@click.argument("number")
@click.option("--by", required=True, help="Who looked at it.")
def again_command(number: str, by: str) -> None:
    """After the gateway's definite no: send refund NUMBER again, under a new number."""
    try:
        again(parts(), number, by=f"staff:{by.strip()}")
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo("已换新单号，马上再退。")
