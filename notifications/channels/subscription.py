"""The notice channel over a mini-program's subscribe messages."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from notifications.approved import CUT
from notifications.channels import NotReachable, Words

if TYPE_CHECKING:
    from notifications.channels.wechat import MiniProgram


class Subscription:
    """The notice channel over a mini-program's subscribe messages; one consent is one message."""

    name = "wechat"
    address = "openid"

    def __init__(self, program: "Callable[[], MiniProgram]", templates: Mapping[str, str]) -> None:
        """`program` is made when the first message goes. `templates`: kind of notice → id of the template, whose values
        are those of VALUES that the kind has."""
        self._program = program
        self.templates = templates

    def deliver(self, to: str, words: Words) -> str:
        """The notice's own key: WeChat gives none. ChannelSilent, NotReachable."""
        if words.kind not in self.templates:
            raise NotReachable("no template for this kind")
        values = {name: fit(words.fields[field]) for name, (field, fit) in VALUES.items() if words.fields.get(field)}
        self._program().subscribe(to, self.templates[words.kind], values)
        return words.key


def _thing(text: str) -> str:
    """A `thing` takes at most 20 characters on one line."""
    return " ".join(text.split())[:20]


def _items(text: str) -> str:
    """Whole items, or a year would stand there by half."""
    return _thing(text if len(text) <= 20 else CUT["items"](text, 20))


VALUES = {
    "thing1": ("names", _thing),
    "thing2": ("items", _items),
    "amount3": ("amount", lambda amount: f"{amount.removesuffix('元')}元"),
    "character_string4": ("check_code", str),
    "thing5": ("village", _thing),
}
