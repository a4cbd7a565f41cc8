"""What others may not read: names by the convention, numbers with their middle gone, and the last net before a log."""

import pytest

from core.redact import mask_id, mask_name, mask_phone, scrub
from tests.builders import an_id_number

PHONE = "13800000000"


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("张小三四", "张*四"),
        ("欧阳小四", "欧阳*四"),
        ("欧阳四", "欧阳*"),
        ("欧阳", "欧*"),
        ("司马相如", "司马*如"),
        ("申屠示例", "申屠*例"),
        ("阿依古丽·买买提", "阿***提"),
        ("张", "*"),  # B28
        ("", ""),
    ],
)
def test_a_name_keeps_its_surname_and_its_last_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_an_identity_number_keeps_four_and_four() -> None:
    number = an_id_number()

    masked = mask_id(number)

    assert masked == f"3704**********{number[-4:]}"
    assert len(masked) == 18


def test_the_last_x_of_an_identity_number_stays() -> None:
    with_x = next(number for s in range(1, 99) if (number := an_id_number(sequence=s)).endswith("X"))

    assert mask_id(with_x)[-4:] == with_x[-4:]


def test_a_phone_keeps_three_and_four() -> None:
    assert mask_phone("13800001234") == "138****1234"


@pytest.mark.parametrize("form", ["{}", "编号{}。", "id={},", '{{"id": "{}"}}', "({})", "a{}b", "\n{}\n"])
def test_an_identity_number_is_taken_out_of_any_text(form: str) -> None:
    for sequence in range(1, 12):  # one of them ends in X
        number = an_id_number(sequence=sequence)
        for written in (number, number.lower(), "".join(chr(ord(sign) + 0xFEE0) for sign in number)):
            assert scrub(form.format(written)) == form.format("<id>")


@pytest.mark.parametrize(
    "form", ["{}", "电话{}，", "tel:{}", "+86{}", "86{}", "0086{}", "+86 {}", "/phone/{}/x", '"{}"']
)
def test_a_mobile_number_is_taken_out_of_any_text(form: str) -> None:
    said = scrub(form.format(PHONE))

    assert PHONE not in said
    assert "<phone>" in said


@pytest.mark.parametrize("gap", [" ", "-", "\u3000"])
def test_a_number_written_in_groups_is_the_same_number(gap: str) -> None:
    """F7: as people type and print them."""
    number = an_id_number()
    phone = gap.join((PHONE[:3], PHONE[3:7], PHONE[7:]))
    grouped = gap.join((number[:6], number[6:14], number[14:]))
    finely = gap.join((number[:6], number[6:10], number[10:12], number[12:14], number[14:]))

    assert scrub(f"to {phone}, of {grouped}, {finely}") == "to <phone>, of <id>, <id>"


def test_an_identity_number_of_fifteen_digits_is_taken_out() -> None:
    """F7: as they were given out until 1999."""
    assert scrub("of 370499860314001.") == "of <id>."
    assert scrub("merchant 777290058110048") == "merchant 777290058110048"


@pytest.mark.parametrize(
    "harmless",
    [
        "420000123456789012345678901234",
        "YC2111050000C8Q7K3W9X0T2MB",
        "2021-11-05T09:00:00",
        "12345678901",
        "370404103901",
        "150 2021-11-05 ms",
    ],
)
def test_other_numbers_stay(harmless: str) -> None:
    assert scrub(harmless) == harmless
