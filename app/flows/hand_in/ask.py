"""Long work that an office asks for at a page, in the name of whose session it is; and how far it is."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.exc import DBAPIError

from app.access.handed_in import OfficeJob, Upload
from app.access.sessions import Officer
from app.flows.hand_in.keep import FileGone
from app.flows.parts import Parts
from core.errors import NotFound


class NoSuchJob(NotFound):
    """A number that no work of this office has."""

    text = "没有这一项。"


def ask(
    parts: Parts, officer: Officer, kind: str, *, upload: int | None = None, about: Mapping[str, Any] | None = None
) -> int:
    """Its number; the same again while it is not over is the same work. FileGone: the file is not there any more. Whose
    role may not is refused by the database (LX080), as a page never asks."""
    asked = text("select ask_office(:session, :kind, :upload, cast(:about as jsonb), :at)")
    wanted = {"session": officer.session, "kind": kind, "upload": upload, "about": json.dumps(dict(about or {}))}
    try:
        with parts.engine.begin() as connection:
            return int(connection.execute(asked, wanted | {"at": parts.clocks.wall()}).scalar_one())
    except DBAPIError as error:
        if upload is not None and "no such file" in str(error.orig):
            raise FileGone(str(upload)) from error
        raise


def asked(parts: Parts, number: int, *, kinds: tuple[str, ...], role: str | None = None) -> Row:
    """The work as it stands, with its file's name, digest, size, role and gone_at: of these kinds, of this office or
    (None) of whichever. NoSuchJob."""
    file = Upload.__table__.c
    of_file = (file.name, file.digest, file.size, file.role, file.gone_at, file.gone_by)
    joined = OfficeJob.__table__.outerjoin(Upload.__table__, OfficeJob.upload_id == Upload.id)
    found = select(OfficeJob.__table__, *of_file).select_from(joined).where(OfficeJob.id == number)
    with parts.reading() as connection:
        row = connection.execute(found).one_or_none()
    if row is None or row.kind not in kinds or role not in (None, row.role):
        raise NoSuchJob(str(number))
    return row
