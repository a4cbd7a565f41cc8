"""Figures as a running system shows them."""

import pytest
import requests

from tests.system import System


@pytest.fixture
def running_figures(running: System) -> str:
    """What /metrics says after one look at the book."""
    from app.flows.watch.book import watch_book  # noqa: PLC0415

    watch_book(running.parts)
    return requests.get(f"{running.url}/metrics", timeout=10).text
