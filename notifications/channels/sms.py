"""Short messages through a provider: what all of them share, the plain one, and which there are, a line each in
PROVIDERS. A provider's module, and the SDK with it, is read only where it is configured."""

import json
from collections.abc import Callable, Mapping
from copy import copy
from importlib import import_module
from typing import Self

from core.http import Door, OutsideSilent
from notifications.approved import TooLong, fitted
from notifications.channels import Account, Channel, ChannelSilent, NotReachable, RefusesUs, Words

Alert = Callable[..., None]


def unheard(what: str, **words: object) -> None:
    """Nobody is woken: for tests and commands."""


class Provider:
    """One account at a provider that sends approved templates."""

    address = "phone"

    def __init__(self, door: Door, account: Account, *, name: str = "sms", alert: Alert = unheard) -> None:
        """`name` tells two providers apart."""
        self.name = name
        self.account = account
        self._door = door
        self._alert = alert

    def quietly(self) -> Self:
        """The same account, asked by somebody who reads the answer himself: nobody is woken."""
        held = copy(self)
        held._alert = unheard
        return held

    def _prepared(self, words: Words) -> tuple[str, dict[str, str]]:
        """The template's id and its values, in their order. RefusesUs where there is none, or a value is too long."""
        if words.kind not in self.account.templates:
            raise self._refuses_us("no template", kind=words.kind)
        try:
            return self.account.templates[words.kind], fitted(words.kind, words.fields, most=self.account.longest)
        except TooLong as too_long:
            raise self._refuses_us(f"too long: {too_long}", kind=words.kind) from None

    def _refuses_us(self, code: str, **words: object) -> RefusesUs:
        """Somebody is woken: it ends like this for everybody until it is put right."""
        self._alert("texts_refuse_us", channel=self.name, provider=self.account.provider, code=code, **words)
        return RefusesUs(code)


class JsonSms(Provider):
    """A provider that takes {to, text, key} with its key in a header and answers {id}: an operator's own, which drops
    what comes again with the same key (docs/messages.md). The sandbox's is one. The sender's mark begins the text."""

    @property
    def _mark(self) -> str:
        return f"【{self.account.sign}】" if self.account.sign else ""

    def deliver(self, to: str, words: Words) -> str:
        """The provider's number. ChannelSilent; NotReachable if it will never take this phone."""
        body = json.dumps({"to": to, "text": f"{self._mark}{words.text}", "key": words.key}).encode()
        headers = {"Content-Type": "application/json", "X-Api-Key": self.account.key}
        try:
            answer = self._door.send("POST", f"{self.account.url}/sms/send", headers=headers, body=body)
        except OutsideSilent as silent:
            raise ChannelSilent(str(silent)) from silent
        if answer.status == 422:
            raise NotReachable("the provider refuses this phone")
        if answer.status != 200:
            raise ChannelSilent(f"status {answer.status}")
        try:
            return str(json.loads(answer.body)["id"])
        except (ValueError, KeyError, TypeError) as odd:
            raise ChannelSilent("an answer nobody understands") from odd


PROVIDERS: Mapping[str, str] = {
    "http": "notifications.channels.sms:JsonSms",
    "sandbox": "notifications.channels.sms:JsonSms",
    "aliyun": "notifications.channels.aliyun:Aliyun",
    "tencent": "notifications.channels.tencent:Tencent",
}


def connect(account: Account, door: Door, *, name: str, alert: Alert) -> Channel:
    """The channel of an account; its module is read now. KeyError for a provider that nobody wrote."""
    module, _, made = PROVIDERS[account.provider].partition(":")
    channel: Channel = getattr(import_module(module), made)(door, account, name=name, alert=alert)
    return channel
