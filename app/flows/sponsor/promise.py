"""What an office types of a sponsor and his promise → what can be written down, each wrong field with its sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.policy.answer import Part
from app.policy.facts import Category, SponsorMode
from app.policy.payers import payers
from app.policy.terms import PolicyYear
from app.registry.sponsors import ANONYMOUS, KINDS
from core.errors import BadInput
from core.money import Fen, fen
from core.redact import scrub

MODES = {"ALL": "全额", "PCT": "按比例", "FIX": "固定金额"}
MOST_PEOPLE, LONGEST, OLDEST = 200, 60, 150
MOST_BUDGET = 100_000_000_00  # fen: a slip of the keyboard, not a budget


class BadPromise(BadInput):
    """A promise that cannot be written down; `fields` says where and why."""

    status = 422
    text = "有几处要改，见下面各栏。"


@dataclass(frozen=True)
class Typed:
    """As it was typed, every value a text; `people` are ids, found by who asked. `sponsor` empty: a new one."""

    words: dict[str, str]
    people: Sequence[int] = ()
    wrong: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """One field, without blanks around it."""
        return self.words.get(name, "").strip()


@dataclass(frozen=True)
class Promise:
    """What can be written down; fen, basis points, Beijing days. `sponsor` None: the new one that `who` is: kind,
    shown, name, contact and phone."""

    sponsor: int | None
    who: dict[str, str]
    insurance: str
    levy_year: int
    budget: Fen
    terms: dict[str, Any]
    people: Sequence[int]


def promised(typed: Typed, rules: PolicyYear, *, today: date) -> Promise:
    """BadPromise, with every field that is wrong."""
    wrong = dict(typed.wrong)

    def take(name: str, read: Callable[[str], Any], said: str) -> Any:
        try:
            return read(typed.get(name))
        except (ValueError, KeyError):
            wrong.setdefault(name, said)
            return None

    chosen = take("sponsor", lambda text: int(text[:18]) if text else None, "请从列表里选。")
    who = {} if typed.get("sponsor") else _sponsor(typed, wrong)
    allowed = sorted(fund for part, _, fund in payers(rules) if part is Part.SPONSOR)
    insurance = take("insurance", _one_of(allowed), f"{rules.year}年度的办法没有规定这一险种可以资助。")
    budget = take("budget", _money, "预算要写成大于0的金额，单位元，最多两位小数。")
    late = typed.get("covers_late") == "1"
    last = rules.dates.late_end if late else rules.dates.sponsors_end
    begins = take("from_day", lambda text: date.fromisoformat(text) if text else today, "日期写成2021-11-05这样。")
    ends = take("until_day", lambda text: date.fromisoformat(text) if text else last, "日期写成2021-11-05这样。")
    if begins and ends and not begins <= ends <= last:
        wrong.setdefault("until_day", f"要在开始的那天以后，最晚{last:%Y-%m-%d}。")
    mode = take("mode", SponsorMode, "请选：全额、按比例、固定金额。")
    whom = _whom(typed, rules, wrong)
    terms = {
        "mode": mode,
        "value": _value(typed, mode, wrong),
        "covers_late": late,
        "from_day": begins and begins.isoformat(),
        "until_day": ends and ends.isoformat(),
        **whom,
    }
    if wrong:
        raise BadPromise(fields=wrong)
    return Promise(chosen, who, insurance, rules.year, budget, terms, typed.people if whom["named"] else ())


def _sponsor(typed: Typed, wrong: dict[str, str]) -> dict[str, str]:
    who = {name: typed.get(name) for name in ("kind", "name", "contact", "phone", "shown")}
    if who["kind"] not in KINDS:
        wrong["kind"] = "请选资助方是谁。"
    for name, said in (("name", "资助方的名称要写，最多60个字。"), ("contact", "联系人要写，最多60个字。")):
        if not 0 < len(who[name]) <= LONGEST:
            wrong[name] = said
    if not (who["phone"].isascii() and who["phone"].replace("-", "").isdigit() and 7 <= len(who["phone"]) <= 15):
        wrong["phone"] = "电话只写数字，7到15位。"
    if not who["shown"]:  # a person is named only if he wants to be
        who["shown"] = ANONYMOUS if who["kind"] == "person" else who["name"]
    if len(who["shown"]) > LONGEST or scrub(who["shown"]) != who["shown"]:
        wrong["shown"] = "给居民看的名称最多60个字，不写证件号和手机号。"
    return who


def _whom(typed: Typed, rules: PolicyYear, wrong: dict[str, str]) -> dict[str, Any]:
    named, ages = typed.get("whom") == "named", dict[str, int | None]()
    if named and not 0 < len(typed.people) <= MOST_PEOPLE:
        wrong.setdefault("people", f"请写资助谁，一行一人：姓名 身份证号，最多{MOST_PEOPLE}人。")
    for name in ("from_age", "to_age"):
        text = "" if named else typed.get(name)
        ages[name] = int(text) if text.isdecimal() and text.isascii() and int(text) <= OLDEST else None
        if text and ages[name] is None:
            wrong[name] = f"年龄写0到{OLDEST}的整数。"
    category = None if named else typed.get("category") or None
    village = None if named else typed.get("village_code") or None
    if category is not None and category not in {*Category, *rules.groups}:
        wrong["category"] = "请从列表里选人员类别。"
    if any(ages.values()) or 0 in ages.values():  # one of two means: to the oldest, or from birth
        ages = {
            "from_age": ages["from_age"] or 0,
            "to_age": OLDEST if ages["to_age"] is None else ages["to_age"],
        }
        if ages["from_age"] > ages["to_age"]:  # type: ignore[operator]
            wrong["to_age"] = "要不小于前面的年龄。"
    if not named and village is None and category is None and ages["to_age"] is None:
        wrong.setdefault("whom", "请写资助谁：点名的人，或者村、人员类别、年龄，至少一项。")
    return {"named": named, "village_code": village, "category": category, **ages}


def _value(typed: Typed, mode: SponsorMode | None, wrong: dict[str, str]) -> int:
    if mode in (None, SponsorMode.ALL):
        return 0
    try:
        value = fen(typed.get("value"))  # two places behind the point of a percentage are basis points
    except ValueError:
        value = 0
    if value <= 0 or (mode is SponsorMode.PCT and value > 10_000):
        wrong["value"] = "比例写0.01到100（百分之几）。" if mode is SponsorMode.PCT else "金额要大于0，单位元。"
    return value


def _money(text: str) -> Fen:
    amount = fen(text)
    if not 0 < amount <= MOST_BUDGET:
        raise ValueError(text)
    return amount


def _one_of(allowed: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return read
