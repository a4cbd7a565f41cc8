"""The operator's commands for refunds and for money in doubt, one person a step."""

import re

import pytest

from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.web.conftest import district, far_folder, running
from tests.app.web.test_office_refunds import money_of_nobody
from tests.refunding import pay, rows, run_refunds

__all__ = ["district", "far_folder", "running"]
MEDICAL = Insurance.RES_MEDICAL


@pytest.fixture
def say(running):
    def run(*words, typed=""):
        result = running.app.test_cli_runner().invoke(args=list(words), input=typed)
        return result.exit_code, result.output

    return run


def test_a_refund_goes_through_four_hands(running, district, say):
    payment = pay(running, Want(district.adult.id, MEDICAL))

    code, said = say("refund", "apply", payment, "--why", "elsewhere", "--by", "desk")
    number = re.search(r"YT[0-9A-Z]{24}", said)[0]
    assert (code, "320.00 元" in said) == (0, True)
    assert "待受理" in say("refund", "list")[1]
    assert "要由不同的人办" in say("refund", "accept", number, "--by", "desk")[1]
    assert say("refund", "accept", number, "--by", "clerk") == (0, "已受理，等部门复核。\n")
    assert say("refund", "decide", number, "--approve", "--by", "lead")[0] == 1
    assert "等审批" in say("refund", "review", number, "--insurance", "medical", "--by", "bureau")[1]
    assert say("refund", "decide", number, "--approve", "--by", "lead") == (0, "已同意，马上退。\n")
    run_refunds(running, number, "paid")

    shown = say("refund", "show", number)[1]
    assert "在外地交过了" in shown and "医保局核对  staff:bureau" in shown and "钱已退回" in shown
    assert say("refund", "list")[1] == "没有要处理的退款。\n" and number in say("refund", "list", "--all")[1]


def test_a_transfer_asks_for_the_account_and_shows_it_to_nobody(running, district, say):
    payment = pay(running, Want(district.adult.id, MEDICAL))
    running.outside.fault("refund_abnormal")
    number = re.search(r"YT[0-9A-Z]{24}", say("refund", "apply", payment, "--by", "desk")[1])[0]
    say("refund", "accept", number, "--by", "clerk")
    say("refund", "review", number, "--insurance", "medical", "--by", "bureau")
    say("refund", "decide", number, "--approve", "--by", "lead")
    run_refunds(running, number, "abnormal")

    words = ("refund", "transfer", number, "--bank", "建行", "--proof", "回单1", "--by", "clerk")
    code, said = say(*words, typed="张示例\n6217000012345678\n")
    assert code == 0 and "6217000012345678" not in said
    assert say("refund", "confirm", number, "--agree", "--by", "clerk")[0] == 1
    assert say("refund", "confirm", number, "--agree", "--by", "lead") == (0, "已入账，退完了。\n")
    assert rows(running, "select last4, state from refund_transfer") == [("5678", "agreed")]


def test_money_in_doubt_is_taken_kept_and_settled(running, district, say):
    cause = money_of_nobody(running).rpartition("/")[2]
    typed = f"{district.adult.id_number}\n"
    propose = ("suspense", "propose", cause, "--name", district.adult.name, "--insurance", "RES_MEDICAL")

    assert "单号不认识" in say("suspense", "list")[1]
    assert say("suspense", "take", cause, "--by", "clerk")[0] == 0
    assert say("suspense", "keep", cause, "--until", "2021-11-20", "--reason", "等回话", "--by", "clerk")[0] == 0
    assert say("suspense", "keep", cause, "--until", "2021-11-01", "--reason", "等回话", "--by", "clerk")[0] == 1
    assert say(*propose, "--by", "clerk", typed=typed)[0] == 0
    assert "请换一个人" in say("suspense", "agree", cause, "--by", "clerk", typed="y\n")[1]
    code, said = say("suspense", "agree", cause, "--by", "lead", typed="n\n")
    assert code == 1 and "2022年居民医保" in said, "what is agreed to is shown first"
    assert say("suspense", "agree", cause, "--by", "lead", typed="y\n")[0] == 0
    assert "已用来缴费" in say("suspense", "list", "--solved")[1]
    assert "已经处理过了" in say("suspense", "take", cause, "--by", "clerk")[1]
    assert "没有找到" in say("suspense", "back", "receipt:wechat:1", "--by", "clerk")[1]
