"""How much each door takes."""

import pytest

from app.access.roles import Role
from app.web.door.load import LARGEST, LARGEST_ELSE
from tests.app.web.test_office_people import at_desk

MEGABYTE = 1024 * 1024
FORM = "multipart/form-data; boundary=x"


def form(size: int) -> bytes:
    """A kind, and a file of so many bytes."""
    head = b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nbank\r\n--x\r\n'
    head += b'Content-Disposition: form-data; name="file"; filename="bank.csv"\r\n\r\n'
    return head + b"x" * size + b"\r\n--x--\r\n"


def test_a_days_file_of_a_bank_may_be_as_long_as_is_promised(running, district):
    """D9: 20 MB for an office's upload; a stranger's is not even read, and every other door takes little."""
    client = at_desk(running, Role.TAX_CLERK, "clerk01")

    def send(size: int) -> int:
        return client.post("/office/day/files", data=form(size), content_type=FORM).status_code

    assert send(19 * MEGABYTE) in (400, 422), "read, and found to be no bank's file"
    assert send(21 * MEGABYTE) == 413
    stranger = running.app.test_client()
    assert stranger.post("/office/day/files", data=form(19 * MEGABYTE), content_type=FORM).status_code == 303
    assert client.post("/office/people/", data={"wanted": "x" * 300_000}).status_code in (405, 413)
    assert stranger.post("/who", data={"name": "x" * LARGEST_ELSE}).status_code in (303, 413)


def test_every_door_with_a_limit_of_its_own_is_there(running):
    assert set(LARGEST) <= set(running.app.view_functions)


@pytest.mark.parametrize("path", ["/api/v1/people", "/api/v1/session", "/check"])
def test_every_other_door_takes_little(running, path):
    answer = running.app.test_client().post(path, data=b"{" + b" " * 3 * MEGABYTE, content_type="application/json")

    assert answer.status_code in (401, 413)
