"""D10: numbers and signs beyond any type, at every path and form of the offices: nothing of that name, never a 500."""

import http.client
from collections.abc import Iterator

import pytest

from app.access.roles import Role
from tests.app.web.conftest import browser, district, far_folder, running
from tests.app.web.test_office_people import at_desk

__all__ = ["browser", "district", "far_folder", "running"]
NUMBERS = ("99999999999999999999", "9223372036854775808", "0", "2147483648")
WORDS = ("x", "%00", "a%00b", "99999999999999999999", "2021-13-45", "0000-00-00", "9999-12-31", "%ff", "😀" * 50, "-1")
FIELDS = (
    "amount",
    "until",
    "household",
    "person",
    "tier",
    "number",
    "after",
    "before",
    "year",
    "day",
    "place",
    "reason",
)


def addresses(running, method: str) -> Iterator[tuple[str, str]]:
    """Every path of the offices with each odd value in all its places."""
    for rule in running.app.url_map.iter_rules():
        if not rule.rule.startswith("/office/") or method not in rule.methods or rule.endpoint.endswith("log_out"):
            continue
        for odd in (NUMBERS if "<int:" in rule.rule else WORDS) if rule.arguments else ("",):
            path = rule.rule
            for name, converter in rule._converters.items():
                path = path.replace(f"<int:{name}>", odd).replace(f"<{name}>", odd)
                assert converter is not None
            assert "<" not in path, path
            yield rule.endpoint, path


@pytest.mark.parametrize("role", [Role.TAX_LEAD, Role.AUDITOR, Role.MEDICAL])
def test_no_odd_value_is_a_mistake_of_ours(running, district, role):
    client = at_desk(running, role, f"odd-{role}".replace("_", "-")[:30])
    wrong = []

    for endpoint, path in addresses(running, "GET"):
        asked = [path, *(f"{path}?{'&'.join(f'{name}={odd}' for name in FIELDS)}" for odd in (NUMBERS[0], WORDS[2]))]
        wrong += [(endpoint, each) for each in asked if client.get(each).status_code >= 500]
    for endpoint, path in addresses(running, "POST"):
        if endpoint in ("desk.log_in", "desk.leave"):
            continue
        for odd in (NUMBERS[0], "a\0b"):
            if client.post(path, data=dict.fromkeys(FIELDS, odd)).status_code >= 500:
                wrong.append((endpoint, path))

    assert wrong == []


def test_a_spoilt_piece_of_a_callback_is_no_mistake_of_ours(running):
    line = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=5)
    line.putrequest("POST", "/callbacks/wechat")
    line.putheader("Transfer-Encoding", "chunked")
    line.endheaders()
    line.send(b"zz;\x01bad\r\nhello\r\n0\r\n\r\n")

    assert line.getresponse().status in (400, 401)
