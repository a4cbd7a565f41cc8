"""A path of a web application, for ours and for the sandbox's."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_WRITERS: dict[object, Callable[..., tuple[str, str]]] = {}


class LateRule(Rule):
    """What writes the path's addresses is compiled when the first one is written, once in a process: the library does
    it for every path at the start, twice, which was half of what it took to make the application."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        """As werkzeug's; all that goes into it is the path's own text and defaults."""
        made_of = append_unknown, tuple(self._trace), repr(self.defaults)

        def write(rule: "LateRule", /, **values: Any) -> tuple[str, str]:
            if made_of not in _WRITERS:
                _WRITERS[made_of] = Rule._compile_builder(rule, append_unknown)
            return _WRITERS[made_of](rule, **values)

        return write
