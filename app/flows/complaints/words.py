"""What may be said to a payer: approved sentences from `answers.toml`, and words of a clerk's own that hold nothing
personal. Pure."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from core.errors import BadInput
from core.redact import scrub
from payments.gateways.complaining import LONGEST_ANSWER

PLACES = frozenset({"help_phone", "year", "issuer"})  # of the district, never of a person
_WIDE = str.maketrans("０１２３４５６７８９．：／", "0123456789.:/")
_FORBIDDEN: Mapping[str, re.Pattern[str]] = {
    "银行卡号或其他长号码": re.compile(r"(?<!\d)\d(?:[ \-]?\d){11,}(?!\d)"),
    "电话": re.compile(r"(?<!\d)(?:0\d{2,3}[\- ]?\d{7,8}|1[3-9]\d{9}|400[\- ]?\d{3}[\- ]?\d{4})(?!\d)"),
    "网址": re.compile(r"://|www\.|\b[a-z0-9\-]+\.(?:com|cn|net|org|gov|top|cc|vip|info|xyz)\b", re.IGNORECASE),
    "邮箱": re.compile(r"\S@\S"),
}


class BadAnswer(BadInput):
    """Words that may not go out, or none; the sentence names what is wrong."""

    text = "回复没有写下：{what}。"


def approved() -> Mapping[str, str]:
    """Each sentence by its key, with its places."""
    return _APPROVED


def compose(key: str, own: str, *, names: Sequence[str], places: Mapping[str, str]) -> str:
    """An approved sentence with its places filled, then the clerk's own. `names` of people whom it may not name.
    BadAnswer."""
    if key and key not in _APPROVED:
        raise BadAnswer(what="没有这句规范用语")
    said = " ".join(own.split())
    if what := _personal(said, names):
        raise BadAnswer(what=f"不能写{what}")
    words = (_APPROVED[key].format_map(places) if key else "") + said
    if not words:
        raise BadAnswer(what="请选一句规范用语，或者自己写")
    if len(words) > LONGEST_ANSWER:
        raise BadAnswer(what=f"最多{LONGEST_ANSWER}个字，现在{len(words)}个")
    return words


def digest(words: str) -> str:
    """By which a sentence is known again in a conversation, blanks apart."""
    return sha256("".join(words.split()).encode()).hexdigest()[:16]


def _personal(said: str, names: Sequence[str]) -> str:
    """What stands in it that must not; empty if nothing."""
    if scrub(said) != said:
        return "证件号和手机号"
    plain = said.translate(_WIDE)
    found = [what for what, pattern in _FORBIDDEN.items() if pattern.search(plain)]
    if found:
        return found[0]
    return "缴费人的姓名" if any(name in said for name in names if len(name) > 1) else ""


def _read() -> Mapping[str, str]:
    held = tomllib.loads((Path(__file__).parent / "answers.toml").read_text(encoding="utf-8"))
    said = {each["key"]: each["words"] for each in held["answer"]}
    for key, words in said.items():
        assert set(re.findall(r"{(\w+)}", words)) <= PLACES, key
        assert not _personal(words, ()) and len(words) <= LONGEST_ANSWER, key
    return MappingProxyType(said)


_APPROVED = _read()
