"""flask db upgrade | forget-refused | migration: the database brought to the present, what nobody believed let go of,
the next version file written."""

import click
from flask.cli import AppGroup
from sqlalchemy import text

from app.cli.parts import settings, urls
from app.policy.year import funds_of
from core.db import connect
from migrations.upgrade import new_version, upgrade

db = AppGroup("db", help="The database's schema.")


@db.command("upgrade")
def upgrade_command() -> None:
    """Bring the database to the newest schema and functions; doing it again changes nothing."""
    district = settings().district
    years = (settings().levy_year,)
    upgrade(urls().owner, years=years, departments=district.departments, funds=funds_of(district.years))
    click.echo("数据库已是最新版本。 The database is up to date.")


@db.command("forget-refused")
@click.option("--days", default=90, show_default=True, type=click.IntRange(min=7), help="Those that came before.")
def forget_refused(days: int) -> None:
    """Let go of the words of messages that nobody believed; what they were hashes to, and that they came, stays."""
    owner = connect(urls().owner, pool_size=1, statement_timeout_ms=0)
    with owner.begin() as connection:
        gone = connection.execute(text("select forget_refused(now() - make_interval(days => :d))"), {"d": days})
        click.echo(f"{gone.scalar_one()} 条不可信的消息只留下摘要。 messages are a hash now.")
    owner.dispose()


@db.command("migration")
@click.argument("name")
def migration_command(name: str) -> None:
    """Write migrations/versions/NNNN_NAME.py from what the declared tables say that the database does not."""
    new_version(urls().owner, name)
