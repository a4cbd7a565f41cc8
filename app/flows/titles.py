"""What a bill is for, as every page, paper and message calls it."""

from collections.abc import Sequence
from typing import Any

from app.policy.facts import Insurance
from app.policy.terms import PolicyYear
from app.policy.words import item_words, phrases


def title_of(bill: Any) -> str:
    """2022年居民养老; of a back-payment 2019、2020年养老补缴. `bill`: a row with the columns named here."""
    back_years = None if bill.determination is None else bill.years or ()
    return item_words(Insurance(bill.insurance), bill.levy_year, back_years)


def collected_words(rules: PolicyYear, both: str = "居民两险") -> str:
    """What is collected under a year's rules: `both`, or the name of the one that it has."""
    offered = [insurance for insurance in Insurance if rules.offers(insurance)]
    return both if len(offered) > 1 else phrases("names")[offered[0]]


def titles_together(items: Sequence[Any]) -> str:
    """What a message says of several, each once: 2022年居民医保、2022年居民养老. Of a premium that is there for several
    years the years come together, or the message would not hold them: 2022和2023年居民医保. `items`: bills, or dues,
    whose `years` are those of a back-payment."""
    own: dict[Insurance, set[int]] = {}
    for item in items:
        if item.determination is None:
            own.setdefault(Insurance(item.insurance), set()).add(item.levy_year)
    said = [title_of(item) if item.determination is not None else _of_years(item, own) for item in items]
    return "、".join(dict.fromkeys(said))


def _of_years(item: Any, own: dict[Insurance, set[int]]) -> str:
    insurance = Insurance(item.insurance)
    years = own[insurance]
    if len(years) == 1:
        return title_of(item)
    together = len(own) > 1 and all(each == years for each in own.values())
    return f"{'和'.join(map(str, sorted(years)))}年{'居民两险' if together else phrases('names')[insurance]}"
