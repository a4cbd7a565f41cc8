"""Templates as providers approve them, and values made to fit their places."""

import re

import pytest

from notifications.approved import EMPTY, KINDS, TooLong, fitted, parts, places, to_approve
from tests.notifications.conftest import FIELDS

ALL = FIELDS | {"code": "123456"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_can_be_approved(kind: str) -> None:
    """Alibaba Cloud takes no two places side by side and none twice, and no 【】 (44357, 463270)."""
    text = to_approve(kind, lambda _number, name: f"${{{name}}}")

    assert re.findall(r"\$\{(\w+)\}", text) == list(places(kind))
    assert "}$" not in text and not re.search("[【】]", text) and 1 < len(text) <= 500
    assert re.findall(r"\{(\d+)\}", to_approve(kind, lambda number, _name: f"{{{number}}}")) == [
        str(n) for n in range(1, len(places(kind)) + 1)
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most", [8, 12, 35])
def test_values_are_in_the_order_of_the_text_and_none_is_too_long(kind: str, most: int) -> None:
    names, items = "、".join(["欧阳*四"] * 9), "、".join(f"20{n}年居民养老" for n in range(22, 30))
    long = ALL | {"names": names, "items": items, "village": "某某街道办事处某某社区居民委员会", "reason": "不" * 90}
    long["help_phone"] = "12366"

    made = fitted(kind, long, most=most)

    assert tuple(made) == places(kind)
    assert all(1 <= len(value) <= most for value in made.values())


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("names", "张*例、李*、王*", "张*例、李*、王*"),
        ("names", "张*例、李*、王*、赵*、孙*、钱*", "张*例、李*、王*等6人"),
        ("names", "张*例、李*、王*、赵*等7人", "张*例、李*、王*等7人"),
        ("items", "2022年居民医保、2022年居民养老", "2022年居民医保等2项"),
        ("items", "2022年养老补差提档：300元→500元", "2022年养老补差提档"),
        ("village", "榴园镇某某某某某某某某某示例村", "某某某某某某某某某示例村"),
        ("reason", "", EMPTY),
        ("reason", "看\nwww.a.cn 再说", "看 再说"),
        ("reason", "打13800000000", "打"),
        ("reason", "【官方】{x}", "（官方）（x）"),
    ],
)
def test_a_value_is_cut_where_it_still_says_something_true(field: str, value: str, said: str) -> None:
    assert fitted("refund_rejected", ALL | {field: value}, most=12)[field] == said


@pytest.mark.parametrize("field", ["amount", "check_code"])
def test_what_would_say_something_else_is_not_cut(field: str) -> None:
    with pytest.raises(TooLong, match=field):
        fitted("paid", ALL | {field: "1234567"}, most=6)


def test_a_field_that_is_missing_is_not_left_blank() -> None:
    with pytest.raises(KeyError):
        fitted("paid", {"village": "x"}, most=35)


@pytest.mark.parametrize(("letters", "paid"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)])
def test_a_long_message_is_paid_in_parts(letters: int, paid: int) -> None:
    assert parts(letters) == paid
