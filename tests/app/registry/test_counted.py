"""A file of many rows tells the planner how large the register has become, and is reckoned only where something may be
due."""

from typing import Any, cast

import psycopg
from sqlalchemy import text

from app.flows.due.replay import side_of
from app.flows.register.import_roster import Office, import_roster
from app.flows.register.what_it_does import NOBODY, standing
from app.policy.facts import Category, Insurance
from app.registry.bulk import some_people
from app.registry.register import COUNT_AFTER
from app.registry.sample import write_sample

ROWS = COUNT_AFTER + 400


def planned(parts, table):
    """How many rows the planner takes a table for."""
    with parts.engine.connect() as connection:
        return connection.execute(
            text("select reltuples from pg_class where oid = cast(:t as regclass)"), {"t": table}
        ).scalar_one()


def test_a_look_that_was_taken_back_leaves_no_empty_register_to_the_planner(parts, tmp_path):
    file = tmp_path / "register.csv"
    write_sample(file, ROWS)
    before = planned(parts, "bill")

    looked = import_roster(parts, file, good_rows=True, office=Office(settle=lambda _connection, _result: False))
    seen = planned(parts, "person")
    taken = import_roster(parts, file, good_rows=True)

    assert (looked.taken, taken.taken, taken.added) == (False, True, ROWS)
    assert seen > 0.8 * ROWS and planned(parts, "person") > 0.8 * ROWS and planned(parts, "enrolment") > 0.8 * ROWS
    assert planned(parts, "bill") == before, "of what no file writes nothing is said"


def test_whom_the_rules_are_not_asked_about_they_would_call_free_of_it(parts, tmp_path):
    file = tmp_path / "register.csv"
    write_sample(file, 300)
    import_roster(parts, file, good_rows=True)
    rules, groups = parts.levy.newest, frozenset(Category).union(parts.levy.newest.groups)

    with parts.engine.connect() as connection:
        ids = list(connection.execute(text("select id from person order by id")).scalars())
        found = standing(parts, connection, ids)
        raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        lines = {int(key): (pension, medical) for key, pension, medical in some_people(raw, ids, (rules.year,))}

    assert len(found) == len(lines) > 200
    for key, own in lines.items():
        for insurance, line, said in zip((Insurance.RES_PENSION, Insurance.RES_MEDICAL), own, found[key], strict=True):
            side = side_of(rules, groups, insurance, line, at=parts.clocks.now())
            assert said == (side.eligible, side.personal), line
    assert {pension for pension, _ in found.values()} == {NOBODY[0]}, "a bureau's file has its own insurance alone"
    assert any(medical[0] for _, medical in found.values() if medical), "the others are asked about"
