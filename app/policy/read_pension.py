"""Reads a year's pension premium, strictly."""

from collections.abc import Mapping

from app.policy.facts import WHOLE_BP
from app.policy.prices import Ground
from app.policy.read_who import Groups, codes, read_ground, read_line, read_who
from app.policy.strict import Page
from app.policy.terms import Dates
from app.policy.tiers import Aid, Backpay, Band, Bonus, Calendar, Extra, Pension, Tier
from core.money import Fen


def read_pension(page: Page, dates: Dates, groups: Groups) -> Pension:
    """The table `pension`; BadPolicyYear names the first wrong key."""
    lines = page.page("lines")
    bands = tuple(_band(each) for each in page.pages("subsidy_bands"))
    kept = [_kept(each, groups) for each in (page.pages("kept") if page.has("kept") else [])]
    between = _between(page.page("between"), bands) if page.has("between") else None
    default_tier, grounds = _substitute(page, groups)
    personal = read_line(lines, "personal")
    pension = Pension(
        join_age=page.whole("join_age", least=1),
        due_until_age=page.whole("due_until_age", least=1),
        calendar=_calendar(page, dates),
        tiers=_tiers(page, bands, {tier: only_for for tier, only_for, _ in kept}, between),
        between=between,
        bands=bands,
        kept_words={tier: words for tier, _, words in kept},
        default_tier=default_tier,
        grounds=grounds,
        extras=tuple(_extra(each, groups) for each in (page.pages("extras") if page.has("extras") else [])),
        bonus=_bonus(page, lines),
        raising_until=page.day("raising_until") if page.has("raising_until") else None,
        aid=_aid(page.page("aid")) if page.has("aid") else None,
        backpay=_backpay(page.page("backpay")) if page.has("backpay") else Backpay(),
        personal_line=personal,
        subsidy_line=read_line(lines, "subsidy"),
        backpay_line=read_line(lines, "backpay", personal),
    )
    for each in (lines, page):
        each.done()
    _check(page, pension)
    return pension


def _check(page: Page, pension: Pension) -> None:
    for kept in pension.kept_words:
        if kept not in pension.tiers:
            raise page.wrong("kept.tier", "is not a tier of the year, or kept for nobody")
    paid_back = pension.backpay.tier or pension.backpay.most
    if paid_back and pension.tier(paid_back) is None:
        raise page.wrong("backpay", "names no tier of the year")
    if pension.raising_until and not pension.calendar.opens <= pension.raising_until <= pension.calendar.last:
        raise page.wrong("raising_until", "lies outside the pension's days")
    if pension.raising_until and not pension.tiers:
        raise page.wrong("raising_until", "has no tier to rise to")
    rising = sorted(pension.bands, key=lambda band: band.low)
    subsidies = [band.of(edge) for band in rising for edge in (band.low, band.high or pension.highest_tier)]
    if pension.raising_until and subsidies != sorted(subsidies):
        raise page.wrong("raising_until", "would take back subsidy: a higher tier brings less")
    if pension.between is None and all(tier.only_for for tier in pension.tiers.values()):
        raise page.wrong("substitute.default_tier", "no tier is open to everybody")
    if not pension.grounds:
        return
    tier = pension.tier(pension.default_tier) if pension.default_tier is not None else None
    if tier is None:
        raise page.wrong("substitute.default_tier", "is not a tier of the year")
    named = {code for ground in pension.grounds for code in ground.who.groups}
    if tier.only_for and not named <= tier.only_for:
        raise page.wrong("substitute.default_tier", "is not open to everybody whose premium the government pays")


def _calendar(page: Page, dates: Dates) -> Calendar:
    if not page.has("calendar"):
        return Calendar(dates.self_open, dates.normal_price_end, dates.pension_out_of_window_end)
    inner = page.page("calendar")
    calendar = Calendar(inner.day("opens"), inner.day("normal_end"), inner.day("last"))
    inner.done()
    if not calendar.opens <= calendar.normal_end <= calendar.last:
        raise inner.wrong("normal_end", "lies before opens or after last")
    return calendar


def _substitute(page: Page, groups: Groups) -> tuple[Fen | None, tuple[Ground, ...]]:
    if not page.has("substitute"):
        return None, ()
    inner = page.page("substitute")
    amount = inner.whole("amount", least=1)
    default = inner.whole("default_tier", least=1)
    grounds = tuple(read_ground(each, groups, amount=amount) for each in inner.pages("grounds"))
    inner.done()
    if len({ground.code for ground in grounds}) != len(grounds):
        raise inner.wrong("grounds", "a code stands twice")
    return default, grounds


def _bonus(page: Page, lines: Page) -> Bonus | None:
    if not page.has("bonus"):
        return None
    inner = page.page("bonus")
    bonus = Bonus(inner.whole("amount", least=1), inner.whole("wife_age", least=1), read_line(lines, "bonus"))
    inner.done()
    return bonus


def _aid(page: Page) -> Aid:
    aid = Aid(page.whole("most", least=1), page.day("opens"), page.day("last"))
    page.done()
    if aid.last < aid.opens:
        raise page.wrong("last", "lies before opens")
    return aid


def _backpay(page: Page) -> Backpay:
    ways = [key for key in ("tier", "most") if page.has(key)]
    if len(ways) != 1:
        raise page.wrong("tier", "or most: exactly one says at what tier missed years are paid")
    backpay = Backpay(**{ways[0]: page.whole(ways[0], least=1)})
    page.done()
    return backpay


def _kept(page: Page, groups: Groups) -> tuple[Fen, frozenset[str], str]:
    kept = page.whole("tier"), codes(page, "categories", groups), page.text("words")
    page.done()
    if not kept[1]:
        raise page.wrong("tier", "is not a tier of the year, or kept for nobody")
    return kept


def _extra(page: Page, groups: Groups) -> Extra:
    extra = Extra(read_who(page, groups), page.whole("amount", least=1))
    page.done()
    return extra


def _band(page: Page) -> Band:
    share = page.whole("share_bp", least=1, most=WHOLE_BP) if page.has("share_bp") else None
    band = Band(
        low=page.whole("from"),
        high=page.whole("to") if page.has("to") else None,
        subsidy=page.whole("subsidy") if share is None else 0,
        share_bp=share,
    )
    page.done()
    if band.high is not None and band.high < band.low:
        raise page.wrong("to", "lies below from")
    return band


def _between(page: Page, bands: tuple[Band, ...]) -> tuple[Fen, Fen]:
    between = page.whole("least", least=1), page.whole("most", least=1)
    page.done()
    if between[1] < between[0]:
        raise page.wrong("most", "lies below least")
    edges = sorted({*between, *(edge for band in bands for edge in (band.low, band.high) if edge)})
    for amount in (edge for edge in edges if between[0] <= edge <= between[1]):
        if sum(band.holds(amount) for band in bands) != 1:
            raise page.wrong("least", f"{amount} lies in no band, or in two")
    return between


def _tiers(
    page: Page, bands: tuple[Band, ...], kept: Mapping[Fen, frozenset[str]], between: tuple[Fen, Fen] | None
) -> Mapping[Fen, Tier]:
    amounts = _amounts(page, "tiers") if between is None or page.has("tiers") else ()
    tiers: dict[Fen, Tier] = {}
    for amount in amounts:
        found = [band for band in bands if band.holds(amount)]
        if len(found) != 1:
            raise page.wrong("subsidy_bands", f"{len(found)} bands for the tier {amount}")
        tiers[amount] = Tier(amount, found[0].of(amount), kept.get(amount, frozenset()))
    if between is None:
        for band in bands:
            if not any(band.holds(amount) for amount in amounts):
                raise page.wrong("subsidy_bands", f"no tier in the band from {band.low}")
    return tiers


def _amounts(page: Page, key: str) -> tuple[Fen, ...]:
    amounts = page.wholes(key)
    if list(amounts) != sorted(set(amounts)) or amounts[0] <= 0:
        raise page.wrong(key, "must be rising amounts above 0")
    return amounts
