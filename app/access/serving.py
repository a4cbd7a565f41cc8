"""Whom somebody at a table serves: an agent those of his villages, a town's counter those of its towns."""

from collections.abc import Callable

from app.access.roles import Role
from app.access.sessions import Visitor


def serves(visitor: Visitor) -> Callable[[str], bool] | None:
    """Of a village's code, whether its people are served here; None for a visitor who serves nobody."""
    if visitor.agent is not None:
        return visitor.agent.villages.__contains__
    if visitor.officer is not None and visitor.officer.role is Role.COUNTER:
        towns = visitor.officer.towns
        return lambda village_code: village_code[:9] in towns
    return None
