"""One outside world for all tests of gateways: its keys take a second to make."""

from collections.abc import Iterator

import pytest

from tests.outside import Outside, Received, outside, receiver


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("outside"), notify_factor=0.002) as world:
        yield world


@pytest.fixture
def sandbox(running_sandbox) -> Iterator[Outside]:
    yield running_sandbox
    running_sandbox.clear()
    running_sandbox.post("/clock", {"offset_seconds": 0})
    running_sandbox.post("/settings", {"callback_public_key_percent": 100, "notify_factor": 0.002})


@pytest.fixture
def merchant() -> Iterator[Received]:
    with receiver() as received:
        yield received
