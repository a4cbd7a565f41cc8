"""A version says whether it expands or contracts, and does no more than that (docs/upgrading.md): what it emits is read
by a linter for PostgreSQL's locks, squawk."""

import json
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from core.version import VERSION, parts
from migrations.upgrade import Version, versions

RULED = "0048"  # the last version before the rule
OURS = {  # the upgrade says these itself, and our tables are written so
    "require-lock-timeout",
    "require-statement-timeout",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",  # a year
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-identity",
    "ban-drop-constraint",  # a check may be widened: see below
}
TAKES_AWAY = {"ban-drop-column", "ban-drop-table", "ban-drop-not-null", "renaming-column", "renaming-table"}


def emitted(version: Version) -> str:
    """The SQL of a version's own transaction."""
    said = StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said})
    with Operations.context(context):
        version.module.upgrade()
    return said.getvalue()


def wrong(sql: str, step: str, folder: Path) -> list[str]:
    """Each rule that is broken, by its name."""
    excluded = OURS | (TAKES_AWAY if step == "contract" else set())
    file = folder / "version.sql"
    file.write_text(sql)
    squawk = Path(sys.executable).with_name("squawk")
    options = ("--assume-in-transaction", "--pg-version", "15", "--reporter", "json", "--exclude", ",".join(excluded))
    read = subprocess.run([squawk, *options, file], capture_output=True, text=True, check=False)
    found = [each["rule_name"] for each in json.loads(read.stdout or "[]")]
    dropped = re.findall(r"drop constraint (?:if exists )?\"?(\w+)", sql, re.IGNORECASE)
    return found + [f"drops {name}" for name in dropped if step == "expand" and not name.startswith("ck__")]


def test_every_version_says_its_step_and_keeps_to_it(tmp_path: Path) -> None:
    ruled = [version for version in versions() if version.number > RULED]

    assert [version.number for version in ruled if version.step not in ("expand", "contract")] == []
    for version in ruled:
        assert wrong(emitted(version), version.step, tmp_path) == [], version.number
        assert bool(version.after) is (version.step == "contract"), version.number
        assert parts(version.after) < parts(VERSION), f"{version.number}: what needs it stopped a version before"


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("alter table bill drop column total;", "ban-drop-column"),
        ("alter table bill rename column total to amount;", "renaming-column"),
        ("alter table bill rename to bills;", "renaming-table"),
        ("drop table bill;", "ban-drop-table"),
        ("create index x on bill (total);", "require-concurrent-index-creation"),
        ("alter table bill add constraint ck__bill__x check (total > 1);", "constraint-missing-not-valid"),
        ("alter table bill add column x text not null;", "adding-required-field"),
        ("alter table bill alter column note set not null;", "adding-not-nullable-field"),
        ("alter table bill alter column total type numeric;", "changing-column-type"),
        ("alter table bill drop constraint pk__bill;", "drops pk__bill"),
    ],
)
def test_an_expanding_version_that_takes_away_or_holds_everybody_up_is_refused(
    sql: str, rule: str, tmp_path: Path
) -> None:
    assert rule in wrong(sql, "expand", tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "alter table bill add column x text not null default '';",
        "create table fresh (id bigint primary key, x text not null); create index x on fresh (x);",
        "alter table bill drop constraint ck__bill__x;"
        " alter table bill add constraint ck__bill__x check (total > 1) not valid;",
    ],
)
def test_what_adds_only_is_let_through(sql: str, tmp_path: Path) -> None:
    assert wrong(sql, "expand", tmp_path) == []


def test_a_contracting_version_may_take_away_and_still_holds_nobody_up(tmp_path: Path) -> None:
    assert wrong("alter table bill drop column total;", "contract", tmp_path) == []
    assert wrong("create index x on bill (total);", "contract", tmp_path) == ["require-concurrent-index-creation"]
