"""What a bill is for, as every page, paper and message calls it."""

from typing import Any

from app.policy.facts import Insurance
from app.policy.words import item_words


def title_of(bill: Any) -> str:
    """2022年居民养老; of a back-payment 2019、2020年养老补缴. `bill`: a row with the columns named here."""
    back_years = None if bill.determination is None else bill.years or ()
    return item_words(Insurance(bill.insurance), bill.levy_year, back_years)
