"""Differences between two books: what each kind may end by, what comes next, who said so and who agreed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text

from core.errors import BadInput, Conflict, NotFound, Refused
from payments.errors import NotYoursToWithdraw
from payments.reconcile.tables import Discrepancy, DiscrepancyStep
from payments.refusals import as_errors

KINDS = {
    "MISSING_IN_BANK": "我们有，对方没有",
    "MISSING_IN_LEDGER": "对方有，我们没有",
    "AMOUNT_DIFF": "金额不一致",
    "DATE_DIFF": "日期不一致",
    "DUPLICATE": "对方重复",
    "UNKNOWN_PERSON": "不知道是谁的",
}
BOOKS = {"channel": "渠道账单", "deposit": "银行到账", "treasury": "国库入库", "bureau": "部门确认"}
WHATS = {
    "payment": "收款",
    "refund": "退款",
    "fee": "手续费",
    "deposit": "到账",
    "fund": "入库",
    "subsidy": "补助",
    "bill": "缴费单",
}
SUBJECTS = {("treasury", "fund"): "年度", ("treasury", "subsidy"): "税票号"}
OWNERS = {"tax_clerk": "税务经办", "refund_desk": "退费经办"}
STATES = {"open": "待处理", "proposed": "待复核", "cleared": "已处理"}
REMEDIES = {"accept": "说明原因，不动账", "book": "按对方金额入账，需复核", "gone": "再核对时已相符"}
STEPS = {
    "proposed": "提出按对方入账",
    "withdrawn": "提出的人撤回",
    "refused": "复核退回",
    "booked": "复核同意，已入账",
    "accepted": "说明原因，不动账",
}
NOTES = {
    "awaits": "次日账单到了会自动再核一次。",
    "by_hand": "已记为应收居民多退款。",
    "by_hand_beyond": "这笔钱另外已经退过一次：缴费人多拿的已记为应收居民多退款，请向他收回。",
    "by_hand_held": "退的是多付的或者待查的钱，已从那里减去。",
    "twice": "这一笔退了两次，多退的已记为应收居民多退款。",
    "under_way": "退款还在办，渠道办完以后自动入账、自动再核。",
    "not_done": "渠道说这一笔退款没有办成，不入账。",
    "unknown_number": "退款单号是本系统的样子，退款单里却没有，不入账；查明这个单号从哪里来。",
    "vanished": "这条差异入过账，更正后的账单里没有它了：查明以后冲回；待查款里的已经用掉或者退回的，说明原因。",
    "elsewhere": "这一笔以前的文件记在另一个人名下，账没有改：查明是谁交的，记错的按退费更正。",
    "held": "钱已经在待查款里。",
    "said_paid": "问过渠道：渠道说这一笔已付。",
    "said_not": "问过渠道：渠道说没有收到这一笔。",
    "silent": "问过渠道：没有得到答复。",
}
NEXT_STEPS = {
    ("channel", "MISSING_IN_BANK"): "再问渠道；渠道没有这笔钱的，按对方入账并查明原因。",
    ("channel", "MISSING_IN_LEDGER"): "再问渠道；渠道确认的自动进待查款，不确认的说明原因或转待查。",
    ("channel", "AMOUNT_DIFF"): "查明差额；多的转待查，少的记应收。",
    ("channel", "DATE_DIFF"): "核对付款时间，说明原因。",
    ("channel", "DUPLICATE"): "确认是不是真的收了两次；是的转待查，不是的说明原因。",
    ("channel", "UNKNOWN_PERSON"): "钱在待查款里，找到交费人后认领或退回，这里说明原因。",
    ("deposit", "MISSING_IN_BANK"): "问渠道和银行这一天的钱何时到账。",
    ("deposit", "MISSING_IN_LEDGER"): "钱在银行来款待查里，问银行是谁汇来的。",
    ("deposit", "AMOUNT_DIFF"): "问渠道差额是不是手续费；是的入账，不是的追回。",
    ("deposit", "DATE_DIFF"): "到账晚了，问明原因。",
    ("deposit", "DUPLICATE"): "同一天的钱到了两次，多的在待查款里，问银行。",
    ("deposit", "UNKNOWN_PERSON"): "查不到缴存的代办员，问银行和镇街。",
    ("treasury", "MISSING_IN_BANK"): "催办入库，问国库这一天的税票。",
    ("treasury", "MISSING_IN_LEDGER"): "查这张税票是哪一天、哪个险种的。",
    ("treasury", "AMOUNT_DIFF"): "与国库核对税票金额。",
    ("treasury", "DATE_DIFF"): "入库晚了，说明原因。",
    ("treasury", "DUPLICATE"): "同一天入库两次，请国库更正。",
    ("treasury", "UNKNOWN_PERSON"): "查明这笔补助是谁拨来的。",
    ("bureau", "MISSING_IN_BANK"): "部门没有确认这个人，重新回传。",
    ("bureau", "MISSING_IN_LEDGER"): "部门有、我们没有，请部门查来源。",
    ("bureau", "AMOUNT_DIFF"): "与部门核对金额。",
    ("bureau", "DATE_DIFF"): "与部门核对缴费日期。",
    ("bureau", "DUPLICATE"): "部门登记了两次，请部门更正。",
    ("bureau", "UNKNOWN_PERSON"): "名册里没有这个人，请部门核对证件号码。",
}


class NoSuchDifference(NotFound):
    """No difference of that number."""

    text = "没有找到这一条差异。"


class DifferenceEnded(Conflict):
    """Somebody has ended it, or it cannot end that way; `args[0]` says which."""

    text = "这一条差异已经有人处理过，或者不能这样处理，请刷新再看。"


class OwnDifference(Refused):
    """Money moves only when two people agree (INV-33)."""

    text = "动账要两个人，请换一个人复核。"


class NoReason(BadInput):
    """A difference ends with a reason that somebody can read later."""

    text = "请写明原因。"


_ERRORS = {"LX030": DifferenceEnded, "LX031": OwnDifference, "LX032": NotYoursToWithdraw}


def find(connection: Connection, key: int) -> Row:
    """One difference. NoSuchDifference."""
    row = connection.execute(select(Discrepancy.__table__).where(Discrepancy.id == key)).one_or_none()
    if row is None:
        raise NoSuchDifference(str(key))
    return row


def of_day(connection: Connection, day: date) -> Sequence[Row]:
    """Every difference of a day, open ones first."""
    return connection.execute(
        select(Discrepancy.__table__)
        .where(Discrepancy.day == day)
        .order_by(Discrepancy.state == "cleared", Discrepancy.books, Discrepancy.channel, Discrepancy.id)
    ).all()


def open_ones(connection: Connection) -> Sequence[Row]:
    """How many are not ended, by state and by who proposed: state, cleared_by, count."""
    return connection.execute(
        text("select state, cleared_by, count(*) as count from discrepancy where state <> 'cleared' group by 1, 2")
    ).all()


def clear(connection: Connection, key: int, remedy: str, reason: str, *, by: str, now: datetime) -> str:
    """Say how it ends; `cleared`, or `proposed` where a second person must agree. NoReason, DifferenceEnded."""
    if not reason.strip():
        raise NoReason
    with as_errors(_ERRORS):
        return connection.execute(
            text("select discrepancy_clear(:key, :remedy, :reason, :by, :now)"),
            {"key": key, "remedy": remedy, "reason": reason.strip(), "by": by, "now": now},
        ).scalar_one()


def confirm(connection: Connection, key: int, *, agreed: bool, by: str, now: datetime, booked_on: date) -> None:
    """A second person agrees, and it is booked; or not, and it is open again. OwnDifference, DifferenceEnded."""
    with as_errors(_ERRORS):
        connection.execute(
            text("select discrepancy_confirm(:key, :agreed, :by, :now, :booked_on)"),
            {"key": key, "agreed": agreed, "by": by, "now": now, "booked_on": booked_on},
        )


def withdraw(connection: Connection, key: int, *, by: str, now: datetime) -> None:
    """Who proposed to book takes it back: it is open again. NotYoursToWithdraw, DifferenceEnded."""
    with as_errors(_ERRORS):
        connection.execute(text("select discrepancy_withdraw(:key, :by, :now)"), {"key": key, "by": by, "now": now})


def steps_of_day(connection: Connection, day: date) -> dict[int, list[Row]]:
    """What was done about each difference of a day, in order."""
    found: dict[int, list[Row]] = {}
    for row in connection.execute(
        select(DiscrepancyStep.__table__)
        .join(Discrepancy, Discrepancy.id == DiscrepancyStep.discrepancy)
        .where(Discrepancy.day == day)
        .order_by(DiscrepancyStep.discrepancy, DiscrepancyStep.step)
    ):
        found.setdefault(row.discrepancy, []).append(row)
    return found


def subject_title(row: Any) -> str:
    """What its `subject` is: a number of theirs, or of a fund the levy year. Pure."""
    return SUBJECTS.get((row.books, row.what), "对方编号")


def remedies(row: Any) -> list[str]:
    """The ways a difference may end, the one that books only where something is lacking."""
    books = row.lacks != 0 and (row.books == "channel" or (row.books == "deposit" and row.what == "deposit"))
    return ["accept", "book"] if books else ["accept"]


def note(connection: Connection, key: int, word: str) -> None:
    """Write down what was heard about it (a word of NOTES)."""
    connection.execute(
        text("update discrepancy set note = :word where id = :key and state = 'open'"), {"word": word, "key": key}
    )


def mark_alerted(connection: Connection, *, until: date) -> Sequence[Row]:
    """Differences of days up to `until` that nobody was woken for: each is said once. books, channel, day, open."""
    return connection.execute(
        text(
            "with told as (update discrepancy set alerted = true where day <= :until and state = 'open'"
            " and not alerted returning books, channel, day)"
            " select books, channel, day, count(*) as open from told group by 1, 2, 3 order by 3, 1, 2"
        ),
        {"until": until},
    ).all()
