"""What the API answers about payments, refunds and the papers that prove them."""

from typing import Literal

from app.web.api.told import Told


class CoveredTold(Told):
    """One item of a payment."""

    title: str
    masked_name: str
    amount: int
    within: list[str]
    benefit_start: str | None


class PageTold(Told):
    """Where the payer's browser goes: a form to send by POST."""

    url: str
    fields: dict[str, str]


class PaymentTold(Told):
    """A payment as it stands; `state` settled: nothing was due and all is done, there is no number."""

    number: str | None
    state: Literal["waiting", "checking", "paid", "refunded", "surplus", "left", "closed", "failed", "settled"]
    words: str
    amount: int
    expires_at: str | None
    code_url: str | None
    jsapi: dict[str, str] | None
    page: PageTold | None
    items: list[CoveredTold]
    paid_at: str | None
    check_code: str | None


class PaymentsTold(Told):
    """A page of what was paid, the newest first; `after` begins the next one, or is null."""

    payments: list[PaymentTold]
    after: str | None


class StepTold(Told):
    """What was done when (RFC 3339, Beijing), in words; `reason` for the payer, or empty."""

    text: str
    at: str
    reason: str


class RefundTold(Told):
    """A refund as it stands. `held`: the money never was a premium."""

    number: str
    state: Literal["applied", "accepted", "reviewed", "rejected", "approved", "paying", "paid", "abnormal", "failed"]
    words: str
    amount: int
    reason: str
    held: bool
    payment: str
    items: list[CoveredTold]
    steps: list[StepTold]


class WhyTold(Told):
    """A reason that may be given today, in a resident's words."""

    why: str
    words: str


class RefundableTold(Told):
    """One settled item that could go back. `refused`: what the rule says to the reasons that are not offered."""

    person: str
    year: int
    insurance: Literal["RES_MEDICAL", "RES_PENSION"]
    determination: int | None
    rise: bool
    title: str
    available: int
    way: str
    reasons: list[WhyTold]
    refused: str | None


class RefundsTold(Told):
    """Of everybody this session knows: what could go back, and what goes back or went."""

    refundable: list[RefundableTold]
    refunds: list[RefundTold]


class ProofTold(Told):
    """A paper that proves a payment. `stands`: no refund has undone it. `code` is what `/check` verifies."""

    code: str
    kind: Literal["confirmation", "certificate"]
    title: str
    amount: int
    issued_on: str
    stands: bool
