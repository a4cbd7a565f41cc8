"""A town's list of its agents as a spreadsheet → who is new, who is there already, and why a row cannot be taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from app.flows.enter.accounts import LOGIN
from app.flows.parts import Parts
from app.flows.staffing.lists import APART, is_name, rows_of
from app.registry.identity import clean_name

TITLES: Mapping[str, tuple[str, ...]] = {
    "name": ("姓名", "代办员", "代办员姓名"),
    "villages": ("村居", "村（居）", "村(居)", "村", "村居代码", "村代码"),
    "login": ("账号", "登录账号"),
}
NEEDED = ("name", "villages")
WHY: Mapping[str, str] = {
    "NAME": "姓名是空的，或者不像姓名",
    "VILLAGE_MISSING": "没有写村（居）",
    "VILLAGE_UNKNOWN": "这个村（居）登记里没有，或者不归本镇街：请写名称或12位代码",
    "VILLAGE_TWICE": "有两个村（居）叫这个名字，请写12位代码",
    "LOGIN_SHAPE": "账号只能用小写字母、数字、点、横线，3到32位",
    "LOGIN_TAKEN": "这个账号已经有人用了",
    "LOGIN_TWICE": "同一份名单里有两行用这个账号",
    "ROW_TWICE": "同一个人、同一个村（居）在名单里写了两次",
}


@dataclass(frozen=True)
class Wanted:
    """Somebody who shall be an agent of these villages (codes). `login`: as written, or made of the village's code."""

    row: int
    name: str
    login: str
    villages: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """A row that cannot be taken: where, who it says, and why (a key of WHY)."""

    row: int
    name: str
    code: str


@dataclass
class Judged:
    """What would come of a list. `known`: rows of people who are agents of these villages already."""

    new: list[Wanted]
    known: list[Wanted]
    refused: list[Refused]


@dataclass(frozen=True)
class _Agent:
    login: str
    name: str
    villages: frozenset[str]


def judged(parts: Parts, connection: Connection, path: Path, towns: Sequence[str]) -> Judged:
    """Every row of the file, by what is known at this moment. BadFile."""
    agents = _agents(parts, connection)
    taken = {agent.login: agent for agent in agents}
    places = _places(connection, towns)
    found = Judged([], [], [])
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for row, cells in rows_of(path, TITLES, NEEDED, said="“姓名”和“村居”两列"):
        name = clean_name(cells["name"])
        problem, villages = _villages(cells["villages"], places)
        login = cells["login"].lower()
        if not is_name(name):
            problem = "NAME"
        elif not problem and (name, villages) in seen:
            problem = "ROW_TWICE"
        elif not problem and login and not LOGIN.fullmatch(login):
            problem = "LOGIN_SHAPE"
        if problem:
            found.refused.append(Refused(row, name, problem))
            continue
        seen.add((name, villages))
        there = next((each for each in agents if each.name == name and each.villages >= set(villages)), None)
        if there is not None and login in ("", there.login):
            found.known.append(Wanted(row, name, there.login, villages))
        elif login and login in taken:
            twice = any(each.login == login for each in found.new)
            found.refused.append(Refused(row, name, "LOGIN_TWICE" if twice else "LOGIN_TAKEN"))
        else:
            login = login or _made(villages[0], taken)
            taken[login] = _Agent(login, name, frozenset(villages))
            found.new.append(Wanted(row, name, login, villages))
    return found


def _villages(words: str, places: Mapping[str, Sequence[str]]) -> tuple[str, tuple[str, ...]]:
    """(what is wrong, the codes in their order)."""
    named = [word for word in APART.split(words) if word]
    if not named:
        return "VILLAGE_MISSING", ()
    found = [places.get(word, ()) for word in named]
    if not all(found):
        return "VILLAGE_UNKNOWN", ()
    if any(len(codes) > 1 for codes in found):
        return "VILLAGE_TWICE", ()
    return "", tuple(sorted({codes[0] for codes in found}))


def _places(connection: Connection, towns: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Of these towns' villages: code, name, and town with name → codes."""
    rows = connection.execute(
        text(
            "select v.code, v.name, t.name as town from village v join town t on t.code = v.town_code"
            " where v.town_code = any (:towns) order by v.code"
        ),
        {"towns": list(towns)},
    )
    places: dict[str, list[str]] = {}
    for row in rows:
        for word in {row.code, row.name, f"{row.town}{row.name}"}:
            places.setdefault(word, []).append(row.code)
    return places


def _agents(parts: Parts, connection: Connection) -> list[_Agent]:
    rows: Any = connection.execute(
        text(
            "select a.login, a.name, a.active, array(select village_code from agent_village v where v.agent_id = a.id)"
            " as villages from agent a"
        )
    )
    return [
        _Agent(
            row.login,
            clean_name(parts.vault.open(row.name, bound_to=f"agent.name:{row.login}")) if row.active else "",
            frozenset(row.villages),
        )
        for row in rows
    ]


def _made(village: str, taken: Mapping[str, object]) -> str:
    """A login that can be read out: d, the last figures of the village's code, and a number from the second on."""
    base = f"d{village[6:]}"
    return next(each for each in (base, *(f"{base}-{number}" for number in range(2, 9999))) if each not in taken)
