"""A file that an office hands in: kept sealed, piece by piece, in the name of whose session it is; given back whole, or
thrown away."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from sqlalchemy import Connection, Row, insert, select, text

from app.access.handed_in import Upload, UploadPiece
from app.access.sessions import Officer
from app.flows.parts import Parts
from core.errors import BadInput, Conflict, NotFound

PIECE = 96 * 1024  # bytes of a piece; no letter of base64 is left over
LONGEST_NAME, LONGEST_ENDING = 200, 8  # bytes: a disk takes 255, and more is put before it


class EmptyFile(BadInput):
    """Nothing was chosen, or a file without a byte."""

    text = "还没有选文件，或者选的文件是空的。请选好文件再上传。"


class NoSuchUpload(NotFound):
    """A number that no file of this office has."""

    text = "没有这份文件。"


class FileGone(Conflict):
    """Its bytes were thrown away, or their time is over."""

    text = "这份文件的内容已经不在了，只留着记录。要用请重新上传。"


class FileInUse(Conflict):
    """It is being worked on, or was thrown away before."""

    text = "这份文件正在办，或者已经作废了，现在不能作废。"


def keep(parts: Parts, officer: Officer, file: BinaryIO, *, name: str) -> int:
    """The file's number; read twice from its beginning, a piece at a time. EmptyFile."""
    digest, size = _measured(file)
    if not size:
        raise EmptyFile
    with parts.engine.begin() as connection:
        begun = text("select keep_upload(:session, :name, :digest, :size, :at)")
        wanted = {"session": officer.session, "name": _clean(name), "digest": digest, "size": size}
        number = int(connection.execute(begun, wanted | {"at": parts.clocks.wall()}).scalar_one())
        _write(parts, connection, number, file)
    return number


def keep_made(parts: Parts, connection: Connection, path: Path, *, name: str, of: Any) -> int:
    """A file that the office process wrote for who asked: `of` says whose it is (`by`, `role`), as the upload it
    comes from does. Its number."""
    with path.open("rb") as file:
        digest, size = _measured(file)
        row = {"name": _clean(name), "digest": digest, "size": size, "by": of.by, "role": of.role}
        made = insert(Upload).values(**row, at=parts.clocks.wall()).returning(Upload.id)
        number = int(connection.execute(made).scalar_one())
        _write(parts, connection, number, file)
    return number


def kept(parts: Parts, number: int, *, role: str | None = None) -> Row:
    """Its row: of this office, or (None) of whichever. NoSuchUpload."""
    with parts.reading() as connection:
        row = connection.execute(select(Upload.__table__).where(Upload.id == number)).one_or_none()
    if row is None or role not in (None, row.role):
        raise NoSuchUpload(str(number))
    return row


def pieces(parts: Parts, number: int) -> Iterator[bytes]:
    """Its bytes, a piece at a time. FileGone."""
    if kept(parts, number).gone_at is not None:
        raise FileGone(str(number))
    no = 0
    while True:
        with parts.reading() as connection:
            found = select(UploadPiece.bytes).where(UploadPiece.upload_id == number, UploadPiece.no == no)
            sealed = connection.execute(found).scalar_one_or_none()
        if sealed is None:
            return
        yield base64.b64decode(parts.vault.open(sealed, bound_to=f"upload.piece:{number}:{no}"))
        no += 1


@contextmanager
def as_file(parts: Parts, number: int) -> Iterator[Path]:
    """Where it lies on this machine's disk, under its own name, for the length of the block. FileGone."""
    row = kept(parts, number)
    with TemporaryDirectory(prefix="liangxian-") as folder:
        path = Path(folder) / row.name
        with path.open("wb") as out:
            for piece in pieces(parts, number):
                out.write(piece)
        yield path


def throw_away(parts: Parts, officer: Officer, number: int) -> None:
    """Its bytes go, its row stays. FileInUse."""
    thrown = text("select throw_upload_away(:session, :upload, :at)")
    with parts.engine.begin() as connection:
        wanted = {"session": officer.session, "upload": number, "at": parts.clocks.wall()}
        gone = connection.execute(thrown, wanted).scalar_one()
    if not gone:
        raise FileInUse(str(number))


def digest_of(file: BinaryIO) -> bytes:
    """SHA-256 of its bytes, read a piece at a time. EmptyFile."""
    digest, size = _measured(file)
    if not size:
        raise EmptyFile
    return digest


def _measured(file: BinaryIO) -> tuple[bytes, int]:
    digest, size = sha256(), 0
    file.seek(0)
    while piece := file.read(PIECE):
        digest.update(piece)
        size += len(piece)
    return digest.digest(), size


def _write(parts: Parts, connection: Connection, number: int, file: BinaryIO) -> None:
    file.seek(0)
    no = 0
    while piece := file.read(PIECE):
        sealed = parts.vault.seal(base64.b64encode(piece).decode(), bound_to=f"upload.piece:{number}:{no}")
        connection.execute(insert(UploadPiece).values(upload_id=number, no=no, bytes=sealed))
        no += 1


def _clean(name: str) -> str:
    """What a browser calls it, without a folder or a letter that no file name has; the ending stays."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept_letters = "".join(letter for letter in last if letter.isprintable()).strip(". ")
    stem, dot, ending = (kept_letters or "file").rpartition(".")
    short = _cut(ending, LONGEST_ENDING) if stem else ""
    return f"{_cut(stem or ending, LONGEST_NAME)}{dot if stem else ''}{short}"


def _cut(name: str, most: int) -> str:
    """Its first letters, of so many bytes together."""
    return name.encode()[:most].decode(errors="ignore")
