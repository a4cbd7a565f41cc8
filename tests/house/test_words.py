"""What may not stand anywhere in the repository: people's numbers, other machines, things left for later."""

import re

import pytest

from app.web.words import person
from tests.house.tree import SHIPPED, files, python, words

ID = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:(?:00)?86)?(1[3-9][0-9]{9})(?![0-9A-Za-z])")
INVENTED_ID = re.compile(r"370499[0-9]{11}[0-9Xx]")  # an area that was never given out
INVENTED_MOBILE = re.compile(r"1[3-9][0-9]0000[0-9]{4}")
# Written in pieces, so that this file does not hold what it forbids.
ELSEWHERE = [
    *(
        "py" + "pi.org",
        "python" + "hosted",
        "npm" + "js",
        "crates" + ".io",
        "mirrors" + ".",
        "artifact" + "ory",
        "index" + "-url",
    ),
    *("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/t" + "mp/"),
]
LATER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|Not" + r"Implemented")


def test_no_identity_number_of_anybody_stands_here() -> None:
    found = [(str(path), number) for path in files() for number in ID.findall(words(path))]

    assert [one for one in found if not INVENTED_ID.fullmatch(one[1])] == []


def test_no_mobile_number_of_anybody_stands_here() -> None:
    found = [(str(path), number) for path in files() for number in MOBILE.findall(words(path))]

    assert [one for one in found if not INVENTED_MOBILE.fullmatch(one[1])] == []


@pytest.mark.parametrize("place", ELSEWHERE)
def test_no_other_machine_is_named(place: str) -> None:
    assert [str(path) for path in files() if place in words(path).lower()] == []


def test_nothing_is_left_for_later() -> None:
    assert [str(path) for path in python() if LATER.search(words(path))] == []


def test_whatever_acts_by_itself_is_named_in_chinese_where_somebody_reads_who_it_was() -> None:
    shipped = [words(path) for path in files() if path.parts[0] in SHIPPED and path.suffix in (".py", ".sql")]
    acting = {name for text in shipped for name in re.findall(r"""["'](rule:[a-z_]+)["']""", text)}

    assert len(acting) > 10 and [name for name in sorted(acting) if not person(name).startswith("系统（")] == []


def test_the_rules_see_what_they_forbid() -> None:
    assert ID.fullmatch("11010119900307" + "7774") and not INVENTED_ID.fullmatch("11010119900307" + "7774")
    assert MOBILE.fullmatch("1391234" + "5678") and not INVENTED_MOBILE.fullmatch("1391234" + "5678")
    assert LATER.search("# TO" + "DO later")
