"""What the sandbox is told at its start."""

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
    callback_public_key_percent: int = 100  # the rest is signed with the older platform certificate
