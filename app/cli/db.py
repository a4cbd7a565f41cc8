"""flask db upgrade | migration: the database brought to the present, and the next version file written."""

import click
from flask.cli import AppGroup

from app.cli.parts import settings, urls
from migrations.upgrade import new_version, upgrade

db = AppGroup("db", help="The database's schema.")


@db.command("upgrade")
def upgrade_command() -> None:
    """Bring the database to the newest schema and functions; doing it again changes nothing."""
    upgrade(urls().owner, years=(settings().levy_year,))
    click.echo("数据库已是最新版本。 The database is up to date.")


@db.command("migration")
@click.argument("name")
def migration_command(name: str) -> None:
    """Write migrations/versions/NNNN_NAME.py from what the declared tables say that the database does not."""
    new_version(urls().owner, name)
