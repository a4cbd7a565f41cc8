"""flask ops backup: a backup now, by who keeps them, and what the repositories say of it."""

import click

from app.cli.ops import ops
from app.cli.parts import parts
from app.flows.restore.back_up import back_up
from app.flows.restore.watch import standing, troubles
from core.errors import AppError


@ops.command("backup")
@click.option("--full", is_flag=True, help="All of it, and every file of the repository looked at afterwards.")
@click.option("--check", "only_look", is_flag=True, help="Take none: say what is wrong with those there are.")
def backup(full: bool, only_look: bool) -> None:
    """Take a backup: what has changed since the last full one, or all. Exit status 1 if anything is wrong with it."""
    if only_look:
        return _look()
    try:
        done = back_up(parts(), full=full)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    for one in done.backups:
        where = "本机以外" if one["away"] else "本机"
        click.echo(
            f"库 {one['repository']}（{where}）\t{one['label']}\t数据 {_size(one['bytes'])}\t新增 {_size(one['added'])}"
            f"\t用时 {one['stopped'] - one['started']} 秒"
        )
    if done.papers:
        click.echo(f"库外新存日结证明 {done.papers} 份")
    if not any(one["away"] for one in done.backups):
        click.echo("没有一份在本机以外：机器没了，备份也没了。", err=True)
    for line in done.damage or ():
        click.echo(f"✗ 备份坏了：{line}", err=True)
    if done.damage:
        raise SystemExit(1)


def _look() -> None:
    """What the worker would wake somebody for."""
    wrong = troubles(standing(parts()), parts().clocks.wall())
    for what, words in wrong:
        click.echo(f"✗ {what}\t" + "，".join(f"{name} {value}" for name, value in words.items()), err=True)
    if wrong:
        raise SystemExit(1)
    click.echo("✓ 备份、归档、恢复演练都没有问题")


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GB" if count >= 2**30 else f"{count / 2**20:.1f} MB"
