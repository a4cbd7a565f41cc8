"""The pension premium: tier, entry subsidy, substitute payment, couple bonus, back-pay (R11–R15, D08–D19, D29, D30)."""

from collections.abc import Iterator
from datetime import date, datetime

from app.policy.answer import Eligible, Line, Part, PriceBasis, Quote, Reason, turned_away
from app.policy.checks import channel_refusal, is_backpay, tier_refusal
from app.policy.days import birthday
from app.policy.facts import Facts, FamilyType, Insurance, Residence, Sex
from app.policy.lines import aged, government_lines, line
from app.policy.prices import Ground
from app.policy.terms import Mode, PolicyYear
from app.policy.tiers import Bonus
from core.clock import beijing_midnight
from core.money import Fen

PENSION = Insurance.RES_PENSION


def quote_pension(rules: PolicyYear, facts: Facts, *, day: date, mode: Mode, tier: Fen | None) -> Quote:
    """A person whose standing is clear: window, channel, tier, price, in this order (D40)."""
    backpay = is_backpay(rules, facts, day)
    determined = facts.determination.amount if backpay and facts.determination else None
    if tier is None and not backpay and _ground(rules, facts, day):
        tier = rules.pension.default_tier  # the government pays it and nobody need ask (D16)
    elif tier is None and backpay:
        tier = rules.pension.backpay.tier
    refused = _not_now(rules, backpay, mode, day)  # while nothing can be paid, no tier is the reason
    if refused is None and determined is None:
        allowed = not backpay or tier is None or rules.pension.backpay.allows(tier)
        refused = tier_refusal(rules, facts, tier, allowed=allowed)
    if refused:
        return turned_away(PENSION, day, refused)
    if backpay:
        return _backpay(rules, facts, day, determined, tier)
    assert tier is not None, "refused before"
    return _priced(rules, facts, day, tier)


Offer = tuple[Fen, bool, Fen | None, Fen, Reason]


def offers(rules: PolicyYear, facts: Facts, *, day: date, mode: Mode) -> Iterator[Offer]:
    """Every tier as `quote_pension` would quote it, without the lines: tier, may it be chosen, what the person pays,
    entry subsidy, reason. What is the same for all tiers is found out once."""
    if is_backpay(rules, facts, day):
        for amount, tier in rules.pension.tiers.items():
            quoted = quote_pension(rules, facts, day=day, mode=mode, tier=amount)
            allowed = quoted.eligible is Eligible.YES
            subsidy = tier.subsidy if quoted.gov_subsidy is None else quoted.gov_subsidy
            yield amount, allowed, quoted.personal_due, subsidy, quoted.reason_code
        return
    ground, extra = _ground(rules, facts, day), _extra(rules, facts, day)
    reason, later = _basis(rules, facts, day)[1], _not_now(rules, False, mode, day)
    for amount, tier in rules.pension.tiers.items():
        refused = later or tier_refusal(rules, facts, amount)
        if refused:
            yield amount, False, None, tier.subsidy, refused
        else:
            left = ground.leaves(amount) if ground else amount
            yield amount, True, left, tier.subsidy + extra, reason if left else Reason.OK_WAIVED


def _not_now(rules: PolicyYear, backpay: bool, mode: Mode, day: date) -> Reason | None:
    if not backpay and day < rules.pension.calendar.opens:
        return Reason.WINDOW_NOT_OPEN
    return channel_refusal(rules, mode, day)


def _ground(rules: PolicyYear, facts: Facts, day: date) -> Ground | None:
    """For whom the government pays; whoever chooses higher pays the rest (R14, D14)."""
    return rules.ground(rules.pension.grounds, facts, rules.asked(day))


def _extra(rules: PolicyYear, facts: Facts, day: date) -> Fen:
    """What the treasury adds to the entry subsidy of some; of several the first that fits."""
    asked = rules.asked(day)
    return next((extra.amount for extra in rules.pension.extras if extra.who.fits(facts, asked)), 0)


def bonus_due(rules: PolicyYear, facts: Facts) -> bool | None:
    """Whether the couple bonus is due; None if the wife's birth date is not known (R15, D17–D19)."""
    bonus = rules.pension.bonus
    if bonus is None or facts.family_type is FamilyType.NONE:
        return False
    wife_born = facts.birth_date if facts.sex is Sex.F else facts.spouse_birth
    if wife_born is None:
        return None
    return birthday(wife_born, bonus.wife_age) <= rules.dates.age_reference


def _priced(rules: PolicyYear, facts: Facts, day: date, tier: Fen) -> Quote:
    pension = rules.pension
    ground = _ground(rules, facts, day)
    known = pension.tier(tier)
    assert known, "refused before"
    paid = ground.paid(tier) if ground else []
    substitute = sum(amount for _, amount in paid)
    left = tier - substitute
    subsidy = known.subsidy + _extra(rules, facts, day)
    due = bonus_due(rules, facts)
    bonus = pension.bonus.amount if due and pension.bonus else 0
    lines: list[Line] = []
    if left:
        lines.append(line(Part.PERSONAL, PENSION, left, pension.personal_line))
    lines += government_lines(rules, facts, paid)
    if subsidy:
        lines.append(line(Part.GOV_SUBSIDY, PENSION, subsidy, pension.subsidy_line))
    if bonus and pension.bonus:
        lines.append(_bonus_line(rules, facts, pension.bonus))
    assert left >= 0 and sum(each.amount for each in lines) == tier + subsidy + bonus
    basis, reason = _basis(rules, facts, day)
    return Quote(
        insurance=PENSION,
        day=day,
        eligible=Eligible.YES,
        reason_code=reason if left else Reason.OK_WAIVED,
        price_basis=basis,
        tier=tier,
        total=tier,
        personal_due=left,
        gov_substitute=substitute,
        sponsor_share=0,  # sponsors are for the medical premium only (D22)
        gov_subsidy=subsidy,
        couple_bonus=bonus,
        account_credit=tier + subsidy + bonus,
        price_until=_until(rules, facts, day),
        lines=tuple(lines),
        ground=ground.code if ground else None,
        bonus_pending=due is None,
    )


def _basis(rules: PolicyYear, facts: Facts, day: date) -> tuple[PriceBasis, Reason]:
    """After the normal price's last day the amounts stay, only the name changes (D29)."""
    if day > rules.pension.calendar.normal_end:
        return PriceBasis.SPECIAL, Reason.OK_OUT_OF_WINDOW
    return PriceBasis.NORMAL, Reason.OK if facts.residence is Residence.HUKOU else Reason.OK_RESIDENCE_PERMIT


def _until(rules: PolicyYear, facts: Facts, day: date) -> datetime:
    """The amounts hold until this year becomes back-pay, the person is too old (D08, D29), or a rule's span of days
    that means him begins or ends."""
    asked = rules.asked(day)
    changes = (rule.who.changes(facts, asked) for rule in (*rules.pension.grounds, *rules.pension.extras))
    ends = [birthday(facts.birth_date, rules.pension.due_until_age), *(change for change in changes if change)]
    if (first := min(ends)) > rules.pension.calendar.last:
        return rules.pension.calendar.until
    return beijing_midnight(first)


def _bonus_line(rules: PolicyYear, facts: Facts, bonus: Bonus) -> Line:
    terms = bonus.line
    wife_born = facts.birth_date if facts.sex is Sex.F else facts.spouse_birth
    assert wife_born is not None, "no bonus without the wife's birth date"
    evidence = aged(terms.evidence, wife_born, rules.dates.age_reference)
    return Line(Part.COUPLE_BONUS, terms.payer, PENSION, bonus.amount, terms.clause, evidence, terms.note)


def _backpay(rules: PolicyYear, facts: Facts, day: date, determined: Fen | None, tier: Fen | None) -> Quote:
    """What HRSS determined, all of it the person's: no subsidy, no substitute payment, no bonus (D30)."""
    years = len(facts.determination.years) if facts.determination else 0
    amount = determined if determined is not None else (tier or 0) * max(years, 1)
    return Quote(
        insurance=PENSION,
        day=day,
        eligible=Eligible.YES,
        reason_code=Reason.BACKPAY_APPROVED,
        price_basis=PriceBasis.SPECIAL,
        tier=None if determined is not None else tier,
        total=amount,
        personal_due=amount,
        gov_substitute=0,
        sponsor_share=0,
        gov_subsidy=0,
        couple_bonus=0,
        account_credit=amount,
        price_until=beijing_midnight(date(day.year + 1, 1, 1)),  # a determination is made for the calendar year
        lines=(line(Part.PERSONAL, PENSION, amount, rules.pension.backpay_line),),
    )
