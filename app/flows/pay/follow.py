"""A payment's number → where it stands in plain words, and what it covers. Reads; decides nothing."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

from app.flows.parts import Parts
from app.flows.pay.checkout import restored
from app.flows.pay.leave import give_way
from app.flows.titles import late_words, named_tier, sponsor_words, title_of, within_words
from app.policy.facts import Insurance
from core.money import Fen
from payments.errors import NoSuchPayment
from payments.gateways.base import Checkout, Kind, Page
from payments.gateways.known import GATEWAYS
from payments.refunds.kept import Fate, Kept, fate, kept, receipt_of_payment
from payments.states import LIVE, State
from payments.taking import find as find_money

_NUMBER = re.compile(r"[0-9A-Z]{26}")


class Phase(StrEnum):
    """What the person in front of the screen needs to know of a payment."""

    WAITING = "waiting"  # the code may be scanned
    CHECKING = "checking"  # nobody knows yet; the gateway is being asked
    PAID = "paid"
    REFUNDED = "refunded"  # it was paid, and all of it goes back, or has
    SURPLUS = "surplus"  # money arrived for something settled already; it goes back
    LEFT = "left"  # somebody pays another way; only its gateway knows when this one ends
    CLOSED = "closed"  # nobody can pay it any more
    FAILED = "failed"  # the gateway did not take it


PHASES: Mapping[State, Phase] = {
    State.CREATED: Phase.CHECKING,
    State.PENDING: Phase.WAITING,
    State.UNKNOWN: Phase.CHECKING,
    State.CLOSING: Phase.CHECKING,
    State.LEFT: Phase.LEFT,
    State.PAID: Phase.PAID,
    State.SURPLUS: Phase.SURPLUS,
    State.CLOSED: Phase.CLOSED,
    State.FAILED: Phase.FAILED,
}
WORDS: Mapping[Phase, str] = {
    Phase.WAITING: "请付款。付完请等到出现“缴费成功”再离开。",
    Phase.CHECKING: "正在向{title}核对，钱没有丢，请不要再付一次。",
    Phase.PAID: "缴费成功。",
    Phase.REFUNDED: "这一笔已退费，现在没有交。钱退到哪一步，看“退费进度”。",
    Phase.SURPLUS: "这一项已经交过了，多付的钱会退回原来付款的账户，不用您去办。",
    Phase.LEFT: "这个付款码不用了，请不要再付。没有付就没有扣钱；万一付了，这一项还没交就算交上，已经交了就自动退回。",
    Phase.CLOSED: "这个付款码已经失效，没有扣钱。要交费请重新出码。",
    Phase.FAILED: "{title}没有接受这一笔，没有扣钱。请稍后再试。",
}
WITHOUT_CODE: Mapping[Phase, str] = {  # of a payment that nobody was to scan
    Phase.LEFT: "这一笔不付了。没有付就没有扣钱；万一付了，这一项还没交就算交上，已经交了就自动退回。",
    Phase.CLOSED: "这一笔过了时间，没有扣钱。要交费请重新去交。",
}


@dataclass(frozen=True)
class Item:
    """One bill of a payment. `name` in clear: mask it. Amounts in fen. `late`: when it was begun, a newer year was
    collected already."""

    person_id: int
    name: str
    village_code: str
    insurance: Insurance
    title: str
    amount: Fen
    tier: Fen | None  # where people call it one
    benefit_start: date | None
    within: Sequence[str] = ()  # what of the amount went into other funds; what sponsors pay beside it
    late: bool = False

    @property
    def heading(self) -> str:
        """The title where years stand side by side: 2022年居民医保（逾期）."""
        return late_words(self.title) if self.late else self.title


@dataclass(frozen=True)
class Followed:
    """A payment as it stands. `expires_at` on the business clock, `now` the moment of the look."""

    number: str
    gateway: str
    kind: Kind
    title: str  # the gateway's, as people call it
    phase: Phase
    amount: Fen
    now: datetime
    expires_at: datetime
    paid_at: datetime | None
    started_by: str
    check_code: str
    code_url: str | None
    jsapi: Mapping[str, str] | None
    page: Page | None
    link: str | None
    partly_back: bool  # paid, and some of it has gone back
    page_hosts: Sequence[str]  # where the page may lead on to
    village: str
    items: Sequence[Item]

    @property
    def words(self) -> str:
        """The sentence for this phase."""
        words = WORDS if self.kind is Kind.NATIVE else {**WORDS, **WITHOUT_CODE}
        return words[self.phase].format(title=self.title)

    @property
    def minutes_left(self) -> int:
        """Whole minutes, the begun one counted; 0 when it is over."""
        return max(0, -(-int((self.expires_at - self.now).total_seconds()) // 60))

    @property
    def is_over(self) -> bool:
        """Nothing more will happen to it by itself."""
        return self.phase not in (Phase.WAITING, Phase.CHECKING)


def follow(parts: Parts, number: str) -> Followed:
    """The payment of a number with its items. NoSuchPayment. Who may see it is the door's question."""
    with parts.reading() as connection:
        return look(parts, connection, number)


def look(parts: Parts, connection: Connection, number: str) -> Followed:
    """The same for somebody who looks at several in one transaction."""
    if not _NUMBER.fullmatch(number):
        raise NoSuchPayment
    row = find_money.payment(connection, number)
    if row is None:
        raise NoSuchPayment(number)
    items = connection.execute(_ITEMS, {"household": row.household_id, "number": number}).all()
    if not items:  # a sponsor's, which pays no bill: offices follow it by its pledge
        raise NoSuchPayment(number)
    left = kept(connection, row.household_id, receipt_of_payment(row)) if row.state == State.PAID else None
    return _followed(parts, row, items, left)


_ITEMS = text(
    "select b.person_id, b.insurance, b.levy_year, b.determination, b.years, b.personal_due, b.tier, b.level,"
    " b.raised_from, b.benefit_start, p.name, h.village_code, paid_into_others(b.household_id, b.id) as funds,"
    " sponsors_of(b.household_id, b.id) as gave, paid.memo->'short' as short,"
    " t.name || v.name as place, exists (select from levy_year y"
    "   where y.year > b.levy_year and y.opened_at <= paid.started_at) as late"
    " from payment paid join payment_bill pb using (household_id, number)"
    " join bill b on b.household_id = pb.household_id and b.id = pb.bill_id"
    " join person p on p.id = b.person_id join household h on h.id = p.household_id"
    " join village v on v.code = h.village_code join town t on t.code = v.town_code"
    " where pb.household_id = :household and pb.number = :number"
    " order by b.person_id, b.levy_year desc, b.insurance, b.determination nulls first, b.raised_from nulls first"
)


def unfinished(parts: Parts, people: Collection[int], *, by: str) -> list[Followed]:
    """What `by` (account:<id>) began for these people and neither paid nor let be, the newest first."""
    if not people:
        return []
    with parts.reading() as connection:
        found = connection.execute(_UNFINISHED, {"people": list(people), "by": by, "live": [*map(str, LIVE)]}).scalars()
        return [look(parts, connection, number) for number in found.all()]


_UNFINISHED = text(
    "select p.number from bill b"
    " join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id"
    " join payment p on p.household_id = pb.household_id and p.number = pb.number"
    " where b.person_id = any (:people) and p.started_by = :by and p.state = any (:live)"
    " group by p.number, p.started_at order by p.started_at desc, p.number"
)


def close_payment(parts: Parts, number: str, *, by: str) -> None:
    """`by` (account:<id>, agent:<id>) does not want it: it ends at its gateway, or is left. What became of it is told
    by `follow`. NoSuchPayment, CodeOfAnother."""
    with parts.reading() as connection:
        row = find_money.payment(connection, number) if _NUMBER.fullmatch(number) else None
    if row is None:
        raise NoSuchPayment(number)
    if row.state in LIVE:
        give_way(parts, row, by=by)


def _followed(parts: Parts, row: Any, items: Sequence[Any], left: Kept | None) -> Followed:
    phase, now = PHASES[State(row.state)], parts.clocks.now()
    if phase is Phase.WAITING and (now >= row.expires_at or not row.checkout):
        phase = Phase.CHECKING  # its time is over, and only the gateway knows how it ended
    became = fate(row, len(items), left) if left else None
    phase = Phase.REFUNDED if became is Fate.BACK else phase
    standing = {_key(bill) for bill in left.bills} if left and became is not Fate.BACK else set()
    held = restored(row.checkout) if phase is Phase.WAITING else Checkout()
    facts = GATEWAYS[row.gateway].facts
    return Followed(
        number=row.number,
        gateway=row.gateway,
        kind=Kind(row.kind),
        title=facts.title,
        phase=phase,
        amount=row.amount,
        now=now,
        expires_at=row.expires_at,
        paid_at=row.paid_at,
        started_by=row.started_by,
        check_code=row.check_code,
        code_url=held.code_url,
        jsapi=held.jsapi,
        page=held.page,
        link=held.link,
        partly_back=became is Fate.PARTLY_BACK,
        page_hosts=facts.page_hosts,
        village=items[0].place,
        items=[_item(parts, each, covers=left is None or _key(each) in standing) for each in items],
    )


def _key(bill: Any) -> tuple[Any, ...]:
    return bill.person_id, bill.insurance, bill.levy_year, bill.determination, bill.raised_from is not None


def _item(parts: Parts, row: Any, *, covers: bool) -> Item:
    insurance, rules = Insurance(row.insurance), parts.levy.rules(row.levy_year)
    return Item(
        person_id=row.person_id,
        name=parts.vault.open(row.name, bound_to=f"person.name:{row.person_id}"),
        village_code=row.village_code,
        insurance=insurance,
        title=title_of(row),
        amount=row.personal_due,
        tier=named_tier(rules, row),
        within=(*within_words(rules, row.funds, row.personal_due), *sponsor_words(row)),
        benefit_start=row.benefit_start if covers else None,
        late=row.late,
    )
