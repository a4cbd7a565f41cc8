"""A checkout as it is kept with its payment, and as it comes back: the same code or page again, not a new one."""

from collections.abc import Mapping
from typing import Any

from payments.gateways.base import Checkout, Page


def kept(checkout: Checkout) -> dict[str, Any]:
    """As JSON."""
    page = checkout.page
    return {
        "code_url": checkout.code_url,
        "jsapi": dict(checkout.jsapi or {}),
        "page": {"url": page.url, "fields": dict(page.fields)} if page else None,
    }


def restored(held: Mapping[str, Any]) -> Checkout:
    """Out of JSON."""
    page = held.get("page")
    return Checkout(
        code_url=held["code_url"],
        jsapi=held["jsapi"] or None,
        page=Page(page["url"], page["fields"]) if page else None,
    )
