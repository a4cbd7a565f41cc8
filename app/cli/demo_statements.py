"""The demonstration's third part: the morning after, each channel's own list against our book, to the fen."""

from datetime import timedelta

import click

from app.cli.stage import Stage
from app.flows.reconcile.fetch_statement import fetch_statement
from core.clock import beijing, beijing_midnight
from core.money import yuan
from payments.gateways.known import GATEWAYS
from payments.ledger.balances import balance


def compare(stage: Stage) -> None:
    """Turn both clocks to the next morning, fetch every statement, and lay three lists side by side."""
    clocks = stage.parts.clocks
    day = clocks.today()
    offset = clocks.set_to(beijing_midnight(day + timedelta(days=1)) + timedelta(hours=10, minutes=30))
    stage.call("POST", f"{stage.far}/clock", {"offset_seconds": int(offset.total_seconds())})
    click.echo(f"\n六、第二天 {beijing(clocks.now()):%Y年%m月%d日 %H:%M}：取各渠道的对账单，和账本对")
    trades = stage.call("GET", f"{stage.far}/trades")["trades"]
    refunds = stage.call("GET", f"{stage.far}/refunds")["refunds"]
    for gateway in GATEWAYS:
        title = GATEWAYS[gateway].facts.title
        fetched = fetch_statement(stage.parts, gateway, day)
        took = sum(trade["amount"] for trade in trades if trade["gateway"] == gateway)
        gave = sum(one["amount"] for one in refunds if one["gateway"] == gateway)
        with stage.parts.engine.connect() as connection:
            ours = balance(connection, f"clearing:{gateway}")
        click.echo(
            f"      {title}：对账单 {fetched.lines} 行，收 {yuan(fetched.received)}，退 {yuan(fetched.refunded)}；"
            f"对方名单收 {yuan(took)}，退 {yuan(gave)}；账本待清算 {yuan(ours)}"
        )
        agree = fetched.received == took and fetched.refunded == gave and took - gave == ours
        stage.promise(agree, f"{title}的名单、对账单和我们的账一分不差")
