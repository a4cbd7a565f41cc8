"""Cash that stays in somebody's hands wakes his town and the tax office: after a day, again when it is red, and when it
is as much as the year allows."""

from app.flows.custody.hand import hands
from app.flows.parts import Parts


def watch_cash(parts: Parts) -> int:
    """How many agents hold too much, or too long; one word for each."""
    found = 0
    for row, hand in hands(parts):
        said = {"agent": row.login, "hours": hand.hours, "fen": hand.held, "not_arrived_fen": hand.short}
        if hand.is_red:
            parts.alert("cash_red", **said)
        elif hand.is_late:
            parts.alert("cash_detained", **said)
        elif hand.is_full:
            parts.alert("cash_over_ceiling", **said)
        else:
            continue
        found += 1
    return found
