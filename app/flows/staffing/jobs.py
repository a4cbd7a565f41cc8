"""What the office process does of it: a list looked at, its accounts made, a slip for a new telephone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Row, select, text

from app.access.models import Agent, Staff
from app.flows.enter.second import write_second
from app.flows.hand_in.keep import as_file, keep_made, kept
from app.flows.hand_in.work import Job, Progress
from app.flows.parts import Parts
from app.flows.staffing.make import Slip, make, paper, passwords
from app.flows.staffing.rows import Judged, Wanted, judged
from core.clock import beijing
from core.errors import Conflict
from core.redact import mask_name

SHOWN = 200  # rows of each kind on the page


class ListChanged(Conflict):
    """What would be made is not what was looked at."""

    text = "名单和看的时候不一样了（可能别人刚开了账号），没有开。请重新看一遍再确认。"


class NotAgreed(Conflict):
    """A new telephone that nobody else agreed to, or whose slip was made."""

    text = "这一件还没有别人同意，或者已经办过了；或者这个代办员停用了、不归您这里管了。"


def look_at_list(parts: Parts, job: Job, _progress: Progress) -> Mapping[str, Any]:
    """Who would be made an agent, names masked."""
    assert job.upload is not None, "a look is at a file"
    with as_file(parts, job.upload) as path, parts.reading() as connection:
        found = judged(parts, connection, path, _towns(connection, job.by))
        return _told(found, _names(connection))


def make_agents(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """All of them at once, with their slips, for who asked. ListChanged."""
    assert job.upload is not None, "accounts are made from a file"
    with as_file(parts, job.upload) as path:
        with parts.reading() as connection:
            wanted = judged(parts, connection, path, _towns(connection, job.by)).new
        if [each.login for each in wanted] != list(job.about["logins"]):
            raise ListChanged
        made = passwords(parts, wanted, lambda number: progress(number, len(wanted)))
        return _made(parts, job, path, wanted, made)


def _made(
    parts: Parts, job: Job, path: Path, wanted: Sequence[Wanted], made: Sequence[tuple[str, str]]
) -> Mapping[str, Any]:
    """Nobody else makes an agent between the last look and the end."""
    assert job.upload is not None, "accounts are made from a file"
    upload = kept(parts, job.upload)
    with parts.engine.begin() as connection:
        connection.execute(text("lock table agent in share row exclusive mode"))
        names = _names(connection)
        found = judged(parts, connection, path, _towns(connection, job.by))
        if found.new != wanted:
            raise ListChanged
        slips = make(parts, connection, wanted, made, names)
        outcome = _told(found, names) | {"sheet": _keep_paper(parts, connection, slips, of=upload)}
        job.end(connection, outcome, parts)
    return outcome


def renew_second(parts: Parts, job: Job, _progress: Progress) -> Mapping[str, Any]:
    """What one asked for and another agreed to: a new second factor, and its slip for who asked and still keeps him.
    NotAgreed."""
    with parts.engine.begin() as connection:
        asked = {"at": parts.clocks.wall(), "id": job.about["lost"], "by": job.by, "towns": _towns(connection, job.by)}
        row = connection.execute(_MADE_ANEW, asked).one_or_none()
        if row is None:
            raise NotAgreed(str(job.about["lost"]))
        held = connection.execute(select(Agent.name).where(Agent.login == row.login)).one()
        name = parts.vault.open(held.name, bound_to=f"agent.name:{row.login}")
        issued = write_second(parts, connection, Agent, row.login)
        slip = Slip(name, "", row.login, "", issued)
        role = connection.execute(select(Staff.role).where(Staff.login == job.by.removeprefix("staff:"))).scalar_one()
        outcome = {"sheet": _keep_paper(parts, connection, [slip], of=_Asker(job.by, role))}
        job.end(connection, outcome, parts)
    return outcome


_MADE_ANEW = text(
    "update lost_second l set made_at = :at where id = :id and agreed_at is not null and made_at is null"
    " and asked_by = :by and exists (select from agent a where a.login = l.login and a.active)"
    " and not exists (select from agent a join agent_village v on v.agent_id = a.id"
    "   where a.login = l.login and not left(v.village_code, 9) = any (:towns)) returning login"
)


def _keep_paper(parts: Parts, connection: Connection, slips: Sequence[Slip], *, of: "_Asker | Row") -> int:
    """The file of the slips, of whoever asked: its number."""
    now = parts.clocks.now()
    drawn = paper(slips, author=parts.rules.source.district, at=now)
    with TemporaryDirectory(prefix="liangxian-") as folder:
        path = Path(folder) / "slips.pdf"
        path.write_bytes(drawn)
        return keep_made(parts, connection, path, name=f"代办员账号-{beijing(now):%Y%m%d}.pdf", of=of)


def _told(found: Judged, names: Mapping[str, str]) -> dict[str, Any]:
    """Counts, and the first rows of each kind, names masked."""

    def shown(each: Wanted) -> dict[str, Any]:
        places = "、".join(names[code] for code in each.villages)
        return {"row": each.row, "name": mask_name(each.name), "login": each.login, "places": places}

    return {
        "new": len(found.new),
        "known": len(found.known),
        "refused": len(found.refused),
        "logins": [each.login for each in found.new],
        "rows": [shown(each) for each in found.new[:SHOWN]],
        "there": [shown(each) for each in found.known[:SHOWN]],
        "failures": [
            {"row": each.row, "name": mask_name(each.name) if each.name else "", "code": each.code}
            for each in found.refused[:SHOWN]
        ],
    }


def _towns(connection: Connection, by: str) -> list[str]:
    """Whose agents who asked may make: of his towns as they are now."""
    found = select(Staff.towns).where(Staff.login == by.removeprefix("staff:"))
    return list(connection.execute(found).scalar_one())


def _names(connection: Connection) -> dict[str, str]:
    return {row.code: row.name for row in connection.execute(text("select code, name from village"))}


@dataclass(frozen=True)
class _Asker:
    """Whose file it is."""

    by: str
    role: str
