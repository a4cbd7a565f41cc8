"""The sandbox's two clocks: signatures follow the system's, success times and expiry follow a moved one."""

import time
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


class SandboxClock:
    """A business clock `offset_seconds` away from the system clock; the offset may be moved at any time."""

    def __init__(self, offset_seconds: int) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> datetime:
        """The business moment, in Beijing time, whole seconds."""
        return datetime.fromtimestamp(int(time.time()) + self.offset_seconds, BEIJING)
