"""A register file that a bureau handed in at its page, before it counts: brought in within a transaction that is rolled
back, so that what is told is what would come of it; what is refused is written down for whoever made the file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection

from app.access.roles import REVIEWS, Role
from app.flows.hand_in.keep import as_file, keep_made, kept
from app.flows.hand_in.work import Job, Progress
from app.flows.parts import Parts
from app.flows.register.import_roster import Imported, Office, import_roster
from app.flows.register.what_it_does import compared, money_of, standing
from app.registry.bring_in import Plan
from app.registry.failures import Failure, FailureFile

SHOWN = 20  # refused rows on the page; all of them are in the file beside


def look_first(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """How the file would fare, and what it would do. BadFile, BadHeader, ImportUnderWay."""
    assert job.upload is not None, "a look is at a file"
    upload = kept(parts, job.upload)
    with TemporaryDirectory(prefix="liangxian-") as folder:
        sheet = Path(folder) / "refused.xlsx"
        with FailureFile(sheet) as refused, as_file(parts, job.upload) as path:
            outcome = _looked(parts, path, Role(upload.role), _Refused(refused), progress)
        with parts.engine.begin() as connection:
            if outcome["failures"]:
                name = f"退回-{Path(upload.name).stem}.xlsx"
                outcome["sheet"] = keep_made(parts, connection, sheet, name=name, of=upload)
            job.end(connection, outcome, parts)
    return outcome


class _Refused:
    """What is refused: all to the sheet, the first to the page, and how many of each kind."""

    def __init__(self, sheet: FailureFile) -> None:
        self._sheet = sheet
        self.first: list[Failure] = []
        self.codes: Counter[str] = Counter()

    def add(self, failure: Failure) -> None:
        self._sheet.add(failure)
        self.codes[failure.code] += 1
        if len(self.first) < SHOWN:
            self.first.append(failure)


def _looked(parts: Parts, path: Path, role: Role, refused: _Refused, progress: Progress) -> dict[str, Any]:
    touched: set[int] = set()
    does: dict[str, Any] = {}
    would: dict[int, Any] = {}

    def watch(plan: Plan) -> None:
        touched.update(known.id for known in plan.fresh.values())

    def settle(connection: Connection, _result: Imported) -> bool:
        would.update(standing(parts, connection, touched))
        does.update(money_of(parts, connection, touched))
        return False

    office = Office(only=REVIEWS[role], watch=watch, settle=settle)
    result = import_roster(parts, path, good_rows=True, report=refused.add, progress=progress, office=office)
    with parts.reading() as connection:
        does["due"] = compared(standing(parts, connection, touched), would)
    return told(result) | {
        "does": does | {"people": len(touched)},
        "failures": [asdict(failure) for failure in refused.first],
        "codes": dict(refused.codes.most_common()),
    }


def told(result: Imported) -> dict[str, Any]:
    """How it fared, to be kept with the work."""
    before = result.before.isoformat() if result.before else None
    return asdict(result) | {"before": before}
