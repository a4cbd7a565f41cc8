"""flask ops reopen: service begins again on a server that was restored or promoted."""

from datetime import UTC, datetime

import click

from app.cli.ops import ops
from app.cli.parts import parts, urls
from app.flows.restore.reopen import reopen
from core.clock import BEIJING, beijing
from core.db import connect
from core.errors import AppError


@ops.command("reopen")
@click.option(
    "--lost-since",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]),
    help="The last moment of which everything is there, in Beijing time; else that of the last commit there is.",
)
@click.option("--by", required=True, help="Who does it.")
def reopen_command(lost_since: datetime | None, by: str) -> None:
    """Before web and worker start on a restored server: no number is given out twice, everybody comes in anew, the
    lists of the gap are fetched. Doing it again changes nothing."""
    owner = connect(urls().owner, pool_size=1, statement_timeout_ms=0)
    try:
        since = lost_since.replace(tzinfo=BEIJING).astimezone(UTC) if lost_since else None
        done = reopen(parts(), owner, lost_since=since, by=by)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    finally:
        owner.dispose()
    if done.erased.done:
        click.echo(f"照库外的名单重新删除了 {done.erased.done} 个人的信息。")
    if done.erased.waiting:
        numbers = "、".join(map(str, done.erased.waiting))
        click.echo(f"还有没办完的事、没有删的：编号 {numbers}。办完以后运行 ops erase agree。")
    if done.before:
        click.echo("这台库以前已经办过重新开门，没有改变。")
        return
    if done.lost_since:
        click.echo(f"{beijing(done.lost_since):%Y-%m-%d %H:%M:%S} 以后写下的可能丢失。")
    click.echo(f"从这里起的新户号是 {done.first_household}，丢失时段里给出去的号不会再用。")
    click.echo(f"{done.sessions} 个登录已经作废，所有人重新登录。")
    click.echo("现在可以启动网页和后台进程。丢失时段的每一天，对账单一到就逐笔补回；补回的钱在“待查款”里，有负责人。")
