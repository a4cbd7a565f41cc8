"""A town's counter: a code shown to who stands there, money asked back in his name; and people who say that they paid
in another place, which an office finds so, or takes back."""

from collections.abc import Mapping, Sequence

from app.flows.pay.start import Payer, Started, Want
from app.policy.facts import Insurance
from payments.gateways.base import Kind
from payments.sandbox.trades import Declined
from tests.simulate.offices import Office
from tests.simulate.owed import MEDICAL
from tests.simulate.staff import STRUCK

CLERK = "staff:counter"


class Counter(Office):
    """Who serves at the counter, and the office that asks in other places."""

    name = "counter"
    each = 12

    def __init__(self, season: object) -> None:
        super().__init__(season)  # type: ignore[arg-type]
        self.asked: set[str] = set()  # refunds
        self.found: set[tuple[int, int]] = set()  # person, year: at any time

    @property
    def in_dispute(self) -> set[int]:
        """Who was found in another place."""
        return {person for person, _ in self.found}

    def act(self) -> None:
        """One of the four."""
        dice = self.chance.random()
        if dice < 0.3:
            self._show_a_code()
        elif dice < 0.6:
            self._ask_back()
        elif self.owed.elsewhere and dice < 0.75:
            self._take_back(self.chance.choice(sorted(self.owed.elsewhere)))
        else:
            self._find_elsewhere()

    def judge(self) -> Mapping[str, Sequence[str]]:
        """What was asked here was asked once; who was found elsewhere is, and nobody else."""
        eye = self.stage.eye
        theirs = {row.number: row.times for row in eye.execute(_ASKED, (CLERK,)).fetchall()}
        lost = [
            f"{number} was asked, {theirs.get(number, 0)} times" for number in self.asked if theirs.get(number) != 1
        ]
        unheard = [f"{number} was asked by nobody" for number in theirs.keys() - self.asked]
        found = {(row.person_id, row.insurance, row.levy_year) for row in eye.execute(_FOUND).fetchall()}
        other = (
            [f"elsewhere: {sorted(found)}, not {sorted(self.owed.elsewhere)}"] if found != self.owed.elsewhere else []
        )
        return {**super().judge(), "refunds": lost + unheard, "elsewhere": other}

    def _show_a_code(self) -> None:
        person, _ = self.anybody()
        gateway = self.chance.choice(("wechat", "alipay", "unionpay"))
        payer = Payer(CLERK, "self", gateway, Kind.NATIVE, None, "127.0.0.1")
        self.done += 1
        wants = [Want(person, Insurance.RES_MEDICAL, levy_year=self.chance.choice(sorted(self.owed.open)))]
        reply = self.season.begin(wants, payer, f"counter-{self.done}")
        self.season.heard(wants, reply)
        if isinstance(reply.data, Started) and reply.data.checkout and reply.data.checkout.code_url:
            number, code = str(reply.data.number), reply.data.checkout.code_url
            if self.chance.random() < 0.8:
                self.season.later(self.chance.uniform(3, 200), lambda: self._scan(number, code))

    def _scan(self, number: str, code: str) -> None:
        try:
            trade = self.stage.far.world.pay(code, "")
        except Declined as no:
            return self.stage.say(f"at the counter {number} declined {no.code}")
        return self.stage.say(f"at the counter {number} paid {trade['amount']}")

    def _ask_back(self) -> None:
        """Of somebody who paid; the same wish again, where nothing was heard."""
        paid = self.stage.eye.execute(_PAID).fetchall()
        if not paid:
            return
        row = self.chance.choice(sorted(paid))
        self.done += 1
        amount = self.stage.call("web", "offered_back", row.person_id, row.levy_year, CLERK).data
        for _ in range(4 * (amount is not None)):
            wish = (row.person_id, row.levy_year, amount, CLERK, f"back-{self.done}")
            reply = self.stage.call("web", "ask_at_counter", *wish)
            if reply.word not in STRUCK:
                self.asked |= {reply.data} if reply.data else set()
                break

    def _find_elsewhere(self) -> None:
        person, _ = self.anybody()
        year = self.chance.choice(sorted(self.owed.open))
        number = None
        for _ in range(4):
            number = number or self.stage.call("web", "say", person, "account:1").data
        if number is None:
            return
        form = {"code": "medical_outside_zz", "proof": "昆山医保缴费凭证，电话问过", "year": str(year)}
        if self.chance.random() < 0.2:
            status, _ = self.at_page("hrss", f"/office/matters/{number}/elsewhere", form)
            self.must(status == 404, f"another office finds matter {number}: {status}")
        status, _ = self.at_page("medical", f"/office/matters/{number}/elsewhere", form)
        if self.must(status == 303, f"matter {number} is found: {status}"):
            self.owed.elsewhere.add((person, MEDICAL, year))
            self.found.add((person, year))

    def _take_back(self, one: tuple[int, str, int]) -> None:
        row = self.stage.eye.execute(_STANDS, one).fetchone()
        if self.must(row is not None, f"{one} was found, and does not stand"):
            status, _ = self.at_page("medical", f"/office/elsewhere/{row.id}/back", {"why": "昆山那边退了"})
            self.must(status in (303, 409), f"{one} is taken back: {status}")
            self.owed.elsewhere.discard(one)


_ASKED = "select number, count(*) as times from refund where applied_by = %s group by number"
_FOUND = "select person_id, insurance, levy_year from paid_elsewhere where back_at is null"
_STANDS = """
select id from paid_elsewhere where person_id = %s and insurance = %s and levy_year = %s and back_at is null"""
_PAID = """
select person_id, levy_year from bill
 where state = 'settled' and insurance = 'RES_MEDICAL' and personal_due > 0 and determination is null"""
