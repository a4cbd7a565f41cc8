"""A demand note (代缴账单): what a department is asked to pay, on one A4 page; the same facts give the same bytes."""

from dataclasses import dataclass
from datetime import datetime

from app.documents.page import GREY, Page
from core.clock import beijing
from core.money import Fen, yuan


@dataclass(frozen=True)
class Note:
    """What stands on it. `of`: whose people; `credit`: what is set off, less than nothing; `phone` to ask."""

    number: str
    department: str
    bureau: str
    fund: str
    levy_year: int
    of: str
    people: int
    amount: Fen
    credit: Fen
    paid: Fen
    payee: str
    drawn_at: datetime
    phone: str


def draw(note: Note) -> bytes:
    """The page as PDF."""
    page = Page(f"代缴账单 {note.number}", author=note.bureau, at=note.drawn_at)
    page.head("政府代缴保险费账单")
    page.line(f"{note.department}：", size=12, step=9)
    page.line(f"按当年政策，下列居民的{note.fund}费由贵单位代缴，保险费已经记账，请按账单金额拨付。", size=11, step=12)
    for name, words in (
        ("账单号", note.number),
        ("年度和险种", f"{note.levy_year}年度{note.fund}"),
        ("哪些人", note.of),
        ("行数", f"{note.people}行，名单见随附的表格"),
        ("本期新增", f"{yuan(note.amount - note.credit)} 元"),
        ("减：前期退费", f"{yuan(-note.credit)} 元"),
        ("应付", f"{yuan(note.amount)} 元"),
        ("已收到", f"{yuan(note.paid)} 元"),
        ("出账日期", f"{beijing(note.drawn_at):%Y年%m月%d日}"),
    ):
        page.fact(name, words)
    page.rule()
    page.line(
        f"经国库拨付的，类别写“{note.department}代缴”；转到收款账户“{note.payee}”的，附言写账单号 {note.number}。"
    )
    page.line("转账时账单号写错或者不写，钱会先挂在待查款里，不会算作别的单位的。", colour=GREY)
    page.y -= 20
    page.line(f"{note.bureau}（盖章）　　　　　　经办人：", size=11, step=9)
    page.line(f"有疑问请打电话：{note.phone}", colour=GREY)
    return page.finish()
