"""Small by nature: a file and a function that a stranger reads at once, each public thing with its sentence."""

import ast

from tests.house.tree import functions, public, python, shipped, tree, words

LONGEST_FILE, LONGEST_FUNCTION = 300, 50
LONGER_FILES = {
    "app/flows/pay/start.py": "one flow from the wish to the way to pay, told in order",
}


def test_no_file_is_longer_than_a_stranger_reads_at_once() -> None:
    longer = {str(path) for path in shipped() if len(words(path).splitlines()) > LONGEST_FILE}

    assert longer - set(LONGER_FILES) == set()


def test_no_file_is_excused_that_needs_no_excuse() -> None:
    lengths = {str(path): len(words(path).splitlines()) for path in shipped()}

    assert [name for name in LONGER_FILES if lengths.get(name, 0) <= LONGEST_FILE] == []


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{path}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in shipped()
        for node in functions(path)
    }

    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_every_file_says_in_its_first_sentence_what_lives_there() -> None:
    silent = [str(path) for path in python() if words(path).strip() and not ast.get_docstring(tree(path))]

    assert silent == []


def test_every_public_thing_of_the_money_the_floor_and_the_flows_says_what_it_does() -> None:
    silent = [
        f"{path}:{name}"
        for path in python("payments", "core", "app/flows")
        for name, node in public(path)
        if not ast.get_docstring(node)  # type: ignore[arg-type]
    ]

    assert silent == []
