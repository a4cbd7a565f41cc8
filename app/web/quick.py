"""What the framework does anew for every request and need not here: odd, hence in one place, a tenth of a look-up's
time (docs/performance.md)."""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import orjson
from apiflask import APIFlask
from flask import Flask, has_request_context, request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface

from core.routing import LateRule


class Json(DefaultJSONProvider):
    """What comes is read, and a body nested a hundred thousand deep is no JSON (A84); what goes is told in order."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """ValueError."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deep") from None

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """As Flask's."""
        try:
            said = orjson.dumps(self._prepare_response_obj(args, kwargs), option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:  # half a character, say: Flask's writes it as it came
            return super().response(*args, **kwargs)
        return self._app.response_class(said, mimetype=self.mimetype)


class _Sessions(SecureCookieSessionInterface):
    """Flask makes the signer of its cookie at each request, whether there is one or not."""

    @lru_cache(maxsize=4)  # noqa: B019 as long as the process
    def get_signing_serializer(self, app: Flask) -> Any:
        """As Flask's."""
        return super().get_signing_serializer(app)


_LONGEST = 200  # letters of a value that is worth keeping


def _is_plain(name: str, value: object) -> bool:
    return not name.startswith("_") and (not isinstance(value, str) or len(value) <= _LONGEST)


class Web(APIFlask):
    """The application. None of its views is a coroutine."""

    session_interface = _Sessions()
    url_rule_class = LateRule

    def url_for(self, /, endpoint: str, **values: Any) -> str:
        """As Flask's. An address within a page is the same whenever it is asked for: the router makes it once."""
        if not has_request_context() or endpoint.startswith(".") or not all(map(_is_plain, values, values.values())):
            return super().url_for(endpoint, **values)
        try:
            return self._known(request.script_root, endpoint, *values, *values.values())
        except TypeError:  # a list among them
            return super().url_for(endpoint, **values)

    @cached_property
    def _known(self) -> Callable[..., str]:  # its own, so that it goes when the application goes
        return lru_cache(maxsize=4096, typed=True)(self._address)

    def _address(self, _root: str, endpoint: str, *said: Any) -> str:
        names, values = said[: len(said) // 2], said[len(said) // 2 :]
        return super().url_for(endpoint, **dict(zip(names, values, strict=True)))

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: Flask looks at every function of every request."""
        return func
