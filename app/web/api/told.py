"""What the API answers, as documented. Answers are built as plain dictionaries; tests hold them against these."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Told(BaseModel):
    """Every answer."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SessionTold(Told):
    """A token for `Authorization: Bearer`; `expires_at` is when it ends unused (RFC 3339)."""

    token: str
    expires_at: str


class SentTold(Told):
    """A code is on its way, whoever's phone it is; the next one may be asked for after `again_after_s` seconds."""

    text: str
    again_after_s: int


class MemberTold(Told):
    """Somebody the account pays for. `own`: himself."""

    person: str
    masked_name: str
    village: str
    own: bool


class HolderTold(Told):
    """Another account that pays for somebody who is this account's own; `barred`: he was let go. Phone masked."""

    holder: str
    phone: str
    masked_name: str
    since: str
    barred: bool


class AccountTold(Told):
    """The account of the session."""

    phone: str
    agreed: bool
    people: list[MemberTold]
    holders: list[HolderTold]


class SubscriptionsTold(Told):
    """Which subscribe messages may be asked for (kind → template id), and how many of each are left by our count."""

    templates: dict[str, str]
    left: dict[str, int]


class EndedTold(Told):
    """How many other sessions were ended."""

    ended: int


class LineTold(Told):
    """Who pays how much into which fund: RES_MEDICAL, RES_PENSION, or the code of another that is collected with it.
    `payer`: resident, government or sponsor. `clause` is the rule's number for
    machines, `clause_words` where it stands and what it says, for people."""

    part: str
    payer: Literal["resident", "government", "sponsor"]
    fund: str
    amount: int
    clause: str
    clause_words: str
    text: str


class TierTold(Told):
    """One contribution tier, as this person would be charged."""

    tier: int
    allowed: bool
    personal_due: int | None
    gov_subsidy: int
    reason_code: str


class AmountsTold(Told):
    """Between which a pension may be, beside the tiers; in fen, whole steps."""

    least: int
    most: int
    step: int


class LevelTold(Told):
    """A level of the medical insurance, as this person would be charged; the first is the year's own proposal."""

    level: int
    name: str
    allowed: bool
    personal_due: int | None
    reason_code: str


class RiseTold(Told):
    """What raising a pension that is paid would cost: `tiers` to choose from, `tier` and `personal_due` of the one that
    was asked for (`rise.<person>@<year>=<fen>`), or null. No debt: it is paid as an item with `rise` and a `tier`."""

    title: str
    text: str
    raised_from: int
    tier: int | None
    personal_due: int | None
    price_until: str | None
    tiers: list[TierTold]


class DueTold(Told):
    """One levy item of one person. Amounts in fen; days YYYY-MM-DD; `price_until` the first moment of another price;
    `ask_first` what the payer is asked before he pays: on a yes he does not. `determination`: of a back-payment, which
    stands beside the year's premium and is for `years`; null with no years: the year's premium. `may_ask`: the medical
    bureau may be asked to look (POST /people/<person>/verification). `year`: for which it is collected; `late`: a
    former year's, while a newer one is collected. `levels`: of the medical insurance, where one is to be chosen
    (reason_code LEVEL_REQUIRED until it is); `level` the one that this answer is for. `personal_due` and `total`: with
    the other funds collected with it, which `lines` name; `within` says in words what of `personal_due` is theirs.
    `raised_from`: this is the difference by which that tier was raised; `rise`: what is paid may be raised."""

    year: int
    late: bool
    insurance: Literal["RES_MEDICAL", "RES_PENSION"]
    determination: int | None
    years: list[int]
    title: str
    eligible: Literal["yes", "no", "review"]
    settled: bool
    reason_code: str
    text: str
    outlook: str | None
    ask_first: str | None
    may_ask: bool
    tier: int | None
    personal_due: int | None
    total: int | None
    within: list[str]
    lines: list[LineTold]
    tiers: list[TierTold]
    amounts: AmountsTold | None
    level: int | None
    levels: list[LevelTold]
    benefit_start: str | None
    waiting_end: str | None
    price_until: str | None
    raised_from: int | None
    rise: RiseTold | None


class PersonTold(Told):
    """Somebody this session knows; `household` groups who can be paid for together."""

    person: str
    household: int
    masked_name: str
    village: str
    due: list[DueTold]


class PeopleTold(Told):
    """Everybody this session knows. `can_pay` is false while nothing can be written: no payment is offered then."""

    people: list[PersonTold]
    can_pay: bool


class SheetLineTold(LineTold):
    """A line of the sheet: who pays it, into which fund, on what evidence, in words. Never a category."""

    payer_words: str
    fund_words: str
    evidence: str


class SheetTold(Told):
    """Why this amount. Amounts in fen; sentences are None where there is nothing to say; days YYYY-MM-DD, moments in
    Beijing time. `behind`: rules behind the answer that no line carries; `change`: what would change it; `record`: what
    years without enrolment add to the waiting, `may_ask`: the medical bureau may be asked to look at them."""

    person: str
    masked_name: str
    village: str
    asked_at: str
    insurance: Literal["RES_MEDICAL", "RES_PENSION"]
    title: str
    answer: str
    reason_code: str
    personal_due: int | None
    total: int | None
    account_credit: int | None
    lines: list[SheetLineTold]
    behind: list[str]
    change: str | None
    waiting: str | None
    record: list[str]
    may_ask: bool
    benefits: str | None
    valid: str | None
    waiting_end: str | None
    benefit_start: str | None
    price_until: str | None
    source: str


class AskedTold(Told):
    """The medical bureau has been asked."""

    person: str
    text: str


class OfferTold(Told):
    """A case that a bureau may be asked to decide; `offer` names it when it is asked for."""

    offer: str
    title: str
    whom: str
    bureau: str


class DeterminationTold(Told):
    """One that was asked for: where it `stands` and what comes `after`; `may_withdraw`: nobody has it in hand yet."""

    number: int
    title: str
    state: Literal["applied", "checking", "approved", "rejected", "withdrawn"]
    stands: str
    after: str
    applied_at: str
    may_withdraw: bool


class DeterminationsTold(Told):
    """What may be asked of the bureaus for a person, and what was, the latest first."""

    person: str
    offers: list[OfferTold]
    determinations: list[DeterminationTold]


class BandTold(Told):
    """A pension tier and the subsidy that finance adds to the account."""

    tier: int
    gov_subsidy: int
    kept: bool


class PolicyTold(Told):
    """A year's figures and days; `open`: the levy years that can be paid, the newest first."""

    year: int
    open: list[int]
    source: str
    medical: dict[str, int] | None
    tiers: list[BandTold]
    levels: list[int]
    between: list[int] | None
    windows: dict[str, str]


class ErrorTold(Told):
    """Every no: a stable code, the sentence for the person, the number of the request."""

    model_config = ConfigDict(extra="allow")
    code: str
    message: str
    request: str
    fields: dict[str, str] | None = None
    reason: str | None = None


def answers(model: type[Told], status: int = 200, *errors: int) -> dict[int, dict[str, object]]:
    """For the route's documentation: the answer, and the errors that may come instead."""
    said: dict[int, dict[str, object]] = {status: _content(model, "OK")}
    return said | {code: _content(ErrorTold, "见 message") for code in (400, *errors)}


def _content(model: type[Told], description: str) -> dict[str, object]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
