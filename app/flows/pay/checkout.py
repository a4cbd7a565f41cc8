"""A checkout as it is kept with its payment, and as it comes back: the same code or page again, not a new one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payments.gateways.base import Checkout, Page


def kept(checkout: Checkout, *, at: datetime, place: str) -> dict[str, Any]:
    """As JSON; beside a link the moment it was given (business clock), and the mark of the place it opens for."""
    page = checkout.page
    return {
        "code_url": checkout.code_url,
        "jsapi": dict(checkout.jsapi or {}),
        "page": {"url": page.url, "fields": dict(page.fields)} if page else None,
        "link": {"url": checkout.link, "at": at.isoformat(), "place": place} if checkout.link else None,
    }


def restored(held: Mapping[str, Any]) -> Checkout:
    """Out of JSON. What was kept before there were links has none."""
    page, link = held.get("page"), held.get("link")
    return Checkout(
        code_url=held["code_url"],
        jsapi=held["jsapi"] or None,
        page=Page(page["url"], page["fields"]) if page else None,
        link=link["url"] if link else None,
    )


def opens_for(held: Mapping[str, Any], place: str) -> bool:
    """May this be handed out again at this place? Only a link is bound to one."""
    link = held.get("link")
    return link is None or link["place"] == place


def link_given(held: Mapping[str, Any]) -> datetime:
    """When the link was given."""
    return datetime.fromisoformat(held["link"]["at"])
