"""The application as gunicorn and the flask command know it: a command gets one without the web's doors."""

import sys
from typing import Any

import click

from config.lean import begin_lean

begin_lean()


def __getattr__(name: str) -> Any:
    """`app`, made when it is asked for. BadSettings."""
    if name != "app":
        raise AttributeError(name)
    if click.get_current_context(silent=True) is not None and not _of_the_web(set(sys.argv)):
        from app.commands import create_commands

        return globals().setdefault("app", create_commands())
    from app.serving import create_app
    from config.settings import Settings, environment

    return globals().setdefault("app", create_app(Settings.from_environment(environment())))


def _of_the_web(words: set[str]) -> bool:
    """Is it one of the framework's own commands, which look at the doors? `worker run` is one of ours."""
    from app.cli import GROUPS

    return bool({"run", "routes", "shell"} & words) and not {group.name for group in GROUPS} & words
