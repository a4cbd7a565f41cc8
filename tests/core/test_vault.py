"""Personal data at rest: opens in its own row and column with a key that is held, and nowhere else."""

import os
from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SM3, Hash

from core.vault import AES, SM, Key, Sealed, Sm4Gcm, SmSuite, Vault
from tests.builders import an_id_number

OLD, NEW, INDEX = Key(os.urandom(32)), Key(os.urandom(32)), Key(os.urandom(32))
SM_OLD, SM_NEW, SM_INDEX = Key(os.urandom(16), SM), Key(os.urandom(16), SM), Key(os.urandom(32), SM)
HERE = "person.id_number:7"
KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")  # of GB/T 32907 and of RFC 8998


@pytest.fixture(params=["aes", "sm", "from aes to sm", "from sm to aes"])
def vault(request: pytest.FixtureRequest) -> Vault:
    """Two keys are held, the newer one seals; of either suite, or while one follows the other."""
    older, newer, index = {
        "aes": (OLD, NEW, INDEX),
        "sm": (SM_OLD, SM_NEW, SM_INDEX),
        "from aes to sm": (OLD, SM_NEW, INDEX),
        "from sm to aes": (SM_OLD, NEW, SM_INDEX),
    }[request.param]
    return Vault({1: older, 2: newer}, index, current=2)


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


@pytest.mark.parametrize("older", [OLD, SM_OLD], ids=["aes", "sm"])
@pytest.mark.parametrize("newer", [NEW, SM_NEW], ids=["aes", "sm"])
def test_what_an_older_key_sealed_still_opens(older: Key, newer: Key) -> None:
    before = Vault({1: older}, INDEX, current=1).seal("张示例", bound_to=HERE)
    vault = Vault({1: older, 2: newer}, INDEX, current=2)

    assert vault.open(before, bound_to=HERE) == "张示例"
    assert before[:2] == bytes((older.suite, 1))
    assert vault.seal("张示例", bound_to=HERE)[:2] == vault.head == bytes((newer.suite, 2))


def test_a_value_whose_key_is_not_held_does_not_open(vault: Vault) -> None:
    without_the_newer = Vault({1: OLD}, INDEX, current=1)

    with pytest.raises(Sealed, match="no key"):
        without_the_newer.open(vault.seal("张示例", bound_to=HERE), bound_to=HERE)


def test_the_same_key_number_with_another_key_does_not_open(vault: Vault) -> None:
    other = Vault({2: Key(os.urandom(16 if vault.head[0] == SM else 32), vault.head[0])}, INDEX, current=2)

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
    other = Vault({1: OLD, 2: NEW}, Key(os.urandom(32)), current=2)

    assert vault.index("张示例", purpose="name") != other.index("张示例", purpose="name")


@pytest.mark.parametrize(
    ("key", "index"),
    [
        (Key(b"short"), INDEX),
        (OLD, Key(b"short")),
        (Key(OLD.secret + b"x"), INDEX),
        (Key(OLD.secret, SM), INDEX),
        (Key(SM_OLD.secret, AES), INDEX),
    ],
    ids=["short", "short index", "long", "too long for SM4", "too short for AES"],
)
def test_a_vault_refuses_keys_of_a_wrong_length(key: Key, index: Key) -> None:
    with pytest.raises(AssertionError):
        Vault({1: key}, index, current=1)


def test_sm4_and_sm3_are_those_of_the_standards() -> None:
    """GB/T 32907-2016 A.1 and GB/T 32905-2016 A.1."""
    one = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor()
    digest = Hash(SM3())
    digest.update(b"abc")

    assert one.update(KEY).hex() == "681edf34d206965e86b3e94f536e4246"
    assert digest.finalize().hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_sm4_gcm_is_that_of_rfc_8998() -> None:
    """RFC 8998, appendix A.1."""
    nonce = bytes.fromhex("00001234567800000000abcd")
    beside = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    clear = b"".join(bytes((each,)) * 8 for each in bytes.fromhex("aabbccddeeffeeaa"))
    ciphertext = (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    )
    tag = "83de3541e4c2b58177e065a9bf7b62ec"

    sealed = Sm4Gcm(KEY).encrypt(nonce, clear, beside)

    assert sealed.hex() == ciphertext + tag
    assert Sm4Gcm(KEY).decrypt(nonce, sealed, beside) == clear
    with pytest.raises(InvalidTag):
        Sm4Gcm(KEY).decrypt(nonce, sealed, beside[:-1])


@pytest.mark.parametrize("length", [32, 64, 65, 100])
def test_the_index_of_the_sm_suite_is_hmac_over_sm3(length: int) -> None:
    """HMAC (RFC 2104) written out: keys longer than a block of 64 bytes are hashed first."""

    def sm3(message: bytes) -> bytes:
        digest = Hash(SM3())
        digest.update(message)
        return digest.finalize()

    key = os.urandom(length)
    block = (sm3(key) if length > 64 else key).ljust(64, b"\0")
    inner = sm3(bytes(each ^ 0x36 for each in block) + b"words")

    assert SmSuite().digester(key)(b"words") == sm3(bytes(each ^ 0x5C for each in block) + inner)
