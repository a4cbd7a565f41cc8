"""flask ops reseal: personal data brought under the key that seals now, and which keys may go."""

import signal
from getpass import getuser
from threading import Event

import click

from app.cli.ops import ops
from app.cli.parts import parts, settings, urls
from app.flows.keep import reseal as flow
from core.db import connect
from core.vault import AES, SM

SUITES = {AES: "AES-256-GCM", SM: "SM4-GCM（国密）"}


@ops.command("reseal")
@click.option("--batch", default=500, show_default=True, type=click.IntRange(1, 10_000), help="Rows a transaction.")
@click.option("--pause", default=0.0, type=click.FloatRange(0, 60), help="Seconds between two of them.")
@click.option("--check", is_flag=True, help="Only count which key is still needed; exit status 1 if an older one is.")
@click.option("--progress", "only_progress", is_flag=True, help="Only tell how far it came.")
def reseal_command(batch: int, pause: float, check: bool, only_progress: bool) -> None:
    """Seal everything anew under the key that seals now. It may be stopped or killed at any moment, and goes on."""
    if check:
        raise SystemExit(_say_needed())
    if only_progress:
        for each in flow.progress_of(parts()):
            _say(each)
        return
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    owner = connect(urls().owner, pool_size=1, actor=f"operator:{getuser()}", pooler=settings().has_pooler)
    try:
        done = flow.reseal(parts(), owner, batch=batch, pause_s=pause, stopped=stop.is_set, told=_say)
    finally:
        owner.dispose()
    click.echo("全部完成。请看 ops reseal --check。" if done else "已停下。再运行一次，会从这里接着做。")


def _say(now: flow.Progress) -> None:
    left = "已完成" if now.ended_at else f"约剩 {now.left_s} 秒" if now.left_s is not None else "刚开始"
    broken = f"，打不开 {now.unopened} 行" if now.unopened else ""
    click.echo(f"{now.table}\t{now.done}/{now.rows} 行\t每秒 {now.pace:.0f} 行\t{left}{broken}")


def _say_needed() -> int:
    """One line a key; 1 if a key other than the one that seals is needed."""
    held, needed = parts().vault, flow.needed(parts())
    kept = {(key.suite, number) for number, key in settings().vault_keys.items()}
    older = 0
    for suite, number in sorted(kept | set(needed)):
        values = needed.get((suite, number), 0)
        word = "现用" if bytes((suite, number)) == held.head else "可以撤下" if not values else "还要留着"
        if (suite, number) not in kept:
            word = "没有配置这把钥匙，打不开"
        older += values if bytes((suite, number)) != held.head else 0
        click.echo(f"{number} 号钥匙 {SUITES.get(suite, suite)}\t{values} 个值\t{word}")
    return 1 if older else 0
