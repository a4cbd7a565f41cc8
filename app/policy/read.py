"""Turns a year's file into a `PolicyYear`, strictly: a wrong, missing or surplus key is named and the year refused."""

from collections.abc import Mapping
from itertools import pairwise

from app.policy.clauses import check_clauses, read_behind, read_clauses
from app.policy.read_medical import read_medical
from app.policy.read_pension import read_pension
from app.policy.read_who import read_groups
from app.policy.strict import Page
from app.policy.terms import Campaign, Dates, Mode, PolicyYear, Source

_ORDER = ("self_open", "agent_open", "concentrated_end", "normal_price_end", "late_end")
_DATES = tuple(Dates.__dataclass_fields__)


def read_year(page: Page) -> PolicyYear:
    """Everything but `person` and `examples`, which stay on the page. BadPolicyYear names the first wrong key."""
    year = page.whole("year", least=2000, most=2100)
    source = _source(page.page("source"))
    clauses = read_clauses(page.page("clauses"))
    behind = read_behind(page.page("behind"), clauses)
    dates = _dates(page.page("dates"))
    groups = read_groups(page)
    medical = read_medical(page.page("medical"), dates, groups) if page.has("medical") else None
    pension = read_pension(page.page("pension"), dates, groups) if page.has("pension") else None
    if medical is None and pension is None:
        raise page.wrong("medical", "and pension are both missing")
    check_clauses(page, clauses, [room for room in (medical, pension) if room])
    return PolicyYear(
        year=year,
        source=source,
        clauses=clauses,
        behind=behind,
        dates=dates,
        has_medical=medical,
        has_pension=pension,
        channels=_channels(page.page("channels")),
        campaign=_campaign(page.page("campaign"), dates),
        groups={code: words for code, words in groups.items() if words},
    )


def _source(page: Page) -> Source:
    place = (page.text("district"), page.text("city"))
    source = Source(page.text("number"), page.text("title"), page.text("issuer"), page.day("printed"), *place)
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


def _campaign(page: Page, dates: Dates) -> Campaign:
    campaign = Campaign(
        notice_days=page.whole("notice_days", least=1),
        retained_warn_hours=page.whole("retained_warn_hours", least=1),
        retained_red_hours=page.whole("retained_red_hours", least=1),
        retained_red_amount=page.whole("retained_red_amount", least=1),
        order_minutes=page.whole("order_minutes", least=1),
        receipts_until=page.moment("receipts_until"),
        agents_by_roster=page.has("agents_by_roster") and page.flag("agents_by_roster"),
        agents_take_cash=page.has("agents_take_cash") and page.flag("agents_take_cash"),
        closing_until=page.day("closing_until") if page.has("closing_until") else None,
    )
    page.done()
    if campaign.closing_until is not None and campaign.closing_until <= dates.concentrated_end:
        raise page.wrong("closing_until", "lies before the end of concentrated_end")
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
