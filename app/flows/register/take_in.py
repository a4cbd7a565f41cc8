"""A register file that was looked at is taken in, in the name of who said so; what differs is told."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from app.access.roles import REVIEWS, Role
from app.flows.hand_in.ask import asked
from app.flows.hand_in.keep import as_file, kept
from app.flows.hand_in.work import Job, Progress
from app.flows.parts import Parts
from app.flows.register.import_roster import Imported, Office, import_roster
from app.flows.register.look_first import told

COUNTS = ("rows_in", "added", "changed", "same", "refused")


def take_in(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """How the file fared, and which counts are other ones than the look's. BadFile, ImportUnderWay, FileGone."""
    assert job.upload is not None, "a file is taken in"
    role = Role(kept(parts, job.upload).role)
    looked = asked(parts, job.about["look"], kinds=("register_look",)).outcome or {}

    def outcome(result: Imported) -> dict[str, Any]:
        found = told(result)
        return found | {"other": {name: looked.get(name) for name in COUNTS if looked.get(name) != found[name]}}

    def settle(connection: Connection, result: Imported) -> bool:
        if result.taken:
            job.end(connection, outcome(result), parts)  # one transaction: a killed process brings nothing in twice
        return True

    office = Office(only=REVIEWS[role], settle=settle)
    good_rows = bool(job.about["good_rows"])
    with as_file(parts, job.upload) as path:
        return outcome(import_roster(parts, path, good_rows=good_rows, progress=progress, office=office))
