"""The web process beside the outside world, and people to look up."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from app.flows.enter.accounts import add_agent
from config.postgres import Server
from tests.app.web.people import District, a_district
from tests.browsing import Browser
from tests.conftest import DATABASE
from tests.system import System, system


@pytest.fixture(scope="session")
def far_folder(tmp_path_factory):
    """The far side's keys take a second to make: once for all tests here."""
    return tmp_path_factory.mktemp("far")


@pytest.fixture
def running(engine: Engine, database: Server, far_folder, also) -> Iterator[System]:
    with system(database, DATABASE, far_folder, **also) as up:
        yield up


@pytest.fixture
def district(engine: Engine) -> District:
    with engine.begin() as connection:
        return a_district(connection)


@pytest.fixture
def browser(running: System) -> Iterator[Browser]:
    held = Browser(running.url)
    yield held
    held.close()


@pytest.fixture
def an_agent(running: System, district: District) -> tuple[str, str]:
    """Login and password of the agent of 示例村."""
    password = "correct horse battery"
    add_agent(running.office, login="wang", name="王代办", password=password, villages=[district.village])
    return "wang", password
