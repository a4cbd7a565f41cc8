"""The medical premium: windows, prices, waivers, sponsors, newborns (R16–R24, D20–D28). Fen in, lines out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.policy.answer import Eligible, Line, Part, PriceBasis, Quote, Reason, turned_away
from app.policy.checks import channel_refusal, is_backpay
from app.policy.facts import WHOLE_BP, Decision, Facts, Insurance, Residence, SpecialCase, SponsorMode, SponsorRule
from app.policy.lines import government_line, line, sponsor_line
from app.policy.terms import Ground, LineTerms, Mode, PolicyYear, moment_after
from core.clock import beijing_midnight
from core.money import Fen, share_half_up

MEDICAL = Insurance.RES_MEDICAL


@dataclass(frozen=True, slots=True)
class _Price:
    """The price that fits the case; `reason` is the code if something is left to pay, `last_day` the window's."""

    basis: PriceBasis
    reason: Reason
    personal_line: LineTerms
    benefit_start: date
    last_day: date
    until: datetime
    waiting_end: date | None = None


def quote_medical(rules: PolicyYear, facts: Facts, *, day: date, mode: Mode) -> Quote:
    """A person whose standing is clear: window, channel, price, in this order (D40)."""
    if is_backpay(rules, facts, day):
        refused = channel_refusal(rules, mode, day)
        return turned_away(MEDICAL, day, refused) if refused else _backpay(rules, facts, day)
    if day < rules.dates.self_open:
        return turned_away(MEDICAL, day, Reason.WINDOW_NOT_OPEN)
    ground = rules.ground(rules.medical.grounds, facts.categories, facts.birth_date)
    price = _price(rules, facts, day, ground)
    refused = Reason.LATE_WINDOW_CLOSED if day > price.last_day else channel_refusal(rules, mode, day)
    if refused is None and price.basis is PriceBasis.LATE and _for_the_bureau(facts, ground):
        refused = Reason.LATE_WAIVER_REVIEW
    if refused:
        return turned_away(MEDICAL, day, refused)
    return _priced(rules, facts, day, ground, price)


def newborn_last_day(rules: PolicyYear, born: date) -> date:
    """The last day of a newborn's price: the same day some months on, or that month's last day (D28)."""
    months = born.month - 1 + rules.medical.newborn_months
    year, month = born.year + months // 12, months % 12 + 1
    month_end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return month_end.replace(day=min(born.day, month_end.day))


def _price(rules: PolicyYear, facts: Facts, day: date, ground: Ground | None) -> _Price:
    dates, medical = rules.dates, rules.medical
    if _is_newborn(rules, facts, day):
        last = newborn_last_day(rules, facts.birth_date)
        start = max(facts.birth_date, dates.benefit_from)
        until = max(moment_after(last), dates.normal_until)  # an older child still has the normal price until its end
        return _Price(PriceBasis.SPECIAL, Reason.NEWBORN_OK, medical.newborn_line, start, last, until)
    if day <= dates.normal_price_end:
        reason = Reason.OK if facts.residence is Residence.HUKOU else Reason.OK_RESIDENCE_PERMIT
        start, last, until = dates.benefit_from, dates.normal_price_end, dates.normal_until
        return _Price(PriceBasis.NORMAL, reason, medical.personal_line, start, last, until)
    if _late_waiver_is(Decision.APPROVED, facts, ground):
        # D27 closes what would buy no day of cover; an approved waiver does not wait, so it ends with the year.
        last, until = dates.benefit_to, dates.benefit_until
        return _Price(PriceBasis.SPECIAL, Reason.OK_WAIVED, medical.personal_line, day, last, until)
    waiting_end = day + timedelta(days=medical.waiting_days)  # the day of payment is not counted (D26)
    start = waiting_end + timedelta(days=1)
    return _Price(
        PriceBasis.LATE, Reason.LATE_FULL_PRICE, medical.late_line, start, dates.late_end, dates.late_until, waiting_end
    )


def _is_newborn(rules: PolicyYear, facts: Facts, day: date) -> bool:
    return (
        facts.special_case is SpecialCase.NEWBORN
        and facts.decision is Decision.APPROVED
        and facts.birth_date <= rules.dates.benefit_to
        and day <= newborn_last_day(rules, facts.birth_date)
    )


def _late_waiver_is(decision: Decision, facts: Facts, ground: Ground | None) -> bool:
    # A decision on a newborn says nothing on the waiver.
    said = facts.decision if facts.special_case is SpecialCase.NONE else facts.late_waiver
    return ground is not None and ground.full and said is decision


def _for_the_bureau(facts: Facts, ground: Ground | None) -> bool:
    """Nobody who should pay nothing is charged the late price because a list missed a row (D25, R47)."""
    return ground is not None and ground.full and not _late_waiver_is(Decision.REJECTED, facts, ground)


def _priced(rules: PolicyYear, facts: Facts, day: date, ground: Ground | None, price: _Price) -> Quote:
    medical = rules.medical
    late = price.basis is PriceBasis.LATE
    in_time = medical.personal - (share_half_up(medical.personal, ground.share_bp, WHOLE_BP) if ground else 0)
    ground = None if late else ground  # the half price lapses and the treasury gives nothing (R22, D25)
    substitute = share_half_up(medical.personal, ground.share_bp, WHOLE_BP) if ground else 0
    subsidy = 0 if late else medical.subsidy
    given = _sponsored(rules, facts, medical.total - subsidy - substitute, day=day, late=late)
    sponsored = sum(share for _, share in given)
    left = medical.total - subsidy - substitute - sponsored
    lines: list[Line] = []
    if left:
        lines.append(line(Part.PERSONAL, MEDICAL, left, price.personal_line))
    if ground and substitute:
        lines.append(government_line(rules, facts, substitute, ground))
    lines += [sponsor_line(sponsor, MEDICAL, share, medical.sponsor_line) for sponsor, share in given]
    if subsidy:
        lines.append(line(Part.GOV_SUBSIDY, MEDICAL, subsidy, medical.subsidy_line))
    assert left >= 0 and sum(each.amount for each in lines) == medical.total
    return Quote(
        insurance=MEDICAL,
        day=day,
        eligible=Eligible.YES,
        reason_code=price.reason if left else Reason.OK_SPONSORED if sponsored else Reason.OK_WAIVED,
        price_basis=price.basis,
        total=medical.total,
        personal_due=left,
        gov_substitute=substitute,
        sponsor_share=sponsored,
        gov_subsidy=subsidy,
        waiting_end=price.waiting_end,
        benefit_start=price.benefit_start,
        price_until=_until(rules, price, given),
        normal_due=in_time if late else None,
        lines=tuple(lines),
        sponsors=tuple(sponsor.name for sponsor, _ in given),
        ground=ground.code if ground else None,
    )


def _sponsored(rules: PolicyYear, facts: Facts, left: Fen, *, day: date, late: bool) -> list[tuple[SponsorRule, Fen]]:
    """Each sponsor in registered order, on what the earlier ones left over (D22)."""
    given = []
    for sponsor in facts.sponsors:
        share = _sponsor_share(rules, sponsor, left, day=day, late=late)
        if share:
            given.append((sponsor, share))
            left -= share
    return given


def _until(rules: PolicyYear, price: _Price, given: list[tuple[SponsorRule, Fen]]) -> datetime:
    """The price's own end, or the sponsors' if one of them stops earlier."""
    if all(sponsor.covers_late for sponsor, _ in given):
        return price.until
    return min(price.until, rules.dates.sponsors_until)


def _sponsor_share(rules: PolicyYear, sponsor: SponsorRule, left: Fen, *, day: date, late: bool) -> Fen:
    """On what is left after waivers and earlier sponsors, half up to the fen, never more than that (D22)."""
    in_time = not late and day <= rules.dates.sponsors_end
    if not (in_time or sponsor.covers_late):
        return 0
    match sponsor.mode:
        case SponsorMode.ALL:
            return left
        case SponsorMode.PCT:
            return share_half_up(left, sponsor.value, WHOLE_BP)
        case SponsorMode.FIX:
            return min(left, sponsor.value)


def _backpay(rules: PolicyYear, facts: Facts, day: date) -> Quote:
    """The determined amount, all of it the person's: no subsidy, no waiver (D30)."""
    determination = facts.determination
    assert determination and determination.amount is not None, "checked before"
    amount = determination.amount
    return Quote(
        insurance=MEDICAL,
        day=day,
        eligible=Eligible.YES,
        reason_code=Reason.BACKPAY_APPROVED,
        price_basis=PriceBasis.SPECIAL,
        total=amount,
        personal_due=amount,
        gov_substitute=0,
        sponsor_share=0,
        gov_subsidy=0,
        benefit_start=determination.benefit_start,
        price_until=beijing_midnight(date(day.year + 1, 1, 1)),  # a determination is made for the calendar year
        lines=(line(Part.PERSONAL, MEDICAL, amount, rules.medical.backpay_line),),
    )
