"""Every letter of a name is on the paper, in a font that the paper carries."""

import re
import zlib

import pypdfium2
import pytest

from app.documents.page import unknown
from app.documents.proof import draw, without_font
from tests.builders import NOON

LONG = "阿卜杜热伊木江·买买提图尔荪托合提喀迪尔阿吉"
RARE = ("王𬱖", "䶮示例", "㛃示例", "𠅤示例", "𬀩示", "珮赟翀昇晞旻龑〇", "鿭鿫𫖯")


def a_paper(*names: str) -> bytes:
    item = {"id_masked": "3704**********0018", "levy_item": "城乡居民基本医疗保险费", "year": 2022, "tier": None}
    item |= {"amount": 32000, "benefit_start": "2022-01-01"}
    facts = {"code": "ABCD" * 4, "issuer": "峄城区税务局", "issued_on": "2021-11-05", "village": "榴园镇禾坪村"}
    facts |= {"amount": 32000, "capital": "叁佰贰拾元整", "paid_at": "2021-11-05T12:00:00+08:00", "channel": "微信支付"}
    facts |= {"reference": "4200", "number": "YT1", "help_phone": "0632-0000000"}
    facts |= {"items": [item | {"name": name} for name in names]}
    return draw(facts, title="缴费确认单", address="http://a/b", at=NOON)


def ink_of(name: str) -> int:
    """How many dark points a paper has."""
    drawn = pypdfium2.PdfDocument(a_paper(name))[0].render(scale=4).to_pil().convert("L")
    return sum(drawn.histogram()[:128])


def test_every_letter_of_the_standards_second_level_has_a_font() -> None:
    """P1: the basic block, extension A, and those beyond the first plane."""
    wanted = [*range(0x4E00, 0x9FF0), *range(0x3400, 0x4DB6), 0x3007]

    assert unknown("".join(map(chr, wanted))) == [] and unknown("𬱖𬀩𠅤𫖯𬱟𬘭𬬭𫓧𬸦𬶮𫘧𬳽𫖮𬍛𬭎𬙂𬉼") == []


def test_the_paper_carries_every_font_it_uses() -> None:
    """P1: a reader without Chinese fonts saw 王 for 王𬱖, and nobody was warned."""
    pdf = a_paper(*RARE, LONG)

    assert pdf.count(b"/Type /FontDescriptor") == pdf.count(b"/FontFile2") >= 3
    assert b"/Helvetica" not in pdf and b"STSong" not in pdf


@pytest.mark.parametrize("name", RARE)
def test_a_rare_letter_is_drawn_and_can_be_copied(name: str) -> None:
    """P1: each letter leaves ink where a blank leaves none."""
    blank = ink_of("\u3000")

    assert min(ink_of(letter) - blank for letter in name) > 60
    assert name in pypdfium2.PdfDocument(a_paper(name))[0].get_textpage().get_text_range()


def test_a_letter_that_no_font_has_is_told_by_its_number() -> None:
    """P1: never blank; its neighbour is an ordinary one."""
    pdf = a_paper("张示例", "𰀀示")
    words = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()

    assert "〔U+30000〕示" in words and "以登记的姓名为准" in words and "张示例" in words
    assert without_font({"items": [{"name": "张示例"}, {"name": "𰀀示"}]}) == ["𰀀"]
    assert "U+" not in pypdfium2.PdfDocument(a_paper("张示例"))[0].get_textpage().get_text_range()


def test_a_long_name_is_whole_on_two_lines() -> None:
    """P2: 23 letters were cut after 13."""
    words = pypdfium2.PdfDocument(a_paper("张示例", LONG, "李示例"))[0].get_textpage().get_text_range()
    lines = words.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("阿卜"))

    assert lines[first].split()[0] + lines[first + 1] == LONG and lines[first + 2].startswith("李示例")


def test_many_long_names_go_on_to_a_second_page() -> None:
    """P2: whole, however many they are."""
    paper = pypdfium2.PdfDocument(a_paper(*[LONG] * 24))
    words = "".join(page.get_textpage().get_text_range() for page in paper)

    assert len(paper) == 2 and words.count("阿吉") == 24 and "咨询电话" in words


def test_the_same_paper_is_the_same_file() -> None:
    """P1: its digest tells a true one from an altered one."""
    assert a_paper(*RARE) == a_paper(*RARE)


def test_letters_beyond_the_first_plane_are_named_in_the_readers_way() -> None:
    """P1: else they are found as other letters."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", a_paper("王𬱖"), re.DOTALL)
    plain = [zlib.decompress(each) if each[:1] == b"x" else each for each in streams]

    assert not any(re.search(rb"begincmap.*<[0-9A-F]{5}>", each, re.DOTALL) for each in plain)
