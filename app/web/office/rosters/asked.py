"""What stands in an address or a form of these pages, as a number."""

from flask import request


def whole(said: str) -> bool:
    """Is it a number that one of ours may have? Pure."""
    return said.isascii() and said.isdecimal() and len(said) <= 9


def number(name: str, default: int) -> int:
    """What the address asks for by this name; the default if that is no number, or none above 0."""
    said = request.args.get(name, "")
    return int(said) if whole(said) and int(said) > 0 else default
