"""A file on its way to somebody, under a Chinese name (RFC 5987) that tells nothing about anybody (A79, A81)."""

from urllib.parse import quote

from flask import Response


def as_file(body: bytes, sort: str, name: str, *, shown: bool = False) -> Response:
    """To be kept, or to be shown. A browser too old for the name gets its letters of ASCII."""
    plain = "".join(letter for letter in name if letter.isascii()).strip("-") or "file"
    way = "inline" if shown else "attachment"
    said = f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(body, content_type=sort, headers={"Content-Disposition": said})
