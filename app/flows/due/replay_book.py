"""A replay as a spreadsheet for the bureaus: 汇总, 镇街, 村居, 预算, 原因变化. Written row by row; text stays text."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import xlsxwriter

from app.flows.due.replay import Replayed
from app.policy.answer import Part, Reason
from app.policy.facts import Insurance
from app.policy.replay import TierBy, Total, Totals
from core.clock import beijing
from core.money import Fen

Cell = str | int
Row = Sequence[Cell]

INSURANCES = {Insurance.RES_MEDICAL: "居民医保", Insurance.RES_PENSION: "居民养老"}
PARTS = {
    Part.GOV_SUBSTITUTE: "政府代缴",
    Part.SPONSOR: "资助",
    Part.GOV_SUBSIDY: "财政补助",
    Part.COUPLE_BONUS: "计生夫妻补贴",
}
PAYERS = {
    "finance": "财政",
    "civil": "民政",
    "cdpf": "残联",
    "rural": "乡村振兴",
    "hsa": "医保",
    "health": "卫健",
    "sponsor": "资助方",
}
TIERS = {TierBy.LAST: "上年档次", TierBy.DEFAULT: "政府代缴的档次", TierBy.LOWEST: "人人可选的最低档"}
REASONS = {
    Reason.OK: "可缴",
    Reason.OK_WAIVED: "不用交，政府代缴",
    Reason.OK_SPONSORED: "不用交，有人资助",
    Reason.OK_RESIDENCE_PERMIT: "持居住证可缴",
    Reason.OK_OUT_OF_WINDOW: "期外可缴",
    Reason.NEWBORN_OK: "新生儿可缴",
    Reason.BACKPAY_APPROVED: "补缴已核定",
    Reason.LATE_FULL_PRICE: "逾期全额",
    Reason.LATE_WAITING: "逾期要等待",
    Reason.NOT_OFFERED: "这里不收",
    Reason.DECEASED: "已去世",
    Reason.NOT_RESIDENT: "非本区居民",
    Reason.PARENT_UNKNOWN: "随迁子女未登记家长",
    Reason.PERMIT_ENDED: "居住证已到期",
    Reason.EMPLOYEE_PENSION: "已参加职工养老",
    Reason.EMPLOYEE_MEDICAL: "已参加职工医保",
    Reason.UNDER_16: "未到参保年龄",
    Reason.STUDENT: "在校学生",
    Reason.PENSION_AGE_REACHED: "已到领取年龄",
    Reason.DRAWING_PENSION: "已领养老金",
    Reason.DUP_PENSION_ELSEWHERE: "异地已参加养老",
    Reason.DUP_OUTSIDE_ZAOZHUANG: "市外已参加医保",
    Reason.DUP_WITHIN_ZAOZHUANG: "市内他区已参加医保",
    Reason.NOT_REGISTERED: "未参保登记",
    Reason.ALREADY_PAID: "已缴清",
    Reason.BACKPAY_REJECTED: "补缴未核准",
    Reason.TIER_REQUIRED: "未选档次",
    Reason.TIER_ILLEGAL: "没有这个档次",
    Reason.LEVEL_REQUIRED: "未选医保档",
    Reason.LEVEL_ILLEGAL: "没有这一级医保",
    Reason.TIER_100_NOT_ALLOWED: "不能选最低档",
    Reason.WINDOW_NOT_OPEN: "尚未开始",
    Reason.AGENT_NOT_STARTED: "代办尚未开始",
    Reason.AGENT_WINDOW_CLOSED: "代办已结束",
    Reason.AGENT_NO_ROSTER: "清册未生效，代办不收",
    Reason.AGENT_NOT_LISTED: "不在清册上，代办不收",
    Reason.LATE_WINDOW_CLOSED: "已截止",
    Reason.DETERMINATION_REQUIRED: "待核定",
    Reason.LATE_WAIVER_REVIEW: "逾期代缴待核实",
    Reason.REGISTER_CONFLICT: "登记冲突，等主管局定",
}
HEAD = (
    *("人数", "原可缴人数", "新可缴人数", "多交人数", "多交金额（元）", "少交人数", "少交金额（元）", "不变人数"),
    *("新增可缴人数", "新增可缴金额（元）", "不再可缴人数", "不再可缴金额（元）", "得到补贴人数", "失去补贴人数"),
    *(
        "原个人合计（元）",
        "新个人合计（元）",
        "个人增减（元）",
        "原各方合计（元）",
        "新各方合计（元）",
        "各方增减（元）",
    ),
)
_MONEY = {place for place, title in enumerate(HEAD) if "元" in title}


def figures(total: Total) -> list[int]:
    """The figures under `HEAD`; money in fen."""
    before, after = (sum(side.values()) for side in total.budget)
    personal = [total.personal[0], total.personal[1]]
    return [
        *(total.asked, total.eligible[0], total.eligible[1]),
        *(total.more.people, total.more.amount, total.less.people, total.less.amount, total.same.people),
        *(total.joined.people, total.joined.amount, total.left.people, total.left.amount, total.gains, total.loses),
        *(*personal, personal[1] - personal[0], before, after, after - before),
    ]


def budget_rows(totals: Totals, replayed: Replayed) -> Iterator[tuple[str, str, str, Fen, Fen]]:
    """Who, for what, into which fund, before, after; in fen, the largest first."""
    names = {**replayed.before.funds, **replayed.after.funds}
    for insurance, fund in INSURANCES.items():
        before, after = totals[insurance].budget
        for line in sorted(before.keys() | after.keys(), key=lambda one: (-before[one] - after[one], one)):
            payer = PAYERS.get(line[0].partition(":")[0], line[0])
            yield payer, PARTS[line[1]], names.get(line[2], fund), before[line], after[line]


def reason_rows(totals: Totals) -> Iterator[tuple[str, str, str, int]]:
    """Insurance, reason before, reason after, people; only where it changes, the most first."""
    for insurance, name in INSURANCES.items():
        for (before, after), people in totals[insurance].reasons.most_common():
            if before is not after:
                yield name, f"{REASONS[before]} {before}", f"{REASONS[after]} {after}", people


def explained(replayed: Replayed) -> list[str]:
    """What was asked and how, in sentences for the first page of a report."""
    before, after = replayed.before, replayed.after
    levelled = [rules for rules in (before, after) if rules.has_medical and rules.has_medical.levels]
    return [
        f"原标准：{replayed.names[0]}（{before.year}年度，{before.source.number}）",
        f"新标准：{replayed.names[1]}（{after.year}年度，{after.source.number}）",
        f"同一时刻分别按两套标准计算：北京时间 {beijing(replayed.at):%Y-%m-%d %H:%M:%S}，本人自助缴费",
        f"在册 {replayed.people} 人，两个险种各算一次；已缴清当年费用的不再算应缴",
        "养老档次：有上年档次的按上年档次，没有的由政府代缴的按代缴档次，其余按人人可选的最低档",
        *(["医保档次：上年在这里交过的按上年那一档，其余按标准里写在前面的那一档"] if levelled else []),
        "多交、少交：两套标准下都可缴的人。得到、失去补贴：原来没有后来有、原来有后来没有的代缴或补贴",
    ]


def write_book(path: Path, replayed: Replayed) -> None:
    """The report as an .xlsx file, overwritten if it is there. Amounts are numbers in yuan."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as book:
        whole = replayed.whole()
        _put(book, "汇总", _summary(replayed, whole))
        _put(book, "镇街", _towns(replayed))
        _put(book, "村居", _villages(replayed))
        _put(book, "预算", _budget(replayed, whole))
        _put(book, "原因变化", _reasons(replayed, whole))


class _Yuan(int):
    """Fen that a cell shows in yuan."""


def _summary(replayed: Replayed, whole: Totals) -> Iterator[Row]:
    yield from ((sentence,) for sentence in explained(replayed))
    yield ()
    yield ("项目", *INSURANCES.values())
    columns = [_cells(whole[insurance]) for insurance in INSURANCES]
    for title, *values in zip(HEAD, *columns, strict=True):
        yield title, *values
    for part, name in PARTS.items():
        if part is not Part.SPONSOR:
            yield f"得到{name}人数", *(whole[insurance].gained[part] for insurance in INSURANCES)
            yield f"失去{name}人数", *(whole[insurance].lost[part] for insurance in INSURANCES)
    yield ()
    yield "养老档次依据（可缴的人）", "原", "新"
    before, after = whole[Insurance.RES_PENSION].tiers
    for by, name in TIERS.items():
        yield name, before[by], after[by]


def _towns(replayed: Replayed) -> Iterator[Row]:
    yield "镇街代码", "镇街", "险种", *HEAD
    for code, (name, sums) in replayed.towns().items():
        for insurance, title in INSURANCES.items():
            yield code, name, title, *_cells(sums[insurance])
    for insurance, title in INSURANCES.items():
        yield "", "全区", title, *_cells(replayed.whole()[insurance])


def _villages(replayed: Replayed) -> Iterator[Row]:
    yield "镇街", "村居代码", "村居", "险种", *HEAD
    for place in replayed.places:
        for insurance, title in INSURANCES.items():
            yield place.town, place.code, place.name, title, *_cells(replayed.villages[place.code][insurance])


def _budget(replayed: Replayed, whole: Totals) -> Iterator[Row]:
    yield "镇街", "出资方", "项目", "进入", "原（元）", "新（元）", "增减（元）"
    for name, sums in (("全区", whole), *replayed.towns().values()):
        for payer, part, fund, before, after in budget_rows(sums, replayed):
            yield name, payer, part, fund, _Yuan(before), _Yuan(after), _Yuan(after - before)


def _reasons(replayed: Replayed, whole: Totals) -> Iterator[Row]:
    yield "镇街", "险种", "原", "新", "人数"
    for name, sums in (("全区", whole), *replayed.towns().values()):
        for row in reason_rows(sums):
            yield name, *row


def _cells(total: Total) -> list[Cell]:
    return [_Yuan(value) if place in _MONEY else value for place, value in enumerate(figures(total))]


def _put(book: xlsxwriter.Workbook, name: str, rows: Iterator[Row]) -> None:
    sheet, money = book.add_worksheet(name), book.add_format({"num_format": "#,##0.00"})
    sheet.set_column(0, 30, 16)
    if name != "汇总":
        sheet.freeze_panes(1, 0)
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, place, value)
            elif isinstance(value, _Yuan):
                sheet.write_number(number, place, int(value) / 100, money)  # a cell's number; nothing reckons with it
            else:
                sheet.write_number(number, place, value)
