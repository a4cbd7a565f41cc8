"""The special receipt of cash, three copies of A5: for the stub, the payer and the books. The same gives the same."""

from io import BytesIO
from typing import Any

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A5
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from app.documents.page import GREEN, GREY, INK, dated, letters_wide, wrapped, write
from app.documents.receipt_facts import ReceiptFacts
from core.clock import beijing
from core.money import yuan

COPIES = ("第一联　存根", "第二联　缴费人", "第三联　记账")
_LEFT, _NAMES, _WIDE = 12 * mm, 30 * mm, A5[0] - 24 * mm
_RED = HexColor("#b3261e")


def draw(facts: ReceiptFacts) -> bytes:
    """The file: one page for each copy."""
    into = BytesIO()
    canvas = Canvas(into, pagesize=A5, invariant=1)
    canvas.setTitle(f"{facts.heading} {facts.serial}")
    canvas.setAuthor(facts.issuer)
    dated(canvas, facts.issued_at)
    for copy in COPIES:
        _page(canvas, facts, copy)
        canvas.showPage()
    canvas.save()
    return into.getvalue()


def _page(canvas: Any, facts: ReceiptFacts, copy: str) -> None:
    y = A5[1] - 16 * mm
    canvas.setFillColor(GREEN)
    write(canvas, (A5[0] / 2 - letters_wide(facts.heading, 15) / 2, y), facts.heading, 15)
    y -= 9 * mm
    canvas.setFillColor(INK)
    write(canvas, (_LEFT, y), f"收据号　{facts.serial}", 12)
    write(canvas, (A5[0] - _LEFT - letters_wide(copy, 11), y), copy, 11)
    y -= 4 * mm
    _square(canvas, facts.address, (A5[0] - _LEFT - 28 * mm, y - 28 * mm), 28 * mm)
    for name, words in _fields(facts):
        y = _field(canvas, (name, words), y)
    _signed(canvas, facts)
    if facts.voided:
        canvas.saveState()
        canvas.setFillColor(_RED)
        canvas.translate(A5[0] / 2, A5[1] / 2)
        canvas.rotate(30)
        write(canvas, (-letters_wide("作　废", 54) / 2, 0), "作　废", 54)
        canvas.restoreState()


def _fields(facts: ReceiptFacts) -> list[tuple[str, str]]:
    at = beijing(facts.issued_at)
    found = [
        ("校验码", facts.code),
        ("开具日期", f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"),
        ("镇街村居", facts.place),
        ("缴费人", facts.name),
        ("身份证后四位", facts.id_end),
        ("险种和年度", facts.title),
        ("档次/标准", facts.standard),
        ("金额（小写）", f"￥{yuan(facts.amount)}"),
        ("金额（大写）", facts.capital),
        ("代缴和资助", facts.others),
        ("收款方式", "现金"),
        ("代办员", facts.agent),
    ]
    if facts.replaces:
        found.append(("换发", f"原收据 {facts.replaces} 已作废"))
    if facts.voided:
        found.append(("作废", facts.voided))
    return found


def _field(canvas: Any, field: tuple[str, str], y: float) -> float:
    name, words = field
    y -= 8.2 * mm
    canvas.setFillColor(GREY)
    write(canvas, (_LEFT, y), name, 10)
    canvas.setFillColor(INK)
    beside = 32 * mm if y > A5[1] - 62 * mm else 0  # the code to scan stands there
    first, *below = wrapped(words, _WIDE - _NAMES - beside, 12)
    write(canvas, (_LEFT + _NAMES, y), first, 12)
    for line in below:
        y -= 6 * mm
        write(canvas, (_LEFT + _NAMES, y), line, 12)
    return y


def _signed(canvas: Any, facts: ReceiptFacts) -> None:
    y = 46 * mm
    canvas.setStrokeColor(GREY)
    canvas.line(_LEFT, y + 6 * mm, _LEFT + _WIDE, y + 6 * mm)
    canvas.setFillColor(INK)
    write(canvas, (_LEFT, y - 2 * mm), "代办员签名：", 11)
    write(canvas, (_LEFT + 66 * mm, y - 2 * mm), "（盖村居章）", 11)
    canvas.setDash(2, 2)
    canvas.rect(_LEFT + 60 * mm, y - 26 * mm, 42 * mm, 28 * mm + 2 * mm, stroke=1, fill=0)
    canvas.setDash()
    canvas.setFillColor(GREY)
    write(canvas, (_LEFT, 14 * mm), "扫码，或者在缴费页面“核对通知或凭证”里输入校验码，查真假。", 9)
    write(canvas, (_LEFT, 9 * mm), f"钱数不对、没有交过，请打 {facts.help_phone}。", 9)


def _square(canvas: Any, address: str, corner: tuple[float, float], side: float) -> None:
    held = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    held.add_data(address)
    modules = held.get_matrix()
    one, (left, bottom) = side / len(modules), corner
    canvas.setFillColor(HexColor("#000000"))
    for down, cells in enumerate(modules):
        for right, dark in enumerate(cells):
            if dark:
                canvas.rect(left + right * one, bottom + side - (down + 1) * one, one, one, stroke=0, fill=1)
