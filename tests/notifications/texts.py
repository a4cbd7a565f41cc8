"""Both providers of text messages, with their accounts in the sandbox, and templates that were approved there."""

from dataclasses import replace

from notifications.approved import KINDS, PLACES, to_approve
from notifications.channels import Account
from notifications.channels.aliyun import Aliyun
from notifications.channels.sms import Alert, Provider, unheard
from notifications.channels.tencent import Tencent
from tests.notifications.conftest import a_door
from tests.outside import Outside

MAKERS = {"aliyun": Aliyun, "tencent": Tencent}


def an_account(far: Outside, provider: str, **changed: object) -> Account:
    prefix = "SMS_" if provider == "aliyun" else ""
    templates = {kind: f"{prefix}{9000 + number}" for number, kind in enumerate(KINDS, 1)}
    account = Account(
        provider, far.url, far.keys.sms_key, "sandbox-key-id", "示例税务", "1400000000", "ap-guangzhou", templates, 35
    )
    return replace(account, **changed)


def approve(far: Outside, provider: str, **changed: object) -> None:
    """Every kind's text is handed in, as an operator does it in the console."""
    account = an_account(far, provider)
    texts = {account.templates[kind]: to_approve(kind, PLACES[provider]) for kind in KINDS}
    said = far.raw_post("/texts/templates", {"provider": provider, "templates": texts} | changed)
    assert said.status == 200, said.body


def connected(far: Outside, provider: str, *, alert: Alert = unheard, name: str = "sms", **changed: object) -> Provider:
    return MAKERS[provider](a_door(far.url), an_account(far, provider, **changed), name=name, alert=alert)


def on_phone(far: Outside, phone: str) -> list[dict]:
    """The text messages that are on a phone."""
    return [one for one in far.get("/messages?channel=sms")["messages"] if one["to"] == phone]
