"""What the API takes: strict types, no unknown field, nothing converted."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

MOST_FEN = 10_000_000
MOST_LEVEL = 99
MOST_DETERMINATION = 999_999_999
Year = Annotated[int, Field(ge=2000, le=2999)]


def _of_the_years_pension(rise: bool, beside: ValidationInfo) -> bool:
    """A rise has one name: of another insurance, a back-payment or a level there is none."""
    own = beside.data
    if rise and (own.get("insurance") == "RES_MEDICAL" or own.get("determination") or own.get("level")):
        raise PydanticCustomError("rise_of_another", "a rise is of the year's pension")
    return rise


Rise = Annotated[bool, AfterValidator(_of_the_years_pension)]


class Asked(BaseModel):
    """Every body: a field nobody knows is refused, text is never taken for a number (A45, A63)."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class SessionAsked(Asked):
    """`code`: what wx.login gave; without it the session is anonymous."""

    code: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class PhoneAsked(Asked):
    """Where the code goes."""

    phone: Annotated[str, Field(min_length=1, max_length=30)]


class CodeAsked(Asked):
    """The six digits of the message."""

    code: Annotated[str, Field(min_length=1, max_length=20)]


class PersonAsked(Asked):
    """The name and the identity number as on the card; full-width digits and blanks are understood. `agreed`: to the
    privacy notice, needed once."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    id_number: Annotated[str, Field(min_length=1, max_length=100)]
    agreed: bool = False


class ItemAsked(Asked):
    """One levy item. `tier` in fen, for a pension only: a tier, or an amount between those of its due; `level` for the
    medical insurance, where its due has levels; `determination` of a back-payment, as its due says; `year` for
    which levy year, needed where two are collected; `rise`: the difference to a higher `tier`, of a pension whose due
    offers it."""

    person: Annotated[str, Field(min_length=1, max_length=100)]
    insurance: Literal["RES_MEDICAL", "RES_PENSION"]
    tier: Annotated[int, Field(ge=1, le=MOST_FEN)] | None = None
    determination: Annotated[int, Field(ge=1, le=MOST_DETERMINATION)] | None = None
    year: Year | None = None
    level: Annotated[int, Field(ge=1, le=MOST_LEVEL)] | None = None
    rise: Rise = False


class DeterminationAsked(Asked):
    """`offer`: the key of one that may be asked for; `words`: what speaks for it, read by the bureau alone."""

    offer: Annotated[str, Field(max_length=100)] = ""
    words: Annotated[str, Field(max_length=500)] = ""


class SubscriptionsAsked(Asked):
    """What the user just allowed in WeChat's own dialogue: one message of each kind."""

    accepted: Annotated[list[Literal["paid", "refunded", "remind", "certified"]], Field(max_length=3)]


class RefundAsked(Asked):
    """One item's money back. `expected_available` (fen) is what `GET /refunds` showed: another amount there is 409;
    `determination`, `year` and `rise` as there."""

    person: Annotated[str, Field(min_length=1, max_length=100)]
    insurance: Literal["RES_MEDICAL", "RES_PENSION"]
    determination: Annotated[int, Field(ge=1, le=MOST_DETERMINATION)] | None = None
    year: Year | None = None
    rise: Rise = False
    why: Literal["twice", "wrong_amount", "elsewhere", "employee", "waived", "died", "wrong_person"]
    expected_available: Annotated[int, Field(ge=1, le=MOST_FEN)]


class PaymentAsked(Asked):
    """Items of one household, paid together.

    `kind`: jsapi inside the mini-program, native for a QR code, web for the gateway's own page."""

    items: Annotated[list[ItemAsked], Field(min_length=1, max_length=48)]
    gateway: Literal["wechat", "alipay", "unionpay"] = "wechat"
    kind: Literal["jsapi", "native", "web"]
