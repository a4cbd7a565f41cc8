"""The whole price list a second time, as tables written from the notice and the district's decisions (R…, D…) alone.

Nothing here is taken from the program but the words for facts; figures are yuan until the last step. `answer` gives
every output column, None where a column does not apply."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from app.policy.facts import Facts

DAY = date.fromisoformat
BEIJING = timezone(timedelta(hours=8))
OPEN, AGENTS, AGENTS_END, NORMAL_END = DAY("2021-10-01"), DAY("2021-10-20"), DAY("2021-12-20"), DAY("2021-12-31")
LATE_END, YEAR_START, YEAR_END = DAY("2022-11-30"), DAY("2022-01-01"), DAY("2022-12-31")

COLUMNS = ("eligible", "reason_code", "price_basis", "total", "personal_due", "gov_substitute", "sponsor_share")
COLUMNS += ("gov_subsidy", "couple_bonus", "account_credit", "waiting_end", "benefit_start")
AGENT_CHANNELS = {"agent", "agent_cash", "agent_pos", "ccb_pos"}
REVIEWS = {"DETERMINATION_REQUIRED", "LATE_WAIVER_REVIEW"}

WAIVED = {"POVERTY", "WUBAO", "DIS1", "DIS2", "TEKUN", "DIBAO", "ORPHAN", "DFUC", "ILLNESS"}  # R17
PAID_FOR = {"DIS1", "DIS2", "POVERTY", "DIBAO", "WUBAO", "TEKUN"}  # R14, D11
TIER_100 = {"DIS1", "DIS2", "DIS3", "DIS4", "WUBAO", "TEKUN", "DIBAO", "YOUFU", "POVERTY"}  # R12, D10–D12
TIERS = {100: 30, 300: 30, 500: 60, 600: 60, 800: 80, 1000: 80, 1500: 80, 2000: 80, 2500: 80, 3000: 80}  # R11, R13
TIERS |= {4000: 80, 5000: 80}
GOVERNMENT = {"all": 320, "half": 160, "none": 0}  # R17–R19


@dataclass(frozen=True)
class Case:
    """What the tables ask about."""

    facts: Facts
    day: date
    channel: str
    tier: int | None

    @property
    def pension(self) -> bool:
        return self.facts.insurance == "RES_PENSION"

    @property
    def backpay(self) -> bool:
        late_pension = self.pension and self.day > YEAR_END  # D29
        return self.facts.special_case in ("policy_backpay", "interrupted_backpay") or late_pension

    @property
    def newborn(self) -> bool:
        return not self.pension and self.facts.special_case == "newborn"

    @property
    def decided(self) -> str:
        return self.facts.determination.decision if self.facts.determination else "no"

    @property
    def amount(self) -> int | None:
        return self.facts.determination.amount if self.facts.determination else None

    def aged(self, years: int, on: date) -> bool:
        """D03: on the birthday itself, 29 February → 1 March."""
        born = self.facts.birth_date
        return (on.year - born.year, on.month, on.day) >= (years, born.month, born.day)

    @property
    def help(self) -> str:
        """R17–R19, D02, D20: the greater help wins."""
        if WAIVED & self.facts.categories or self.aged(70, NORMAL_END):
            return "all"
        return "half" if self.aged(60, NORMAL_END) else "none"

    @property
    def paid_for(self) -> bool:
        return bool(PAID_FOR & self.facts.categories)

    @property
    def chosen(self) -> int | None:
        """D16, and D30: a back-payment is never paid for."""
        return 10000 if self.tier is None and self.paid_for and not self.backpay else self.tier

    @property
    def newborn_price(self) -> bool:
        """D28: until the same day six months on, or that month's last day."""
        born = self.facts.birth_date
        month = born.month + 6
        year, month = (born.year + 1, month - 12) if month > 12 else (born.year, month)
        last = date(year, month, min(born.day, monthrange(year, month)[1]))
        return self.newborn and self.decided == "approved" and born <= YEAR_END and self.day <= last

    @property
    def late(self) -> bool:
        return not self.pension and not self.backpay and not self.newborn_price and self.day > NORMAL_END

    @property
    def late_waiver(self) -> str:
        """D25: the bureau's word on a late waiver, 'no' while there is none; '' if the case is none."""
        if not self.late or self.help != "all":
            return ""
        return self.decided if self.facts.special_case == "none" else "no"


def away(case: Case, what: str) -> bool:
    return what in case.facts.insured_elsewhere


# D40: the first that fits is the reason. Columns: for the pension, for the medical insurance, when, reason.
REFUSALS = [
    (1, 1, lambda c: not c.facts.alive, "DECEASED"),
    (1, 1, lambda c: c.facts.residence == "nonlocal", "NOT_RESIDENT"),
    (1, 1, lambda c: c.facts.residence == "permit_child" and not c.facts.parent_known, "PARENT_UNKNOWN"),
    (1, 1, lambda c: "permit" in c.facts.residence and (c.facts.permit_to or c.day) < c.day, "PERMIT_ENDED"),
    (1, 0, lambda c: c.facts.employee_insured in ("pension", "both"), "EMPLOYEE_PENSION"),
    (0, 1, lambda c: c.facts.employee_insured in ("medical", "both"), "EMPLOYEE_MEDICAL"),
    (1, 0, lambda c: not c.aged(16, c.day), "UNDER_16"),
    (1, 0, lambda c: c.facts.student, "STUDENT"),
    (
        *(1, 0),  # R10, D08: nothing is due any more, but missing years that HRSS has determined can be paid
        lambda c: (
            c.aged(60, c.day)
            and not (c.facts.special_case in ("policy_backpay", "interrupted_backpay") and c.decided == "approved")
        ),
        "PENSION_AGE_REACHED",
    ),
    (1, 0, lambda c: away(c, "drawing_pension"), "DRAWING_PENSION"),
    (1, 0, lambda c: away(c, "pension_elsewhere"), "DUP_PENSION_ELSEWHERE"),
    (0, 1, lambda c: away(c, "medical_outside_zz"), "DUP_OUTSIDE_ZAOZHUANG"),
    (0, 1, lambda c: away(c, "medical_inside_zz"), "DUP_WITHIN_ZAOZHUANG"),
    (1, 1, lambda c: not c.facts.registered, "NOT_REGISTERED"),
    (1, 1, lambda c: c.facts.already_paid, "ALREADY_PAID"),
    (1, 1, lambda c: (c.backpay or c.newborn) and c.decided == "no", "DETERMINATION_REQUIRED"),
    (1, 1, lambda c: c.backpay and c.decided == "rejected", "BACKPAY_REJECTED"),
    (0, 1, lambda c: c.backpay and c.amount is None, "DETERMINATION_REQUIRED"),  # D30: the amount comes from it
    (1, 1, lambda c: not c.backpay and c.day < OPEN, "WINDOW_NOT_OPEN"),
    # D27 closes what would buy no day of cover; what the bureau let in late has no waiting days and ends with the year.
    (0, 1, lambda c: c.late and c.day > (YEAR_END if c.late_waiver == "approved" else LATE_END), "LATE_WINDOW_CLOSED"),
    (1, 1, lambda c: c.channel in AGENT_CHANNELS and c.day < AGENTS, "AGENT_NOT_STARTED"),
    (1, 1, lambda c: c.channel in AGENT_CHANNELS and c.day > AGENTS_END, "AGENT_WINDOW_CLOSED"),
    (1, 0, lambda c: not (c.backpay and c.amount is not None) and c.chosen is None, "TIER_REQUIRED"),
    (
        *(1, 0),
        lambda c: not (c.backpay and c.amount is not None) and c.chosen not in {100 * tier for tier in TIERS},
        "TIER_ILLEGAL",
    ),
    (
        *(1, 0),
        lambda c: not (c.backpay and c.amount is not None) and c.chosen == 10000 and not TIER_100 & c.facts.categories,
        "TIER_100_NOT_ALLOWED",
    ),
    (0, 1, lambda c: c.late_waiver == "no", "LATE_WAIVER_REVIEW"),
]


def answer(facts: Facts, at: datetime, channel: str, tier: int | None) -> dict[str, object]:
    """Every output column for a person, a moment, a channel and a tier (fen)."""
    case = Case(facts, at.astimezone(BEIJING).date(), channel, tier)
    for pension, medical, fits, reason in REFUSALS:
        if (pension if case.pension else medical) and fits(case):
            none = dict.fromkeys(COLUMNS)
            return none | {
                "eligible": "review" if reason in REVIEWS else "no",
                "reason_code": reason,
                "price_basis": "none",
            }
    if case.backpay:
        return _backpay(case)
    return _pension(case) if case.pension else _medical(case)


def _row(*values: object) -> dict[str, object]:
    return dict(zip(COLUMNS, ("yes", *values), strict=True))


def _backpay(case: Case) -> dict[str, object]:
    """D30: what was determined; without an amount the tier for every year of it."""
    decided = case.facts.determination
    amount = case.amount if case.amount is not None else case.chosen * (len(decided.years) or 1)
    if case.pension:
        return _row("BACKPAY_APPROVED", "special", amount, amount, 0, 0, 0, 0, amount, None, None)
    return _row("BACKPAY_APPROVED", "special", amount, amount, 0, 0, 0, None, None, None, decided.benefit_start)


def _pension(case: Case) -> dict[str, object]:
    tier = case.chosen
    government = 10000 if case.paid_for else 0
    subsidy = 100 * TIERS[tier // 100]
    wife = case.facts.birth_date if case.facts.sex == "F" else case.facts.spouse_birth
    has_bonus = case.facts.family_type != "none" and wife is not None and wife <= DAY("1971-12-31")  # R15, D17, D18
    bonus = 30000 if has_bonus else 0
    basis, reason = ("normal", _ok(case)) if case.day <= NORMAL_END else ("special", "OK_OUT_OF_WINDOW")  # D29
    reason = reason if tier > government else "OK_WAIVED"
    credit = tier + subsidy + bonus
    return _row(reason, basis, tier, tier - government, government, 0, subsidy, bonus, credit, None, None)


def _medical(case: Case) -> dict[str, object]:
    if case.newborn_price:
        basis, reason, start, waiting = "special", "NEWBORN_OK", max(case.facts.birth_date, YEAR_START), None
    elif not case.late:
        basis, reason, start, waiting = "normal", _ok(case), YEAR_START, None
    elif case.late_waiver == "approved":
        basis, reason, start, waiting = "special", "OK_WAIVED", case.day, None
    else:
        basis, reason = "late", "LATE_FULL_PRICE"
        start, waiting = case.day + timedelta(days=31), case.day + timedelta(days=30)  # R23, D26
    government, subsidy = (0, 0) if basis == "late" else (100 * GOVERNMENT[case.help], 58000)
    left = 90000 - subsidy - government
    sponsored = 0
    for sponsor in case.facts.sponsors:  # D22
        if sponsor.covers_late or (basis != "late" and case.day <= NORMAL_END):
            share = {"ALL": left, "PCT": (left * sponsor.value + 5000) // 10000, "FIX": min(left, sponsor.value)}
            sponsored += share[sponsor.mode]
            left -= share[sponsor.mode]
    if not left:
        reason = "OK_SPONSORED" if sponsored else "OK_WAIVED"
    return _row(reason, basis, 90000, left, government, sponsored, subsidy, None, None, waiting, start)


def _ok(case: Case) -> str:
    return "OK" if case.facts.residence == "hukou" else "OK_RESIDENCE_PERMIT"
