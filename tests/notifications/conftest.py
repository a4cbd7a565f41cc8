"""One far side for all tests of channels, and a notice that waits."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from sqlalchemy import Engine, text

from core.clock import utc_now
from core.http import Door
from core.vault import Vault
from notifications.channels import Account, Channel
from notifications.channels.sms import JsonSms
from notifications.channels.subscription import Subscription
from notifications.channels.wechat import MiniProgram
from notifications.send import claim_due, deliver, notice_of, record
from tests.outside import Outside, outside

TEMPLATE = "sandbox-paid"
FIELDS = {
    "reason": "材料不全",
    "village": "榴园镇示例村",
    "names": "张*例",
    "items": "2022年居民医保",
    "amount": "320",
    "check_code": "K3W9X0T2",
    "serial": "00012345",
    "voided": "00012344",
    "until": "12月31日",
    "help_phone": "0632-0000000",
}


@pytest.fixture(scope="session")
def running_far_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("far")) as world:
        yield world


@pytest.fixture
def far(running_far_side: Outside) -> Iterator[Outside]:
    """The far side of WeChat and of a provider of text messages."""
    yield running_far_side
    running_far_side.clear()


@pytest.fixture
def program(far: Outside) -> MiniProgram:
    return MiniProgram(far.keys.appid, far.keys.app_secret, far.url)


@pytest.fixture
def wechat(program: MiniProgram) -> Subscription:
    return Subscription(lambda: program, {"paid": TEMPLATE})


def a_door(url: str) -> Door:
    return Door(hosts=frozenset({url.partition("//")[2]}), read_s=1)


@pytest.fixture
def sms(far: Outside) -> JsonSms:
    return JsonSms(a_door(far.url), Account("sandbox", far.url, far.keys.sms_key))


@dataclass
class Post:
    """Notices in a real database, and the channels they go out by."""

    engine: Engine
    vault: Vault
    far: Outside
    channels: dict[str, Channel] = field(default_factory=dict)

    def write(self, cause: str, *, phone: str | None = None, openid: str | None = None, **spoilt: object) -> str:
        """A notice as a settlement writes it, due at once; its cause."""
        subject = cause.rsplit(":", 1)[0]
        values = {
            "cause": cause,
            "kind": "paid",
            "fields": FIELDS,
            "phone": self.vault.seal(phone, bound_to=f"notice.phone:{subject}") if phone else None,
            "openid": self.vault.seal(openid, bound_to=f"notice.openid:{subject}") if openid else None,
            "due": utc_now(),
        } | spoilt
        with self.engine.begin() as connection:
            written = connection.execute(
                text("select enqueue_notice(7, :cause, :kind, cast(:fields as jsonb), :openid, :phone, :due)"),
                values | {"fields": json.dumps(values["fields"])},
            ).scalar_one()
        assert written
        return cause

    def send(self, *, now: datetime | None = None) -> list[str]:
        """One round as app/flows/tell/send.py makes it; the causes that were taken."""
        now = now or utc_now()
        with self.engine.begin() as connection:
            claimed = claim_due(connection, now=now, most=100)
        for notice in claimed:
            result = deliver(notice, self.channels, self.vault, now=now)
            with self.engine.begin() as connection:
                record(connection, notice, result, now=now)
        return [notice.cause for notice in claimed]

    def notice(self, cause: str):
        with self.engine.connect() as connection:
            return notice_of(connection, 7, cause)

    def delivered(self, cause: str) -> list[dict]:
        """What the far side put on somebody's phone for this notice."""
        return [one for one in self.far.get("/messages")["messages"] if one.get("key") == f"7:{cause}"]


@pytest.fixture
def post(engine: Engine, vault: Vault, far: Outside, wechat: Subscription, sms: JsonSms) -> Post:
    return Post(engine, vault, far, {"wechat": wechat, "sms": sms})
