"""The web process beside the outside world, and people to look up."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from app.flows.agents import add_agent
from tests.app.web.people import District, a_district
from tests.conftest import DATABASE
from tests.outside import Outside, outside
from tests.standing import Browser, Standing, standing


@pytest.fixture(scope="session")
def far_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("far")


@pytest.fixture(scope="session")
def far_side(far_folder) -> Iterator[Outside]:
    with outside(far_folder, notify_factor=0.002) as world:
        yield world


@pytest.fixture
def system(database, engine: Engine, far_side: Outside, far_folder) -> Iterator[Standing]:
    with standing(database, DATABASE, far_side, far_folder) as running:
        yield running
        far_side.clear()


@pytest.fixture
def district(engine: Engine) -> District:
    with engine.begin() as connection:
        return a_district(connection)


@pytest.fixture
def browser(system: Standing) -> Iterator[Browser]:
    held = Browser(system.url)
    yield held
    held.close()


@pytest.fixture
def an_agent(system: Standing, district: District) -> tuple[str, str]:
    """Login and password of the agent of 示例村."""
    password = "correct horse battery"
    add_agent(system.parts, login="wang", name="王代办", password=password, villages=[district.village])
    return "wang", password
