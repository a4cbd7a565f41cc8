"""What departments owe is drawn up as bills and paid by the treasury's and the bank's files: in part, over, twice,
without a number. What each bill has got is reckoned from the files' rows as they were written."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.simulate.offices import Office
from tests.simulate.prices import charged

NAMED = {"civil": "民政", "rural": "乡村振兴", "cdpf": "残联"}
FUND = "RES_MEDICAL"
_OPEN = re.compile(r"^(\w+)\t(\d{4})\t(\w+)\t(\d+|-)\t(\d+)\t(-?[\d.]+)\t(-?[\d.]+)\t(-?[\d.]+)$", re.MULTILINE)
Whose = tuple[str, int]  # department, levy year


@dataclass
class Bill:
    """One that was drawn up. `at_bank`: of what was paid, what the treasury has not moved on."""

    number: str
    whose: Whose
    amount: int
    paid: int = 0
    at_bank: int = 0


class Treasury(Office):
    """The bureau that draws bills up, and whoever pays them."""

    name = "treasury"
    each, at_last = 15, 6

    def __init__(self, season: object) -> None:
        super().__init__(season)  # type: ignore[arg-type]
        self.bills: list[Bill] = []
        self.unnamed: Counter[Whose] = Counter()  # came without a number, and no bill had use for it yet
        self.came: Counter[Whose] = Counter()  # all that pays what is owed
        self.held = 0  # beyond any bill
        self.serial = 0

    def act(self) -> None:
        """What is open is drawn up; or something is paid."""
        if not self.bills or self.chance.random() < 0.4:
            self._draw()
        else:
            self._pay()

    def judge(self) -> Mapping[str, Sequence[str]]:
        """Bill by bill, and all of them beside what stands settled in each department's charge."""
        return {**super().judge(), "bills": self._bills(), "what is owed and paid": self._owed()}

    # Drawn up

    def _draw(self) -> None:
        found = _OPEN.findall(self.ask("helped", "bill", "open"))
        rows = [row for row in found if not row[7].startswith("-") and _fen(row[7]) > 0]
        if not rows:
            return
        department, year, fund, source, *_, total = self.chance.choice(sorted(rows))
        listed = () if source == "-" else ("--list", source)
        words = ("helped", "bill", "draw", department, year, fund, *listed)
        if self.chance.random() < 0.2:
            said = self.ask(*words, "--total", _yuan(_fen(total) + 100), "--by", "medical")
            self.must(said.startswith("Error"), f"another sum than was seen: {said}")
        said = self.ask(*words, "--total", total, "--by", "medical")
        if said.startswith("Error"):  # it was struck, and is there
            known = [each.number for each in self.bills]
            new = self.stage.eye.execute(_NEW, (known,)).fetchall()
            if not self.must(len(new) == 1, f"a bill of {department}: {said}"):
                return
            said = new[0].number
        self.bills.append(Bill(said, (department, int(year)), _fen(total)))
        self._settle((department, int(year)))

    # Paid

    def _pay(self) -> None:
        one = self.chance.choice(self.bills)
        owed = one.amount - one.paid
        amount = self.chance.choice((owed, owed // 2, owed + 500, one.amount))
        if amount <= 0:
            return
        match self.chance.randrange(3):
            case 0:
                self._by_bank(one, amount)
            case 1:
                self._by_treasury(one.whose, one, amount)
            case _:
                self._by_treasury(one.whose, None, amount)

    def _by_bank(self, one: Bill, amount: int) -> None:
        self.serial += 1
        head, row = (
            ("银行流水号", "入账日期", "金额", "代缴账单号"),
            (f"DB{self.serial:04d}", self.today, _yuan(amount), one.number),
        )
        self._hand_in("bank", head, row, amount)
        pays = min(amount, one.amount - one.paid)
        one.paid, one.at_bank, self.held = one.paid + pays, one.at_bank + pays, self.held + amount - pays
        self.came[one.whose] += pays

    def _by_treasury(self, whose: Whose, one: Bill | None, amount: int) -> None:
        self.serial += 1
        head = ("税票号", "入库日期", "业务日期", "险种", "年度", "类别", "金额", "代缴账单号")
        about = (f"{NAMED[whose[0]]}代缴", _yuan(amount), one.number if one else "")
        row = (f"DT{self.serial:04d}", self.today, self.today, "居民医疗保险", whose[1], *about)
        self._hand_in("treasury", head, row, amount)
        for each in [one] if one else [each for each in self.bills if each.whose == whose]:
            moved = min(each.at_bank, amount)
            each.at_bank, amount = each.at_bank - moved, amount - moved
        if one is None:
            self.came[whose] += amount
            self.unnamed[whose] += amount
            return self._settle(whose)
        pays = min(amount, one.amount - one.paid)
        one.paid, self.held = one.paid + pays, self.held + amount - pays
        self.came[whose] += pays
        return None

    def _hand_in(self, kind: str, head: Sequence[object], row: Sequence[object], amount: int) -> None:
        """Sometimes twice: the second time nothing changes."""
        path = self.a_file([head, row, ("合计", 1, _yuan(amount))], kind)
        for _ in range(self.chance.choice((1, 1, 2))):
            said = self.ask("recon", "import", kind, path, "--by", "clerk")
            self.must("导入 1 行" in said or "以前导入过" in said, f"a file of {kind}: {said}")

    def _settle(self, whose: Whose) -> None:
        """What came without a number is for the oldest."""
        for one in self.bills:
            if one.whose == whose:
                part = min(self.unnamed[whose], one.amount - one.paid)
                one.paid += part
                self.unnamed[whose] -= part

    # The judgement

    def _bills(self) -> list[str]:
        rows = self.stage.eye.execute(_BILLS).fetchall()
        theirs = {r.number: (r.department, r.levy_year, r.amount, r.paid, r.lines, r.state) for r in rows}
        ours = {one.number: (*one.whose, one.amount, one.paid, one.amount, _state(one)) for one in self.bills}
        both = sorted(theirs.keys() | ours.keys())
        return [
            f"{each}: {theirs.get(each)}, not {ours.get(each)}" for each in both if theirs.get(each) != ours.get(each)
        ]

    def _owed(self) -> list[str]:
        """Each settled share stands on one bill at most; billed and unbilled together are what is charged; the book's
        receivable is that less what came."""
        eye, wrong = self.stage.eye, []
        doubled = eye.execute(_DOUBLED).fetchall()
        wrong += [f"{row.cause} stands on {row.bills} bills" for row in doubled]
        stands = charged(self.season)
        billed = {(row.department, row.levy_year): row.fen for row in eye.execute(_BILLED_OR_NOT).fetchall()}
        wrong += [f"{whose}: {billed.get(whose, 0)} billed or to bill, not {stands[whose]}" for whose in
                  sorted(billed.keys() | stands.keys()) if billed.get(whose, 0) != stands[whose]]  # fmt: skip
        for department in NAMED:
            rest = sum(fen for whose, fen in (stands - Counter()).items() if whose[0] == department)
            rest -= sum(fen for whose, fen in self.came.items() if whose[0] == department)
            book = eye.execute(_BOOK, (f"receivable:gov_substitute:{department}:{FUND}",)).fetchone().fen
            if book != rest:
                wrong.append(f"{department} owes {book} by the book, not {rest}")
        return wrong


def _state(one: Bill) -> str:
    return "PAID" if one.paid == one.amount else "PARTLY_PAID" if one.paid else "OPEN"


def _fen(yuan: str) -> int:
    whole, _, rest = yuan.replace("-", "").partition(".")
    return int(whole) * 100 + int((rest + "00")[:2])


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


_NEW = "select number from demand where number <> all (%s) order by id"
_BILLS = """
select d.number, d.department, d.levy_year, d.amount, d.paid, d.state,
       (select sum(amount)::bigint from demand_line l where l.demand_id = d.id) as lines from demand d"""
_DOUBLED = """
select household_id, cause, line, count(*) as bills from demand_line group by household_id, cause, line
having count(*) > 1"""
_BILLED_OR_NOT = """
select department, levy_year, sum(fen)::bigint as fen from (
  select d.department, d.levy_year, l.amount as fen from demand d join demand_line l on l.demand_id = d.id
  union all
  select split_part(p.account, ':', 3), b.levy_year, p.amount from posting p
    join bill b on b.household_id = p.household_id and b.id = p.item
   where starts_with(p.account, 'receivable:gov_substitute:') and not exists (
     select from demand_line l where (l.household_id, l.cause, l.line) = (p.household_id, p.cause, p.line))) each
 group by 1, 2"""
_BOOK = "select coalesce(sum(amount), 0)::bigint as fen from posting where account = %s"
