"""What is said at the door while every thread of a process is taken: in the moment in which somebody comes, without a
thread, the framework, or a word of what he asked but its first line. Who must always be heard waits for a thread."""

import json
from http import HTTPStatus

from flask import Flask
from werkzeug.routing import Rule

from app.observe import REQUESTS
from app.web.door.load import RETRY_S, Crowded, CrowdedLook, Urgency, urgency_of

DOOR = "full"  # as a route's name, in the figures
MACHINES = "/api/"
_PAGE = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>现在人太多</title></head>'
    "<body><h1>现在人太多</h1><p>{}</p></body></html>"
)


class Full:
    """Knows which requests wait for a thread all the same, by the beginnings of their paths."""

    def __init__(self, heard: frozenset[str]) -> None:
        self._heard = tuple(sorted(heard))

    def answer(self, head: bytes) -> bytes | None:
        """The whole answer to a request that begins with these bytes, after which the connection ends. None if it is
        to wait: it must be heard, or this is the beginning of no request, which is for the parser to say."""
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path, _, version = rest.rpartition(" ")
        if not version.startswith("HTTP/1.") or not path.startswith("/") or path.startswith(self._heard):
            return None
        REQUESTS.labels(DOOR, HTTPStatus.SERVICE_UNAVAILABLE.value).inc()
        said = CrowdedLook() if method in ("GET", "HEAD") else Crowded()
        if path.startswith(MACHINES):
            words = json.dumps({"code": said.code, "message": said.sentence(), "request": ""}, ensure_ascii=False)
            return _said("application/json", words, bare=method == "HEAD")
        return _said("text/html; charset=utf-8", _PAGE.format(said.sentence()), bare=method == "HEAD")


def _said(kind: str, words: str, *, bare: bool) -> bytes:
    body = words.encode()
    lines = (
        "HTTP/1.1 503 Service Unavailable",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        f"Retry-After: {RETRY_S}",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + (b"" if bare else body)


def register(app: Flask) -> None:
    """After every route is known; the server's workers ask for it (config/listening.py)."""
    app.extensions[DOOR] = Full(
        frozenset(
            _beginning(rule)
            for rule in app.url_map.iter_rules()
            if any(urgency_of(rule.endpoint, method) is Urgency.ALWAYS for method in rule.methods or ())
        )
    )


def _beginning(rule: Rule) -> str:
    """A rule's text as far as it names no value."""
    return rule.rule.partition("<")[0]
