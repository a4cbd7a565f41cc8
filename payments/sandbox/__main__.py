"""python -m payments.sandbox: the outside world on a loopback port, one gunicorn worker with many threads."""

from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from payments.sandbox.app import create_sandbox
from payments.sandbox.config import SandboxConfig
from payments.sandbox.keys import make_keys


class Server(BaseApplication):
    """gunicorn without a configuration file; the worker builds the application, so its threads live there."""

    def __init__(self, config: SandboxConfig, threads: int) -> None:
        self._config, self._threads = config, threads
        super().__init__()

    def load_config(self) -> None:
        """One worker: what it remembers in memory must be one."""
        bound = {"bind": f"{self._config.host}:{self._config.port}", "workers": 1, "threads": self._threads}
        for name, value in {
            **bound,
            "worker_class": "gthread",
            "timeout": 60,
            "graceful_timeout": 5,
            "keepalive": 30,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application."""
        return create_sandbox(self._config)


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Keys and memory; made if missing.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8100, show_default=True)
@click.option("--notify-factor", default=0.01, show_default=True, help="Pauses between callbacks, times this.")
@click.option("--offset-seconds", default=0, show_default=True, help="The business clock, from the system clock.")
@click.option("--public-key-percent", default=100, show_default=True, help="Callbacks signed in public-key mode.")
@click.option("--threads", default=32, show_default=True)
def main(  # noqa: PLR0917 — click hands its options over one by one
    folder: Path,
    host: str,
    port: int,
    notify_factor: float,
    offset_seconds: int,
    public_key_percent: int,
    threads: int,
) -> None:
    """The far sides of the gateways, for development, tests and demonstrations. Never beside real money."""
    make_keys(folder)
    config = SandboxConfig(folder, host, port, notify_factor, offset_seconds, public_key_percent)
    click.echo(f"sandbox on http://{host}:{port}, phone page /phone")
    Server(config, threads).run()


if __name__ == "__main__":
    main()
