"""Reads whom a rule means, and the lines and payers that stand beside it in a year's file."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.policy.facts import WHOLE_BP, Category, Residence, School, Sex
from app.policy.prices import Ground, LineTerms, Step
from app.policy.strict import BadPolicyYear, Page
from app.policy.who import FIELDS, History, Who

Groups = Mapping[str, str]  # every code that the year may name → its own words, empty for those of `Category`
_SAMPLE = {"on": "", "age": 0, "sponsor": "", "promise": ""}
_AGES, _DAYS = ("from_age", "to_age"), ("born_from", "born_to", "paid_from", "paid_to")
_LISTS: Mapping[str, type] = {"schools": School, "residences": Residence}
_WORDS: Mapping[str, type] = {"sex": Sex, "history": History}


def read_groups(page: Page) -> Groups:
    """The groups that most places know, and those of the table `groups`, code → words."""
    groups = dict.fromkeys(map(str, Category), "")
    if not page.has("groups"):
        return groups
    own = page.page("groups")
    for code in own.names():
        if code in groups or not (code.isascii() and code.isupper() and code.replace("_", "").isalnum()):
            raise own.wrong(code, "is no new code of capital letters")
        groups[code] = own.text(code)
    return groups


def read_who(page: Page, groups: Groups, *, priced: bool = False) -> Who:
    """The table `who`; everybody if there is none. `priced`: price and help are known when it is asked."""
    if not page.has("who"):
        return Who()
    inner = page.page("who")
    who = _who(inner, groups)
    if who.waived is not None and not priced:
        raise inner.wrong("waived", "is not known yet where this is asked")
    for first, last in (("from_age", "to_age"), ("born_from", "born_to"), ("paid_from", "paid_to")):
        spans = getattr(who, first), getattr(who, last)
        if None not in spans and spans[0] > spans[1]:
            raise inner.wrong(last, f"lies before {first}: nobody is meant")
    return who


def check_reached(page: Page, key: str, whos: Sequence[Who]) -> None:
    """The first that fits counts: behind one that means everybody nothing is ever read."""
    if any(who.everybody for who in whos[:-1]):
        raise page.wrong(key, "something stands behind what means everybody")


def _who(inner: Page, groups: Groups) -> Who:
    said: dict[str, Any] = {}
    for name in inner.names():
        if name not in FIELDS:
            raise inner.wrong(name, "is not a key of this table")
        if name in ("groups", "also"):
            said[name] = codes(inner, name, groups)
            _named(inner, name, said[name])
        elif name == "levels":
            said[name] = frozenset(inner.wholes(name))
        elif name in _AGES:
            said[name] = inner.whole(name, most=150)
        elif name in _DAYS:
            said[name] = inner.day(name)
        elif name == "waived":
            said[name] = inner.flag(name)
        elif name in _LISTS:
            said[name] = frozenset(_word(inner, name, _LISTS[name], text) for text in inner.texts(name))
            _named(inner, name, said[name])
        else:
            said[name] = _word(inner, name, _WORDS[name], inner.text(name))
    return Who(**said)


def _named(page: Page, key: str, said: frozenset[object]) -> None:
    """An empty list would mean everybody where nobody is named."""
    if not said:
        raise page.wrong(key, "names nobody")


def codes(page: Page, key: str, groups: Groups) -> frozenset[str]:
    """Codes of groups that the year knows."""
    texts = page.texts(key)
    if unknown := [text for text in texts if text not in groups]:
        raise page.wrong(key, f"no such category: {unknown[0]}")
    return frozenset(texts)


def read_ground(page: Page, groups: Groups, *, amount: int | None = None) -> Ground:
    """One reason for help: `code`, whom it means (by `who`, `from_age`, or the code as a group), and who pays what;
    further payers in `then`. `amount`: the fixed sum where the ground itself names none."""
    code = page.text("code")
    who = read_who(page, groups)
    if page.has("from_age"):
        if not who.everybody:
            raise page.wrong("from_age", "stands beside who: say it there")
        who = Who(from_age=page.whole("from_age", least=1))
    elif who.everybody:
        if code not in groups:
            raise page.wrong("code", f"neither a category nor an age: {code}")
        who = Who(groups=frozenset({code}))
    steps = [_step(page, amount)]
    if page.has("then"):
        for each in page.pages("then"):
            steps.append(_step(each, None))
            each.done()
    page.done()
    return Ground(code, who, tuple(steps))


def _step(page: Page, amount: int | None) -> Step:
    ways = [key for key in ("share_bp", "fixed", "leaves") if page.has(key)]
    if len(ways) > 1 or (not ways and amount is None):
        raise page.wrong("share_bp", "or fixed or leaves: exactly one says how much is paid")
    return Step(
        payer=page.text("payer"),
        clause=page.text("clause"),
        evidence=filled(page, "evidence"),
        note=page.text("note", empty=True),
        share_bp=page.whole("share_bp", least=1, most=WHOLE_BP) if ways == ["share_bp"] else None,
        fixed=page.whole("fixed", least=1) if ways == ["fixed"] else amount,
        leaves=page.whole("leaves") if ways == ["leaves"] else None,
    )


def read_line(page: Page, key: str, default: LineTerms | None = None) -> LineTerms:
    """Who pays a kind of line, by which clause, on what evidence; `default` where the file says nothing of it."""
    if default is not None and not page.has(key):
        return default
    inner = page.page(key)
    terms = LineTerms(
        inner.text("payer"), inner.text("clause"), filled(inner, "evidence"), inner.text("note", empty=True)
    )
    inner.done()
    return terms


def filled(page: Page, key: str) -> str:
    """A text whose places are among those that a line can fill."""
    text = page.text(key)
    try:
        text.format(**_SAMPLE)
    except (KeyError, IndexError, ValueError) as error:
        raise BadPolicyYear(f"{page.place}.{key}: a place that nobody fills: {text}") from error
    return text


def _word(page: Page, key: str, words: type, text: str) -> Any:
    if text not in set(words):  # type: ignore[arg-type]
        raise page.wrong(key, f"no such word: {text}")
    return words(text)
