"""What somebody wants to pay → bills issued, an attempt written down, the gateway asked, the way to pay handed back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert

from app.flows.due.draft import draft_of
from app.flows.due.item import Due
from app.flows.due.pledged import short_of, together
from app.flows.due.quote import amount_due
from app.flows.due.rise import NoSuchItem, due_of_rise
from app.flows.parts import Parts
from app.flows.pay.checkout import kept, opens_for, restored
from app.flows.pay.expire import MARGIN
from app.flows.pay.leave import CodeOfAnother, give_way
from app.flows.pay.meet import Met, meet
from app.flows.tell.announce import notice_for, tell_settled
from app.policy.facts import Insurance
from app.registry.subject import Subject
from core.clock import beijing, business_day
from core.errors import BadInput, Conflict, NotFound
from core.money import Fen
from payments.errors import (
    AlreadyPaidThere,
    ChannelPaused,
    GatewayRefused,
    GatewaySilent,
    KeyReused,
    PaymentUnderWay,
    PledgeSpent,
    UnknownGateway,
)
from payments.gateways.base import Checkout, Gateway, Kind, Order
from payments.gateways.known import GATEWAYS
from payments.number import new_check_code, new_number
from payments.refusals import as_errors
from payments.states import LIVE, State
from payments.taking import find as find_money
from payments.taking.bills import IssuedBill, issue, settle_free
from payments.taking.start import Asked, Attempt, begin, move
from payments.taking.tables import RequestKey

MOST_SPENT = 20


@dataclass(frozen=True)
class Want:
    """One levy item somebody wants to pay: the tier in fen for a pension, None for the medical insurance and for a
    determined amount; the determination of a back-payment, None for the year's premium; for which levy year, None where
    only one is collected; the level of the medical insurance, where there are any to choose; `rise`: the difference to
    this tier, of a pension that is paid."""

    person_id: int
    insurance: Insurance
    tier: Fen | None = None
    determination: int | None = None
    levy_year: int | None = None
    level: int | None = None
    rise: bool = False


@dataclass(frozen=True)
class Payer:
    """Who pays and by what way. `actor`: account:<id>, agent:<id> or staff:<login>; `channel`: the policy's."""

    actor: str
    channel: str
    gateway: str
    kind: Kind
    openid: str | None = None
    network: str | None = None  # the address he comes from; kept nowhere, told to a gateway that asks for it

    @property
    def told_as(self) -> str | None:
        """Whom a message in WeChat goes to: the mini-program's user. The account's is asked for this payment only."""
        return self.openid if self.kind is Kind.JSAPI else None


@dataclass(frozen=True)
class Started:
    """What came of it. `number` None: nothing was due and everything is settled already."""

    number: str | None
    amount: Fen
    state: str
    expires_at: datetime | None
    checkout: Checkout | None


class NotPayable(Conflict):
    """An item that may not be paid now; its reason code is in `reason`, its sentence the quote's."""

    text = "这一项现在不能交。"

    def __init__(self, due: Due) -> None:
        super().__init__(due.quote.reason_code)
        self.reason = due.quote.reason_code
        self.choice_open = due.choice_open
        self._sentence = due.text

    def sentence(self) -> str:
        """The same words as on the quote."""
        return self._sentence


class _AtOnce(Exception):
    """The same request came twice at the same moment, and the other one was first; or a levy year opened or closed at
    that moment."""


class OnNoRoster(Conflict):
    """A village's agent would collect for somebody whom its roster in force has not, or not any more."""

    text = "村里的清册刚刚有变动，这一项村里不能代收了。请返回看清楚；他可以自己用手机、去银行或办税大厅交。"


class KindNotOffered(BadInput):
    """A gateway without this way to the payer."""

    text = "这个渠道不能这样付，请换一种付款方式。"


class SameItemTwice(BadInput):
    """One item of one person stands twice in a wish, in two tiers perhaps."""

    text = "同一个人的同一种保险选了两次，请只留一个。"


class NothingChosen(Conflict):
    """A payment for nothing."""

    text = "还没有选要交的项目。"


def start_payment(parts: Parts, wants: Sequence[Want], payer: Payer, *, request_key: str) -> Started:
    """Issue the bills, settle those of which nothing is due, and start one payment for the rest.

    The same `request_key` with the same wish gives the same payment; with another wish KeyReused. NotPayable,
    YearUnsaid, YearClosed, DifferentHouseholds, BillSettled, OnNoRoster; ChannelPaused unless its code is out already;
    PaymentUnderWay if another attempt could not be ended; GatewayRefused; GatewaySilent when the gateway said nothing
    (the payment is then unknown and will be asked about)."""
    ended: set[str] = set()
    spent = 0
    while True:
        try:
            return _start(parts, _wish(parts, wants, payer, request_key))
        except _AtOnce:
            continue  # what the other one wrote is there now
        except PledgeSpent:
            spent += 1  # somebody else was given it at this moment: the price is another one now
            if spent == MOST_SPENT:
                raise
        except PaymentUnderWay as held:
            if held.number in ended or len(ended) == len(wants):  # each item may be held by a code of its own
                raise
            ended.add(held.number)
            _end_former(parts, held.number, by=payer.actor)


def started_before(parts: Parts, wants: Sequence[Want], payer: Payer, *, request_key: str) -> Started | None:
    """What an earlier request of this key started, as it stands; the gateway is not asked. None if it started nothing.

    After GatewaySilent this is the payment to show: nobody waits for a second silence. KeyReused."""
    wish = _wish(parts, wants, payer, request_key)
    with parts.reading() as connection:
        number = _used(connection, wish)
        return _started(_row(connection, number)) if number else None


@dataclass(frozen=True)
class _Wish:
    """One request: what, by whom, how, and its idempotency key and body as digests."""

    gateway: Gateway
    wants: Sequence[Want]
    payer: Payer
    key: bytes
    body_hash: bytes


def _wish(parts: Parts, wants: Sequence[Want], payer: Payer, key: str) -> _Wish:
    """What is asked for, each item with its year, if it is a wish at all."""
    gateway = parts.gateways.get(payer.gateway)
    if gateway is None:
        raise UnknownGateway(payer.gateway)
    if payer.kind not in gateway.facts.kinds:
        raise KindNotOffered(f"{payer.gateway} {payer.kind}")
    if not wants:
        raise NothingChosen
    wants = [_with_year(parts, want) for want in wants]
    if len({_item(want) for want in wants}) != len(wants):
        raise SameItemTwice
    return _Wish(gateway, wants, payer, *_request(parts, wants, payer, key))


def _start(parts: Parts, wish: _Wish) -> Started:
    with as_errors({"LX124": _AtOnce}), parts.engine.begin() as connection:  # offices began to disagree at this moment
        row = _write_down(parts, connection, wish)
    if row is None:
        return Started(None, 0, "settled", None, None)
    if row.state not in (State.CREATED, State.UNKNOWN) or row.checkout:
        return _started(row)  # a code that is out is handed out again, whatever a question left open
    if not _same_place(parts, row, wish.payer):
        return _started(row)  # under its number they take no other address, and whether they have it is asked
    # New, or its answer was lost: the same number with the same content is the same order there (F34).
    order = Order(
        row.number,
        row.ordered_at,
        Kind(row.kind),
        row.amount,
        row.description,
        row.expires_at,
        wish.payer.openid,
        wish.payer.network,
    )
    return ask_gateway(parts, wish.gateway, row.household_id, order)


def _write_down(parts: Parts, connection: Connection, wish: _Wish) -> Any | None:
    """Bills, settlements of those with nothing due, and the attempt for the rest: its row, None if nothing is due."""
    years = parts.levy.years
    met = meet(parts, connection, [want.person_id for want in wish.wants], key=wish.key, years=years)
    again = _before(met.used, wish)  # read once nobody else is at these people: who was first with this key is seen
    if again is not None:
        return _row(connection, again) if again else None
    household = met.household()
    if parts.levy.years != years:  # of what was read; what another thread has heard meanwhile says nothing of that
        raise _AtOnce
    now = parts.clocks.now()
    items = _issued(parts, connection, wish, met, now)
    dear = [item for item in items if item[2].personal_due]
    row = None
    if not dear:
        _remember(connection, wish, household, "")
    else:
        row = _attempted(parts, connection, wish, met, dear)
    for subject, due, bill in items:  # last, so that whoever pays in their place is held shortly
        if not bill.personal_due and settle(connection, bill, now=now):
            tell_settled(parts, connection, subject, due, bill)
    return row


def settle(connection: Connection, bill: IssuedBill, *, now: datetime) -> bool:
    """A bill of which nothing is due. PledgeSpent if a sponsor's money was used up at this moment."""
    with as_errors(_SPENT):
        return settle_free(connection, bill, now=now, booked_on=business_day(now))


_Item = tuple[Subject, Due, IssuedBill]
_SPENT = {"LX130": PledgeSpent, "40P01": PledgeSpent}  # two who hold one pledge each and want the other's: once more
_NOT_BEGUN = _SPENT | {"LX154": OnNoRoster}


def _issued(parts: Parts, connection: Connection, wish: _Wish, met: Met, now: datetime) -> list[_Item]:
    """The bills of a wish. What a sponsor pays for one of its people he does not have for the next."""
    items = list[_Item]()
    for subject, due in dues_of(parts, wish.wants, met.people, at=now, channel=wish.payer.channel):
        if not due.payable:
            raise NotPayable(due)
        items.append((subject, due, issue(connection, draft_of(parts, subject, due), unseen=_has_none(subject, due))))
    return items


def _attempted(parts: Parts, connection: Connection, wish: _Wish, met: Met, dear: Sequence[_Item]) -> Any:
    """The attempt at a gateway for what is to be paid: its row. ChannelPaused, PledgeSpent."""
    bills = [bill for _, _, bill in dear]
    fresh = all(bill.fresh for bill in bills)
    row = None if fresh else _same_live(parts, connection, bills, wish.payer)
    if row is None:
        if wish.gateway.name in met.paused:
            raise ChannelPaused(wish.gateway.name, met.paused[wish.gateway.name])
        attempt = _attempt(parts, wish.gateway, wish.payer, dear, parts.clocks.now())
        with as_errors(_NOT_BEGUN):
            row = begin(connection, bills, attempt, Asked(wish.key, wish.body_hash), ours_alone=fresh)
        if row is None:
            raise _AtOnce
    else:
        _remember(connection, wish, met.household(), row.number)
    return row


def _has_none(subject: Subject, due: Due) -> bool:
    """Was there no bill of this item when its person was read?"""
    standing = subject.in_year(due.levy_year).standing[due.insurance]
    if due.is_rise:
        return standing.rise is None
    if due.determination is None:
        return standing.bill is None
    return all(each["bill"] is None for each in standing.backpays if each["id"] == due.determination)


def ask_gateway(parts: Parts, gateway: Gateway, household: int, order: Order) -> Started:
    """The attempt is committed; now the gateway hears of it. What it answers is written down afterwards, unless another
    request of the same wish has had its code: then silence and refusal change nothing, and that code is the answer."""
    state, written, trouble = State.PENDING, None, None
    try:
        written = kept(gateway.start(order), at=parts.clocks.now(), place=place_of(parts, order.network))
    except (GatewaySilent, AlreadyPaidThere) as error:
        state, trouble = State.UNKNOWN, error
    except GatewayRefused as error:
        state, trouble = State.FAILED, error
    news = {"checkout": written} if written else {}
    with parts.engine.begin() as connection:
        moved = move(connection, household, order.number, state, unseen=True, **news)
        row = moved or find_money.payment(connection, order.number)
    assert row is not None
    if moved is None and (row.checkout or row.state in ("paid", "surplus")):
        return _started(row)  # the callback overtook the answer (F36), or another request did
    if trouble is not None:
        raise trouble
    return _started(row)


def due_of(parts: Parts, subject: Subject, want: Want, *, at: datetime, channel: str) -> Due:
    """The item that somebody wants to pay, at its price of this moment. NoSuchItem, YearUnsaid, YearClosed."""
    year = parts.levy.only if want.levy_year is None else parts.levy.known(want.levy_year).year
    own = subject.in_year(year)
    if want.rise:
        if want != replace(_item(want), tier=want.tier):
            raise NoSuchItem("a rise of another item than the year's pension")
        return due_of_rise(parts, own, at=at, channel=channel, tier=want.tier)
    chosen = {"tier": want.tier, "level": want.level, "determination": want.determination}
    return amount_due(parts, own, want.insurance, at=at, channel=channel, **chosen)


def dues_of(
    parts: Parts, wanted: Sequence[Want], people: Mapping[int, Subject], *, at: datetime, channel: str
) -> Iterator[tuple[Subject, Due]]:
    """The items of one wish at what they come to together, each with its person: what a sponsor pays for one of them he
    does not have for the next. Errors of `due_of`."""
    return together((people[want.person_id], partial(_due_for, parts, want, at, channel)) for want in wanted)


def _due_for(parts: Parts, want: Want, at: datetime, channel: str, subject: Subject) -> Due:
    return due_of(parts, subject, want, at=at, channel=channel)


def want_of(bill: Any) -> Want:
    """What a bill was issued for: the same item, with what was chosen for it. Pure."""
    insurance = Insurance(bill.insurance)
    rise = bill.raised_from is not None
    return Want(bill.person_id, insurance, bill.tier, bill.determination, bill.levy_year, bill.level, rise)


def place_of(parts: Parts, network: str | None) -> str:
    """What is kept of an address, to know it again."""
    return parts.vault.index(network or "", purpose="payment.place").hex()[:24]


def find_started(parts: Parts, number: str) -> Started:
    """A payment as it stands. NotFound."""
    with parts.engine.connect() as connection:
        return _started(_row(connection, number))


def _item(want: Want) -> Want:
    """The levy item alone, whatever is chosen for it; a rise is one however it is named."""
    if want.rise:
        return Want(want.person_id, Insurance.RES_PENSION, levy_year=want.levy_year, rise=True)
    return replace(want, tier=None, level=None)


def _with_year(parts: Parts, want: Want) -> Want:
    """YearUnsaid. Whether the year can be paid is asked when something is to be written: an earlier request of the same
    key had its code before it closed."""
    return want if want.levy_year is not None else replace(want, levy_year=parts.levy.only)


def _end_former(parts: Parts, number: str, *, by: str) -> None:
    """Another attempt holds the bill: it ends, or gives way (decision 0019). PaymentUnderWay."""
    with parts.reading() as connection:
        row = find_money.payment(connection, number)
    assert row is not None
    try:
        if give_way(parts, row, by=by):
            return  # or paid, as we learn only now: then its bills say so
    except CodeOfAnother:
        raise PaymentUnderWay(number) from None
    facts = GATEWAYS[row.gateway].facts
    if facts.unseen_may_be_paid:
        ends = beijing(row.expires_at + MARGIN + timedelta(minutes=1))
        raise PaymentUnderWay(number, title=facts.title, ends=f"{ends.hour}点{ends.minute:02d}分")
    raise PaymentUnderWay(number)


def _attempt(
    parts: Parts, gateway: Gateway, payer: Payer, items: Sequence[tuple[Subject, Due, IssuedBill]], now: datetime
) -> Attempt:
    household = items[0][0].household_id
    number = new_number(household, business_day(now))
    years = "、".join(str(year) for year in sorted({due.levy_year for _, due, _ in items}))
    wall = parts.clocks.wall()
    check_code = new_check_code()
    lives = min(timedelta(minutes=parts.rules.campaign.order_minutes), gateway.facts.lives_at_most)
    last = min(bill.price_until for _, _, bill in items) - timedelta(seconds=1)
    sealed = parts.vault.seal(payer.openid, bound_to=f"payment.payer:{number}") if payer.openid else None
    return Attempt(
        number=number,
        gateway=gateway.name,
        merchant=gateway.merchant,
        app=gateway.facts.account_app if payer.kind is Kind.ACCOUNT else gateway.app,
        kind=payer.kind,
        description=f"{parts.rules.source.district}{years}年度城乡居民保险费",
        started_by=payer.actor,
        started_at=wall,
        ordered_at=now.replace(microsecond=0),
        expires_at=min(now + lives, last).replace(microsecond=0),
        next_query_at=wall + timedelta(seconds=gateway.facts.poll_after_s[0]),
        check_code=check_code,
        memo={"notice": notice_for(parts, f"payment:{number}", items, check_code, payer.told_as)}
        | short_of([due for _, due, _ in items])
        | ({"place": place_of(parts, payer.network)} if payer.kind is Kind.H5 else {})
        | _by_roster(parts, payer, [due for _, due, _ in items]),
        payer=sealed,
    )


def _by_roster(parts: Parts, payer: Payer, dues: Sequence[Due]) -> dict[str, Any]:
    """The years of an agent's payment that he may collect by his village's roster only: the database looks too."""
    years = {due.levy_year for due in dues if parts.levy.rules(due.levy_year).campaign.agents_by_roster}
    return {"by_roster": sorted(years)} if years and payer.actor.startswith("agent:") else {}


def _request(parts: Parts, wants: Sequence[Want], payer: Payer, key: str) -> tuple[bytes, bytes]:
    """(digest of actor and key, digest of the wish)."""
    items = sorted((w.person_id, w.insurance, w.determination or 0, w.tier or 0, *_more(parts, w)) for w in wants)
    wish = [payer.gateway, payer.kind, payer.channel, items]
    who = f"{payer.actor}\0{payer.openid or ''}\0{key}"
    return sha256(who.encode()).digest(), sha256(json.dumps(wish).encode()).digest()


def _more(parts: Parts, want: Want) -> list[int | None]:
    """The year and the level, where they say more than a wish of the first year without levels did; a rise."""
    if want.rise:
        return [want.levy_year, 0, 1]
    if want.level is not None:
        return [want.levy_year, want.level]
    return [] if want.levy_year == parts.levy.first else [want.levy_year]


def _used(connection: Connection, wish: _Wish) -> str | None:
    """The payment an earlier request of this key started ('' if nothing was due), or None. KeyReused."""
    row = connection.execute(_USED, {"its_key": wish.key}).one_or_none()
    return _before((row.body_hash, row.number) if row else None, wish)


def _before(used: tuple[bytes, str] | None, wish: _Wish) -> str | None:
    if used is None:
        return None
    body_hash, number = used
    if body_hash != wish.body_hash:
        raise KeyReused
    return number


def _remember(connection: Connection, wish: _Wish, household: int, number: str) -> None:
    mine = {"key": wish.key, "body_hash": wish.body_hash, "household_id": household, "number": number}
    if connection.execute(_REMEMBER, mine).one_or_none() is None:
        raise _AtOnce


_USED = select(RequestKey.__table__).where(RequestKey.key == bindparam("its_key"))
_REMEMBER = insert(RequestKey.__table__).on_conflict_do_nothing().returning(RequestKey.key)


def _same_live(parts: Parts, connection: Connection, bills: Sequence[IssuedBill], payer: Payer) -> Any | None:
    """His live attempt for exactly these bills by the same way, still payable: the same code again, not a new one."""
    household = bills[0].household_id
    row = connection.execute(
        text(
            "select p.* from payment p join payment_bill b using (household_id, number)"
            " where p.household_id = :household and b.live"
            " group by p.household_id, p.number having array_agg(b.bill_id order by b.bill_id) = :bills"
        ),
        {"household": household, "bills": sorted(bill.id for bill in bills)},
    ).one_or_none()
    way = (payer.actor, payer.gateway, payer.kind)
    if row is None or row.state == State.CLOSING or (row.started_by, row.gateway, row.kind) != way:
        return None
    if row.amount != sum(bill.personal_due for bill in bills):
        return None  # it covers somebody as well whom this agent does not see any more
    opened = parts.vault.open(row.payer, bound_to=f"payment.payer:{row.number}") if row.payer else None
    if opened != payer.openid or row.expires_at - parts.clocks.now() < timedelta(minutes=1):
        return None
    return row if _same_place(parts, row, payer) else None


def _same_place(parts: Parts, row: Any, payer: Payer) -> bool:
    """Only an H5 page is bound to the address its order names: that of its link, or before there is one its first."""
    place = place_of(parts, payer.network)
    if row.kind != Kind.H5:
        return True
    return opens_for(row.checkout, place) if row.checkout else bool(row.memo.get("place", place) == place)


def _row(connection: Connection, number: str) -> Any:
    row = find_money.payment(connection, number)
    if row is None:
        raise NotFound(number)
    return row


def _started(row: Any) -> Started:
    held = row.checkout if row.state in LIVE else None
    return Started(row.number, row.amount, row.state, row.expires_at, restored(held) if held else None)
