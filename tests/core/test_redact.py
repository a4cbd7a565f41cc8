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
        ("张", "张"),
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


@pytest.mark.parametrize(
    "harmless",
    [
        "420000123456789012345678901234",
        "YC2111050000C8Q7K3W9X0T2MB",
        "2021-11-05T09:00:00",
        "12345678901",
        "370404103901",
    ],
)
def test_other_numbers_stay(harmless: str) -> None:
    assert scrub(harmless) == harmless
