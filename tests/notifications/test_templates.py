"""What people read: every template with the fields of its kind, and values that stay values."""

import pytest

from notifications.approved import TEMPLATES
from notifications.send import AT_ONCE, render
from tests.notifications.conftest import FIELDS

KINDS = sorted({path.stem for path in TEMPLATES.glob("*.txt")} - AT_ONCE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_renders_with_its_fields(kind: str) -> None:
    said = render(kind, FIELDS)

    assert "$" not in said
    assert said.startswith("榴园镇示例村的张*例：") and "2022年居民医保" in said


def test_a_waived_persons_message_has_no_place_for_an_amount() -> None:
    assert "320" not in render("settled", FIELDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "smuggled", ["$names", "${names}", "{{7*7}}", "${x}", "$$", "{amount}", "%(amount)s", "{0.__class__}", "{% raw %}"]
)
def test_a_value_never_becomes_a_template(kind: str, smuggled: str) -> None:
    assert smuggled in render(kind, FIELDS | {"village": smuggled})


def test_a_field_that_is_missing_is_not_left_blank() -> None:
    with pytest.raises(KeyError):
        render("paid", {name: value for name, value in FIELDS.items() if name != "amount"})
