"""Whether a database stands where this code can work with it: asked by every web process, which upgrades nothing."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from migrations import functions

_VERSIONS = Path(__file__).parent / "versions"


def serves(connection: Connection) -> bool:
    """True if the database stands at the version this code was written for or a later one, and has had its functions:
    those who run the code of before go on while it is upgraded. Whether the guards are exactly these: `guards`."""
    known = text(
        "select coalesce(max(version_num), '') >= :head and exists (select from deployed where name = :name)"
        " from alembic_version"
    )
    return bool(connection.execute(known, {"head": head(), "name": deployment()}).scalar_one())


@cache
def head() -> str:
    """The newest version of this code. Versions are numbers of one width, each later than the one before."""
    return max(path.name[:4] for path in _VERSIONS.glob("[0-9]*.py"))


def deployment() -> str:
    """The row of `deployed` that says that these functions were here."""
    return f"functions {functions.digest()[:32]}"
