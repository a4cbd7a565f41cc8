"""An upgrade replaces functions one after the other, while the version before serves: none of those that it calls may
in between call what is not there yet."""

import re
import subprocess
from collections.abc import Mapping

import pytest

from bench.before import BEFORE, has_history
from config.settings import CHECKOUT
from migrations.functions import TRIGGER, units

MADE = re.compile(r"create or replace function (\w+)\s*\(", re.IGNORECASE)
RUNS = re.compile(r"execute function (\w+)", re.IGNORECASE)


def before() -> set[str]:
    """The functions of the version before."""
    found = ["git", "grep", "-h", "-i", "create or replace function", BEFORE, "--", "*.sql"]
    return set(MADE.findall(subprocess.run(found, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout))


def called(name: str, bodies: Mapping[str, str], wanted: set[str]) -> set[str]:
    """Those of the wanted that a function calls, itself or by what it calls of them."""
    found, waiting = set[str](), [name]
    while waiting:
        body = bodies[waiting.pop()]
        fresh = {each for each in wanted - found if re.search(rf"\b{each}\s*\(", body)}
        found |= fresh
        waiting += fresh
    return found - {name}


@pytest.mark.skipif(not has_history(), reason="a copy without its whole history: the version before cannot be had")
def test_what_serves_already_calls_nothing_that_a_later_unit_makes() -> None:
    known, made, bodies, served = before(), dict[str, int](), dict[str, str](), list[tuple[int, str]]()
    for at, unit in enumerate(re.sub(r"--.*", "", each) for each in units()):
        for name in MADE.findall(unit):
            made[name], bodies[name] = at, unit
            served += [(at, name)] if name in known else []
        if TRIGGER.search(unit):
            served += [(at, name) for name in RUNS.findall(unit)]
    fresh = set(made) - known

    assert len(fresh) > 100 and len(served) > 100, "what is read is what stands there"
    late = {(name, each) for at, name in served for each in called(name, bodies, fresh) if made[each] > at}
    assert late == set()
