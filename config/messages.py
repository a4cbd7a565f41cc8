"""Who sends text messages: one provider, and another for when it stays silent or cannot deliver."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from config.reading import Reading
from notifications.approved import KINDS
from notifications.channels import Account

SANDBOX_SMS = frozenset({"console", "sandbox"})
NEEDS: Mapping[str, tuple[str, ...]] = {  # provider → what must be given
    "http": ("URL", "KEY"),
    "sandbox": (),
    "aliyun": ("KEY_ID", "KEY", "SIGN", "TEMPLATES"),
    "tencent": ("KEY_ID", "KEY", "SIGN", "APP_ID", "TEMPLATES"),
}
ADDRESS = {"aliyun": "https://dysmsapi.aliyuncs.com", "tencent": "https://sms.tencentcloudapi.com"}
SHORTEST_KEY = {"aliyun": 30, "tencent": 32}  # letters, as their consoles make them; others as every secret here
SHAPES = {"aliyun": r"SMS_[0-9]+", "tencent": r"[0-9]+"}  # of a template's id
LONGEST = {"aliyun": 35, "tencent": 6, "http": 500}  # letters of a variable, where the console shows nothing else
PRICE = 45  # tenths of a fen for one part: what both list for a government's volume; unverified
IN_SANDBOX = {"KEY_ID": "sandbox-key-id", "SIGN": "示例税务", "APP_ID": "1400000000"}


def sms(read: Reading, sign: str) -> dict[str, Any]:
    """The accounts of both; what is wrong with them is said to `read`. `sign`: the district's mark before a text, where
    no provider has approved another."""
    return {"sms": _account(read, "SMS", sign), "sms_second": _account(read, "SMS_SECOND", sign)}


def _account(read: Reading, name: str, sign: str) -> Account | None:
    """None where nobody sends, or this machine's console says it."""
    default = "console" if read.sandbox and name == "SMS" else "none"
    provider = read.text(f"{name}_PROVIDER", default)
    if provider in SANDBOX_SMS and not read.sandbox:
        read.say(f"{name}_PROVIDER", "is one of the sandbox's: nobody would get a message")
        return None
    if provider in {"none", "console"}:
        return None
    if provider not in NEEDS:
        read.say(f"{name}_PROVIDER", f"names no provider there is; there are {', '.join(sorted(NEEDS))}")
        return None
    given = {part: _given(read, name, part) for part in ("KEY_ID", "SIGN", "APP_ID")}
    templates = _templates(read, f"{name}_TEMPLATES", provider)
    url, key = _address(read, f"{name}_URL", provider), read.text(f"{name}_KEY")
    for part, value in {**given, "URL": url, "TEMPLATES": templates}.items():
        if part in NEEDS[provider] and not value and not read.text(f"{name}_{part}"):
            read.say(f"{name}_{part}", "is missing")
    if provider != "sandbox":
        read.strong(f"{name}_KEY", key, least=SHORTEST_KEY.get(provider, 32))
    return Account(
        provider=provider,
        url=url,
        key=key,
        key_id=given["KEY_ID"],
        sign=given["SIGN"] if "SIGN" in NEEDS[provider] else sign,
        app_id=given["APP_ID"],
        region=read.text(f"{name}_REGION", "ap-guangzhou", shape=r"[a-z]+(-[a-z0-9]+)+"),
        templates=templates,
        longest=read.whole(f"{name}_LONGEST", LONGEST["aliyun" if read.sandbox else provider], 1, 500),
        price=read.whole(f"{name}_PRICE", PRICE, 0, 9999),
    )


def _given(read: Reading, name: str, part: str) -> str:
    return read.text(f"{name}_{part}", IN_SANDBOX[part] if read.sandbox else "")


def _address(read: Reading, variable: str, provider: str) -> str:
    sandbox = f"http://127.0.0.1:{read.environ.get('SANDBOX_PORT', '').strip() or 8100}"
    return read.address(variable, sandbox if read.sandbox else ADDRESS.get(provider, ""))


def _templates(read: Reading, variable: str, provider: str) -> Mapping[str, str]:
    """`paid:SMS_1,remind:SMS_2`, each kind once. In the sandbox every kind has one whose number is its place."""
    shape = SHAPES.get(provider)
    text = read.text(variable)
    if shape is None or (read.sandbox and not text):
        prefix = "SMS_" if provider == "aliyun" else ""
        return MappingProxyType({kind: f"{prefix}{9000 + n}" for n, kind in enumerate(KINDS, 1)} if shape else {})
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        kind, _, template = pair.partition(":")
        if kind not in KINDS:
            read.say(variable, f"names a kind of notice there is not; there are {', '.join(KINDS)}")
        elif kind in found:
            read.say(variable, f"names {kind} twice")
        elif not re.fullmatch(shape, template):
            read.say(variable, f"gives {kind} no template's id like {'SMS_123456' if provider == 'aliyun' else '123'}")
        else:
            found[kind] = template
    return MappingProxyType(found)
