"""docs/stories.md draws which story knows which, as the imports have it; every page of docs/ is in its index."""

import ast
import re
from pathlib import Path

from tests.house.tree import ROOT, files, python, tree, words

FLOWS = Path("app/flows")


def told_by_imports() -> dict[str, set[str]]:
    """Each story and those it imports from."""
    stories = {path.parent.name for path in python("app/flows") if path.parent.parent == FLOWS}
    known: dict[str, set[str]] = {story: set() for story in stories}
    for path in python("app/flows"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.flows"):
                named = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
                others = {name.split(".")[2] for name in named if name and name.count(".") > 1}
                known.get(path.parent.name, set()).update((others & stories) - {path.parent.name})
    return known


def _page(part: int) -> str:
    """What stands before the worker's table, or (2) behind its head."""
    return words(Path("docs/stories.md")).partition("| task | when | what |")[part]


def test_the_drawn_arrows_are_the_imports() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", _page(0), re.MULTILINE)

    assert {story: set(re.findall(r"\w+", knows)) for story, knows in rows} == told_by_imports()


def test_the_table_of_what_happens_by_itself_is_the_workers() -> None:
    table = _page(2)
    told = {
        name
        for row in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", table, re.MULTILINE)
        for name in re.findall(r"\w+", row)
    }

    assert told == set(re.findall(r'app\.task\(name="(\w+)"', words(Path("app/jobs.py"))))


def test_every_story_tells_its_files_and_no_other() -> None:
    for path in python("app/flows"):
        if path.name == "__init__.py" and path.parent != FLOWS:
            told = set(re.findall(r"`(\w+)`", ast.get_docstring(tree(path)) or ""))
            assert told == {one.stem for one in (ROOT / path.parent).glob("*.py")} - {"__init__"}, path


HALLS = {"payments/sandbox": "the world outside: a far side a folder, and what they share"}


def test_no_room_is_a_hall() -> None:
    """Fifteen files of its own at most, where what the system does, money and pages live."""
    rooms: dict[Path, int] = {}
    for path in python("app/flows", "app/web", "payments"):
        rooms[path.parent] = rooms.get(path.parent, 0) + (path.name != "__init__.py")

    assert {room: count for room, count in rooms.items() if count > 15 and str(room) not in HALLS} == {}


def test_every_page_of_docs_is_in_the_index() -> None:
    pages = {path.name for path in files() if path.parent == Path("docs") and path.name != "README.md"}
    index = words(Path("docs/README.md"))

    assert set(re.findall(r"\]\(([\w.-]+\.md)\)", index)) == pages


def test_what_the_callbacks_page_names_is_there() -> None:
    page = words(Path("docs/a-callback.md"))

    named = re.findall(r"`([\w/]+\.(?:py|sql)): (\w+)`", page)
    assert len(named) >= 8
    for place, name in named:
        assert re.search(rf"\b(?:def|class|function) {name}\b", words(Path(place))), f"{place} has no {name}"
