"""What a register file contradicts: whom its rows touch, who is new, of whom the register or the other bureau says
otherwise; asked once all rows are read, in the file's own transaction."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from app.flows.conflicts.look_for import SHOWN, Seen, look_for
from app.flows.parts import Parts
from app.registry.bring_in import Plan


@dataclass
class Contradicts:
    """Hears what each batch does, and hands it on to `watch`."""

    watch: Callable[[Plan], None]
    _everybody: Seen = field(default_factory=lambda: Seen(""))
    _of: dict[str, Seen] = field(default_factory=dict)  # by the insurance of the rows

    def hear(self, plan: Plan) -> None:
        """Remembers whom it touches and whom it disputes."""
        self._everybody.touched.update(known.id for known in plan.fresh.values())
        self._everybody.new += [newcomer.key for newcomer in plan.newcomers]
        for person, row, wrong in plan.disputed:
            own = self._of.setdefault(row.insurance, Seen(row.insurance))
            if wrong.code == "DEAD_TO_ANOTHER":
                own.dead_to_another.append((person, wrong.words["insurance"]))
            else:
                own.named.append((person, row.name))
        self.watch(plan)

    def found(self, parts: Parts, connection: Connection, cause: str) -> Mapping[str, Any]:
        """`conflicts` that are opened, by kind; how many `ended` by themselves; `twice`: who seems to stand under two
        numbers."""
        opened: Counter[str] = Counter()
        ended, twice = 0, list[tuple[str, str]]()
        for seen in (self._everybody, *self._of.values()):
            found = look_for(parts, connection, seen, cause=cause)
            opened.update(found.opened)
            ended += found.ended
            twice += found.hints
        return {"conflicts": dict(opened), "ended": ended, "twice": twice[:SHOWN]}
