"""A year on paper: every letter there, nothing beyond the edge, and the same file for the same year."""

import pypdfium2
import pytest

from app.documents.year import draw
from app.policy.told import tell
from app.policy.year import written_year, years
from tests.builders import NOON


def words_of(paper):
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(paper)).replace("\r\n", "")


@pytest.mark.parametrize("year", years())
def test_every_year_is_drawn_whole(year):
    document = tell(written_year(year), against=written_year(2022))

    paper = words_of(draw(document, issuer="税务局", at=NOON))

    assert "〔U+" not in paper and "审核人（签字）" in paper and "第2页" in paper
    for table in document.tables:
        assert table.title in paper
        assert all(row[0].replace("–", "-") in paper for row in table.rows if len(row[0]) < 8)


def test_the_same_year_is_the_same_file():
    document = tell(written_year(2025))

    assert draw(document, issuer="税务局", at=NOON) == draw(document, issuer="税务局", at=NOON)
