"""Files that are looked at before they count: the same file while it waits, its look, the attempt that took it in, what
is thrown away, and the list of all of them beside every batch that was ever taken in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import Row, text

from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.hand_in.ask import ask, asked
from app.flows.hand_in.keep import digest_of, keep, throw_away
from app.flows.parts import Parts

PAGE = 20


@dataclass(frozen=True)
class Files:
    """One kind of file: the kinds of work that look at it and take it in; `police`: whose batches stand beside."""

    look: str
    take: str
    police: bool

    def hand_in(
        self, parts: Parts, officer: Officer, file: BinaryIO, *, name: str, about: Mapping[str, Any] | None = None
    ) -> int:
        """The number of its look. The same bytes, meant the same (`about`), are the same file while they wait here.
        EmptyFile."""
        meant = dict(about or {})
        wanted = {"digest": digest_of(file), "role": officer.role, "code": meant.get("code", "")}
        with parts.reading() as connection:
            waiting = connection.execute(_WAITING, wanted | self._kinds).scalar_one_or_none()
        return waiting or ask(parts, officer, self.look, upload=keep(parts, officer, file, name=name), about=meant)

    def look_of(self, parts: Parts, officer: Officer, number: int) -> Row:
        """A look of this office; an auditor's is everybody's. NoSuchJob."""
        return asked(parts, number, kinds=(self.look,), role=_own(officer))

    def taking_of(self, parts: Parts, look: Row) -> Row | None:
        """The attempt that took its file in, else the latest."""
        with parts.reading() as connection:
            found = connection.execute(_TAKING, {"upload": look.upload_id, "take": self.take}).scalar_one_or_none()
        return asked(parts, found, kinds=(self.take,)) if found else None

    def throw(self, parts: Parts, officer: Officer, number: int) -> None:
        """The file's bytes go, and those of what was refused. NoSuchJob, FileInUse."""
        look = self.look_of(parts, officer, number)
        throw_away(parts, officer, look.upload_id)
        if look.outcome and look.outcome.get("sheet"):
            throw_away(parts, officer, look.outcome["sheet"])

    def listed(self, parts: Parts, officer: Officer, *, page: int) -> tuple[Sequence[Row], bool]:
        """The latest first: what was handed in here by one's own office, and every other batch; is there another
        page?"""
        values = {"role": _own(officer), "most": PAGE + 1, "after": (page - 1) * PAGE, "police": self.police}
        with parts.reading() as connection:
            rows = connection.execute(_LISTED, values | self._kinds).all()
        return rows[:PAGE], len(rows) > PAGE

    @property
    def _kinds(self) -> dict[str, str]:
        return {"look": self.look, "take": self.take}


def untaken(look: Row, taking: Row | None) -> bool:
    """Was it looked at to its end, is it here, and was it not taken in yet? Pure."""
    over = taking is not None and taking.state not in ("failed", "waiting")
    return look.state == "done" and look.gone_at is None and not over


def _own(officer: Officer) -> str | None:
    return str(officer.role) if officer.role in (Role.HRSS, Role.MEDICAL) else None


_WAITING = text(
    "select j.id from upload u join office_job j on j.upload_id = u.id and j.kind = :look"
    " where u.digest = :digest and u.role = :role and u.gone_at is null and j.state in ('waiting', 'doing', 'done')"
    " and coalesce(j.about->>'code', '') = :code"
    " and not exists (select from office_job t where t.upload_id = u.id and t.kind = :take and t.state = 'done')"
    " order by j.id desc limit 1"
)
_TAKING = text(
    "select id from office_job where upload_id = :upload and kind = :take"
    " order by coalesce((outcome->>'taken')::boolean, false) desc, id desc limit 1"
)
_LISTED = text(
    "with taking as (select distinct on (upload_id) * from office_job where kind = :take"
    "                order by upload_id, coalesce((outcome->>'taken')::boolean, false) desc, id desc)"
    " select j.id as look, u.name, j.by, j.at, u.role, u.gone_at, u.gone_by, j.state, t.state as taking,"
    "        t.outcome as taken, j.outcome as looked, null::bigint as batch, null::int as added,"
    "        null::int as changed, null::int as same, null::int as refused"
    "   from office_job j join upload u on u.id = j.upload_id left join taking t on t.upload_id = u.id"
    "  where j.kind = :look and (cast(:role as text) is null or u.role = :role)"
    " union all"
    " select null, b.file_name, coalesce(t.by, ''), b.imported_at, u.role, null, null, 'done', null, null, null, b.id,"
    "        b.added, b.changed, b.same, b.refused"
    "   from import_batch b left join taking t on (t.outcome->>'batch')::bigint = b.id"
    "   left join upload u on u.id = t.upload_id"
    "  where (b.kind = 'police') = :police and (u.id is null or (cast(:role as text) is not null and u.role <> :role))"
    " order by at desc, batch desc nulls last limit :most offset :after"
)
