"""A levy year begins or ends here: the register of the year before is set down first."""

from sqlalchemy import text

from app.flows.parts import Parts
from app.policy.year import load_year


def open_year(parts: Parts, year: int, *, by: str) -> bool:
    """From now on `year` is collected too; False if it is already. `parts` of the office; `by` is staff:<login> or
    operator:<name>. NoSuchYear, BadPolicyYear for a year without good rules."""
    load_year(year, parts.year_files)
    with parts.engine.begin() as connection:
        opened = connection.execute(text("select open_levy_year(:year, :by)"), {"year": year, "by": by}).scalar_one()
    parts.levy.look()
    return bool(opened)


def close_year(parts: Parts, year: int, *, by: str) -> bool:
    """From now on nothing can be paid for `year`; False if it is so already."""
    with parts.engine.begin() as connection:
        closed = connection.execute(text("select close_levy_year(:year, :by)"), {"year": year, "by": by}).scalar_one()
    parts.levy.look()
    return bool(closed)
