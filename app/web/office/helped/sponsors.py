"""Sponsors and their pledges: entered, agreed to, paid in, ended, given back; and whose share each paid."""

import secrets
from collections.abc import Callable, Mapping

from apiflask import APIBlueprint
from flask import Response, current_app, redirect, render_template, request, url_for

from app.access.roles import Role, may
from app.flows.due.look_up import identify
from app.flows.sponsor import desk, pay_in
from app.flows.sponsor.enter import Hand, agree, end, enter
from app.flows.sponsor.give_back import give_back
from app.flows.sponsor.promise import LONGEST, MODES, MOST_PEOPLE, Typed, promised
from app.policy.facts import Category
from app.policy.terms import PolicyYear
from app.policy.words import phrases
from app.registry.sponsors import KINDS
from app.web.codes import picture
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from core.clock import beijing
from core.errors import AppError, NotFound
from core.money import fen
from payments.errors import GatewaySilent
from payments.gateways.base import Kind
from payments.states import LIVE

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_PAGES, WIDEST, PERSON = 100_000, 4000, 2
bp = APIBlueprint("office_sponsors", __name__, enable_openapi=False)


@bp.get("/")
@needs("sponsor.see")
def listed() -> Answer:
    """The pledges, the latest first."""
    rows, count = desk.pledges(parts(), page=_page())
    enters = may(officer().role, "sponsor.enter")
    return render_template("office/sponsors.html", rows=rows, enters=enters, kinds=KINDS, **_pages(count))


@bp.get("/new")
@needs("sponsor.enter")
def new() -> Answer:
    """What is asked of a sponsor and his promise."""
    return _form()


@bp.post("/new")
@needs("sponsor.enter")
def enter_one() -> Answer | tuple[Answer, int]:
    """登记. What was typed stays on an error; the same form twice is one pledge."""
    form = {name: value[:WIDEST] for name, value in request.form.items()}
    hand = Hand(officer().session, town=form.get("town") or None, key=form.get("key", "")[:64])
    try:
        people, wrong = _people(form) if form.get("whom") == "named" else ([], {})
        year = form.get("year", "")
        rules = parts().levy.known(int(year) if year.isdecimal() and len(year) == 4 else 0)
        promise = promised(Typed(form, people, wrong), rules, today=parts().clocks.today())
        number = enter(parts(), promise, hand=hand)
    except NotFound:
        return _form(problem="只能登记本镇街的村和人。"), 404
    except AppError as error:
        return _form(problem=error.sentence(), wrong=error.fields), error.status
    return _back(number)


@bp.get("/<int:pledge>")
@needs("sponsor.see")
def one(pledge: int) -> Answer:
    """One, with its money, whose share it paid, and what this desk may do about it."""
    return _one(pledge)


@bp.post("/<int:pledge>/contact")
@needs("sponsor.enter")
def contact(pledge: int) -> Answer:
    """Whom to speak to there, in clear; it is written down who looked."""
    return _one(pledge, whole=desk.contact(parts(), officer(), pledge))


@bp.get("/<int:pledge>/shares.xlsx")
@needs("sponsor.see")
def shares(pledge: int) -> Response:
    """Whose premium it paid, names masked."""
    row, now = desk.pledge(parts(), pledge).row, parts().clocks.now()
    mark = f"{officer().login} 于 {beijing(now):%Y-%m-%d %H:%M} 导出"
    return as_file(desk.shares_file(parts(), pledge, mark=mark), XLSX, f"资助明细{row.number}.xlsx")


@bp.post("/<int:pledge>/agree")
@needs("sponsor.agree")
def agree_one(pledge: int) -> Answer | tuple[Answer, int]:
    """同意, by another person than who entered it."""
    return _done(pledge, lambda: agree(parts(), pledge, hand=Hand(officer().session)))


@bp.post("/<int:pledge>/end")
@needs("sponsor.enter")
def end_one(pledge: int) -> Answer | tuple[Answer, int]:
    """结束, and why; one that nobody agreed to is dropped."""
    return _done(pledge, lambda: end(parts(), pledge, why=request.form.get("why", ""), hand=Hand(officer().session)))


@bp.post("/<int:pledge>/back")
@needs("sponsor.enter")
def back_one(pledge: int) -> Answer | tuple[Answer, int]:
    """申请退回剩的钱."""
    return _done(pledge, lambda: give_back(parts(), pledge, hand=Hand(officer().session)))


@bp.post("/<int:pledge>/code")
@needs("sponsor.enter")
def code_one(pledge: int) -> Answer | tuple[Answer, int]:
    """出付款码: the sponsor's contact scans it. When the gateway is silent its page says so."""
    form = request.form
    try:
        amount = _yuan(form.get("amount", ""))
        wish = pay_in.Wish(pledge, amount, form.get("gateway", ""), form.get("key", "")[:64])
        try:
            started = pay_in.pay_in(parts(), wish, by=officer().by)
        except GatewaySilent:
            started = pay_in.pay_in(parts(), wish, by=officer().by)  # the same wish: the payment that was begun
    except NotFound:
        raise
    except AppError as error:
        return _one(pledge, problem=error.sentence()), error.status
    return redirect(url_for("office_sponsors.code", pledge=pledge, number=started.number), 303)


@bp.get("/<int:pledge>/code/<number>")
@needs("sponsor.see")
def code(pledge: int, number: str) -> Answer:
    """The code, until the gateway says what became of it."""
    of, started = pay_in.money_of(parts(), number[:26])
    row = desk.pledge(parts(), pledge).row
    if of != pledge:
        raise NotFound(number[:26])
    settings, url = current_app.extensions["settings"], started.checkout.code_url if started.checkout else None
    waits = started.state in LIVE
    return render_template(
        "office/sponsor_code.html",
        row=row,
        started=started,
        waits=waits,
        picture=picture(url) if url and waits else None,
        phone_page=f"{settings.sandbox_url}/phone" if settings.is_sandbox and url and waits else None,
        url=url,
        refresh=5 if waits else None,
        closes=may(officer().role, "sponsor.enter"),
    )


@bp.post("/<int:pledge>/code/<number>/close")
@needs("sponsor.enter")
def close_code(pledge: int, number: str) -> Answer:
    """不付了."""
    desk.pledge(parts(), pledge)
    if pay_in.money_of(parts(), number[:26])[0] != pledge:
        raise NotFound(number[:26])
    pay_in.close(parts(), number[:26])
    return redirect(url_for("office_sponsors.code", pledge=pledge, number=number[:26]), 303)


def _done(pledge: int, act: Callable[[], object]) -> Answer | tuple[Answer, int]:
    try:
        act()
    except NotFound:
        raise
    except AppError as error:
        return _one(pledge, problem=error.sentence()), error.status
    return _back(pledge)


def _one(pledge: int, *, problem: str | None = None, whole: Mapping[str, str] | None = None) -> str:
    found, who = desk.pledge(parts(), pledge), officer()
    rows, count = desk.shares(parts(), pledge, page=_page())
    enters = may(who.role, "sponsor.enter")
    titles = {
        name: gateway.facts.title for name, gateway in parts().gateways.items() if Kind.NATIVE in gateway.facts.kinds
    }
    return render_template(
        "office/sponsor.html",
        found=found,
        row=found.row,
        money=desk.money_in(parts(), pledge),
        codes=desk.codes_out(parts(), pledge),
        rows=rows,
        problem=problem,
        typed=request.form,
        whole=whole,
        kinds=KINDS,
        modes=MODES,
        categories=_categories(parts().levy.rules(found.row.levy_year)),
        enters=enters,
        agrees=may(who.role, "sponsor.agree") and found.row.state == "proposed" and found.row.entered_by != who.by,
        ends=enters and found.row.state in ("proposed", "agreed"),
        gives_back=enters and found.row.state == "ended" and found.left > 0,
        takes=enters
        and found.state in ("AGREED", "FUNDED", "ACTIVE", "EXHAUSTED")
        and found.row.taken < found.row.budget,
        gateways=titles,
        key=secrets.token_urlsafe(16),
        **_pages(count),
    )


def _form(*, problem: str | None = None, wrong: Mapping[str, str] | None = None) -> str:
    held, who = parts(), officer()
    years, places = held.levy.years.all, desk.places(held, who)
    return render_template(
        "office/sponsor_enter.html",
        problem=problem,
        wrong=wrong or {},
        typed=request.form,
        key=request.form.get("key") or secrets.token_urlsafe(16),
        kinds=KINDS,
        modes=MODES,
        years=[(year, f"{year}年") for year in years],
        insurances={"RES_MEDICAL": phrases("names")["RES_MEDICAL"]},
        places=places,
        towns=list(dict.fromkeys((each.town_code, each.town) for each in places)),
        categories=_categories(held.levy.newest),
        sponsors=desk.known(held),
        town=who.role is Role.TOWN,
        longest=LONGEST,
        most=MOST_PEOPLE,
    )


def _categories(rules: PolicyYear) -> dict[str, str]:
    """Those that may be named, code → words."""
    words = phrases("categories")
    return {code: words.get(code, code) for code in map(str, Category)} | dict(rules.groups)


def _people(form: Mapping[str, str]) -> tuple[list[int], dict[str, str]]:
    """Of each line name and number; the numbers come in a form and are written nowhere."""
    found = list[int]()
    for place, line in enumerate(form.get("people", "").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != PERSON:
            return [], {"people": f"第{place}行：一行写一个人，姓名和身份证号中间空一格。"}
        try:
            found.append(identify(parts(), name=words[0][:100], id_number=words[1][:100]))
        except AppError as error:
            return [], {"people": f"第{place}行：{next(iter(error.fields.values()), error.sentence())}"}
    return list(dict.fromkeys(found)), {}


def _yuan(given: str) -> int:
    try:
        return fen(given.strip().removesuffix("元"))
    except ValueError as error:
        raise pay_in.TooMuchForPledge from error


def _pages(count: int) -> dict[str, int]:
    return {"count": count, "page": _page(), "pages": max(1, -(-count // desk.PAGE))}


def _page() -> int:
    asked = request.args.get("page", "1")
    return int(asked) if asked.isascii() and asked.isdecimal() and 0 < int(asked[:9]) <= MOST_PAGES else 1


def _back(pledge: int) -> Answer:
    return redirect(url_for("office_sponsors.one", pledge=pledge), 303)
