"""What the sandbox is told at its start, and what may be turned while it runs."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SandboxConfig:
    """`folder` holds the keys and what the outside world remembers; `offset_seconds` moves its business clock."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8100
    notify_factor: float = 0.01  # documented pauses between callbacks, times this
    offset_seconds: int = 0
    callback_public_key_percent: int = 100  # WeChat: the rest is signed with the older platform certificate


@dataclass
class Knobs:
    """The figures of the config that POST /settings changes at any time."""

    notify_factor: float
    callback_public_key_percent: int
