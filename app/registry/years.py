"""Whose year a row of the register is. The register itself is the newest levy year's; what it said of a former one when
the next began stands beside, and is changed by that year's name only."""

from typing import NamedTuple


class Years(NamedTuple):
    """The levy years that somebody asks about: the newest that was ever opened, and former ones, the latest first."""

    newest: int
    former: tuple[int, ...] = ()

    @property
    def all(self) -> tuple[int, ...]:
        """Every one, the newest first."""
        return (self.newest, *self.former)
