"""The application on a machine whose clock is an hour ahead."""

from datetime import UTC, datetime, timedelta

import core.clock

core.clock.utc_now = lambda: datetime.now(UTC) + timedelta(hours=1)

from wsgi import app  # noqa: E402 whoever imports the clock by name is to have this one

__all__ = ["app"]
