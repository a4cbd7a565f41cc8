"""How often the fault tests go round, and where what became of each fault is written."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FaultTable = dict[tuple[str, str], str]


@pytest.fixture(scope="session")
def rounds(pytestconfig: pytest.Config) -> int:
    """`--rounds N`; by default once through every gate."""
    return int(pytestconfig.getoption("rounds"))


@pytest.fixture(scope="session")
def fault_table(pytestconfig: pytest.Config) -> Iterator[FaultTable]:
    """(fault, column) → what became of it; written as a table with `--fault-table FILE`, else nowhere."""
    found: FaultTable = {}
    yield found
    wanted = pytestconfig.getoption("fault_table")
    if wanted:
        Path(wanted).parent.mkdir(parents=True, exist_ok=True)
        Path(wanted).write_text(as_table(found), encoding="utf-8")


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that other users reach too: run by root, a server is another user, and pytest closes its own folders."""
    with tempfile.TemporaryDirectory(prefix="liangxian-servers-") as home:
        Path(home).chmod(0o755)
        yield Path(home)


def as_table(found: FaultTable) -> str:
    """Fault by fault, a column for each way to pay."""
    faults, columns = (list(dict.fromkeys(key[place] for key in found)) for place in (0, 1))
    lines = [["fault", *columns], ["---"] * (len(columns) + 1)]
    lines += [[fault, *(found.get((fault, column), "") for column in columns)] for fault in faults]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
