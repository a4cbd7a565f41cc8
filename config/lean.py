"""How a process of ours begins: it reads no library that only a developer's machine has, and its collector is patient
with what is read at the start and stays."""

import gc
import sys

# structlog and mako read them where they are, for colours that nobody sees; no server has them (requirements.txt).
DEVELOPERS = ("rich", "pygments")


def begin_lean() -> None:
    """Said before anything else is read. `None` is the language's own word for a module that cannot be had."""
    for name in DEVELOPERS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    gc.set_threshold(50_000, 20, 100)
