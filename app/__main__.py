"""`python -m app GROUP VERB`: the commands as `flask --app wsgi` has them, without what installed libraries add to that
line. Its every start reads their commands, and with them the framework of pages and forms: thirty megabytes."""

from flask.cli import FlaskGroup

from app.commands import create_commands
from config.lean import begin_lean


class Ours(FlaskGroup):
    """The groups of app/cli."""

    def _load_plugin_commands(self) -> None:
        """None."""


if __name__ == "__main__":
    begin_lean()
    Ours(create_app=create_commands, add_default_commands=False, set_debug_flag=False).main(prog_name="liangxian")
