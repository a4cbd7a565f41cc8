"""The application with two gates in Python, where a process can be held and killed: a file named like the gate
closes it. The gates inside the database are triggers; see test_killed_callbacks.py."""

import os
import time
from pathlib import Path

from sqlalchemy import event

from wsgi import app

GATES = Path(os.environ["GATES"])
engine = app.extensions["joined"].parts.engine


def gate(name: str) -> None:
    """Go through, or say who waits and wait to be killed."""
    if (GATES / name).exists():
        (GATES / f"{name}.held").write_text(str(os.getpid()))
        time.sleep(60)


@event.listens_for(engine, "begin")
def _before_the_statement(_connection: object) -> None:
    gate("before_statement")


@event.listens_for(engine, "checkin")
def _after_commit(_connection: object, _record: object) -> None:
    gate("after_commit")


__all__ = ["app"]
