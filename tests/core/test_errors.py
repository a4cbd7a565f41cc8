"""Every no has its kind, a stable code and one sentence; what is only for the log stays there."""

import pytest

from core.errors import AppError, BadInput, Conflict, NotFound, Refused, TryLater


@pytest.mark.parametrize(
    ("kind", "status"), [(BadInput, 400), (Refused, 403), (NotFound, 404), (Conflict, 409), (TryLater, 503)]
)
def test_each_kind_says_what_the_caller_should_do(kind: type[AppError], status: int) -> None:
    assert issubclass(kind, AppError)
    assert kind.status == status


def test_a_code_follows_the_name_unless_it_is_given() -> None:
    class TwoWords(Conflict):
        """By its name."""

    class Renamed(Conflict):
        """By a code that was there before."""

        code = "OLD_NAME"

    assert (TwoWords.code, Renamed.code, TwoWords().code) == ("TWO_WORDS", "OLD_NAME", "TWO_WORDS")


def test_the_detail_is_for_the_log_and_never_in_the_sentence() -> None:
    refused = NotFound("person 17")

    assert str(refused) == "person 17"
    assert "17" not in refused.sentence()
    assert str(NotFound()) == "NOT_FOUND"


def test_words_fill_the_places_of_a_sentence_and_are_never_read_as_one() -> None:
    class Waiting(TryLater):
        """Has a place."""

        text = "请等{minutes}分钟。"

    assert Waiting(minutes=5).sentence() == "请等5分钟。"
    assert Waiting(minutes="{code}{0.__class__}").sentence() == "请等{code}{0.__class__}分钟。"


def test_fields_carry_their_own_sentences() -> None:
    assert BadInput(fields={"name": "请填写姓名。"}).fields == {"name": "请填写姓名。"}
    assert BadInput().fields == {}
