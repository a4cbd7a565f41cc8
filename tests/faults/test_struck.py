"""Processes, connections and the database struck at every gate of what they do: the few stories that always run.

`make faults` plays all of them, at every gateway and from several seeds."""

import subprocess
import sys

from config.settings import CHECKOUT


def test_what_is_struck_anywhere_loses_and_doubles_nothing() -> None:
    command = [sys.executable, "-m", "tests.faults", "--short", "--gateways", "wechat"]

    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
