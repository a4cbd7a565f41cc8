"""A few mistakes in every run of the tests, so that the tests never lose their teeth unseen."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import words
from tests.mutants import chance
from tests.mutants.catalogue import MUTANTS, NO_MISTAKES
from tests.mutants.chance import mistakes
from tests.mutants.trial import noticed_by, unread

FEW = ("a late success is dropped", "an entry need not balance", "a no keeps what was reserved")


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.name in FEW], ids=lambda one: one.name)
def test_a_mistake_is_noticed(mutant) -> None:
    assert noticed_by(mutant)


def test_without_a_mistake_every_test_can_be_read() -> None:
    """One that could not, for want of a setting, noticed every mistake that came to it."""
    assert unread() == ""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_every_mistake_can_still_be_made(mutant) -> None:
    assert words(Path(mutant.file)).count(mutant.old) == 1


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len({one.name for one in MUTANTS}) == len(MUTANTS) >= 30


def test_chance_makes_the_same_mistakes_again_and_each_can_be_made() -> None:
    every = mistakes(100_000, 1)

    assert [one.name for one in mistakes(60, 1)] == [one.name for one in mistakes(60, 1)]
    assert [one.name for one in mistakes(60, 1)] != [one.name for one in mistakes(60, 2)]
    assert len(every) > 2000
    for one in every:
        written = words(Path(one.file))
        assert written.count(one.old) == 1 and one.old != one.new
        if one.file.endswith(".py"):
            ast.parse(written.replace(one.old, one.new))


def test_a_seeds_mistakes_stay_when_code_around_them_changes(monkeypatch) -> None:
    before = {(one.file, one.name.partition(" ")[2]) for one in mistakes(60, 1)}
    changed = "payments/states.py"
    monkeypatch.setattr(
        chance, "words", lambda path: f"TOLD = 1 < 2\n\n{words(path)}" if str(path) == changed else words(path)
    )

    after = {(one.file, one.name.partition(" ")[2]) for one in mistakes(60, 1)}

    assert len(before - after) <= 1


def test_what_is_named_no_mistake_still_stands() -> None:
    for file, line, _ in NO_MISTAKES:
        assert line in words(Path(file)), f"{file} says no more: {line}"
