"""The police hand lists in; offices decide what contradicts the register; while nobody has, nobody is billed. What each
file must open, and what a decision ends, is reckoned here from the rows that were written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from app.flows.pay.start import Payer, Want
from app.policy.facts import Insurance
from core.clock import BEIJING
from payments.gateways.base import Kind
from tests.builders import an_id_number
from tests.simulate.disputes import Dispute, Said, contradictions
from tests.simulate.offices import Office
from tests.simulate.owed import MEDICAL, PENSION
from tests.simulate.people import NAME
from tests.simulate.prices import day_of

if TYPE_CHECKING:
    from tests.simulate.season import Season

HEAD = ("序号", "姓名", "公民身份号码", "事项", "日期", "备注")
WORDS = {"死亡": "DIED", "户口注销": "CANCELLED", "迁出": "MOVED_OUT", "免缴老人": "EXEMPT"}
OTHER_NAME = "张示范"
_COUNTS = re.compile(r"读入 (\d+) 行：新的 (\d+)，和以前不同 (\d+)，相同 (\d+)，登记里没有的人 (\d+)，退回 (\d+)。")


@dataclass(frozen=True)
class File:
    """One as it was written: good rows, whom it calls by another name, how many rows and refused ones it has."""

    path: object
    new: Mapping[tuple[int, str], date | None]
    named: Sequence[int]
    rows: int
    refused: int


class Police(Office):
    """Their lists, and the offices that decide."""

    name = "police"

    def __init__(self, season: "Season") -> None:
        super().__init__(season)
        self.words: dict[tuple[int, str], Said] = {}
        self.disputes: list[Dispute] = []
        self.files: list[File] = []
        self.tried = self.brought = 0

    def act(self) -> None:
        """A file, or one that came before."""
        if self.files and self.chance.random() < 0.2:
            self._bring(self.chance.choice(self.files))
        else:
            self._bring(self._written())

    def opens(self, dispute: Dispute) -> None:
        """A file of the register has shown one."""
        self.disputes.append(dispute)
        self._tell(dispute.person)

    def solves(self, dispute: Dispute) -> None:
        """The office that owns it does."""
        if dispute.until is None:
            self._solve(dispute)

    def ended(self, people: set[int], kind: str) -> None:
        """What was open of these is none any more."""
        for held in self._open():
            if held.person in people and held.kind == kind:
                held.until = self.now
                self._tell(held.person)

    @property
    def in_dispute(self) -> set[int]:
        """At any time."""
        return {each.person for each in self.disputes} | {person for person, _ in self.words}

    def judge(self) -> Mapping[str, Sequence[str]]:
        """Words and conflicts as they were said and decided; nothing was begun while they were open."""
        return {
            **super().judge(),
            "words of the police": self._words(),
            "conflicts": self._conflicts(),
            "nothing of the dead is open": self._of_the_dead(),
            "paid after a death": self._paid_after(),
        }

    # A file comes

    def _written(self) -> File:
        people = dict(self.anybody() for _ in range(self.chance.randint(1, 3)))
        lines, named, new = [], [], {}
        for person, number in people.items():
            word, day = self._word()
            other = self.chance.random() < 0.12
            lines.append((OTHER_NAME if other else NAME, number, word, day or ""))
            if other:
                named.append(person)
            else:
                new[person, WORDS[word]] = day
        bad = [(NAME, an_id_number(sequence=7), "失踪", ""), lines[0]][: self.chance.randint(0, 2)]
        lines += [("周外人", an_id_number(sequence=980 + self.chance.randrange(10)), "死亡", "2021-10-01"), *bad]
        path = self.a_file([HEAD, *((no, *line, "") for no, line in enumerate(lines, 1))], "police")
        self.files.append(File(path, new, named, len(lines), len(named) + len(bad)))
        return self.files[-1]

    def _bring(self, file: File) -> None:
        """Looked at, taken in; somebody wants to pay all the same; what it opened is decided one day."""
        self.brought += 1
        self.ask("police", "look", file.path)
        self._hear(self.ask("police", "take", file.path), file)
        fresh = [key for key, day in file.new.items() if key not in self.words or self.words[key].day != day]
        for key in fresh:
            self.words[key] = Said(file.new[key], self.brought)
        opened = [self._dispute(person, "NAME", OTHER_NAME, self._active(person)) for person in file.named]
        touched = {person for person, _ in file.new}
        if fresh or any(opened) or any(self._opens(person) for person in touched):  # else nothing of it stays
            self._look(touched)
        for person in sorted(touched):
            self._try(person)
        self.season.later(self.chance.uniform(30, 6000), self._decide)

    def _word(self) -> tuple[str, date | None]:
        word = self.chance.choice(("死亡", "死亡", "死亡", "户口注销", "迁出", "免缴老人"))
        if word == "免缴老人":
            return word, None
        return word, self.today - timedelta(days=self.chance.choice((0, 1, 20, 60)))

    def _hear(self, said: str, file: File) -> None:
        before = {key: self.words.get(key) for key in file.new}
        added = sum(held is None for held in before.values())
        same = sum(held is not None and held.day == file.new[key] for key, held in before.items())
        wanted = [file.rows, added, len(file.new) - added - same, same, 1, file.refused]
        counted = _COUNTS.search(said)
        counts = list(map(int, counted.groups())) if counted else []
        struck = [file.rows, 0, 0, len(file.new), 1, file.refused]  # asked again: all of it was there
        self.must(counts in (wanted, struck), f"a file of the police tells {said}, not {wanted}")

    # What it contradicts

    def _active(self, person: int) -> frozenset[str]:
        held = {PENSION} if person in self.owed.grown else set()
        return frozenset(held | ({MEDICAL} if person not in self.owed.ended.get(max(self.owed.open), ()) else set()))

    def _contradictions(self, person: int) -> dict[tuple[str, str], frozenset[str]]:
        said = {code: held for (who, code), held in self.words.items() if who == person and held.counts}
        return contradictions(said, self._active(person))

    def _look(self, people: set[int]) -> None:
        """What is open and contradicts no more has ended; what contradicts is opened once."""
        for person in sorted(people):
            now = self._contradictions(person)
            for held in self.disputes:
                if (
                    held.person == person
                    and held.until is None
                    and held.kind != "NAME"
                    and (held.kind, held.about) not in now
                ):
                    held.until = self.now
            for (kind, about), insurances in now.items():
                self._dispute(person, kind, about, insurances)
            self._tell(person)

    def _opens(self, person: int) -> bool:
        known = {(each.kind, each.about) for each in self._lasting() if each.person == person}
        return not self._contradictions(person).keys() <= known

    def _dispute(self, person: int, kind: str, about: str, insurances: frozenset[str]) -> bool:
        known = [(each.person, each.kind, each.about) for each in self._lasting()]
        new = (person, kind, about) not in known and bool(insurances)
        if new:
            self.disputes.append(Dispute(person, kind, about, insurances, self.now))
        self._tell(person)
        return new

    def _tell(self, person: int) -> None:
        """To who reckons prices."""
        held = self.words.get((person, "DIED"))
        (self.owed.dead.add if held and held.counts else self.owed.dead.discard)(person)
        self.owed.disputed[person] = [each.insurances for each in self._open() if each.person == person]

    def _lasting(self) -> list[Dispute]:
        return [each for each in self.disputes if each.until is None or each.solved]

    def _open(self) -> list[Dispute]:
        return [each for each in self.disputes if each.until is None]

    # What offices and residents do

    def _try(self, person: int) -> None:
        """Somebody wants to pay for him all the same."""
        if person not in self.owed.dead and not any(MEDICAL in each for each in self.owed.disputed.get(person, ())):
            return
        self.tried += 1
        year = self.chance.choice(sorted(self.owed.open))
        payer = Payer("account:1", "self", "wechat", Kind.NATIVE, None, "127.0.0.1")
        wants = [Want(person, Insurance.RES_MEDICAL, levy_year=year)]
        reply = self.season.begin(wants, payer, f"police-{self.tried}")
        self.must(reply.word.startswith("!"), f"{person} is dead or disputed, and {reply.word}")

    def _decide(self) -> None:
        """Each of what is open, or not yet."""
        for held in self._open():
            if self.chance.random() < (1 if self.season.is_over else 0.6):
                self._solve(held)

    def _solve(self, held: Dispute) -> None:
        word = self.chance.choice(("police", "register")) if held.kind == "ALIVE" else "register"
        found = self.stage.eye.execute(_ONE, (held.person, held.kind)).fetchall()
        if not self.must(len(found) == 1, f"{held} is open {len(found)} times"):
            return
        self.must(found[0].owner == held.owner, f"{held} is {found[0].owner}'s")
        path, form = f"/office/conflicts/{found[0].id}/solve", {"word": word, "why": "打电话问过本人和村里"}
        other = "hrss" if held.owner == "medical" else "medical"
        if self.chance.random() < 0.2:
            self.must(self.at_page(other, path, form)[0] == 404, f"{held} is no business of {other}")
        status, _ = self.at_page(held.owner, path, form)
        self.must(status in (303, 409), f"{held} is answered {status}")
        held.until, held.solved = self.now, True
        if word == "register" and held.kind not in ("NAME", "TWICE"):
            code = {"ALIVE": "DIED", "AGE": "EXEMPT"}.get(held.kind, held.about.split(" ")[0])
            self.words[held.person, code].counts = False
            self._look({held.person})
        self._tell(held.person)

    # The judgement

    def _words(self) -> list[str]:
        theirs = {
            (r.person_id, r.code): (r.day, r.stands == "counts") for r in self.stage.eye.execute(_WORDS).fetchall()
        }
        ours = {key: (held.day, held.counts) for key, held in self.words.items()}
        return [f"{key}: {theirs.get(key)}, not {ours.get(key)}" for key in sorted(theirs.keys() | ours.keys())
                if theirs.get(key) != ours.get(key)]  # fmt: skip

    def _conflicts(self) -> list[str]:
        theirs = sorted((r.person_id, r.kind, r.open) for r in self.stage.eye.execute(_CONFLICTS).fetchall())
        ours = sorted((each.person, each.kind, each.until is None) for each in self.disputes)
        return [f"{theirs} are not {ours}"] if theirs != ours else []

    def _of_the_dead(self) -> list[str]:
        rows = self.stage.eye.execute(_OPEN, (sorted(self.owed.dead),)).fetchall()
        return [f"bill {row.id} of {row.person_id}" for row in rows]

    def _paid_after(self) -> list[str]:
        """What somebody paid after the day of a death that nobody disputes has asked for its way back, in time."""
        decided, wrong = {}, []
        for each in self.disputes:
            said = self.words.get((each.person, "DIED"))
            if each.kind == "ALIVE" and each.solved and each.until and said and said.counts and each.about == said.when:
                decided[each.person] = each.until
        for row in self.stage.eye.execute(_PAID, (sorted(decided),)).fetchall():
            day, settled = self.words[row.person_id, "DIED"].day, row.settled_at.astimezone(BEIJING).date()
            at_last = max(day_of(decided[row.person_id]), settled + timedelta(days=1))
            ends = row.benefit_start or date(row.levy_year, 1, 1)
            if day and settled > day and (row.insurance == PENSION or at_last < ends) and not row.asked:
                wrong.append(f"bill {row.id} of {row.person_id}, who died on {day}, paid on {settled}")
        return wrong


_ONE = "select id, owner from conflict where person_id = %s and kind = %s and state = 'open'"
_WORDS = "select person_id, code, day, stands from police_word"
_CONFLICTS = "select person_id, kind, state = 'open' as open from conflict"
_OPEN = """
select id, person_id from bill b where person_id = any (%s) and state = 'open' and not exists (
    select from payment_bill pb where pb.household_id = b.household_id and pb.bill_id = b.id and pb.live)"""
_PAID = """
select b.id, b.person_id, b.insurance, b.levy_year, b.settled_at, b.benefit_start,
       exists (select from refund_bill rb join refund r using (household_id, number)
                where rb.household_id = b.household_id and rb.bill_id = b.id) as asked
  from bill b where b.person_id = any (%s) and b.state = 'settled'"""
