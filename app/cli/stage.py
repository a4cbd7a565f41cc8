"""What a demonstration stands on: the running system on a database and ports of its own, and the promises it makes."""

import io
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click
import qrcode
from sqlalchemy import text

from app.cli.parts import joined
from app.cli.stack import Stack, free_port
from app.flows.parts import Parts
from config.local import own_lines, sandbox_keys
from config.postgres import Server
from config.settings import CHECKOUT, Settings
from core.db import connect
from core.http import Answer, Door
from core.money import yuan
from notifications.send import render
from payments.ledger.balances import entry_lines

DATABASE = "liangxian_demo"
Found = TypeVar("Found")


@dataclass
class Stage:
    """The running system of the demonstration, and the promises it broke."""

    stack: Stack
    parts: Parts
    office: Parts
    door: Door
    url: str
    far: str
    broken: list[str] = field(default_factory=list)

    def promise(self, held: bool, words: str) -> None:
        """Say a promise, and whether it held."""
        click.echo(f"    {'✓' if held else '✗'} {words}")
        if not held:
            self.broken.append(words)

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        """One JSON request; the answer's JSON."""
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        answer: Answer = self.door.send(method, url, headers=sent, body=json.dumps(body).encode() if body else None)
        if answer.status >= 400:
            raise click.ClickException(f"{method} {url}: {answer.status} {answer.body.decode()}")
        return json.loads(answer.body)

    def one(self, statement: str, **values: object) -> Any:
        """One row of the database, or None."""
        with self.parts.engine.connect() as connection:
            return connection.execute(text(statement), values).first()

    def told(self, cause: str) -> str | None:
        """The words of a notice that went out, or None."""
        row = self.one("select rank, kind, fields from notice where cause = :cause", cause=cause)
        return render(row.kind, row.fields) if row is not None and row.rank >= 2 else None

    def texted(self, phone: str) -> str:
        """The code in the newest message on a phone."""
        messages = self.call("GET", f"{self.far}/messages?channel=sms")["messages"]
        newest = [message["text"] for message in messages if message["to"] == phone][-1]
        return str(re.findall(r"[0-9]{6}", newest)[0])

    def show_entry(self, household: int, cause: str) -> None:
        """An entry of the book, side by side, and that it balances."""
        with self.parts.engine.connect() as connection:
            lines = entry_lines(connection, household, cause)
        click.echo("  分录：")
        for line in lines:
            side = "借" if line.amount > 0 else "贷"
            click.echo(f"      {side} {line.name}  {yuan(abs(line.amount))}")
        self.promise(bool(lines) and sum(line.amount for line in lines) == 0, "借贷相等")


def set_stage(server: Server, clock_start: Any) -> Stage:
    """Settings, parts and processes of a system of its own; the processes are not started yet."""
    port, far_port = free_port(), free_port()
    folder, far = CHECKOUT / ".local" / "demo", f"http://127.0.0.1:{far_port}"
    _forget(folder)
    environ = (
        own_lines()
        | {
            "DATABASE_URL": server.app_url(DATABASE),
            "DATABASE_OFFICE_URL": server.office_url(DATABASE),
            "DATABASE_OWNER_URL": server.owner_url(DATABASE),
            "PORT": str(port),
            "SANDBOX_PORT": str(far_port),
            "SMS_URL": far,
            "LOG_LEVEL": "WARNING",
        }
        | dict(sandbox_keys(folder, base_url=far))
    )
    mine = Settings.from_environment(environ)
    parts = joined(mine, connect(server.app_url(DATABASE), pool_size=4))
    office = joined(mine, connect(server.office_url(DATABASE), pool_size=4))
    parts.clocks.set_to(clock_start or parts.clocks.wall())
    stack = Stack({**os.environ, **environ}, port, far_port, folder)
    door = Door(hosts=frozenset({f"127.0.0.1:{port}", f"127.0.0.1:{far_port}"}), read_s=15)
    return Stage(stack, parts, office, door, f"http://127.0.0.1:{port}", far)


def _forget(folder: Path) -> None:
    """The far side of the last demonstration remembers trades of a database that is gone."""
    for file in folder.glob("outside.sqlite*"):
        file.unlink()


def wait_for(find: Callable[[], Found | None], seconds: float = 20) -> Found | None:
    """The first thing found, or None when the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := find():
            return found
        time.sleep(0.1)
    return None


def qr(content: str) -> str:
    """A code as a terminal shows it."""
    code = qrcode.QRCode(border=1)
    code.add_data(content)
    out = io.StringIO()
    code.print_ascii(out=out)
    return out.getvalue().rstrip()
