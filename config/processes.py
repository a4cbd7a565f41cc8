"""How many processes and threads there are, how they stop, how much they say, and for which year they work."""

from pathlib import Path
from typing import Any

from config.reading import Reading


def processes(read: Reading, home: Path) -> dict[str, Any]:
    """The settings; what is wrong with them is said to `read`."""
    return {
        "levy_year": _levy_year(read, home / "app" / "policy" / "years"),
        "web_workers": read.whole("WEB_WORKERS", 2, 1, 64),
        "web_threads": read.whole("WEB_THREADS", 16, 1, 256),
        "drain_s": read.whole("WEB_DRAIN_S", 0 if read.sandbox else 5, 0, 25),
        "worker_metrics_port": read.whole("WORKER_METRICS_PORT", 0, 0, 65535),
        "log_level": read.text("LOG_LEVEL", "INFO", shape="DEBUG|INFO|WARNING|ERROR"),
    }


def _levy_year(read: Reading, rules: Path) -> int:
    year = read.whole("LEVY_YEAR", 2022, 2000, 2999)
    if not (rules / f"{year}.toml").is_file():
        read.say("LEVY_YEAR", "names a year without rules: there is no file of it in app/policy/years")
    return year
