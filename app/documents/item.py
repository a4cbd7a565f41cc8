"""What an item of a paper says, for whoever draws it and whoever only reads it."""

from collections.abc import Mapping
from typing import Any


def years_of(item: Mapping[str, Any]) -> list[int]:
    """The years that an item of a paper was paid for: a back-payment's own, else the levy's."""
    back = item.get("back_years")  # papers written before there were any do not say
    return [item["year"]] if back is None else sorted(back)
