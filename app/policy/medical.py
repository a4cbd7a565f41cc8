"""The medical premium: windows, prices, waivers, sponsors, newborns (R16–R24, D20–D28). Fen in, lines out."""

from collections.abc import Iterator
from datetime import date, datetime

from app.policy.answer import Eligible, FundDue, Line, Part, PriceBasis, Quote, Reason, turned_away
from app.policy.checks import channel_refusal, is_backpay
from app.policy.days import age_on, moment_after, months_after, months_until
from app.policy.facts import WHOLE_BP, Facts, Insurance, SponsorMode, SponsorRule
from app.policy.lines import government_lines, line, sponsor_line
from app.policy.prices import Charge
from app.policy.terms import Mode, PolicyYear
from app.policy.windows import Case, Terms, case_of, terms_of
from core.clock import beijing_midnight
from core.money import Fen, share_half_up

MEDICAL = Insurance.RES_MEDICAL


def quote_medical(
    rules: PolicyYear, facts: Facts, *, day: date, mode: Mode, level: int | None = None, bought_months: int = 0
) -> Quote:
    """A person whose standing is clear: window, channel, price, in this order (D40)."""
    if is_backpay(rules, facts, day):
        refused = channel_refusal(rules, mode, day)
        return turned_away(MEDICAL, day, refused) if refused else _backpay(rules, facts, day)
    if day < rules.dates.self_open:
        return turned_away(MEDICAL, day, Reason.WINDOW_NOT_OPEN)
    if level is not None and level not in rules.medical.levels:
        return turned_away(MEDICAL, day, Reason.LEVEL_ILLEGAL)
    case = case_of(rules, facts, day, rules.medical.level if level is None else level, bought_months)
    terms = terms_of(case)
    closed = terms is Reason.LATE_WINDOW_CLOSED or (isinstance(terms, Terms) and day > terms.last_day)
    refused = Reason.LATE_WINDOW_CLOSED if closed else channel_refusal(rules, mode, day)
    if refused or isinstance(terms, Reason):
        return turned_away(MEDICAL, day, refused or terms)
    return _priced(case, terms)


def _priced(case: Case, terms: Terms) -> Quote:
    rules, price, medical = case.rules, case.price, case.rules.medical
    full = terms.charge is Charge.TOTAL
    total, personal, subsidy = _amounts(case, terms)
    # The help lapses where everything is asked for, and the treasury gives nothing (R22, D25).
    ground = None if full else case.ground
    paid = ground.paid(personal) if ground else []
    substitute = sum(amount for _, amount in paid)
    bought = terms.bought_months * price.personal  # nobody but the person pays for what was missed
    given, short = _sponsored(rules, case.facts, total - subsidy - substitute, day=case.day, late=_is_late(terms))
    sponsored = sum(share for _, share in given)
    left = total - subsidy - substitute - sponsored + bought
    lines: list[Line] = []
    if left:
        lines.append(line(Part.PERSONAL, MEDICAL, left, terms.personal_line))
    lines += government_lines(rules, case.facts, paid)
    lines += [sponsor_line(sponsor, MEDICAL, share, medical.sponsor_line) for sponsor, share in given]
    if subsidy:
        lines.append(line(Part.GOV_SUBSIDY, MEDICAL, subsidy, medical.subsidy_line))
    assert left >= 0 and sum(each.amount for each in lines) == total + bought
    funds, others = _funds(case)
    return Quote(
        insurance=MEDICAL,
        day=case.day,
        eligible=Eligible.YES,
        reason_code=terms.reason if left else Reason.OK_SPONSORED if sponsored else Reason.OK_WAIVED,
        price_basis=terms.basis,
        total=total + bought,
        personal_due=left,
        gov_substitute=substitute,
        sponsor_share=sponsored,
        gov_subsidy=subsidy,
        waiting_end=terms.waiting_end,
        benefit_start=terms.benefit_start,
        benefit_end=terms.benefit_end or rules.dates.benefit_to,
        price_until=_until(case, terms, given),
        lines=(*lines, *others),
        normal_due=(case.ground.leaves(price.personal) if case.ground else price.personal) if full else None,
        sponsors=tuple(sponsor.name for sponsor, _ in given),
        short=short,
        ground=ground.code if ground else None,
        level=case.asked.level,
        bought_months=terms.bought_months,
        gap_months=terms.gap_months,
        funds=funds,
    )


def _is_late(terms: Terms) -> bool:
    return terms.basis is PriceBasis.LATE


def _amounts(case: Case, terms: Terms) -> tuple[Fen, Fen, Fen]:
    """(total, the person's part before help, the treasury's), fen."""
    price = case.price
    if terms.charge is Charge.TOTAL:
        return price.total, price.total, 0
    if terms.charge is Charge.PERSONAL:
        return price.total, price.personal, price.subsidy
    months = months_until(terms.benefit_start, case.rules.dates.benefit_to)
    total, personal = (share_half_up(whole, months, 12) for whole in (price.total, price.personal))
    return total, personal, total - personal


def _funds(case: Case) -> tuple[tuple[FundDue, ...], list[Line]]:
    """What is asked for the other funds, and by whom it is paid; whoever pays late pays them as everybody."""
    dues: list[FundDue] = []
    lines: list[Line] = []
    for fund in case.rules.medical.funds:
        if not fund.who.fits(case.facts, case.asked):
            continue
        ground = case.rules.ground(fund.grounds, case.facts, case.asked)
        paid = ground.paid(fund.amount) if ground else []
        left = fund.amount - sum(amount for _, amount in paid)
        if left:
            dues.append(FundDue(fund.code, fund.words, left))
            lines.append(line(Part.PERSONAL, fund.code, left, fund.line))
        lines += government_lines(case.rules, case.facts, paid, fund.code)
    return tuple(dues), lines


def _sponsored(
    rules: PolicyYear, facts: Facts, left: Fen, *, day: date, late: bool
) -> tuple[list[tuple[SponsorRule, Fen]], tuple[str, ...]]:
    """Each sponsor in registered order, on what the earlier ones left over (D22); and who has not so much left."""
    given, short = list[tuple[SponsorRule, Fen]](), list[str]()
    for sponsor in facts.sponsors:
        share = _sponsor_share(rules, sponsor, left, day=day, late=late) if _means(rules, sponsor, facts, day) else 0
        if share and sponsor.can_pay(share):
            given.append((sponsor, share))
            left -= share
        elif share:
            short.append(sponsor.name)
    return given, tuple(dict.fromkeys(short))


def _means(rules: PolicyYear, sponsor: SponsorRule, facts: Facts, day: date) -> bool:
    """Is this person of those whom the promise names, on a day of it?"""
    age = age_on(facts.birth_date, rules.dates.age_reference)
    return (
        (sponsor.begins is None or sponsor.begins <= day)
        and (sponsor.ends is None or day <= sponsor.ends)
        and (sponsor.category is None or sponsor.category in facts.categories)
        and (sponsor.from_age is None or sponsor.from_age <= age)
        and (sponsor.to_age is None or age <= sponsor.to_age)
    )


def _until(case: Case, terms: Terms, given: list[tuple[SponsorRule, Fen]]) -> datetime:
    """The first moment of other terms: their own end, that of sponsors who stop earlier or of a rule's span of days,
    the month's where months are paid."""
    ends = [terms.until, *map(beijing_midnight, _changes(case))]
    if not all(sponsor.covers_late for sponsor, _ in given):
        ends.append(case.rules.dates.sponsors_until)
    ends += [moment_after(sponsor.ends) for sponsor, _ in given if sponsor.ends is not None]
    if terms.charge is Charge.MONTHS_LEFT:
        ends.append(beijing_midnight(months_after(case.day.replace(day=1), 1)))
    return min(ends)


def _changes(case: Case) -> Iterator[date]:
    """The days ahead on which a rule that means this person begins or ends."""
    medical = case.rules.medical
    helps = [ground for fund in medical.funds for ground in fund.grounds]
    for rule in (*medical.prices, *medical.grounds, *medical.windows, *medical.late, *medical.funds, *helps):
        day = rule.who.changes(case.facts, case.known)
        if day is not None:
            yield day


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
