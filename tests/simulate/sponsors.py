"""Sponsors promise, bring money by a code and by the bank, and get back what is left; residents use it up. What each
pledge has is counted from the bank's rows as they were written, the gateways' own lists and what settled bills say."""

import re
from collections.abc import Mapping, Sequence

from app.flows.pay.start import Started
from payments.sandbox.trades import Declined
from tests.simulate.offices import Office
from tests.simulate.owed import NOTICES
from tests.simulate.people import NAME
from tests.simulate.pledges import Pledge, Purse, off

_ENTERED = re.compile(r"资助(\d+)：(ZZ\d{10})")
_SHOWN = re.compile(r"到账([\d.]+)\t正在付([\d.]+)\t已资助([\d.]+)\t剩([\d.]+)")
WHO = ("--kind", "village", "--name", "示例村股份经济合作社", "--contact", "李联系", "--phone", "06320000000")


class Sponsors(Office):
    """Who promises, who agrees, who pays in, and who asks for what is left."""

    name = "sponsors"
    each, is_early = 15, True

    def __init__(self, season: object) -> None:
        super().__init__(season)  # type: ignore[arg-type]
        self.purse = Purse(self.season)
        self.pledges = self.purse.pledges
        self.serial = 0

    def act(self) -> None:
        """A pledge with its money; more money; its end."""
        standing = [each for each in self.pledges if each.agreed and not each.ended]
        if standing and self.chance.random() < 0.4:
            self._look(self.chance.choice(standing))
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
                return self._coded(one, reply.data, gateway)
        return None

    def _coded(self, one: Pledge, begun: Started, gateway: str) -> None:
        number, checkout = begun.number, begun.checkout
        assert number is not None
        one.codes[number] = gateway
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

    # The judgement

    def _look(self, one: Pledge) -> None:
        """The clerk's page of it says what we reckon."""
        said = self.ask("sponsor", "show", one.id)
        self.wrong += self._unlike(one, said)

    def _unlike(self, one: Pledge, said: str) -> list[str]:
        spoken, taken = self.purse.spoken(), self.purse.came(one)
        reserved, used, back = spoken.reserved[one.id], spoken.used[one.id], self._asked_back(one)
        ours = (taken, reserved, used, taken - reserved - used - back)
        shown = _SHOWN.search(said)
        theirs = tuple(map(_fen, shown.groups())) if shown else said
        return [f"{one.number} shows {theirs}, not {ours}"] if theirs != ours or ours[-1] < 0 else []

    def _asked_back(self, one: Pledge) -> int:
        """What has gone back, and what is on its way."""
        under_way = self.stage.eye.execute(_UNDER_WAY, (one.id,)).fetchone().fen
        return self.purse.went(one) + int(under_way)

    def _counted(self) -> list[str]:
        """Money in − what settled bills had of it − what went back = what is left; so say the book and the page."""
        wrong, eye, spoken = [], self.stage.eye, self.purse.spoken()
        for one in self.pledges:
            taken, used, back = self.purse.came(one), spoken.used[one.id], self.purse.went(one)
            book = -eye.execute(_BOOK, (f"sponsor:{one.id}",)).fetchone().fen
            if taken - used - back != book or book < 0 or used + spoken.reserved[one.id] > one.budget:
                wrong.append(
                    f"{one.number}: {taken} − {used} − {back}, the book has {book} of a budget of {one.budget}"
                )
            if one.ended and book and not eye.execute(_REJECTED, (one.id,)).fetchone():
                wrong.append(f"{one.number} has ended, and {book} are left")
            wrong += self._unlike(one, self.ask("sponsor", "show", one.id))
        return wrong

    def _shares(self) -> list[str]:
        """Each settled bill has of its sponsors what was reckoned when somebody started to pay it, by its lines and by
        its shares, and no bill else has any."""
        settled, wrong = self.purse.bills(_SETTLED, ()), []
        known = {bill.id for bill in settled}
        for told in (_LINES, _USED):
            theirs: dict[int, dict[int, int]] = {}
            for row in self.stage.eye.execute(told).fetchall():
                theirs.setdefault(row.bill_id, {})[int(row.pledge)] = row.amount
            wrong += off((bill, theirs.get(bill.id, {}), self.purse.of_bill(bill)) for bill in settled)
            wrong += [
                f"bill {number} is not settled and has {theirs[number]}" for number in sorted(theirs.keys() - known)
            ]
        return wrong


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _fen(yuan: str) -> int:
    whole, _, rest = yuan.partition(".")
    return int(whole) * 100 + int((rest + "00")[:2])


_PROPOSED = "select id from pledge where state = 'proposed' and id <> all (%s) order by id"
_UNDER_WAY = """
select coalesce(sum(amount), 0)::bigint as fen from refund where pledge = %s and state not in ('paid', 'rejected')"""
_BOOK = "select coalesce(sum(amount), 0)::bigint as fen from posting where account = %s"
_REJECTED = "select 1 from refund where pledge = %s and state in ('rejected', 'failed', 'abnormal') limit 1"
_SETTLED = "where b.insurance = 'RES_MEDICAL' and b.state = 'settled'"
_LINES = """
select l.bill_id, split_part(l.payer, ':', 2) as pledge, sum(l.amount)::bigint as amount
  from bill b join bill_line l on l.household_id = b.household_id and l.bill_id = b.id and l.part = 'sponsor'
 where b.state = 'settled' group by 1, 2"""
_USED = "select bill_id, pledge_id as pledge, amount from pledge_share where state = 'used'"
