"""flask ops upgrade: the database brought to this code's present while the code of before goes on. Looks first, backs
up, migrates, and says what to restart; killed anywhere, it is run again."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.cli.ops import ops
from app.cli.parts import parts, settings, urls
from app.policy.year import funds_of
from core.db import connect, may_write
from core.version import COMMIT, VERSION
from core.version import parts as as_numbers
from migrations.patience import StillHeld, somebody_upgrades
from migrations.upgrade import Version, functions_changed, pending, upgrade

ROOM = 1024**3  # bytes that must be free in each folder
OLDEST = 150000  # PostgreSQL's own number of version 15.0
MOST_SAID = 20  # versions, the last; of a database in which nothing is yet it would be all
STEPS = {"expand": "加", "contract": "减", "": "旧"}


@dataclass(frozen=True)
class Found:
    """One thing that was looked at."""

    good: bool
    words: str


@ops.command("upgrade")
@click.option("--check", is_flag=True, help="Look only; exit status 1 if it could not be done now.")
@click.option("--without-backup", is_flag=True, help="Nobody backs up before; say why in your own log.")
def upgrade_command(check: bool, without_backup: bool) -> None:
    """Check, back up, migrate, and say what to restart in which order (docs/upgrading.md)."""
    click.echo(f"升级到 {VERSION} {COMMIT}".rstrip())
    waiting, changed, good = _looked(without_backup)
    if not good:
        raise click.ClickException("上面打 ✗ 的先处理好，再运行一次。数据库没有动。 Nothing was changed.")
    if check:
        return
    if waiting or changed:
        _back_up(without_backup)
    try:
        upgrade(
            urls().owner,
            years=(settings().levy_year,),
            departments=settings().district.departments,
            funds=funds_of(settings().district.years),
            say=lambda number: click.echo(f"  ✓ {number}"),
        )
    except StillHeld as held:
        raise click.ClickException(
            "有别的程序一直占着要改的表，五分钟没等到。已做完的都算数，没做完的没有动；过一会儿再运行一次。"
        ) from held
    click.echo("数据库已是最新版本。 The database is up to date.")
    _say_what_to_restart()


def _looked(without_backup: bool) -> tuple[Sequence[Version], bool, bool]:
    """What waits to be done, whether functions changed, and whether everything is as it must be; each said."""
    found: list[Found] = [Found(bool(parts().gateways), f"设置可用，支付渠道 {len(parts().gateways)} 个")]
    found += _room()
    owner = connect(urls().owner, pool_size=1)
    waiting: Sequence[Version] = ()
    changed = True
    try:
        with owner.connect() as connection:
            found += _database(connection)
            waiting, changed = pending(connection), functions_changed(connection)
            found += _contracting(connection, waiting)
    except SQLAlchemyError as error:
        found.append(Found(False, f"数据库连不上（DATABASE_OWNER_URL）：{type(error).__name__}"))
    finally:
        owner.dispose()
    if waiting or changed:
        found += _backup_there(without_backup)
    for one in found:
        click.echo(f"  {'✓' if one.good else '✗'} {one.words}")
    for version in waiting[-MOST_SAID:]:
        click.echo(f"    {version.number} {STEPS[version.step]} {' '.join(version.title.split())}")
    click.echo(f"  要做的版本 {len(waiting)} 个，函数{'要换' if changed else '不变'}")
    return waiting, changed, all(one.good for one in found)


def _room() -> Iterator[Found]:
    for folder in settings().upgrading.folders:
        free = shutil.disk_usage(folder).free
        yield Found(free >= ROOM, f"{folder} 还有 {free // 1024**2} MB（至少 {ROOM // 1024**2} MB）")


def _database(connection: Connection) -> Iterator[Found]:
    number = int(connection.execute(text("show server_version_num")).scalar_one())
    yield Found(number >= OLDEST, f"PostgreSQL {number // 10000}.{number % 10000}（至少 15）")
    yield Found(may_write(connection), "数据库可以写，是主库")
    owns = text(
        "select pg_has_role(current_user, datdba, 'member') from pg_database where datname = current_database()"
    )
    yield Found(bool(connection.execute(owns).scalar_one()), "DATABASE_OWNER_URL 是数据库的主人")
    yield Found(not somebody_upgrades(connection), "没有别人正在升级")


def _contracting(connection: Connection, waiting: Sequence[Version]) -> Iterator[Found]:
    """What takes something away waits until nothing runs that needs it."""
    for version in (one for one in waiting if one.step == "contract"):
        older = [name for name, runs in _running(connection) if as_numbers(runs) < as_numbers(version.after)]
        words = f"{version.number} 要去掉旧东西，所有进程须是 {version.after} 以上"
        yield Found(not older, words + (f"；还在运行：{'、'.join(older)}" if older else ""))


def _running(connection: Connection) -> Sequence[tuple[str, str]]:
    """Who of ours is connected, and its version; empty for one that says none."""
    found = connection.execute(
        text(
            "select distinct application_name from pg_stat_activity"
            " where datname = current_database() and application_name ~ '^(web|worker)-' order by 1"
        )
    ).scalars()
    return [(name, name.partition(" ")[2]) for name in found]


def _backup_there(without_backup: bool) -> Iterator[Found]:
    held = settings().upgrading
    if held.backup_check:
        yield Found(_run(held.backup_check) or without_backup, "最近有备份（UPGRADE_BACKUP_CHECK）")
    if not settings().is_sandbox:
        words = "先备份（UPGRADE_BACKUP），没有设就要写明 --without-backup"
        yield Found(bool(held.backup) or without_backup, words)


def _back_up(without_backup: bool) -> None:
    command = settings().upgrading.backup
    if without_backup or not command:
        click.echo("  没有备份就升级。 Without a backup.")
        return
    click.echo("  正在备份……")
    if not _run(command):
        raise click.ClickException("备份没有成功，数据库没有动。 The backup failed; nothing was changed.")
    click.echo("  ✓ 备份做好了")


def _run(command: Sequence[str]) -> bool:
    """Whether a command that the operator set ended well; its words are shown."""
    try:
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603 the operator's own words
    except OSError as error:
        click.echo(f"    {command[0]}：{type(error).__name__}")
        return False


def _say_what_to_restart() -> None:
    owner = connect(urls().owner, pool_size=1)
    with owner.connect() as connection:
        older = [name for name, runs in _running(connection) if as_numbers(runs) < as_numbers(VERSION)]
    owner.dispose()
    click.echo(f"还在运行旧代码的进程：{'、'.join(older) or '没有'}")
    if older:
        click.echo(
            "请按这个顺序一个一个重启，前一个的 /readyz 好了再动下一个：\n"
            "  1. 网页进程（web），一个实例一个实例地来\n"
            "  2. 回调的网页进程（callbacks）\n"
            "  3. 后台进程（worker）\n"
            "每个重启完看 /livez 的 version。旧代码在新数据库上照常工作，不用赶。"
        )
