"""Short messages through a provider: the interface, and the providers there are, one line each in PROVIDERS."""

import json
from collections.abc import Callable, Mapping

from core.http import Door, OutsideSilent
from notifications.channels import Channel, ChannelSilent, NotReachable, Words


class JsonSms:
    """A provider that takes {to, text, key} with its key in a header and answers {id}: the sandbox's."""

    address = "phone"

    def __init__(self, door: Door, url: str, key: str, *, name: str = "sms") -> None:
        """`url` is the provider's base address; `name` tells two providers apart."""
        self.name = name
        self._door = door
        self._url = f"{url.rstrip('/')}/sms/send"
        self._headers = {"Content-Type": "application/json", "X-Api-Key": key}

    def deliver(self, to: str, words: Words) -> str:
        """The provider's number. ChannelSilent; NotReachable if it will never take this phone."""
        body = json.dumps({"to": to, "text": words.text, "key": words.key}).encode()
        try:
            answer = self._door.send("POST", self._url, headers=self._headers, body=body)
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


PROVIDERS: Mapping[str, Callable[..., Channel]] = {"sandbox": JsonSms}
