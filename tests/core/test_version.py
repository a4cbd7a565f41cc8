"""Which version this is stands in one place, and whoever asks is told it."""

import re

from core.version import VERSION, parts
from tests.house.tree import ROOT
from tests.system import System


def test_what_changed_begins_with_this_version() -> None:
    said = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert said[0] == VERSION
    assert sorted(said, key=parts, reverse=True) == said


def test_versions_are_compared_as_numbers_and_none_is_the_least() -> None:
    assert parts("0.10.0") > parts("0.9.1") > parts("") == parts("web-7")


def test_a_process_says_which_version_answers(running: System) -> None:
    client = running.app.test_client()

    said = client.get("/livez").json
    assert said["version"] == VERSION and re.fullmatch(r"|[0-9a-f]{7,40}", said["commit"])
    assert f'version="{VERSION}"' in client.get("/metrics").text
