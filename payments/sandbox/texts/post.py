"""What both providers do alike: templates handed in and approved, messages taken once each, carriers that answer late,
never or that they could not. Keyed by the sandbox's one key for text messages; identities are invented."""

import re
import time
from dataclasses import dataclass
from typing import Any

from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_digits
from payments.sandbox.world import World

KEY_ID, SIGN, APP_ID = "sandbox-key-id", "示例税务", "1400000000"
PHONE = re.compile(r"1[3-9][0-9]{9}")
LINK = re.compile(r"(?i)https?://|www\.|[a-z0-9]\.(?:com|cn|net)")
PLACES = {"aliyun": r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", "tencent": r"\{([0-9]+)\}"}
LONGEST = 35
NEVER = 10**12  # seconds since 1970


class NotApproved(ValueError):
    """A template that a provider's people would send back: why."""


@dataclass(frozen=True)
class Taken:
    """A message for one phone: its template, the values by place, and the sender's own key."""

    provider: str
    phone: str
    template: Document
    values: dict[str, str]
    key: str


def hand_in(here: World, provider: str, number: str, content: str, *, longest: int = LONGEST) -> None:
    """A template is looked at and approved. NotApproved."""
    places = re.findall(PLACES[provider], content)
    if re.search(r"[【】]", content):
        raise NotApproved("【】 is the signature's")
    if len(set(places)) < len(places) or re.search(f"{PLACES[provider]}{PLACES[provider]}", content):
        raise NotApproved("a place comes twice, or two stand side by side")
    if provider == "tencent" and places != [str(n) for n in range(1, len(places) + 1)]:
        raise NotApproved("places are numbered from 1")
    if not 1 <= len(content) <= 500 or not re.sub(PLACES[provider], "", content).strip():
        raise NotApproved("nothing but places, or too long")
    document = {"id": number, "content": content, "places": places, "longest": longest, "code": "验证码" in content}
    here.shelf.put("text_template", f"{provider}/{number}", document)


def template(here: World, provider: str, number: str) -> Document | None:
    """An approved one."""
    return here.shelf.get("text_template", f"{provider}/{number}")


def wrong_value(asked: Document, value: str) -> str:
    """Why a value is refused: length, link, digits; empty if it is not."""
    if asked["code"] and not re.fullmatch(r"[0-9]{4,6}", value):
        return "digits"
    if LINK.search(value):
        return "link"
    return "length" if not 1 <= len(value) <= asked["longest"] else ""


def take(here: World, taken: Taken) -> Document:
    """A message is on its way, and on the phone unless a fault says otherwise; what came before is not dropped."""
    text = re.sub(PLACES[taken.provider], lambda place: taken.values[place[1]], taken.template["content"])
    message = {
        "channel": "sms",
        "provider": taken.provider,
        "id": f"{random_digits(15)}^{random_digits(3)}" if taken.provider == "aliyun" else f"2645:{random_digits(15)}",
        "to": taken.phone,
        "text": f"【{SIGN}】{text}",
        "key": taken.key,
        "template_id": taken.template["id"],
        "delivered_at": here.clock.now().isoformat(),
    }
    receipt = {"state": "delivered", "why": "", "sent_at": int(time.time()), "told_from": time.time()}
    if failed := here.faults.take("text_fails", taken.phone, on="sms", gateway=taken.provider):
        receipt |= {"state": "failed", "why": failed.get("code", "MOBILE_NOT_ON_SERVICE")}
    if late := here.faults.take("receipt_late", taken.phone, on="sms", gateway=taken.provider):
        receipt["told_from"] = time.time() + late["seconds"]
    if here.faults.take("receipt_never", taken.phone, on="sms", gateway=taken.provider):
        receipt["told_from"] = NEVER
    kept = message | receipt
    here.shelf.put("text", message["id"], kept)
    if receipt["state"] == "delivered":
        here.shelf.put("message", f"{taken.provider}/{message['id']}", message)
    return kept


def sent_to(here: World, provider: str, phone: str) -> list[Document]:
    """What this provider took for a phone, in the order it came."""
    return [each for each in here.shelf.all("text") if (each["provider"], each["to"]) == (provider, phone)]


def is_told(message: Document) -> bool:
    """Has the carrier answered by now?"""
    return bool(message["told_from"] <= time.time())


def on_the_way(here: World, phone: str, provider: str) -> dict[str, Any] | None:
    """The first fault that spoils a whole answer of this provider."""
    for kind in ("silent", "html", "truncated"):
        if fault := here.faults.take(kind, phone, on="sms", gateway=provider):
            return fault
    return None
