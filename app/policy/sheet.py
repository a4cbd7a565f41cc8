"""The why-this-amount sheet: a quote told line by line, with who pays, into which fund, by which clause, on what
evidence. Pure. A resident's sheet never names a category (section 5.4); what staff read names list and department."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from app.policy.answer import Eligible, Line, Part, PriceBasis, Quote, Reason
from app.policy.facts import Facts, Insurance
from app.policy.lines import chinese_day
from app.policy.terms import PolicyYear
from app.policy.who import gap_years
from app.policy.words import fund_words, item_words, last_day, outlook, phrases, say, say_line
from core.money import Fen, plain_yuan


class Reader(StrEnum):
    """Who reads it: the person and the family, or staff of the offices."""

    RESIDENT = "resident"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One payer's part, in words. `amount` in fen; `payer` is a department's code or sponsor's for staff only, else
    resident, government or sponsor."""

    part: Part
    payer: str
    fund: str
    amount: Fen
    text: str
    payer_words: str
    fund_words: str
    clause: str
    clause_words: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What one person reads on one insurance on a Beijing day. Amounts in fen, None without a price.

    `behind`: the rules behind the answer that no line carries. `change`: what would change it. `record`: what years
    without enrolment add to the waiting, and what can be done about it. `waiting`, `benefits`,
    `valid`: sentences, None where there is nothing to say; the days themselves are beside them. `codes`: staff only."""

    reader: Reader
    insurance: Insurance
    title: str
    day: date
    answer: str
    reason_code: Reason
    lines: tuple[SheetLine, ...]
    personal_due: Fen | None
    total: Fen | None
    account_credit: Fen | None
    behind: tuple[str, ...]
    change: str | None
    waiting: str | None
    record: tuple[str, ...]
    benefits: str | None
    valid: str | None
    waiting_end: date | None
    benefit_start: date | None
    price_until: datetime | None
    source: str
    codes: str = ""
    may_ask: bool = False  # the medical bureau, to look at the record


def for_resident(
    quoted: Quote, facts: Facts, rules: PolicyYear, *, answer: str | None = None, settled: bool = False
) -> Sheet:
    """What the person may read and hand on. `answer` instead of the quote's own sentence; `settled`: the item is done
    and the quote is what its bill says."""
    lines = tuple(_plain(line, rules) for line in quoted.lines)
    return _sheet(Reader.RESIDENT, quoted, facts, rules, lines, answer=answer, settled=settled)


def for_staff(
    quoted: Quote,
    facts: Facts,
    rules: PolicyYear,
    *,
    departments: Mapping[str, str],
    answer: str | None = None,
    settled: bool = False,
) -> Sheet:
    """The same with the evidence in full: which list or which age, on which day, and the paying department by its name
    of `departments`."""
    payers = {**phrases("departments"), **departments}
    lines = tuple(_full(line, quoted, facts, rules, payers=payers) for line in quoted.lines)
    return _sheet(Reader.STAFF, quoted, facts, rules, lines, answer=answer, settled=settled)


def record(quoted: Quote, facts: Facts, rules: PolicyYear) -> tuple[str, ...]:
    """What years without enrolment add to the waiting, and what can be done about it."""
    if not quoted.gap_months:
        return ()
    words, years = phrases("sheet"), gap_years(facts, rules.year)
    missed = "、".join(map(str, years))
    said = words["gap"].format(last=years[0] - 1, years=missed, months=quoted.gap_months)
    buys = rules.medical.gap is not None and rules.medical.gap.buys
    return said, words["gap_wrong"], *([words["gap_buys"]] if buys else [])


def _sheet(
    reader: Reader,
    quoted: Quote,
    facts: Facts,
    rules: PolicyYear,
    lines: tuple[SheetLine, ...],
    *,
    answer: str | None,
    settled: bool,
) -> Sheet:
    behind = rules.behind.get(quoted.reason_code, ())
    return Sheet(
        reader=reader,
        insurance=quoted.insurance,
        title=_title(quoted, facts, rules, settled),
        day=quoted.day,
        answer=answer or say(quoted, rules),
        reason_code=quoted.reason_code,
        lines=lines,
        personal_due=None if quoted.personal_due is None else quoted.to_pay,
        total=quoted.whole,
        account_credit=quoted.account_credit,
        behind=tuple(rules.cite(number) for number in behind),
        change=None if settled else outlook(quoted, facts, rules),
        waiting=_waiting(quoted),
        record=() if settled else record(quoted, facts, rules),
        benefits=_benefits(quoted, facts, rules, settled),
        valid=None if settled else _valid(quoted),
        waiting_end=quoted.waiting_end,
        benefit_start=quoted.benefit_start,
        price_until=quoted.price_until,
        source=f"{rules.source.issuer}《{rules.source.title}》（{rules.source.number}）",
        codes=f"{quoted.reason_code} · {quoted.price_basis}" if reader is Reader.STAFF else "",
    )


def _title(quoted: Quote, facts: Facts, rules: PolicyYear, settled: bool) -> str:
    words = phrases("sheet")
    if settled:
        pattern = words["title_settled"]
    elif quoted.eligible is Eligible.YES:
        pattern = words["title"]
    else:
        asked = quoted.eligible is Eligible.REVIEW or quoted.reason_code in _CHOICES
        pattern = words["title_asked" if asked else "title_refused"]
    item = item_words(quoted.insurance, rules.year, facts.back_years, quoted.level)
    if quoted.tier and (facts.back_years is not None or rules.pension.names(quoted.tier)):
        item = words["with_tier"].format(item=item, tier=plain_yuan(quoted.tier))
    return pattern.format(item=item)


_CHOICES = (Reason.TIER_REQUIRED, Reason.LEVEL_REQUIRED)


def _plain(line: Line, rules: PolicyYear) -> SheetLine:
    kind = line.payer.partition(":")[0]
    kind = kind if kind in ("resident", "sponsor") else "government"
    payer = phrases("payers")[kind].format(sponsor=line.note or "集体或单位")
    evidence = phrases("sheet")["listed"] if _on_a_list(line, rules) else line.evidence
    return _line(line, rules, kind, payer, evidence)


def _full(line: Line, quoted: Quote, facts: Facts, rules: PolicyYear, *, payers: Mapping[str, str]) -> SheetLine:
    words, day = phrases("sheet"), chinese_day(quoted.day)
    kind, _, code = line.payer.partition(":")
    payer = f"{payers.get(kind, kind)}{code and f'（{code}）'}"
    evidence = line.evidence
    if _on_a_list(line, rules):
        evidence = words["listed_on"].format(evidence=evidence, day=day)
    elif line.part is Part.PERSONAL and (kept := _kept_for(quoted, facts, rules)):
        tier = plain_yuan(quoted.tier or 0)
        evidence = words["kept_tier"].format(evidence=evidence, day=day, categories="、".join(kept), tier=tier)
    return _line(line, rules, line.payer, payer, evidence)


def _line(line: Line, rules: PolicyYear, payer: str, payer_words: str, evidence: str) -> SheetLine:
    return SheetLine(
        part=line.part,
        payer=payer,
        fund=line.fund,
        amount=line.amount,
        text=say_line(line, rules),
        payer_words=payer_words,
        fund_words=fund_words(rules, line.fund),
        clause=line.clause,
        clause_words=rules.cite(line.clause),
        evidence=evidence,
    )


def _on_a_list(line: Line, rules: PolicyYear) -> bool:
    """Does the government pay because of an identity? Only an age that the year knows as such may be told."""
    rooms = [room for room in (rules.has_medical, rules.has_pension) if room]
    funds = rules.has_medical.funds if rules.has_medical else ()
    helps = [ground for room in (*rooms, *funds) for ground in room.grounds]
    grounds = [(ground.who.aged, step.clause) for ground in helps for step in ground.steps]
    ages = {clause for aged, clause in grounds if aged}
    lists = {clause for aged, clause in grounds if not aged}
    return line.part is Part.GOV_SUBSTITUTE and line.clause not in ages - lists


def _kept_for(quoted: Quote, facts: Facts, rules: PolicyYear) -> list[str]:
    tier = rules.pension.tier(quoted.tier) if quoted.tier else None
    words = {**phrases("categories"), **rules.groups}
    return [words[code] for code in sorted(tier.only_for & facts.categories)] if tier else []


def _waiting(quoted: Quote) -> str | None:
    if quoted.waiting_end is None:
        return None
    first = quoted.day + timedelta(days=1)
    days = (quoted.waiting_end - quoted.day).days
    return phrases("sheet")["waiting"].format(first=chinese_day(first), last=chinese_day(quoted.waiting_end), days=days)


def _benefits(quoted: Quote, facts: Facts, rules: PolicyYear, settled: bool) -> str | None:
    words = phrases("sheet")
    if quoted.insurance is Insurance.RES_PENSION:
        if not quoted.account_credit:
            return None
        account = "account" if facts.back_years is None else "account_back"
        return words[account].format(year=rules.year, credit=plain_yuan(quoted.account_credit))
    if quoted.benefit_start is None:
        return None
    name = "benefits_after" if quoted.waiting_end else "benefits"
    in_time = quoted.waiting_end is not None and quoted.price_basis is PriceBasis.NORMAL  # another day makes no odds
    if settled or in_time or quoted.reason_code is Reason.BACKPAY_APPROVED:
        name = "benefits_from"
    return words[name].format(
        start=chinese_day(quoted.benefit_start), end=chinese_day(quoted.benefit_end or rules.dates.benefit_to)
    )


def _valid(quoted: Quote) -> str | None:
    """The last day of these amounts; a late price is the same every day while its days of cover move on."""
    if quoted.price_until is None or quoted.price_basis is PriceBasis.NONE:
        return None
    return phrases("sheet")["valid"].format(last=chinese_day(last_day(quoted.price_until)))
