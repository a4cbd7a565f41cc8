"""A register file that a bureau handed in at its page, before it counts: brought in within a transaction that is rolled
back, so that what is told is what would come of it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.access.roles import REVIEWS, Role
from app.flows.hand_in.keep import as_file, kept
from app.flows.hand_in.work import Job, Progress
from app.flows.parts import Parts
from app.flows.register.import_roster import Imported, Office, import_roster


def look_first(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """How the file would fare. BadFile, BadHeader, ImportUnderWay."""
    assert job.upload is not None, "a look is at a file"
    only = REVIEWS[Role(kept(parts, job.upload).role)]
    office = Office(only=only, settle=lambda _connection, _result: False)
    with as_file(parts, job.upload) as path:
        return told(import_roster(parts, path, good_rows=True, progress=progress, office=office))


def told(result: Imported) -> dict[str, Any]:
    """How it fared, to be kept with the work."""
    before = result.before.isoformat() if result.before else None
    return asdict(result) | {"before": before}
