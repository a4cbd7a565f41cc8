"""The command line's application: groups of commands, and the parts joined when the first command asks for them."""

from typing import Any

import click
from flask import Flask

from app.cli import GROUPS
from config.settings import BadSettings, Settings, environment


def create_commands() -> Flask:
    """Reads nothing yet: help needs neither settings nor a database."""
    app = Flask("app", static_folder=None)
    app.extensions = _Joined()
    for group in GROUPS:
        app.cli.add_command(group)
    return app


class _Joined(dict[str, Any]):
    """What commands stand on, by the names that create_app gives it."""

    def __missing__(self, name: str) -> Any:
        if name == "settings":
            try:
                self[name] = Settings.from_environment(environment())
            except BadSettings as error:
                raise click.ClickException(str(error)) from error
        else:
            from app.joining import joined  # a second that most of help does not need

            self.update(joined(self["settings"]))
            if name not in self:
                raise KeyError(name)
        return self[name]
