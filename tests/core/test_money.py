"""Whole fen inside, yuan as text at the edges: what is read, what is refused, which way it is rounded."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import capital_yuan, fen, plain_yuan, share_half_up, yuan

AMOUNTS = st.integers(min_value=0, max_value=10**15 - 1)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("0.01", 1),
        ("0.1", 10),
        ("320", 32000),
        ("400.5", 40050),
        ("400.50", 40050),
        ("9999999999999.99",) * 2,
    ],
)
def test_yuan_are_read_to_the_fen(text: str, amount: int | str) -> None:
    assert fen(text) == int(str(amount).replace(".", ""))


@pytest.mark.parametrize(
    "odd",
    [
        *("", " ", "320.00 ", " 320", "320\n", "3.2e4", "3E2", "+1", "-1", "-0.01", "1.234", "1.", ".5", "01", "00.5"),
        *("1,000", "1_000", "٣٢٠", "3２0.00", "３２０", "²", "0x10", "1/2", "NaN", "inf", "1.-2", "320元", "¥320"),
        *("10000000000000", "1.0.0"),
    ],
)
def test_what_is_not_plainly_an_amount_is_refused(odd: str) -> None:
    with pytest.raises(ValueError, match="not an amount in yuan"):
        fen(odd)


@pytest.mark.parametrize("odd", [320, 320.0, True, None, b"320", ["320"], Fraction(320)])
def test_only_text_is_read_as_yuan(odd: object) -> None:
    with pytest.raises(ValueError, match="not an amount in yuan"):
        fen(odd)  # type: ignore[arg-type]


@given(AMOUNTS)
def test_what_is_written_reads_back_as_the_same_amount(amount: int) -> None:
    assert fen(yuan(amount)) == amount
    assert fen(plain_yuan(amount)) == amount


@given(st.text(alphabet="0123456789.-+e ٣３_", max_size=12))
def test_whatever_is_read_is_exact(text: str) -> None:
    try:
        amount = fen(text)
    except ValueError:
        return

    assert amount == Fraction(text) * 100


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_yuan_always_have_two_decimals_and_one_sign(amount: int) -> None:
    written = yuan(amount)

    assert written.startswith("-") == (amount < 0)
    assert int(written.replace(".", "")) == amount
    assert len(written.partition(".")[2]) == 2


@pytest.mark.parametrize(("amount", "read"), [(32000, "320"), (21334, "213.34"), (10, "0.10"), (0, "0"), (-5, "-0.05")])
def test_people_read_yuan_without_idle_decimals(amount: int, read: str) -> None:
    assert plain_yuan(amount) == read


@pytest.mark.parametrize("odd", [320.0, True, None, "320", Fraction(320)])
def test_nothing_but_whole_fen_is_written_or_shared(odd: object) -> None:
    for act in (yuan, plain_yuan, capital_yuan, lambda given: share_half_up(given, 1, 2)):
        with pytest.raises(TypeError):
            act(odd)  # type: ignore[operator]


@pytest.mark.parametrize(("part", "whole"), [(0.5, 1), (1, 2.0), (True, 2), (None, 2)])
def test_a_share_is_a_fraction_of_whole_numbers(part: object, whole: object) -> None:
    with pytest.raises(TypeError):
        share_half_up(100, part, whole)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "part", "whole", "share"),
    [(32000, 1, 2, 16000), (1, 1, 2, 1), (3, 1, 2, 2), (100, 1, 3, 33), (200, 1, 3, 67)],
)
def test_half_a_fen_goes_up(amount: int, part: int, whole: int, share: int) -> None:
    assert share_half_up(amount, part, whole) == share


@given(AMOUNTS, st.integers(0, 1000), st.integers(1, 1000))
def test_a_share_is_the_nearest_fen_and_never_less_than_half_away(amount: int, part: int, whole: int) -> None:
    exact = Fraction(amount * part, whole)

    assert Fraction(-1, 2) < share_half_up(amount, part, whole) - exact <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (10000, "壹佰元整"),
        (16000, "壹佰陆拾元整"),
        (20000, "贰佰元整"),
        (32000, "叁佰贰拾元整"),
        (90000, "玖佰元整"),
        (150000, "壹仟伍佰元整"),
        (490000, "肆仟玖佰元整"),
        (21334, "贰佰壹拾叁元叁角肆分"),
        (10667, "壹佰零陆元陆角柒分"),
        (15999, "壹佰伍拾玖元玖角玖分"),
        (31950, "叁佰壹拾玖元伍角"),
        (5, "伍分"),
        (101, "壹元零壹分"),
        (1000500, "壹万零伍元整"),
        (100010000, "壹佰万零壹佰元整"),
        (0, "零元整"),
    ],
)
def test_an_amount_is_written_out_as_receipts_want_it(amount, words):
    assert capital_yuan(amount) == words


@pytest.mark.parametrize("amount", [-1, 10**12])
def test_an_amount_no_receipt_carries_is_not_written_out(amount):
    with pytest.raises(ValueError, match="not an amount"):
        capital_yuan(amount)
