"""A few mistakes in every run of the tests, so that the tests never lose their teeth unseen."""

from pathlib import Path

import pytest

from tests.house.tree import words
from tests.mutants.catalogue import MUTANTS
from tests.mutants.trial import noticed_by

FEW = ("a late success is dropped", "an entry need not balance", "a no keeps what was reserved")


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.name in FEW], ids=lambda one: one.name)
def test_a_mistake_is_noticed(mutant) -> None:
    assert noticed_by(mutant)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_every_mistake_can_still_be_made(mutant) -> None:
    assert words(Path(mutant.file)).count(mutant.old) == 1


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len({one.name for one in MUTANTS}) == len(MUTANTS) >= 30
