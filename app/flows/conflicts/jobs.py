"""What the office process does of a police file for who handed it in: looks at it, takes it in."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection

from app.flows.conflicts.bring_police import Brought, bring_police
from app.flows.hand_in.ask import asked
from app.flows.hand_in.keep import as_file, keep_made, kept
from app.flows.hand_in.work import Job, Progress
from app.flows.parts import Parts
from app.registry.failures import Failure, FailureFile
from app.registry.police import Code

SHOWN = 20  # refused rows on the page; all of them are in the file beside
COUNTS = ("rows_in", "added", "changed", "same", "refused", "unknown")


def look_at_police(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """How the file would fare, and what it would do. BadFile, ImportUnderWay."""
    assert job.upload is not None, "a look is at a file"
    upload, first = kept(parts, job.upload), list[Failure]()
    reasons: Counter[str] = Counter()
    with TemporaryDirectory(prefix="liangxian-") as folder:
        sheet = Path(folder) / "refused.xlsx"
        with FailureFile(sheet) as refused, as_file(parts, job.upload) as path:

            def report(failure: Failure) -> None:
                refused.add(failure)
                column = failure.column.partition("（")[0]  # without what stands in it
                reasons[f"{column}：{failure.reason}" if column else failure.reason] += 1
                first.extend([failure] if len(first) < SHOWN else [])

            code = _code(job)
            brought = bring_police(
                parts, path, code=code, report=report, progress=progress, settle=lambda _connection, _brought: False
            )
        outcome = told(brought) | {
            "failures": [asdict(failure) for failure in first],
            "reasons": dict(reasons.most_common(SHOWN)),
        }
        with parts.engine.begin() as connection:
            if first:
                name = f"退回-{Path(upload.name).stem}.xlsx"
                outcome["sheet"] = keep_made(parts, connection, sheet, name=name, of=upload)
            job.end(connection, outcome, parts)
    return outcome


def take_police(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """How it fared, and which counts are other ones than the look's. BadFile, ImportUnderWay, FileGone."""
    assert job.upload is not None, "a file is taken in"
    looked = asked(parts, job.about["look"], kinds=("police_look",)).outcome or {}

    def outcome(brought: Brought) -> dict[str, Any]:
        found = told(brought)
        return found | {"other": {each: looked.get(each) for each in COUNTS if looked.get(each) != found[each]}}

    def settle(connection: Connection, brought: Brought) -> bool:
        if brought.taken:
            job.end(connection, outcome(brought), parts)  # one transaction: a killed process brings nothing in twice
        return True

    with as_file(parts, job.upload) as path:
        return outcome(bring_police(parts, path, code=_code(job), progress=progress, settle=settle))


def told(brought: Brought) -> dict[str, Any]:
    """How it fared, to be kept with the work."""
    return asdict(brought) | {"before": brought.before.isoformat() if brought.before else None}


def _code(job: Job) -> Code | None:
    return Code(job.about["code"]) if job.about.get("code") else None
