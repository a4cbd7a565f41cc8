"""Children without a number: applied for under their certificate, registered, paid for; later their number comes, by a
paper or in a file of the register, and two rows become one. What they owe, and what must stand of all that was paid for
a child, is counted from the far sides' lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from app.flows.pay.start import Payer, Started, Want
from app.policy.facts import Insurance
from payments.gateways.base import Kind
from payments.sandbox.trades import Declined
from tests.builders import an_id_number
from tests.simulate.disputes import Dispute
from tests.simulate.offices import Office
from tests.simulate.owed import MEDICAL, NOTICES, Item, less
from tests.simulate.staff import STRUCK

if TYPE_CHECKING:
    from tests.simulate.season import Season

HEAD = ("身份证号", "姓名", "户籍情况", "生存状态", "险种", "参保状态", "村居代码", "户号")
PAPER, PICTURE = "户口簿原件，编号和姓名对过", b"\x89PNG"


@dataclass
class Child:
    """One as it was applied for. `other`: whom a file brought under the number; `kept`: who goes on; `codes`: payments
    for either row, with their gateways."""

    certificate: str
    name: str
    born: date
    sex: int
    number: str
    parent: int
    year: int
    person: int = 0
    other: int | None = None
    kept: int | None = None
    codes: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[int]:
        """Under which it stands or stood."""
        return [row for row in (self.person, self.other) if row]


class Newborns(Office):
    """Who applies, who registers, and who puts two rows together."""

    name = "newborns"
    each, at_last = 20, 2

    def __init__(self, season: "Season") -> None:
        super().__init__(season)
        self.children: list[Child] = []

    def act(self) -> None:
        """A child; or, in the end, whatever is still to be joined."""
        if self.season.is_over:
            for child in self.children:
                self._join(child)
        elif len(self.children) < max(1, self.season.payments // 15):
            self._apply()

    def judge(self) -> Mapping[str, Sequence[str]]:
        """Each child stands once, and what was paid for it stands once."""
        return {**super().judge(), "rows": self._rows(), "money": self._money()}

    # It comes

    def _apply(self) -> None:
        year = max(self.owed.open)
        home = self.chance.choice(self.homes())
        parent = next((person for person, grown in home.people if grown and person not in self.owed.dead), None)
        if self.today > NOTICES[year].normal_until or parent is None:
            return
        place = len(self.children) + 1
        born, sex = self.today - timedelta(days=7 + place), self.chance.choice((1, 2))
        number = an_id_number(born=born, sequence=100 + 2 * place + (sex == 1))
        child = Child(
            f"T{370900000 + place}", f"张宝{'甲乙丙丁戊己庚辛壬癸'[place % 10]}", born, sex, number, parent, year
        )
        by = self.chance.choice((f"account:{home.id}", "agent:1", "staff:counter"))
        said = (child.certificate, child.name, born.isoformat(), str(sex))
        for _ in range(4):  # who hears nothing sends it again
            reply = self.stage.call("web", "apply_for_child", parent, said, by)
            if reply.word not in STRUCK:
                break
        found = self.stage.eye.execute(_APPLIED, (parent,)).fetchone()
        if self.must(found is not None, f"{child.certificate} is applied for by {by}: {reply.word}"):
            self._register(child, found.id)

    def _register(self, child: Child, number: int) -> None:
        path = f"/office/newborns/{number}"
        if self.chance.random() < 0.2:
            self.must(self.at_page("hrss", f"{path}/register", {})[0] in (403, 404), f"{path} is registered by hrss")
        self.at_page("medical", f"{path}/check", {})
        status, _ = self.at_page("medical", f"{path}/register", {"compared": "1"})
        row = self.stage.eye.execute(_REGISTERED, (number,)).fetchone()
        if not self.must(status in (303, 409) and row.person_id is not None, f"{path} is answered {status}"):
            return
        child.person = row.person_id
        self.children.append(child)
        self.owed.newborns[child.person] = child.born
        self.season.lives[child.person] = self.season.lives[child.parent]
        self._look(child, child.person)
        if self.chance.random() < 0.85:
            self._pay(child, child.person)
        if self.chance.random() < 0.85:
            self.season.later(self.chance.uniform(60, 3000), lambda: self._number(child))

    def _look(self, child: Child, person: int) -> None:
        """The page offers what it owes, once, and nothing else; what is paid for is owed no more."""
        reply = self.stage.call("web", "look", [person], 300_00)
        if reply.data is None or self.season.is_behind:
            return
        shown = {(who, year): fen for who, _, year, fen in reply.data}
        done = {row.levy_year for row in self.stage.eye.execute(_PAID, (child.rows,)).fetchall()}
        items = {Item(person, MEDICAL, year): self.owed.fen(Item(person, MEDICAL, year), self.today)
                 for year in self.owed.open - done}  # fmt: skip
        given = self.season.sponsors.purse.shares(items, self.today, apart=True)
        ours = {(item.person, item.year): fen for item, fen in less(items, given).items() if fen is not None}
        self.must(shown == ours, f"{child.certificate} is shown {shown}, not {ours}")

    def _pay(self, child: Child, person: int) -> None:
        gateway = self.chance.choice(("wechat", "alipay", "unionpay"))
        payer = Payer("account:1", "self", gateway, Kind.NATIVE, None, "127.0.0.1")
        self.done += 1
        wants, key = [Want(person, Insurance.RES_MEDICAL, levy_year=child.year)], f"newborn-{self.done}"
        for _ in range(3):
            reply = self.season.begin(wants, payer, key)
            self.season.heard(wants, reply)
            if isinstance(reply.data, Started):
                break
        if isinstance(reply.data, Started) and reply.data.number:
            number, code = reply.data.number, reply.data.checkout and reply.data.checkout.code_url
            child.codes[number] = gateway
            if code and self.chance.random() < 0.9:
                self.season.later(self.chance.uniform(3, 200), lambda: self._scan(number, code))

    def _scan(self, number: str, code: str) -> None:
        try:
            trade = self.stage.far.world.pay(code, "")
        except Declined as no:
            return self.stage.say(f"for a child {number} declined {no.code}")
        return self.stage.say(f"for a child {number} paid {trade['amount']}")

    # Its number comes

    def _number(self, child: Child) -> None:
        """By a paper at a desk; or in a file, and before anybody looks somebody may pay for the number too."""
        if self.today > NOTICES[child.year].normal_until or self.chance.random() < 0.4:
            return self._join(child)
        place = self.stage.eye.execute(_PLACE, (child.person,)).fetchone()
        row = (child.number, child.name, "本区户籍", "健在", "居民医保", "正常", place.village_code, place.number)
        said = self.ask("registry", "import", self.a_file([HEAD, row], "register"))
        found = self.stage.eye.execute(_UNDER, (child.person,)).fetchone()
        if not self.must(found is not None, f"a file with the number of {child.certificate}: {said}"):
            return None
        child.other = found.other_id
        self.season.lives[child.other] = place.village_code
        dispute = Dispute(child.other, "TWICE", str(child.person), frozenset({MEDICAL}), self.now)
        self.season.police.opens(dispute)
        if self.chance.random() < 0.7:
            self.season.police.solves(dispute)
            self._pay(child, child.other)
        self.season.later(self.chance.uniform(60, 3000), lambda: self._join(child))
        return None

    def _join(self, child: Child) -> None:
        """One says that it is he, another agrees; later, while something is under way."""
        if child.kept:
            return
        found = self.stage.eye.execute(_JOINING, (child.person,)).fetchone()
        if found is None:
            form = {"certificate": child.certificate, "name": child.name, "number": child.number, "proof": PAPER}
            self.at_page("hrss", "/office/joinings/", form)
        elif found.state == "offered":
            self.at_page("hrss", f"/office/joinings/{found.id}/ask", {"proof": PAPER})
        asked = self.stage.eye.execute(_JOINING, (child.person,)).fetchone()
        if not self.must(asked is not None and asked.state == "asked", f"{child.certificate} is not asked for"):
            return
        path = f"/office/joinings/{asked.id}/agree"
        if self.chance.random() < 0.2:
            self.must(self.at_page("hrss", path, {})[0] == 403, f"{path} is agreed to by who asked")
        must_be, (status, text) = self._goes_on(child), self.at_page("medical", path, {})
        done = self.stage.eye.execute(_JOINING, (child.person,)).fetchone()
        if done.state == "done":
            self.must(done.kept_id == must_be, f"{child.certificate}: {done.kept_id} goes on, not {must_be}")
            self._joined(child, done.kept_id)
        elif self.must(status == 409 and "正在付" in text, f"{path} is answered {status}"):
            self.season.later(self.chance.uniform(1000, 4000), lambda: self._join(child))

    def _goes_on(self, child: Child) -> int:
        """The certificate's row, unless only the other has paid."""
        paid = {row.person_id for row in self.stage.eye.execute(_PAID, (child.rows,)).fetchall()}
        return child.other if child.other and paid == {child.other} else child.person

    def _joined(self, child: Child, kept: int) -> None:
        child.kept = kept
        self.owed.newborns[kept] = child.born
        self.season.police.ended({row for row in child.rows if row != kept} | {kept}, "TWICE")
        self._look(child, kept)

    # The judgement

    def _rows(self) -> list[str]:
        wrong = []
        for child in self.children:
            ended = [row for row in child.rows if child.kept not in (None, row)]
            said = {row.id: row.restricted for row in self.stage.eye.execute(_ENDED, (child.rows,)).fetchall()}
            if said != {row: row in ended for row in child.rows}:
                wrong.append(f"{child.certificate}: {said}, of {child.rows} {ended} ended")
        return wrong

    def _money(self) -> list[str]:
        """Paid at the gateways − given back there or by the bank = what stands settled, and of two rows one does, but
        where somebody said no."""
        trades, wrong = self.stage.far.world.trades, []
        came, went = {trade["number"]: trade["amount"] for trade in trades.paid()}, trades.refunds()
        for child in self.children:
            paid = sum(came.get(number, 0) for number in child.codes)
            back = sum(made["amount"] for trade, made in went
                       if trade["number"] in child.codes and made["state"] == "SUCCESS")  # fmt: skip
            back += sum(slip.amount for slip in self.season.staff.slips if slip.payment in child.codes)
            bills = self.stage.eye.execute(_PAID, (child.rows,)).fetchall()
            stands = sum(row.personal_due for row in bills)  # each is what it had to be (prices.py)
            refused = self.stage.eye.execute(_REFUSED, (list(child.codes), child.rows)).fetchone() is not None
            twice = child.kept and len({row.levy_year for row in bills}) < len(bills)
            if (not refused and (paid - back != stands or twice)) or paid - back < stands:
                wrong.append(f"{child.certificate}: paid {paid}, back {back}, {stands} stand on {len(bills)} bills")
        return wrong


_APPLIED = "select id from newborn where parent_id = %s and state = 'applied' order by id desc limit 1"
_REGISTERED = "select person_id from newborn where id = %s"
_PLACE = "select h.village_code, h.number from person p join household h on h.id = p.household_id where p.id = %s"
_UNDER = "select other_id from joining where person_id = %s and state = 'offered'"
_JOINING = "select id, state, kept_id from joining where person_id = %s order by id desc limit 1"
_ENDED = "select id, restricted_at is not null as restricted from person where id = any (%s)"
_PAID = """
select person_id, levy_year, personal_due from bill
 where person_id = any (%s) and insurance = 'RES_MEDICAL' and state = 'settled' and determination is null"""
_REFUSED = """
select 1 from refund r where r.state in ('rejected', 'failed', 'abnormal') and (r.payment = any (%s) or exists (
    select from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
     where rb.household_id = r.household_id and rb.number = r.number and b.person_id = any (%s))) limit 1"""
