"""The running system, and somebody who owes both premiums."""

import pytest

from tests.app.web.conftest import far_folder, running
from tests.builders import a_person, an_id_number

__all__ = ["far_folder", "running"]


@pytest.fixture
def adult(running):
    """An ordinary adult: 320 for the medical, a tier to choose."""
    return running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=7)))
