"""Turns a year's file into a `PolicyYear`, strictly: a wrong, missing or surplus key is named and the year refused."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise

from app.policy.clauses import check_clauses, read_behind, read_clauses
from app.policy.facts import WHOLE_BP, Category
from app.policy.strict import BadPolicyYear, Page
from app.policy.terms import (
    Campaign,
    Dates,
    Ground,
    LineTerms,
    Medical,
    Mode,
    Pension,
    PolicyYear,
    Source,
    Tier,
)
from core.money import Fen

_ORDER = ("self_open", "agent_open", "concentrated_end", "normal_price_end", "late_end")
_DATES = tuple(Dates.__dataclass_fields__)
_SAMPLE = {"on": "", "age": 0, "sponsor": "", "promise": ""}


def read_year(page: Page) -> PolicyYear:
    """Everything but `person` and `examples`, which stay on the page. BadPolicyYear names the first wrong key."""
    year = page.whole("year", least=2000, most=2100)
    source = _source(page.page("source"))
    clauses = read_clauses(page.page("clauses"))
    behind = read_behind(page.page("behind"), clauses)
    dates = _dates(page.page("dates"))
    medical = _medical(page.page("medical"), dates)
    pension = _pension(page.page("pension"))
    check_clauses(page, clauses, medical, pension)
    return PolicyYear(
        year=year,
        source=source,
        clauses=clauses,
        behind=behind,
        dates=dates,
        medical=medical,
        pension=pension,
        channels=_channels(page.page("channels")),
        campaign=_campaign(page.page("campaign")),
    )


def _source(page: Page) -> Source:
    source = Source(page.text("number"), page.text("title"), page.text("issuer"), page.day("printed"))
    page.done()
    return source


def _dates(page: Page) -> Dates:
    dates = Dates(**{name: page.day(name) for name in _DATES})
    page.done()
    for earlier, later in pairwise(_ORDER):
        if getattr(dates, earlier) > getattr(dates, later):
            raise page.wrong(later, f"lies before {earlier}")
    if dates.benefit_to < dates.benefit_from:
        raise page.wrong("benefit_to", "lies before benefit_from")
    if dates.pension_out_of_window_end < dates.normal_price_end:
        raise page.wrong("pension_out_of_window_end", "lies before normal_price_end")
    return dates


def _campaign(page: Page) -> Campaign:
    campaign = Campaign(
        notice_days=page.whole("notice_days", least=1),
        retained_warn_hours=page.whole("retained_warn_hours", least=1),
        retained_red_hours=page.whole("retained_red_hours", least=1),
        retained_red_amount=page.whole("retained_red_amount", least=1),
        order_minutes=page.whole("order_minutes", least=1),
        receipts_until=page.moment("receipts_until"),
    )
    page.done()
    return campaign


def _channels(page: Page) -> Mapping[str, Mode]:
    channels: dict[str, Mode] = {}
    for mode in Mode:
        for channel in page.texts(mode.value):
            if channel in channels:
                raise page.wrong(mode.value, f"{channel} is already collected by {channels[channel]}")
            channels[channel] = mode
    page.done()
    return channels


def _medical(page: Page, dates: Dates) -> Medical:
    lines = page.page("lines")
    medical = Medical(
        total=page.whole("total", least=1),
        personal=page.whole("personal", least=1),
        subsidy=page.whole("subsidy"),
        waiting_days=page.whole("waiting_days"),
        short_cover_days=page.whole("short_cover_days"),
        newborn_months=page.whole("newborn_months", least=1),
        grounds=_grounds(page, shared=True),
        personal_line=_line(lines, "personal"),
        subsidy_line=_line(lines, "subsidy"),
        sponsor_line=_line(lines, "sponsor"),
        late_line=_line(lines, "late"),
        newborn_line=_line(lines, "newborn"),
        backpay_line=_line(lines, "backpay"),
    )
    lines.done()
    page.done()
    if medical.personal + medical.subsidy != medical.total:
        raise page.wrong("total", "is not personal + subsidy")
    if dates.late_end + timedelta(days=medical.waiting_days + 1) > dates.benefit_to:
        raise page.wrong("waiting_days", "leaves the last late payer no day of cover")
    return medical


def _pension(page: Page) -> Pension:
    lines, bonus, kept, substitute = (page.page(key) for key in ("lines", "bonus", "kept", "substitute"))
    bands = tuple(_band(each) for each in page.pages("subsidy_bands"))
    kept_tier, kept_for = kept.whole("tier"), _categories(kept, "categories")
    pension = Pension(
        join_age=page.whole("join_age", least=1),
        due_until_age=page.whole("due_until_age", least=1),
        tiers=_tiers(page, bands, kept_tier, kept_for),
        bands=bands,
        only_for_words=kept.text("words"),
        substitute_amount=substitute.whole("amount", least=1),
        default_tier=substitute.whole("default_tier", least=1),
        grounds=_grounds(substitute, shared=False),
        bonus_amount=bonus.whole("amount", least=1),
        bonus_wife_age=bonus.whole("wife_age", least=1),
        personal_line=_line(lines, "personal"),
        subsidy_line=_line(lines, "subsidy"),
        bonus_line=_line(lines, "bonus"),
        backpay_line=_line(lines, "backpay"),
    )
    for each in (lines, bonus, kept, substitute, page):
        each.done()
    if kept_tier not in pension.tiers or not kept_for:
        raise kept.wrong("tier", "is not a tier of the year, or kept for nobody")
    _check_substitute(substitute, pension)
    return pension


def _check_substitute(page: Page, pension: Pension) -> None:
    tier = pension.tiers.get(pension.default_tier)
    if tier is None:
        raise page.wrong("default_tier", "is not a tier of the year")
    if tier.only_for and not {ground.code for ground in pension.grounds} <= tier.only_for:
        raise page.wrong("default_tier", "is not open to everybody whose premium the government pays")
    if all(tier.only_for for tier in pension.tiers.values()):
        raise page.wrong("default_tier", "no tier is open to everybody")


def _band(page: Page) -> tuple[Fen, Fen | None, Fen]:
    band = (page.whole("from"), page.whole("to") if page.has("to") else None, page.whole("subsidy"))
    page.done()
    if band[1] is not None and band[1] < band[0]:
        raise page.wrong("to", "lies below from")
    return band


def _tiers(
    page: Page, bands: tuple[tuple[Fen, Fen | None, Fen], ...], kept_tier: Fen, kept_for: frozenset[Category]
) -> Mapping[Fen, Tier]:
    amounts = _amounts(page, "tiers")
    tiers: dict[Fen, Tier] = {}
    for amount in amounts:
        found = [subsidy for low, high, subsidy in bands if low <= amount and (high is None or amount <= high)]
        if len(found) != 1:
            raise page.wrong("subsidy_bands", f"{len(found)} bands for the tier {amount}")
        tiers[amount] = Tier(amount, found[0], kept_for if amount == kept_tier else frozenset())
    for low, high, _ in bands:
        if not any(low <= amount and (high is None or amount <= high) for amount in amounts):
            raise page.wrong("subsidy_bands", f"no tier in the band from {low}")
    return tiers


def _amounts(page: Page, key: str) -> tuple[Fen, ...]:
    amounts = page.wholes(key)
    if list(amounts) != sorted(set(amounts)) or amounts[0] <= 0:
        raise page.wrong(key, "must be rising amounts above 0")
    return amounts


def _categories(page: Page, key: str) -> frozenset[Category]:
    texts = page.texts(key)
    if unknown := [text for text in texts if text not in Category.__members__]:
        raise page.wrong(key, f"no such category: {unknown[0]}")
    return frozenset(map(Category, texts))


def _grounds(page: Page, *, shared: bool) -> tuple[Ground, ...]:
    """In the file's order, which must never put a lesser help first (D20). `shared`: shares and ages are given."""
    grounds = tuple(_ground(each, shared=shared) for each in page.pages("grounds"))
    shares = [ground.share_bp for ground in grounds]
    if shares != sorted(shares, reverse=True):
        raise page.wrong("grounds", "a lesser share stands before a greater one")
    if len({ground.code for ground in grounds}) != len(grounds):
        raise page.wrong("grounds", "a code stands twice")
    return grounds


def _ground(page: Page, *, shared: bool) -> Ground:
    ground = Ground(
        code=page.text("code"),
        payer=page.text("payer"),
        clause=page.text("clause"),
        evidence=_filled(page, "evidence"),
        note=page.text("note", empty=True),
        share_bp=page.whole("share_bp", least=1, most=WHOLE_BP) if shared else WHOLE_BP,
        from_age=page.whole("from_age", least=1) if shared and page.has("from_age") else None,
    )
    page.done()
    if ground.from_age is None and ground.code not in Category.__members__:
        raise page.wrong("code", f"neither a category nor an age: {ground.code}")
    return ground


def _line(page: Page, key: str) -> LineTerms:
    inner = page.page(key)
    terms = LineTerms(
        inner.text("payer"), inner.text("clause"), _filled(inner, "evidence"), inner.text("note", empty=True)
    )
    inner.done()
    return terms


def _filled(page: Page, key: str) -> str:
    """A text whose places are among those that a line can fill."""
    text = page.text(key)
    try:
        text.format(**_SAMPLE)
    except (KeyError, IndexError, ValueError) as error:
        raise BadPolicyYear(f"{page.place}.{key}: a place that nobody fills: {text}") from error
    return text
