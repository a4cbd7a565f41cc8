"""The demonstration's second part: one payment of each channel goes back, by two people and the channel's word."""

from collections.abc import Mapping

import click

from app.cli.stage import Stage, wait_for
from app.flows.refund.follow import follow
from app.flows.refund.steps import accept, apply, decide, review
from app.policy.facts import Insurance
from core.money import yuan
from payments.errors import OwnRefund
from payments.gateways.known import GATEWAYS

ASKS, TAKES, LOOKS, DECIDES = "staff:demo-desk", "staff:demo-clerk", "staff:demo-bureau", "staff:demo-lead"
REVIEWERS = {Insurance.RES_MEDICAL: LOOKS, Insurance.RES_PENSION: f"{LOOKS}-2"}


def give_back(stage: Stage, paid: Mapping[str, str]) -> None:
    """`paid`: gateway → the number of a payment to be given back whole."""
    click.echo("\n五、退款：每个渠道退一笔，一个人申请，税务受理，部门复核，另一个人审批，钱原路退回")
    for gateway, payment in paid.items():
        title = GATEWAYS[gateway].facts.title
        asked = apply(stage.parts, payment, by=ASKS)
        accept(stage.parts, asked.number, by=TAKES)
        for insurance in _insurances(stage, asked.number):
            review(stage.parts, asked.number, insurance, by=REVIEWERS[insurance])
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


def _insurances(stage: Stage, number: str) -> list[Insurance]:
    """Whose bureaus look at a refund."""
    return list(dict.fromkeys(item.insurance for item in follow(stage.parts, number).items))
