"""flask ops retention show | run: what is kept how long, and what is let go of now."""

import click
from flask.cli import AppGroup

from app.cli.ops import ops
from app.cli.parts import parts
from app.flows.keep import retention as flow

retention = AppGroup("retention", help="What is kept how long (保存期限).")
ops.add_command(retention)


@retention.command("show")
def show_command() -> None:
    """Every kind of thing, how long it is kept and by which clause."""
    for line in flow.LINES:
        click.echo(f"{line.what}\t{line.kept}\t{line.clause}")


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Only count.")
def run_command(dry_run: bool) -> None:
    """Let go of what is over its time, as the worker does each night."""
    for each in flow.let_go(parts(), dry=dry_run):
        click.echo(f"{each.line.what}\t{each.rows} 条{'到期' if dry_run else '已清除'}")
