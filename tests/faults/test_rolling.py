"""G11: an upgrade from the version before and its rolling restart, under load and behind nginx: not one request fails.
`make rolling` is the long form, twenty restarts under two hundred requests a second."""

from pathlib import Path

import pytest

from bench.before import has_history
from bench.nginx import program
from bench.rolling import Asked, measure
from config.postgres import Server


@pytest.mark.skipif(not has_history(), reason="a copy without its whole history: the version before cannot be had")
@pytest.mark.skipif(program() is None, reason="nginx is not installed here (Debian's package nginx-light is enough)")
def test_an_upgrade_and_its_rolling_restart_fail_no_request(server: Server, tmp_path: Path) -> None:
    found = measure(server, tmp_path, Asked(rate=40, restarts=0))

    assert (found["failed"], found["callbacks_refused"], found["trouble"]) == (0, 0, ""), found
    assert found["good"] and int(str(found["requests"])) > 100, found
