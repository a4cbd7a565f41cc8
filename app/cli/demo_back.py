"""The demonstration's second part: one payment of each channel goes back, by two people and the channel's word."""

from collections.abc import Mapping

import click

from app.cli.stage import Stage, wait_for
from app.flows.refund import apply, decide
from core.money import yuan
from payments.errors import OwnRefund
from payments.gateways import GATEWAYS

ASKS, DECIDES = "staff:demo-clerk", "staff:demo-bureau"


def give_back(stage: Stage, paid: Mapping[str, str]) -> None:
    """`paid`: gateway → the number of a payment to be given back whole."""
    click.echo("\n五、退款：每个渠道退一笔，一个人申请，另一个人审批，钱原路退回")
    for gateway, payment in paid.items():
        title = GATEWAYS[gateway].facts.title
        asked = apply(stage.parts, payment, reason="重复缴费", by=ASKS)
        try:
            decide(stage.parts, asked.number, approved=True, by=ASKS)
            stage.promise(False, "申请的人不能自己审批")
        except OwnRefund:
            stage.promise(True, "申请的人不能自己审批")
        decide(stage.parts, asked.number, approved=True, by=DECIDES)
        row = wait_for(
            lambda number=asked.number: stage.one(
                "select household_id, refund_reference from refund where number = :n and state = 'paid'", n=number
            ),
            seconds=60,
        )
        stage.promise(row is not None, f"{title}：{yuan(asked.amount)} 元已退回付款人，退款单 {asked.number}")
        if row is not None:
            stage.show_entry(row.household_id, f"refund:{asked.number}:paid")
