"""Who may do what, by place: read the environment, commit, stand on the floor, bring in a migration."""

import ast
import re
import tomllib
from pathlib import Path

from tests.house.tree import ROOT, python, tree, within

ENVIRONMENT = {
    "config/settings.py": "reads it, once",
    "app/cli/worker.py": "the worker tells libpq its own name",
    "app/cli/office.py": "and so does the office process",
    "config/gunicorn.py": "each forked worker tells libpq its own name",
    "app/cli/stage.py": "hands its own environment on to the processes it starts",
    "app/cli/stack.py": "hands its own environment on to the processes it starts",
    "app/web/door/health.py": "the metrics library's own variable: is there a folder shared by several processes?",
}
COMMITS = {
    "app/flows": "a flow is what happens as a whole",
    "app/jobs.py": "the sweep of windows and sessions that ended",
    "app/cli": "commands of operators",
    "migrations": "the schema itself",
    "config/postgres.py": "makes roles and databases, before there is anything to be true",
    "payments/sandbox/shelf.py": "the outside world's own memory, not our database",
    "core/elected.py": "asks servers which of them is the one",
    "core/db.py": "tells a connection which places its user may see",
    "bench": "measures commits",
    "tests": "prepare and look",
}
FLOOR = {"alone", "clock", "db", "elected", "errors", "http", "money", "redact", "routing", "vault", "version"}
CONTRACTS = {
    "app stands on payments and notifications, they stand on core",
    "web and cli tell flows; flows know policy and registry",
    "the rules are pure",
    "gateways know no table and no book",
    "the book knows no bill and no gateway",
    "flask only at the web's edge",
    "the sandbox shares nothing with the book",
    "only the joining and the commands know what differs between machines",
}


def reads_environment(path: Path) -> bool:
    """os.environ, os.getenv and their like, however imported."""
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names and ast.unparse(node.value) == "os")
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and names & {one.name for one in node.names})
        for node in ast.walk(tree(path))
    )


def commits(path: Path) -> bool:
    """Opens or ends a transaction."""
    return any(
        (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"begin", "commit"})
        or (isinstance(node, ast.keyword) and node.arg in {"autocommit", "isolation_level"})
        for node in ast.walk(tree(path))
    )


def test_the_environment_is_read_in_config_only() -> None:
    readers = {str(path) for path in python() if path.parts[0] not in {"tests", "bench"} and reads_environment(path)}

    assert readers == set(ENVIRONMENT)


def test_only_the_named_places_commit() -> None:
    strangers = [path for path in python() if commits(path) and not within(path, tuple(COMMITS))]

    assert strangers == []


def test_the_floor_holds_these_files_and_no_other() -> None:
    assert {path.stem for path in python("core")} - {"__init__"} == FLOOR


def test_the_import_contracts_are_there() -> None:
    held = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]

    assert {contract["name"] for contract in held["contracts"]} >= CONTRACTS
    assert set(held["root_packages"]) >= {"core", "config", "app", "payments", "notifications"}
    assert not any(contract.get("ignore_imports") for contract in held["contracts"])
    assert "lint-imports" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_there_is_one_line_of_migrations_without_a_gap() -> None:
    versions = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    said = [
        dict(re.findall(r'^(revision|down_revision)\s*(?::[^=]+)?=\s*(?:"(\w+)"|None)', path.read_text(), re.MULTILINE))
        for path in versions
    ]

    numbers = [f"{place:04d}" for place in range(1, len(versions) + 1)]
    assert [path.name[:5] for path in versions] == [f"{number}_" for number in numbers]
    assert [one["revision"] for one in said] == numbers
    assert [one["down_revision"] for one in said] == ["", *numbers[:-1]]
