"""Sponsors promise, bring money by a code and by the bank, and get back what is left; residents use it up. What each
pledge has is counted from the bank's rows as they were written, the gateways' own lists and what settled bills say."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from app.flows.pay.start import Started
from payments.sandbox.trades import Declined
from tests.simulate.offices import Office
from tests.simulate.owed import MEDICAL, NOTICES, Item
from tests.simulate.people import NAME

_ENTERED = re.compile(r"资助(\d+)：(ZZ\d{10})")
WHO = ("--kind", "village", "--name", "示例村股份经济合作社", "--contact", "李联系", "--phone", "06320000000")


@dataclass
class Pledge:
    """A promise as it was entered. `value`: basis points of PCT, fen of FIX; `banked`: fen by the bank's serial;
    `codes`: numbers of payments that somebody began for it."""

    id: int
    number: str
    year: int
    mode: str
    value: int
    budget: int
    village: str | None
    category: str | None
    named: frozenset[int]
    since: date
    agreed: bool = False
    ended: bool = False
    banked: dict[str, int] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)

    def share(self, left: int) -> int:
        """What it pays of what is left, half up."""
        if self.mode == "ALL":
            return left
        return min(left, self.value) if self.mode == "FIX" else (left * self.value * 2 + 10_000) // 20_000


class Sponsors(Office):
    """Who promises, who agrees, who pays in, and who asks for what is left."""

    name = "sponsors"
    each, is_early = 15, True

    def __init__(self, season: object) -> None:
        super().__init__(season)  # type: ignore[arg-type]
        self.pledges: list[Pledge] = []
        self.serial = 0

    def act(self) -> None:
        """A pledge with its money; more money; its end."""
        standing = [each for each in self.pledges if each.agreed and not each.ended]
        dice = self.chance.random()
        if not standing or dice < 0.35:
            self._promise()
        elif dice < 0.7:
            self._bring(self.chance.choice(standing))
        elif dice < 0.8:
            self._by_bank(self.chance.choice(standing), wrong=True)
        else:
            self._end(self.chance.choice(standing))

    def judge(self) -> Mapping[str, Sequence[str]]:
        """Fen by fen, pledge by pledge."""
        return {**super().judge(), "pledges": self._counted(), "shares of settled bills": self._shares()}

    # What is promised, and by whom agreed to

    def _promise(self) -> None:
        year = self.chance.choice(sorted(self.owed.open))
        if self.today > NOTICES[year].normal_until:
            return
        one = self._drawn(year)
        value = {"ALL": (), "PCT": ("--value", one.value / 100), "FIX": ("--value", _yuan(one.value))}[one.mode]
        whom: tuple[object, ...] = ("--named", self._names(one.named)) if one.named else ()
        if not (one.village or one.category or one.named):
            whom = ("--from-age", 0)
        elif not one.named:
            whom = ("--village", one.village) if one.village else ("--category", one.category)
        asked = ("--mode", one.mode, *value, "--budget", _yuan(one.budget), "--year", year, *whom, "--by", "enters")
        entered = _ENTERED.search(said := self.ask("sponsor", "enter", *WHO, *asked))
        if not self.must(entered is not None, f"a pledge: {said}"):
            return
        one.id, one.number = int(entered[1]), entered[2]  # type: ignore[index]
        self.pledges.append(one)
        for row in self.stage.eye.execute(_PROPOSED, ([each.id for each in self.pledges],)).fetchall():
            self.ask("sponsor", "end", row.id, "--why", "登记了两次", "--by", "enters")
        if self.chance.random() < 0.3:
            said = self.ask("sponsor", "agree", one.id, "--by", "enters")
            self.must("换一个人" in said, f"{one.number} agreed to by who entered it: {said}")
        said = self.ask("sponsor", "agree", one.id, "--by", "agrees")
        one.agreed = self.must(one.number in said or "已经有人办过" in said, f"{one.number} is not agreed to: {said}")
        self._bring(one)

    def _drawn(self, year: int) -> Pledge:
        mode = self.chance.choice(("ALL", "PCT", "FIX"))
        value = {"ALL": 0, "PCT": self.chance.choice((2500, 5000, 3333)), "FIX": self.chance.choice((5000, 12345))}[
            mode
        ]
        budget = self.chance.choice((320_00, 700_00, 1000_00))
        homes = self.homes()
        village, category, named = None, None, frozenset[int]()
        match self.chance.randrange(4):
            case 0:
                category = "YOUFU"
            case 1:
                named = frozenset(self.anybody()[0] for _ in range(3))
            case 2:
                village = self.chance.choice(homes).village
            case _:
                pass  # everybody
        return Pledge(0, "", year, mode, value, budget, village, category, named, self.today)

    def _names(self, people: frozenset[int]) -> str:
        numbers = {person: number for home in self.homes() for person, number in home.numbers.items()}
        self.done += 1
        path = self.folder / f"named-{self.done}.txt"
        path.write_text("".join(f"{NAME} {numbers[each]}\n" for each in sorted(people)), encoding="utf-8")
        return str(path)

    # Money

    def _bring(self, one: Pledge) -> None:
        """By the bank: short, over, and the same file twice; or by a code of a gateway, used once, twice, or never."""
        if self.chance.random() < 0.55:
            return self._by_bank(one)
        gateway = self.chance.choice(("wechat", "alipay", "unionpay"))
        self.done += 1
        amount = self.chance.choice((one.budget, one.budget // 2, one.budget // 3))
        wish = (one.id, amount, gateway, f"sponsor-{self.done}")
        for _ in range(4):  # who hears nothing presses again
            reply = self.stage.call("web", "pay_in", *wish, "staff:medical")
            if isinstance(reply.data, Started):
                return self._coded(one, reply.data)
        return None

    def _coded(self, one: Pledge, begun: Started) -> None:
        number, checkout = begun.number, begun.checkout
        assert number is not None
        if number not in one.codes:
            one.codes.append(number)
        if checkout is None or not checkout.code_url:
            return
        for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
            self.season.later(self.chance.choice((5, 5, 30, 600)), lambda: self._scan(number, str(checkout.code_url)))

    def _scan(self, number: str, code: str) -> None:
        try:
            trade = self.stage.far.world.pay(code, "")
        except Declined as no:
            return self.stage.say(f"sponsor {number} declined {no.code}")
        return self.stage.say(f"sponsor {number} paid {trade['amount']}")

    def _by_bank(self, one: Pledge, *, wrong: bool = False) -> None:
        """`wrong`: with a number that nobody gave: it is nobody's until two people say whose."""
        self.serial += 1
        serial, number = (
            f"ZB{self.serial:04d}",
            one.number[:-1] + str((int(one.number[-1]) + 1) % 10) if wrong else one.number,
        )
        amount = int(one.budget * self.chance.choice((0.4, 1, 1, 1.3)))
        head = ("银行流水号", "入账日期", "金额", "附言")
        row = (serial, self.today, _yuan(amount), f"资助 {number.lower()}，谢谢")
        path = self.a_file([head, row, ("合计", 1, _yuan(amount))], "bank")
        for _ in range(self.chance.choice((1, 1, 2))):
            said = self.ask("recon", "import", "bank", path, "--by", "clerk")
            self.must("导入 1 行" in said or "以前导入过" in said, f"the bank's file: {said}")
        if not wrong:
            one.banked[serial] = amount

    # Its end

    def _end(self, one: Pledge) -> None:
        said = self.ask("sponsor", "back", one.id, "--by", "enters")
        self.must(said.startswith("Error"), f"{one.number} goes back before its end: {said}")
        said = self.ask("sponsor", "end", one.id, "--why", "年度资助结束", "--by", "enters")
        self.must("已结束" in said or "已经有人办过" in said, f"{one.number} does not end: {said}")
        one.ended = True
        self._back(one)

    def _back(self, one: Pledge) -> None:
        """What is left; while somebody pays, later; and what was not agreed to, or came meanwhile, once more."""
        said = self.ask("sponsor", "back", one.id, "--by", "enters")
        if "正在付款" in said or not self.season.is_over:
            self.season.later(self.chance.uniform(900, 40_000), lambda: self._back(one))

    # Prices

    def less(self, owed: Mapping[Item, int | None], on: date, *, apart: bool = False) -> dict[Item, int | None]:
        """What is left for the residents of these items, in one wish in this order, or (`apart`) each by himself."""
        if not self.pledges:
            return dict(owed)
        spoken, own = self._spoken()
        given, left = Counter[int](), dict(owed)
        for item, fen in owed.items():
            if item.insurance != MEDICAL or not fen or on > NOTICES[item.year].normal_until:
                continue
            for one in self.pledges:
                share, mine = one.share(left[item] or 0), own[one.id, item.person]
                if share and self._means(one, item, on, mine) and share <= mine + spoken[one.id] - given[one.id]:
                    left[item] = (left[item] or 0) - share
                    given[one.id] += 0 if apart else max(share - mine, 0)
        return left

    def _means(self, one: Pledge, item: Item, on: date, own: int) -> bool:
        if one.year != item.year or on < one.since or not (own or (one.agreed and not one.ended)):
            return False
        if one.category:
            return one.category in self.owed.categories(item.year, item.person)
        if one.village:
            return own > 0 or self.season.lives[item.person] == one.village
        return own > 0 or not one.named or item.person in one.named

    def _spoken(self) -> tuple[dict[int, int], Counter[tuple[int, int]]]:
        """What each can still give, and what is spoken for by whom, row by row."""
        eye, own, rooms = self.stage.eye, Counter[tuple[int, int]](), {}
        used = Counter[int]()
        for row in eye.execute(_RESERVED).fetchall():
            own[row.pledge_id, row.person_id] += row.amount
            used[row.pledge_id] += row.amount
        for one in self.pledges:
            taken, back = eye.execute(_MONEY, {"pledge": one.id}).fetchone()
            room = min(one.budget, taken - back) - used[one.id]
            rooms[one.id] = room if one.agreed and not one.ended and taken else 0
        return rooms, own

    # The judgement

    def _counted(self) -> list[str]:
        """Money in − what settled bills had of it − what went back = what is left, and the book says the same."""
        wrong, eye, far = [], self.stage.eye, self.stage.far.world.trades
        came = {trade["number"]: trade["amount"] for trade in far.paid()}
        for one in self.pledges:
            states = dict(map(tuple, eye.execute(_STATES, (one.codes,)).fetchall()))
            taken = sum(one.banked.values()) + sum(
                came.get(each, 0) for each in one.codes if states.get(each) == "paid"
            )
            used = eye.execute(_USED, (f"sponsor:{one.id}",)).fetchone().fen
            back = eye.execute(_BACK, (one.id,)).fetchone().fen
            book = -eye.execute(_BOOK, (f"sponsor:{one.id}",)).fetchone().fen
            if taken - used - back != book or book < 0 or used > one.budget:
                wrong.append(
                    f"{one.number}: {taken} − {used} − {back}, the book has {book} of a budget of {one.budget}"
                )
            if one.ended and book and not eye.execute(_REJECTED, (one.id,)).fetchone():
                wrong.append(f"{one.number} has ended, and {book} are left")
        return wrong

    def _shares(self) -> list[str]:
        """Each bill's shares are what its pledges promised of what was left before them."""
        wrong, terms = [], {f"sponsor:{one.id}": one for one in self.pledges}
        for row in self.stage.eye.execute(_LINES).fetchall():
            left = row.rest
            for payer, amount in row.shares:
                if int(amount) != terms[payer].share(left):
                    wrong.append(f"bill {row.id}: {payer} pays {amount} of {left}")
                left -= int(amount)
        return wrong


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


_PROPOSED = "select id from pledge where state = 'proposed' and id <> all (%s) order by id"
_RESERVED = """
select s.pledge_id, b.person_id, s.amount from pledge_share s
  join bill b on b.household_id = s.household_id and b.id = s.bill_id where s.state in ('reserved', 'used')"""
_MONEY = """
select (select coalesce(sum(amount), 0)::bigint from pledge_money where pledge_id = %(pledge)s) as taken,
       (select coalesce(sum(amount), 0)::bigint from refund
         where pledge = %(pledge)s and state <> 'rejected') as back"""
_STATES = "select number, state from payment where number = any (%s)"
_USED = """
select coalesce(sum(l.amount), 0)::bigint as fen from bill b
  join bill_line l on l.household_id = b.household_id and l.bill_id = b.id
 where b.state = 'settled' and l.part = 'sponsor' and l.payer = %s"""
_BACK = "select coalesce(sum(amount), 0)::bigint as fen from refund where pledge = %s and state = 'paid'"
_BOOK = "select coalesce(sum(amount), 0)::bigint as fen from posting where account = %s"
_REJECTED = "select 1 from refund where pledge = %s and state in ('rejected', 'failed', 'abnormal') limit 1"
_LINES = """
select b.id, b.personal_due + sum(l.amount)::bigint as rest,
       array_agg(array[l.payer, l.amount::text] order by l.line) as shares
  from bill b join bill_line l on l.household_id = b.household_id and l.bill_id = b.id and l.part = 'sponsor'
 where b.state = 'settled' group by b.household_id, b.id, b.personal_due"""
