"""What the database's functions refuse, by their SQLSTATE, as errors of ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError


@contextmanager
def as_errors(names: Mapping[str, type[Exception]]) -> Iterator[None]:
    """A refusal named in `names` is raised as that error, with the database's first line as its detail; any other stays
    what it is."""
    try:
        yield
    except DBAPIError as error:
        named = names.get(getattr(error.orig, "sqlstate", None) or "")
        if named is None:
            raise
        raise named(str(error.orig).splitlines()[0]) from error
