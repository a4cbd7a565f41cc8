"""An operator's list of the offices' staff → who is new, who is there already, and why a row cannot be taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from app.access.models import Staff
from app.access.roles import GIVEN, LOCAL, ROLES, Role
from app.flows.enter.accounts import LOGIN, Account
from app.flows.parts import Parts
from app.flows.staffing.lists import APART, is_name, rows_of
from app.registry.identity import clean_name
from app.registry.models import Town

TITLES: Mapping[str, tuple[str, ...]] = {
    "name": ("姓名",),
    "login": ("账号", "登录账号"),
    "role": ("角色", "岗位"),
    "towns": ("镇街", "镇（街）", "镇(街)", "镇街代码"),
    "departments": ("部门", "帮扶部门"),
}
NEEDED = ("name", "login", "role")
WHY: Mapping[str, str] = {
    "NAME": "姓名是空的，或者不像姓名",
    "LOGIN_SHAPE": "账号只能用小写字母、数字、点、横线，3到32位",
    "LOGIN_TAKEN": "这个账号已经有人用了，姓名、角色或者管的地方不一样",
    "LOGIN_TWICE": "同一份名单里有两行用这个账号",
    "ROLE_UNKNOWN": f"角色要写：{'、'.join(ROLES[role] for role in GIVEN)}",
    "TOWN_MISSING": "镇街经办和服务大厅窗口要写明是哪个镇街的",
    "TOWN_UNKNOWN": "没有这个镇街：请写名称或9位代码",
    "TOWN_NOT": "这个角色管全区，不写镇街",
    "DEPARTMENT_MISSING": "帮扶部门的账号要写明是哪个部门的",
    "DEPARTMENT_UNKNOWN": "区里没有这个部门",
    "DEPARTMENT_NOT": "这个角色不是部门的，不写部门",
}


@dataclass(frozen=True)
class WantedStaff(Account):
    """Somebody who shall have this account, and the row that says so; codes in their order."""

    row: int


@dataclass(frozen=True)
class RefusedStaff:
    """A row that cannot be taken: where, who it says, and why (a key of WHY)."""

    row: int
    name: str
    code: str


@dataclass
class JudgedStaff:
    """What would come of a list. `known`: rows of those who have just this account."""

    new: list[WantedStaff]
    known: list[WantedStaff]
    refused: list[RefusedStaff]


class _Refuses(Exception):
    pass


def judged_staff(parts: Parts, connection: Connection, path: Path) -> JudgedStaff:
    """Every row of the file, by what is known at this moment. BadFile."""
    there = {each.login: each for each in _staff(parts, connection)}
    towns = dict[str, str]()
    for town in connection.execute(select(Town.code, Town.name)):
        towns |= {town.code: town.code, town.name: town.code}
    departments = {word: code for code, name in parts.departments.items() for word in (code, name)}
    found = JudgedStaff([], [], [])
    logins: set[str] = set()
    for row, cells in rows_of(path, TITLES, NEEDED, said="“姓名”“账号”“角色”三列"):
        try:
            wanted = _wanted(row, cells, towns, departments)
            if wanted.login in logins:
                raise _Refuses("LOGIN_TWICE")
            logins.add(wanted.login)
            held = there.get(wanted.login)
            if held is not None and _same(held) != _same(wanted):
                raise _Refuses("LOGIN_TAKEN")
        except _Refuses as refused:
            found.refused.append(RefusedStaff(row, clean_name(cells["name"]), str(refused)))
            continue
        (found.new if held is None else found.known).append(wanted)
    return found


def _wanted(
    row: int, cells: Mapping[str, str], towns: Mapping[str, str], departments: Mapping[str, str]
) -> WantedStaff:
    name, login = clean_name(cells["name"]), cells["login"].lower()
    if not is_name(name):
        raise _Refuses("NAME")
    if not LOGIN.fullmatch(login):
        raise _Refuses("LOGIN_SHAPE")
    role = next((each for each in GIVEN if cells["role"] in (str(each), ROLES[each])), None)
    if role is None:
        raise _Refuses("ROLE_UNKNOWN")
    own = _codes("TOWN", cells["towns"], towns, needed=role in LOCAL)
    whose = _codes("DEPARTMENT", cells["departments"], departments, needed=role is Role.DEPARTMENT)
    return WantedStaff(login, name, role, own, whose, row)


def _codes(what: str, words: str, known: Mapping[str, str], *, needed: bool) -> tuple[str, ...]:
    named = [word for word in APART.split(words) if word]
    if bool(named) != needed:
        raise _Refuses(f"{what}_MISSING" if needed else f"{what}_NOT")
    if not set(named) <= known.keys():
        raise _Refuses(f"{what}_UNKNOWN")
    return tuple(sorted({known[word] for word in named}))


def _same(one: Account) -> Sequence[object]:
    return one.name, one.role, tuple(one.towns), tuple(one.departments)


def _staff(parts: Parts, connection: Connection) -> Iterator[Account]:
    """Who has an account, whoever was ended without a name: his login stays his."""
    for row in connection.execute(select(Staff.__table__)):
        name = clean_name(parts.vault.open(row.name, bound_to=f"staff.name:{row.login}")) if row.active else ""
        towns, departments = tuple(sorted(row.towns)), tuple(sorted(row.departments))
        yield Account(row.login, name, Role(row.role), towns, departments)
