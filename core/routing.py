"""A path of a web application, for ours and for the sandbox's."""

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.routing import Rule
from werkzeug.routing.rules import RulePart

_WRITERS: dict[object, Callable[..., tuple[str, str]]] = {}
_READ: dict[object, tuple[list[RulePart], list[tuple[bool, str]], dict[str, Any]]] = {}


class LateRule(Rule):
    """What writes the path's addresses is compiled when the first one is written, once in a process: the library does
    it for every path at the start, twice, which was half of what it took to make the application. A path is read once
    in a process, too: the tests make the application some thousand times."""

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        """As werkzeug's; all that goes into it is the text, and what its variables are called."""
        assert self.map is not None
        text = rule, tuple(self.map.converters.values())
        if text not in _READ:
            before, known = len(self._trace), set(self._converters)
            parts = list(super()._parse_rule(rule))
            converters = {name: made for name, made in self._converters.items() if name not in known}
            _READ[text] = parts, self._trace[before:], converters
        else:
            parts, trace, converters = _READ[text]
            self._trace += trace
            self._converters |= converters
            self.arguments |= set(converters)
        return parts

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        """As werkzeug's; all that goes into it is the path's own text and defaults."""
        made_of = append_unknown, tuple(self._trace), repr(self.defaults)

        def write(rule: "LateRule", /, **values: Any) -> tuple[str, str]:
            if made_of not in _WRITERS:
                _WRITERS[made_of] = Rule._compile_builder(rule, append_unknown)
            return _WRITERS[made_of](rule, **values)

        return write
