"""flask ops drill: a restore to a second server, proved, and told in plain words."""

import signal
from datetime import UTC, datetime

import click
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app.cli.ops import ops
from app.cli.parts import parts, settings, urls
from app.flows.restore.drill import BACKUP, INTO, LATEST, Drilled, Ground, clean_up, drill
from core.clock import BEIJING
from core.errors import AppError
from core.money import yuan
from payments.ledger.chart import CHANNELS


@ops.command("drill")
@click.option("--at", "at", help="The moment, in Beijing time (2026-11-29T12:00:00), latest, or backup. Else any.")
@click.option("--into", default=INTO, show_default=True, help="A folder of the drill's home, by its name.")
@click.option("--clean", is_flag=True, help="Only clear away what a killed drill left.")
def drill_command(at: str | None, into: str, clean: bool) -> None:
    """Restore to a second server, ask everything of it, and clear it away. Exit status 0 only if all holds."""
    signal.signal(signal.SIGTERM, _end)  # told to stop: what was restored goes with it
    try:
        if clean:
            click.echo("已清理" if clean_up(parts(), into) else "没有要清理的")
            return
        found = drill(_ground(), moment=_moment(at), into=into, say=click.echo)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    _tell(found)
    if not found.holds:
        raise SystemExit(1)


def _ground() -> Ground:
    held = settings()
    alive = True
    try:
        with parts().engine.connect() as connection:
            connection.execute(text("select 1"))
    except SQLAlchemyError:
        click.echo("现在的数据库连不上：只能与库外的日结证明核对，结果不入库。", err=True)
        alive = False
    return Ground(parts(), alive, str(make_url(urls().app).database), (held.levy_year,))


def _moment(at: str | None) -> str | None:
    """As the keeper takes it, in UTC."""
    if at is None or at in (LATEST, BACKUP):
        return at
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise click.BadParameter("2026-11-29T12:00:00, latest, backup", param_hint="--at") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00"


def _tell(found: Drilled) -> None:
    click.echo(
        f"\n恢复用了 {found.restore_s / 60:.1f} 分钟（{found.bytes / 2**20:.0f} MB）"
        f"，连核对一共 {found.whole_s / 60:.1f} 分钟"
        f"\n丢失 {found.lost_s} 秒：最后一笔提交在 {_beijing(found.last_commit)}"
        f"\n不变量 {found.proof.truths} 项，日结 {found.proof.days} 天，库外日结证明 {found.proof.papers} 份"
    )
    for day in found.proof.closed_later:
        click.echo(f"  {day} 是这一时刻以后才日结的：恢复以后要重新日结，原来的日结证明仍在库外，作为凭据")
    for one in found.lists:
        name = CHANNELS.get(one.gateway, one.gateway)
        if not one.told:
            click.echo(f"  {name}\t{one.day}\t还没有对账单")
            continue
        count, amount = one.back
        click.echo(
            f"  {name}\t{one.day}\t对账单 {one.lines} 笔 {yuan(one.amount)}"
            f"\t账上有 {one.there} 笔 {yuan(one.there_amount)}"
            f"\t由对账单补回 {count} 笔 {yuan(amount)}\t不见了 {one.lost} 笔 {yuan(one.lost_amount)}"
        )
    for line in found.differences:
        click.echo(f"✗ {line}")
    click.echo("✓ 全部成立：这份备份真的能恢复。" if found.holds else f"✗ {len(found.differences)} 处不成立")


def _beijing(moment: datetime | None) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" if moment else "——"


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(143)
