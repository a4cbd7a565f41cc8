"""Reads a year's medical premium, strictly."""

import re
from datetime import date

from app.policy.facts import Insurance
from app.policy.prices import Charge, Fund, Ground, Late, LineTerms, Medical, Newborn, Price, Window
from app.policy.read_who import Groups, check_reached, read_ground, read_line, read_who
from app.policy.strict import Page
from app.policy.terms import Dates
from app.policy.waits import Gap, Starts, Wait
from app.policy.who import Who


def read_medical(page: Page, dates: Dates, groups: Groups) -> Medical:
    """The table `medical`; BadPolicyYear names the first wrong key."""
    lines = page.page("lines")
    personal = read_line(lines, "personal")
    medical = Medical(
        base=_price(page, Who()),
        prices=tuple(_priced(each, groups) for each in _pages(page, "prices")),
        levels=page.wholes("levels") if page.has("levels") else (),
        nonlocals=page.flag("nonlocals") if page.has("nonlocals") else False,
        short_cover_days=page.whole("short_cover_days"),
        windows=tuple(_window(each, groups) for each in _pages(page, "windows")),
        late=tuple(_late(each, groups, dates) for each in _pages(page, "late")),
        gap=_gap(page.page("gap")) if page.has("gap") else None,
        newborn=tuple(_newborn(each) for each in _pages(page, "newborn")),
        funds=tuple(_fund(each, groups, personal) for each in _pages(page, "funds")),
        grounds=_grounds(page, groups),
        personal_line=personal,
        subsidy_line=read_line(lines, "subsidy"),
        sponsor_line=read_line(lines, "sponsor", personal),
        late_line=read_line(lines, "late", personal),
        newborn_line=read_line(lines, "newborn", personal),
        backpay_line=read_line(lines, "backpay", personal),
    )
    lines.done()
    page.done()
    _check(page, medical, dates)
    return medical


def _check(page: Page, medical: Medical, dates: Dates) -> None:
    for at, late in enumerate(medical.late):
        no_cover = late.wait.start(late.until) > dates.benefit_to if late.wait else _too_late(late, dates)
        if no_cover:
            raise page.wrong(f"late[{at}].wait", "leaves the last late payer no day of cover")
        if late.charge is Charge.MONTHS_LEFT and late.wait and late.wait.days:
            raise page.wrong(f"late[{at}].wait", "in days ends within the months that are paid for")
    check_reached(page, "windows", [window.who for window in medical.windows])
    check_reached(page, "late", [late.who for late in medical.late if not late.decided])
    if medical.gap and not medical.gap.in_window and not any(late.wait for late in medical.late):
        raise page.wrong("gap", "lengthens a wait, and nobody waits")
    for price in (medical.base, *medical.prices):
        leaves = [ground.leaves(price.personal) for ground in medical.grounds if not ground.who.levels]
        if leaves != sorted(leaves):
            raise page.wrong("grounds", f"a lesser share stands before a greater one where {price.personal} is due")
    words: dict[str, str] = {}
    for fund in medical.funds:
        if words.setdefault(fund.code, fund.words) != fund.words:
            raise page.wrong("funds", f"{fund.code} has two names")
    named = {level for price in medical.prices for level in price.who.levels}
    if named - set(medical.levels):
        raise page.wrong("levels", f"has no level {min(named - set(medical.levels))}")


def _too_late(late: Late, dates: Dates) -> bool:
    return late.until > late.starts.last_day(dates.benefit_to)


def _pages(page: Page, key: str) -> list[Page]:
    return page.pages(key) if page.has(key) else []


def _price(page: Page, who: Who) -> Price:
    price = Price(who, page.whole("total", least=1), page.whole("personal"), page.whole("subsidy"))
    if price.personal + price.subsidy != price.total:
        raise page.wrong("total", "is not personal + subsidy")
    return price


def _priced(page: Page, groups: Groups) -> Price:
    price = _price(page, read_who(page, groups))
    if price.who.everybody:
        raise page.wrong("who", "is missing: the table's own price is everybody's")
    page.done()
    return price


def _window(page: Page, groups: Groups) -> Window:
    begins, ends = (page.day(key) if page.has(key) else None for key in ("begins", "ends"))
    if begins and page.has("starts"):
        raise page.wrong("begins", "stands beside starts: one of the two says from when")
    if begins and ends and ends < begins:
        raise page.wrong("ends", "lies before begins")
    window = Window(read_who(page, groups, priced=True), _starts(page, Starts.YEAR), begins, ends)
    page.done()
    return window


def _late(page: Page, groups: Groups, dates: Dates) -> Late:
    late = Late(
        who=read_who(page, groups, priced=True),
        charge=_charge(page),
        wait=_wait(page.page("wait")) if page.has("wait") else None,
        starts=_starts(page, Starts.PAYMENT),
        decided=page.flag("decided") if page.has("decided") else False,
        until=_until(page, dates),
    )
    page.done()
    return late


def _until(page: Page, dates: Dates) -> date:
    until = page.day("until") if page.has("until") else dates.late_end
    if not dates.normal_price_end <= until <= dates.benefit_to:
        raise page.wrong("until", "lies outside the year's cover, or before the window's end")
    return until


def _charge(page: Page) -> Charge:
    text = page.text("charge")
    if text not in set(Charge):
        raise page.wrong("charge", f"no such word: {text}")
    return Charge(text)


def _starts(page: Page, default: Starts) -> Starts:
    if not page.has("starts"):
        return default
    text = page.text("starts")
    if text not in set(Starts):
        raise page.wrong("starts", f"no such word: {text}")
    return Starts(text)


def _wait(page: Page) -> Wait:
    wait = Wait(**{key: page.whole(key, least=1) for key in ("days", "months", "calendar_months") if page.has(key)})
    if sum(bool(each) for each in (wait.days, wait.months, wait.calendar_months)) != 1:
        raise page.wrong("days", "or months or calendar_months: exactly one says how long")
    page.done()
    return wait


def _gap(page: Page) -> Gap:
    gap = Gap(
        months_each=page.whole("months_each", least=1),
        free_years=page.whole("free_years") if page.has("free_years") else 0,
        most=page.whole("most", least=1) if page.has("most") else None,
        long_years=page.whole("long_years", least=1) if page.has("long_years") else None,
        long_months=page.whole("long_months", least=1) if page.has("long_months") else 0,
        buys=page.flag("buys"),
        in_window=page.flag("in_window"),
    )
    page.done()
    return gap


def _newborn(page: Page) -> Newborn:
    stage = Newborn(
        months=page.whole("months", least=1) if page.has("months") else 0,
        days=page.whole("days", least=1) if page.has("days") else 0,
        starts=_starts(page, Starts.BIRTH),
    )
    if bool(stage.months) == bool(stage.days):
        raise page.wrong("months", "or days: exactly one says until when")
    page.done()
    return stage


def _fund(page: Page, groups: Groups, personal: LineTerms) -> Fund:
    """Its code names accounts, so it is written as they are; its clause is the premium's where it names none."""
    code, words = page.text("code"), page.text("words")
    if not _FUND.fullmatch(code) or code in set(Insurance):
        raise page.wrong("code", f"not the name of another fund: {code}")
    clause = page.text("clause") if page.has("clause") else personal.clause
    fund = Fund(
        code=code,
        words=words,
        who=read_who(page, groups),
        amount=page.whole("amount", least=1),
        line=LineTerms(personal.payer, clause, f"{words}个人缴费标准", ""),
        grounds=_grounds(page, groups),
    )
    leaves = [ground.leaves(fund.amount) for ground in fund.grounds if not ground.who.levels]
    if leaves != sorted(leaves):
        raise page.wrong("grounds", "a lesser share stands before a greater one")
    page.done()
    return fund


def _grounds(page: Page, groups: Groups) -> tuple[Ground, ...]:
    """In the file's order, which must never put a lesser help first (D20); what differs by level is not compared."""
    grounds = tuple(read_ground(each, groups) for each in _pages(page, "grounds"))
    codes = [(ground.code, ground.who.levels) for ground in grounds]
    if len(set(codes)) != len(codes):
        raise page.wrong("grounds", "a code stands twice")
    return grounds


_FUND = re.compile(r"[A-Z][A-Z_]{1,29}")
