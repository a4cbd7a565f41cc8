"""How often the fault tests go round."""

import pytest


@pytest.fixture(scope="session")
def rounds(pytestconfig: pytest.Config) -> int:
    """`--rounds N`; by default once through every gate."""
    return int(pytestconfig.getoption("rounds"))
