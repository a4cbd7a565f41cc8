"""Personal data at rest: opens in its own row and column with a key that is held, and nowhere else."""

import os
from collections.abc import Callable

import pytest

from core.vault import Sealed, Vault
from tests.builders import an_id_number

OLD, NEW, INDEX = os.urandom(32), os.urandom(32), os.urandom(32)
HERE = "person.id_number:7"


@pytest.fixture
def vault() -> Vault:
    """Two keys are held, the newer one seals."""
    return Vault({1: OLD, 2: NEW}, INDEX, current=2)


@pytest.mark.parametrize("value", [an_id_number(), "张示例", "阿依古丽·买买提", "", "𠮷" * 50])
def test_a_sealed_value_opens_in_its_own_row(vault: Vault, value: str) -> None:
    assert vault.open(vault.seal(value, bound_to=HERE), bound_to=HERE) == value


@pytest.mark.parametrize(
    "elsewhere", ["person.id_number:8", "person.name:7", "agent.id_number:7", "", "person.id_number:77"]
)
def test_a_value_moved_to_another_row_or_column_does_not_open(vault: Vault, elsewhere: str) -> None:
    sealed = vault.seal("张示例", bound_to=HERE)

    with pytest.raises(Sealed):
        vault.open(sealed, bound_to=elsewhere)


def test_a_value_with_any_byte_altered_does_not_open(vault: Vault) -> None:
    sealed = vault.seal("张示例", bound_to=HERE)

    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(Sealed):
            vault.open(bytes(altered), bound_to=HERE)


@pytest.mark.parametrize(
    "cut", [lambda s: b"", lambda s: s[:1], lambda s: s[:14], lambda s: s[:-1], lambda s: s + b"\0"]
)
def test_a_value_cut_or_lengthened_does_not_open(vault: Vault, cut: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Sealed):
        vault.open(cut(vault.seal("张示例", bound_to=HERE)), bound_to=HERE)


def test_what_an_older_key_sealed_still_opens(vault: Vault) -> None:
    before = Vault({1: OLD}, INDEX, current=1).seal("张示例", bound_to=HERE)

    assert vault.open(before, bound_to=HERE) == "张示例"
    assert (before[1], vault.seal("张示例", bound_to=HERE)[1]) == (1, 2)


def test_a_value_whose_key_is_not_held_does_not_open(vault: Vault) -> None:
    without_the_newer = Vault({1: OLD}, INDEX, current=1)

    with pytest.raises(Sealed, match="no key"):
        without_the_newer.open(vault.seal("张示例", bound_to=HERE), bound_to=HERE)


def test_the_same_key_number_with_another_key_does_not_open(vault: Vault) -> None:
    other = Vault({2: os.urandom(32)}, INDEX, current=2)

    with pytest.raises(Sealed, match="not the value"):
        other.open(vault.seal("张示例", bound_to=HERE), bound_to=HERE)


def test_equal_values_are_sealed_differently_and_show_nothing(vault: Vault) -> None:
    number = an_id_number()

    sealed = [vault.seal(number, bound_to=HERE) for _ in range(50)]

    assert len(set(sealed)) == 50
    assert not any(number[at : at + 6].encode() in one for one in sealed for at in range(13))


def test_the_index_is_equal_for_equal_values_of_one_purpose_only(vault: Vault) -> None:
    number = an_id_number()

    found = vault.index(number, purpose="id_number")

    assert found == vault.index(number, purpose="id_number")
    assert found != vault.index(an_id_number(sequence=3), purpose="id_number")
    assert found != vault.index(number, purpose="tally")
    assert len(found) == 32
    assert number.encode() not in found


def test_the_index_needs_its_key(vault: Vault) -> None:
    other = Vault({1: OLD, 2: NEW}, os.urandom(32), current=2)

    assert vault.index("张示例", purpose="name") != other.index("张示例", purpose="name")


@pytest.mark.parametrize(
    ("keys", "index"),
    [({1: b"short"}, INDEX), ({1: OLD}, b"short"), ({1: OLD + b"x"}, INDEX)],
    ids=["short", "short index", "long"],
)
def test_a_vault_refuses_keys_of_a_wrong_length(keys: dict[int, bytes], index: bytes) -> None:
    with pytest.raises(AssertionError):
        Vault(keys, index, current=1)
