"""docs/errors.md as the code has it: every no of the program with its code, status and sentence.

`python -m tests.house.errors_page` writes the page anew.
"""

import importlib

from core.errors import AppError
from tests.house.tree import ROOT, SHIPPED, shipped

PAGE = ROOT / "docs" / "errors.md"
HEAD = """# Error codes

Every no of the program is one of five kinds, by what the caller should do, with a code that never changes and one
sentence for the person in front of the screen. The API answers `{"code", "message", "request"}`, with `fields` when
named fields are wrong and `reason` when a rule said no; `request` finds the line in the log. `{…}` is filled in.
What the web framework itself refuses is `HTTP_<status>`. This page is written by `python -m tests.house.errors_page`
and compared with the code by a test.

"""


def errors() -> list[type[AppError]]:
    """Every AppError of the program, by code; whatever file it lives in is imported first."""
    for path in shipped():
        if path.name != "__main__.py" and path.parts[0] in {"app", "core", "notifications", "payments"}:
            importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
    found, waiting = [], [AppError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.split(".")[0] in SHIPPED:
            found.append(kind)
    return sorted(found, key=lambda kind: kind.code)


def page() -> str:
    """The whole page."""
    rows = "".join(f"| `{kind.code}` | {kind.status} | {kind.text} |\n" for kind in errors())
    return f"{HEAD}| code | HTTP status | sentence |\n|---|---|---|\n{rows}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
