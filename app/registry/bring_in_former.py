"""Rows of a former levy year against what the register knows: what they say of that year is that year's, what no year
owns (name, phone, village, life and death) is everybody's. Pure but for the vault, as `bring_in`."""

from collections.abc import Collection
from dataclasses import replace

from app.registry.bring_in import Merger, Plan, changed_enrolment
from app.registry.packing import packed_long, packed_text
from app.registry.register import Known
from app.registry.row import Row
from core.vault import Vault


class FormerMerger(Merger):
    """Merges for a former year. Every row that is taken says all of its person for that year, so each is written."""

    def __init__(self, vault: Vault, year: int, corrected: Collection[tuple[int, bytes]] = ()) -> None:
        super().__init__(vault, corrected)
        self._year = year

    def _digests(self, person_part: str) -> tuple[bytes, ...]:
        """A file of the newest year that says the same later must still be heard, for its own year: the digest that is
        kept is no newest file's. What one of the newest said before is said."""
        kept = self._vault.index(f"{self._year}\x1e{person_part}", purpose="row")
        return kept, *super()._digests(person_part)

    def _enrol(self, row: Row, known: Known, digest: bytes, home: int, plan: Plan) -> None:
        if known.id not in plan.changes.changed_persons:  # nothing that is everybody's: his phone is not sealed again
            self._change_person(replace(row, mobile=None), known, home, plan)
        if row.insurance in known.enrolments:
            self.tally.changed += 1
            plan.changes.cleared.append((known.id, row.insurance))
        else:
            self.tally.added += 1
        plan.changes.changed_enrolments.append(changed_enrolment(row, known.id, home, digest))
        year = b"\0\0\0\x02" + self._year.to_bytes(2, "big")
        for code in row.categories:
            plan.changes.categories.append(
                b"\0\x04" + year + packed_long(known.id) + packed_text(row.insurance) + packed_text(code)
            )
        known.enrolments[row.insurance] = digest
        (known.dead_to.discard if row.alive else known.dead_to.add)(row.insurance)
