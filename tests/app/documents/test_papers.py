"""A paper is read without a glass, says who made it and when, and has a name that people read."""

import io
import re
from datetime import datetime
from itertools import pairwise

import pypdfium2
import pytest
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from app.documents import proof
from app.web.files import as_file
from core.clock import BEIJING

AT = datetime(2021, 11, 5, 9, 30, tzinfo=BEIJING)
FACTS = {
    "code": "ABCD1234ABCD1234",
    "issuer": "国家税务总局示例区税务局",
    "issued_on": "2021-11-05",
    "village": "示例镇示例村",
    "items": [
        {
            "name": "张示例",
            "id_masked": "3704**********0012",
            "levy_item": "城乡居民基本医疗保险费",
            "year": 2022,
            "tier": None,
            "amount": 32000,
            "benefit_start": "2022-01-01",
        }
    ],
    "amount": 32000,
    "capital": "叁佰贰拾元整",
    "paid_at": "2021-11-05T09:00:00+08:00",
    "channel": "微信支付",
    "reference": "42000",
    "number": "YC211105000000019B205GPS7C",
    "help_phone": "0632-12366",
}


@pytest.mark.parametrize("people", [1, 6])
def test_no_letter_of_a_paper_is_smaller_than_ten_points(people, monkeypatch):
    """PDFs: 7–8 pt on half a page."""
    sizes = []
    monkeypatch.setattr(Canvas, "setFont", _noting(Canvas.setFont, sizes))

    made = proof.draw(FACTS | {"items": FACTS["items"] * people}, title="缴费确认单", address="https://x/c", at=AT)

    assert min(sizes) >= 10
    assert len(pypdfium2.PdfDocument(made)) == 1


def test_the_columns_of_a_paper_stand_apart_and_a_level_or_tier_is_called_one(monkeypatch):
    """档次（元） touched 年度, and 二档 stood under it."""
    written = []
    monkeypatch.setattr(Canvas, "drawString", _placing(Canvas.drawString, written))
    [item] = FACTS["items"]
    level = item | {"level": 2}
    tier = item | {"levy_item": "城乡居民基本养老保险费", "tier": 900000, "back_years": [2019, 2020, 2021]}
    tier |= {"amount": 12345600}

    made = proof.draw(FACTS | {"items": [level, tier]}, title="缴费确认单", address="https://x/c", at=AT)

    rows = [sorted(where) for where in _lines(written) if len(where) == 6]
    assert [[cell for _, _, cell in row][4] for row in rows] == ["档次", "二档", "9000元档"]
    gaps = [after[0] - before[1] for row in rows for before, after in pairwise(row)]
    assert min(gaps) > 1 * mm
    assert "档次（元）" not in pypdfium2.PdfDocument(made)[0].get_textpage().get_text_range()


def test_a_paper_says_who_made_it_and_when():
    """PDFs: author “anonymous”, dated 2000; the same calls give the same bytes."""
    made, again = (proof.draw(FACTS, title="缴费确认单", address="https://x/c", at=AT) for _ in range(2))

    told = pypdfium2.PdfDocument(io.BytesIO(made)).get_metadata_dict()
    assert (told["Author"], told["Creator"]) == (FACTS["issuer"], FACTS["issuer"])
    assert told["CreationDate"] == "D:20211105093000+08'00'"
    assert made == again


def test_a_file_has_a_name_in_chinese():
    """PDFs: English file name."""
    said = as_file(b"x", "application/pdf", "缴费证明-ABCD.pdf").headers["Content-Disposition"]

    assert said == "attachment; filename=\"ABCD.pdf\"; filename*=UTF-8''%E7%BC%B4%E8%B4%B9%E8%AF%81%E6%98%8E-ABCD.pdf"
    assert re.search(r"[^ -~]", said) is None


def _placing(former, written):
    def placed(canvas, x, y, words, *more):
        width = canvas.stringWidth(words, canvas._fontname, canvas._fontsize)
        written.append((y, x, x + width, words))
        return former(canvas, x, y, words, *more)

    return placed


def _lines(written):
    """What stands at one height: from where, to where, what."""
    heights = dict.fromkeys(y for y, *_ in written)
    return [[(left, right, words) for at, left, right, words in written if at == y] for y in heights]


def _noting(former, sizes):
    def noted(canvas, name, size, *more):
        sizes.append(size)
        return former(canvas, name, size, *more)

    return noted
