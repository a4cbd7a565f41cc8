"""The register files that bureaus handed in at their page, and every batch that was ever taken in."""

from collections.abc import Sequence
from typing import BinaryIO

from sqlalchemy import Row, text

from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.hand_in.ask import ask, asked
from app.flows.hand_in.keep import digest_of, keep, throw_away
from app.flows.parts import Parts
from core.errors import Conflict

LOOK, TAKE = "register_look", "register_take"
PAGE = 20


class NotLookedAt(Conflict):
    """Taken in is what was looked at to its end and brings something, and only once."""

    text = "这份文件现在不能导入：还没有看完，或者没有可导入的行，或者已经导入了。"


def hand_in(parts: Parts, officer: Officer, file: BinaryIO, *, name: str) -> int:
    """The number of its look. The same bytes while they wait here are the same file. EmptyFile."""
    with parts.reading() as connection:
        wanted = {"digest": digest_of(file), "role": officer.role}
        waiting = connection.execute(_WAITING, wanted).scalar_one_or_none()
    return waiting or ask(parts, officer, LOOK, upload=keep(parts, officer, file, name=name))


def look_of(parts: Parts, officer: Officer, number: int) -> Row:
    """A look of this office; an auditor's is everybody's. NoSuchJob."""
    return asked(parts, number, kinds=(LOOK,), role=_own(officer))


def taking_of(parts: Parts, look: Row) -> Row | None:
    """The attempt that took its file in, else the latest."""
    with parts.reading() as connection:
        found = connection.execute(_TAKING, {"upload": look.upload_id}).scalar_one_or_none()
    return asked(parts, found, kinds=(TAKE,)) if found else None


def confirm(parts: Parts, officer: Officer, number: int, *, good_rows: bool) -> int:
    """The number of the work. NoSuchJob, NotLookedAt, FileGone."""
    look = look_of(parts, officer, number)
    if not may_take(look, taking_of(parts, look)) or (look.outcome["refused"] and not good_rows):
        raise NotLookedAt(str(number))
    about = {"look": number, "good_rows": good_rows}
    return ask(parts, officer, TAKE, upload=look.upload_id, about=about)


def may_take(look: Row, taking: Row | None) -> bool:
    """Was it looked at, does it bring anything, is it here, and was it not taken in yet? Pure."""
    if look.state != "done" or look.gone_at is not None or (taking and taking.state not in ("failed", "waiting")):
        return False
    brings = look.outcome["added"] + look.outcome["changed"]
    return bool(brings) and not look.outcome["stale"]


def throw(parts: Parts, officer: Officer, number: int) -> None:
    """The file's bytes go, and those of what was refused. NoSuchJob, FileInUse."""
    look = look_of(parts, officer, number)
    throw_away(parts, officer, look.upload_id)
    if look.outcome and look.outcome.get("sheet"):
        throw_away(parts, officer, look.outcome["sheet"])


def listed(parts: Parts, officer: Officer, *, page: int) -> tuple[Sequence[Row], bool]:
    """The latest first: what was handed in here by one's own office, and every other batch; is there another page?"""
    own = _own(officer)
    values = {"role": own, "most": PAGE + 1, "after": (page - 1) * PAGE}
    with parts.reading() as connection:
        rows = connection.execute(_LISTED, values).all()
    return rows[:PAGE], len(rows) > PAGE


def _own(officer: Officer) -> str | None:
    return str(officer.role) if officer.role in (Role.HRSS, Role.MEDICAL) else None


_WAITING = text(
    "select j.id from upload u join office_job j on j.upload_id = u.id and j.kind = 'register_look'"
    " where u.digest = :digest and u.role = :role and u.gone_at is null and j.state in ('waiting', 'doing', 'done')"
    " and not exists (select from office_job t where t.upload_id = u.id and t.kind = 'register_take'"
    "                 and t.state = 'done')"
    " order by j.id desc limit 1"
)
_TAKING = text(
    "select id from office_job where upload_id = :upload and kind = 'register_take'"
    " order by coalesce((outcome->>'taken')::boolean, false) desc, id desc limit 1"
)
_LISTED = text(
    "with taking as (select distinct on (upload_id) * from office_job where kind = 'register_take'"
    "                order by upload_id, coalesce((outcome->>'taken')::boolean, false) desc, id desc)"
    " select j.id as look, u.name, j.by, j.at, u.role, u.gone_at, j.state, t.state as taking, t.outcome as taken,"
    "        j.outcome as looked, null::bigint as batch, null::int as added, null::int as changed, null::int as same,"
    "        null::int as refused"
    "   from office_job j join upload u on u.id = j.upload_id left join taking t on t.upload_id = u.id"
    "  where j.kind = 'register_look' and (cast(:role as text) is null or u.role = :role)"
    " union all"
    " select null, b.file_name, coalesce(t.by, ''), b.imported_at, u.role, null, 'done', null, null, null, b.id,"
    "        b.added, b.changed, b.same, b.refused"
    "   from import_batch b left join taking t on (t.outcome->>'batch')::bigint = b.id"
    "   left join upload u on u.id = t.upload_id"
    "  where b.kind <> 'police' and (u.id is null or (cast(:role as text) is not null and u.role <> :role))"
    " order by at desc, batch desc nulls last limit :most offset :after"
)
