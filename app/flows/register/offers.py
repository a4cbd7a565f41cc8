"""What somebody may ask a bureau for today, and where stands what was asked for him, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, select

from app.flows.due.facts import facts_of
from app.flows.due.quote import SELF
from app.flows.parts import Parts
from app.flows.refund.follow import BUREAUS
from app.flows.register.announce import case_title
from app.policy.answer import Eligible, Quote, Reason
from app.policy.facts import Decision, Facts, Insurance, SpecialCase
from app.policy.facts import Determination as Word
from app.policy.levels import quote_chosen
from app.policy.words import phrases
from app.registry.determinations import BACKPAY, OPEN, Kind, State
from app.registry.find import Subject
from app.registry.models import Determination
from core.money import plain_yuan

FOR_WHOM = {
    Kind.POLICY_BACKPAY: ("政策性补缴", "按政策可以补交以前年度的：退役军人、被征地的、新到年龄补足年限的，等等。"),
    Kind.INTERRUPTED_BACKPAY: ("中断补缴", "以前交过、中间断了几年，现在想把断的补上。"),
    Kind.NEWBORN: ("新生儿缴费", "宝宝刚出生，核定以后按新生儿的价交，从出生那天起可以报销。"),
}


@dataclass(frozen=True)
class Offer:
    """One kind of case of an insurance and a levy year that somebody may ask a bureau to decide."""

    levy_year: int
    insurance: Insurance
    kind: Kind

    @property
    def key(self) -> str:
        """How a field names it: RES_MEDICAL@2022:newborn."""
        return f"{self.insurance}@{self.levy_year}:{self.kind}"

    @property
    def title(self) -> str:
        """居民养老：中断补缴."""
        return f"{phrases('names')[self.insurance]}：{FOR_WHOM[self.kind][0]}"

    @property
    def whom(self) -> str:
        """For whom it is."""
        return FOR_WHOM[self.kind][1]

    @property
    def bureau(self) -> str:
        """Who decides."""
        return BUREAUS[self.insurance]


@dataclass(frozen=True)
class Applied:
    """One application as its reader sees it; `may_withdraw`: it is his to withdraw, and nobody has it in hand yet."""

    id: int
    title: str
    state: State
    stands: str
    after: str
    applied_at: datetime
    by_agent: bool
    at_counter: bool
    may_withdraw: bool


def offers(parts: Parts, subject: Subject, *, open_too: bool = False) -> list[Offer]:
    """Of the newest levy year: back-payments for whoever is registered, a newborn's price for whom it is less than what
    he would pay; nothing that is open already, but where `open_too` says so."""
    year = parts.levy.years.newest
    if not subject.alive or year not in subject.years:
        return []
    own, rules = subject.in_year(year), parts.levy.rules(year)
    found = [
        Offer(year, insurance, kind)
        for insurance in (Insurance.RES_PENSION, Insurance.RES_MEDICAL)
        if rules.offers(insurance) and own.standing[insurance].registered
        for kind in sorted(BACKPAY, reverse=True)
    ]
    if rules.offers(Insurance.RES_MEDICAL) and _newborn_pays_less(parts, own):
        found.append(Offer(year, Insurance.RES_MEDICAL, Kind.NEWBORN))
    return [each for each in found if open_too or not _is_open(own, each)]


def applied(parts: Parts, subject: Subject, *, reader: str) -> list[Applied]:
    """Everything that was ever asked of a bureau for somebody, the latest first. What another account asked for is not
    the `reader`'s (account:<id>, agent:<id>, staff:<login>) to withdraw, and why it was refused is told to that one."""
    table = Determination.__table__
    with parts.reading() as connection:
        rows = connection.execute(
            select(table).where(table.c.person_id == subject.id).order_by(table.c.id.desc()).limit(_MOST)
        ).all()
    return [_applied(row, reader) for row in rows]


def newborn_prices(parts: Parts, subject: Subject) -> tuple[Quote, Quote] | None:
    """What he would pay as a newborn, and what he pays today; as if he had not paid, for who paid too much gets the
    difference back. None: he is too old, or the bureau has said so."""
    facts = replace(facts_of(subject, Insurance.RES_MEDICAL), already_paid=False)
    if facts.special_case is SpecialCase.NEWBORN and facts.decision is Decision.APPROVED:
        return None
    plain = replace(facts, special_case=SpecialCase.NONE, determination=None)
    born = replace(facts, special_case=SpecialCase.NEWBORN, determination=Word(Decision.APPROVED))
    would = _quote(parts, subject, born)
    return (would, _quote(parts, subject, plain)) if would.reason_code is Reason.NEWBORN_OK else None


_MOST = 50


def _newborn_pays_less(parts: Parts, subject: Subject) -> bool:
    prices = newborn_prices(parts, subject)
    return prices is not None and (prices[1].eligible is not Eligible.YES or prices[1].to_pay > prices[0].to_pay)


def _quote(parts: Parts, subject: Subject, facts: Facts) -> Quote:
    rules, now = parts.levy.rules(subject.levy_year), parts.clocks.now()
    level = rules.medical.levels[0] if rules.medical.levels else None
    return quote_chosen(rules, facts, at=now, channel=SELF, tier=None, level=level)[0]


def _is_open(subject: Subject, offer: Offer) -> bool:
    held = subject.standing[offer.insurance].determinations.get(offer.kind)
    return held is not None and held["state"] in OPEN


def _applied(row: Row, reader: str) -> Applied:
    insurance, kind, state = Insurance(row.insurance), Kind(row.kind), State(row.state)
    by_account, by_agent, at_counter = (
        row.requested_by.startswith(f"{whose}:") for whose in ("account", "agent", "staff")
    )
    others = by_account and reader.startswith("account:") and row.requested_by != reader
    its = (
        row.requested_by.partition(":")[0] == reader.partition(":")[0]
    )  # an agent's by an agent, a counter's by a counter
    words = {"bureau": BUREAUS[insurance], "reason": "已经告诉申请的人。" if others else row.reason or ""}
    return Applied(
        id=row.id,
        title=case_title(row.levy_year, insurance, kind),
        state=state,
        stands=_STANDS[state].format(**words),
        after=_after(kind, state, row.amount, row.years or ()).format(**words),
        applied_at=row.applied_at,
        by_agent=by_agent,
        at_counter=at_counter,
        may_withdraw=state is State.APPLIED and not others and (its or reader.startswith("account:")),
    )


_STANDS = {
    State.APPLIED: "申请收到了，等{bureau}核实。",
    State.CHECKING: "{bureau}正在核实。",
    State.APPROVED: "{bureau}核定通过了。",
    State.REJECTED: "没有核定通过。原因：{reason}",
    State.WITHDRAWN: "您撤回了，没有办。",
}
_WAITS = "有了结果会发短信告诉您，这里也看得到。结果出来以前，请先不要为这一项交钱。"


def _after(kind: Kind, state: State, amount: int | None, years: Sequence[int]) -> str:
    """What comes next."""
    if state in OPEN:
        return _WAITS if kind is not Kind.ENROLMENT_HISTORY else "有了结果会发短信告诉您，这里也看得到。"
    if state is State.REJECTED:
        return "有新的材料可以再申请一次，有疑问请问{bureau}。"
    if state is not State.APPROVED:
        return ""
    said = "、".join(map(str, years))
    if kind is Kind.ENROLMENT_HISTORY:
        return f"认定{said}年参过保，等待已经按认定的算。"
    if kind not in BACKPAY:
        return "请回“要交多少”，按上面写的办。已经交了、交多了的，差的钱自动退给您。"
    of = f"补缴{said}年" if said else "补缴"
    return f"{of}，一共 {plain_yuan(amount)} 元，请回“要交多少”交。" if amount else f"{of}，请回“要交多少”选档次交。"
