"""flask stack up: the whole sandbox on this machine. Database, far side, web, worker, office; a district; addresses."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import click
from flask.cli import AppGroup

from app.access.roles import ROLES
from app.cli.parts import office_parts, parts, settings, urls
from app.cli.people import OFFICES, ensure_district
from app.cli.texts import hand_in
from app.cli.whom import whom_to_try
from app.policy.year import funds_of
from config.settings import CHECKOUT
from core.http import Door, OutsideSilent
from notifications.approved import PLACES

stack = AppGroup("stack", help="Everything at once, with the sandbox.")
PATIENCE_S = 40


class NotUp(click.ClickException):
    """A part of the stack did not come up."""


@dataclass
class Stack:
    """Child processes of one system: far side, web, worker, office. `environ` is what they start with."""

    environ: Mapping[str, str]
    port: int
    sandbox_port: int
    sandbox_folder: Path
    notify_factor: float = 0.05
    application: str = "wsgi:app"
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *, offset_seconds: int) -> None:
        """Start all and wait until each answers. NotUp."""
        self.start_sandbox(offset_seconds=offset_seconds)
        self.start_web()
        self.start_worker()
        self.start_office()
        self.wait_for(f"http://127.0.0.1:{self.sandbox_port}/healthz", "sandbox")
        self.wait_for(f"http://127.0.0.1:{self.port}/readyz", "web")

    def start_sandbox(self, *, offset_seconds: int) -> None:
        """The far side of the gateways."""
        self._spawn(
            "sandbox",
            [
                *(sys.executable, "-m", "payments.sandbox", "--folder", str(self.sandbox_folder)),
                *("--port", str(self.sandbox_port), "--notify-factor", str(self.notify_factor)),
                *("--offset-seconds", str(offset_seconds)),
            ],
        )

    def start_web(self) -> None:
        """The web process under gunicorn."""
        self._spawn(
            "web",
            [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", self.application],
            PROMETHEUS_MULTIPROC_DIR=self._figures(),
        )

    def start_worker(self) -> None:
        """The background process."""
        self._spawn(
            "worker",
            [sys.executable, "-m", "app", "worker", "run"],
            PROMETHEUS_MULTIPROC_DIR=self._figures(),
        )

    def start_office(self) -> None:
        """The process that does what offices asked for at their pages."""
        self._spawn("office", [sys.executable, "-m", "app", "office", "run"])

    def _figures(self) -> str:
        """The folder in which web and worker count together."""
        figures = CHECKOUT / ".local" / f"figures-{self.port}"
        figures.mkdir(parents=True, exist_ok=True)
        return str(figures)

    def wait_for(self, url: str, name: str) -> None:
        """Until the address says 200. NotUp if its process ends or the patience does."""
        door = Door(hosts=frozenset({url.split("/")[2]}), connect_s=1, read_s=5)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self.running[name].poll() is not None:
                break
            with suppress(OutsideSilent):
                if door.send("GET", url, headers={}).status == 200:
                    return
            time.sleep(0.1)
        raise NotUp(f"{name} 没有起来，请看 {self._log(name)}")

    def watch(self) -> str:
        """Until one of the processes ends; its name."""
        while True:
            for name, process in self.running.items():
                if process.poll() is not None:
                    return name
            time.sleep(0.5)

    def stop(self) -> None:
        """Ask every process to end, then end it."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _spawn(self, name: str, command: Sequence[str], **more: str) -> None:
        log = self._log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            self.running[name] = subprocess.Popen(  # noqa: S603 our own programs
                command, cwd=CHECKOUT, env={**self.environ, **more}, stdout=out, stderr=out, start_new_session=True
            )

    def _log(self, name: str) -> Path:
        return CHECKOUT / ".local" / "logs" / f"{name}-{self.port}.log"


def free_port() -> int:
    """A loopback port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@stack.command("up")
@click.option("--people", default=3000, show_default=True, help="Size of the synthetic district, if there is none yet.")
def up(people: int) -> None:
    """Start everything and stay until Ctrl-C. The district and what was paid are kept for the next time."""
    held = settings()
    if not held.is_sandbox:
        raise click.ClickException("stack up 只用于沙盒：生产环境各进程由系统服务管理。 Only for the sandbox.")
    for port in (held.port, held.sandbox_port):
        _refuse_taken(port)
    prepare(held)
    district = ensure_district(office_parts(), people=people)
    system = Stack(os.environ, held.port, held.sandbox_port, CHECKOUT / ".local" / "sandbox")
    signal.signal(signal.SIGTERM, _end)
    try:
        system.start(offset_seconds=_offset())
        _approve_texts(held)
        _welcome(held, district)
        gone = system.watch()
        raise NotUp(f"{gone} 停了，全部停下。请看 .local/logs/")
    except KeyboardInterrupt:
        click.echo("\n正在停下…… stopping")
    finally:
        system.stop()


def prepare(held: Any) -> None:
    """Database, schema, and the business clock if nobody has set it."""
    from migrations.upgrade import upgrade  # noqa: PLC0415 who only starts processes migrates nothing

    years, district = (held.levy_year,), held.district
    upgrade(urls().owner, years=years, departments=district.departments, funds=funds_of(district.years))
    if held.business_clock_start and not parts().clocks.is_set():
        parts().clocks.set_to(held.business_clock_start)


def _approve_texts(held: Any) -> None:
    """A provider of text messages that is chosen has our templates."""
    for account in (held.sms, held.sms_second):
        if account is not None and account.provider in PLACES:
            hand_in(account, held.sandbox_url)


def _offset() -> int:
    clocks = parts().clocks
    return int((clocks.now() - clocks.wall()).total_seconds())


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise click.ClickException(
                f"端口 {port} 被别的程序占用。请先停掉它，或在 .env 里写 PORT / SANDBOX_PORT 换一个。"
            ) from None


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _welcome(held: Any, district: Any) -> None:
    click.echo(
        f"""
两险通已经起来了。Ctrl-C 停下。

  居民 resident       {held.public_url}/
  代办员 agent         {held.public_url}/agent/
  办公 office          {held.public_url}/office/
  付款人的手机 phone    {held.sandbox_url}/phone
  接口文档 API          {held.public_url}/api/

  试居民 （再看一遍：.venv/bin/flask --app wsgi people show）
{whom_to_try()}

  试一位代办员 账号 {district.agent_login}   密码 {district.agent_password}   （{district.agent_village}）
  试办公账号   {"、".join(f"{ROLES[role]} {login}" for role, login in OFFICES)}   密码 {district.staff_password}
  动态码 second factor .venv/bin/flask --app wsgi agent code {district.agent_login}，办公账号用 staff code 账号
                      （30秒换一个，每个只能用一次）

  业务时钟现在是 {district.today:%Y年%-m月%-d日}，可以用 .venv/bin/flask --app wsgi clock set 拨动。
  日志 logs 在 .local/logs/
"""
    )
