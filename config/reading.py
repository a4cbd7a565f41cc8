"""Reading variables one by one: each reader returns a usable value and notes what is wrong, never showing a value."""

import base64
import binascii
import codecs
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from config.weak import SHORTEST, guessable, weakness

OURSELVES = re.compile(r"(?i)(^|//|@)(localhost|[^/@:]*\.localhost|127\.|0\.0\.0\.0|\[::1?\])")
GATEWAY = re.compile(r"GATEWAY_([A-Z0-9]+)_([A-Z0-9_]+)")
SANDBOX_SIGNER = re.compile(r"\d{8}:SIGN")  # UnionPay's test certificates
FAR = {  # where the sandbox's gateways answer, below its own address
    "wechat": {"base_url": ""},
    "alipay": {"base_url": ""},
    "unionpay": {"base_url": "/unionpay", "file_url": "/unionpay/file"},
}


def names(variables: Iterable[str]) -> frozenset[str]:
    """Each by its own name: `SMS_SECOND_<PROVIDER,URL,KEY>` stands for three."""
    spelled = [re.fullmatch(r"(\w+?)(?:<([A-Z_,]+)>)?", variable) for variable in variables]
    return frozenset(found[1] + end for found in spelled if found for end in (found[2] or "").split(","))


class _Marked(Exception):
    """A file whose first bytes are no part of what it says."""


class Reading:
    """An environment being read. `sandbox` relaxes what guards real money and real people."""

    def __init__(self, environ: Mapping[str, str], *, known: Collection[str], home: Path) -> None:
        """`known` names may be given as NAME_FILE, a path that starts at `home`; so may every gateway's."""
        self.problems: list[str] = []
        self.environ = self._with_files(environ, known, home)
        self.sandbox = self.environ.get("LIANGXIAN_MODE", "").strip() == "sandbox"

    def say(self, variable: str, problem: str) -> None:
        self.problems.append(f"{variable} {problem}")

    def text(self, variable: str, default: str = "", *, shape: str = "") -> str:
        value = self.environ.get(variable, "").strip() or default
        if shape and not re.fullmatch(shape, value):
            self.say(variable, f"does not have the shape {shape}")
        return value

    def whole(self, variable: str, default: int, least: int, most: int) -> int:
        value = self.text(variable, str(default))
        if re.fullmatch(r"[0-9]{1,6}", value) and least <= int(value) <= most:
            return int(value)
        self.say(variable, f"is not a whole number from {least} to {most}")
        return default

    def sandbox_moment(self, variable: str) -> datetime | None:
        """A moment with its offset, for the sandbox alone."""
        if not (text := self.text(variable)):
            return None
        if not self.sandbox:
            self.say(variable, "is for the sandbox: production runs on the true time")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.say(variable, "is not a moment like 2021-11-05T09:00:00+08:00")
        return moment

    def address(self, variable: str, default: str = "") -> str:
        """A URL without its last slash; outside the sandbox https, and not this machine."""
        url = self.text(variable, default).rstrip("/")
        if url and not (re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/\S*)?", url) and _has_host(url)):
            self.say(variable, "is not an address like https://host")
        elif url:
            self.foreign(variable, url)
        return url

    def foreign(self, variable: str, value: str) -> None:
        """Outside the sandbox whatever is an address is https and somebody else's."""
        if self.sandbox:
            return
        if OURSELVES.search(value):
            self.say(variable, "points at this machine, where only the sandbox answers")
        elif value.lower().startswith("http://"):
            self.say(variable, "is not https")

    def database_url(self, variable: str) -> str | None:
        """As libpq writes it; a driver's name inside the scheme is left out."""
        url = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql://", self.text(variable))
        if not url and not self.sandbox:
            self.say(variable, "is missing")
        if url and not url.startswith("postgresql://"):
            self.say(variable, "is not an address like postgresql://user@host/database")
        return url or None

    def strong(self, variable: str, value: str | bytes, *, least: int = SHORTEST) -> None:
        """Key material: in the sandbox long enough, outside it also no weak one. `least` bytes: as others make it."""
        problem = weakness(value, least=least)
        if problem and (not self.sandbox or not value or len(value) < least):
            self.say(variable, problem)

    def key(self, variable: str, text: str, *, exactly: int | None = None) -> bytes:
        """Key material in base64, `exactly` so many bytes or 32 at least; it and the text itself must be strong."""
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            self.say(variable, "is not base64")
            return b""
        if exactly and text and len(raw) != exactly:
            self.say(variable, f"does not hold exactly {exactly} bytes")
        elif not self.sandbox and len(raw) >= SHORTEST and guessable(text):
            self.say(variable, guessable(text))
        else:
            self.strong(variable, raw, least=exactly or SHORTEST)
        return raw

    def gateways(self) -> dict[str, dict[str, str]]:
        """GATEWAY_WECHAT_MCHID=… becomes {"wechat": {"mchid": …}}; in the sandbox with its addresses, which follow
        SANDBOX_PORT unless a line names another place."""
        found: dict[str, dict[str, str]] = {}
        for variable, given in sorted(self.environ.items()):
            if match := GATEWAY.fullmatch(variable):
                value = given.strip()
                found.setdefault(match[1].lower(), {})[match[2].lower()] = value
                self.foreign(variable, value)
                self._credential(variable, value)
        if self.sandbox:
            base = f"http://127.0.0.1:{self.whole('SANDBOX_PORT', 8100, 1, 65535)}"
            for name in found.keys() & FAR.keys():
                found[name] = {key: base + path for key, path in FAR[name].items()} | found[name]
        return found

    def _credential(self, variable: str, value: str) -> None:
        if not value:
            self.say(variable, "is empty")
        if self.sandbox or not value:
            return
        if SANDBOX_SIGNER.search(value):
            self.say(variable, "names the signer of a test environment: anybody could sign for the gateway")
        if variable.endswith(("KEY", "SECRET")) and "PUBLIC" not in variable:
            self.strong(variable, value)
        elif variable.endswith("KEYS") and "PUBLIC" not in variable:
            for each in value.split(","):
                self.strong(variable, each.strip())
        elif variable.endswith("PASSWORD") and guessable(value):
            self.say(variable, guessable(value))

    @staticmethod
    def _text_of(name: str, content: bytes) -> str:
        """A file's text; a PKCS#12 keeps its bytes, in base64. UnicodeDecodeError."""
        if name.endswith("_PFX") and content[:1] == b"\x30":  # DER, not its base64
            return base64.b64encode(content).decode()
        if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise _Marked
        return content.decode("utf-8").strip()

    def _with_files(self, environ: Mapping[str, str], known: Collection[str], home: Path) -> dict[str, str]:
        values = dict(environ)
        for variable, path in environ.items():
            name = variable.removesuffix("_FILE")
            if name == variable or not (name in known or GATEWAY.fullmatch(name)):
                continue
            del values[variable]
            if environ.get(name):
                self.say(variable, f"and {name} are both given")
                continue
            try:
                values[name] = self._text_of(name, (home / path).read_bytes())
            except _Marked:
                self.say(variable, "names a file that begins with a byte-order mark: save it as UTF-8 without one")
            except UnicodeDecodeError:
                self.say(variable, "names a file that is not text; keys are given in PEM")
            except OSError:
                self.say(variable, "names a file that cannot be read")
        return values


def _has_host(url: str) -> bool:
    """Brackets that close, a port that is a number."""
    try:
        split = urlsplit(url)
        return bool(split.hostname) and split.port != 0
    except ValueError:
        return False
