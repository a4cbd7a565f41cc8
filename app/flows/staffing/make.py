"""Accounts made from a list that was looked at, and their slips: login, first password, what goes into the
telephone. A slip is given once, to who asked; what stands on it is kept nowhere else."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.access.models import Agent, Staff
from app.access.roles import ROLES
from app.access.second import Issued
from app.documents.page import GREY, Page
from app.flows.enter.accounts import hashed, write_agent, write_staff
from app.flows.enter.second import write_second
from app.flows.parts import Parts
from app.flows.staffing.rows import Wanted
from app.flows.staffing.staff_rows import WantedStaff


@dataclass(frozen=True)
class Slip:
    """What one agent gets on paper. `password` empty: he has his own, only the telephone is new."""

    name: str
    places: str
    login: str
    password: str
    issued: Issued


def passwords(
    parts: Parts, wanted: Sequence[Wanted | WantedStaff], done: Callable[[int], None]
) -> list[tuple[str, str]]:
    """A first password for each, and what is kept of it: slow on purpose, so outside of any transaction."""
    made = []
    for number, each in enumerate(wanted, 1):
        password = secrets.token_urlsafe(9)
        made.append((password, hashed(password, each.login, each.name, *parts.place_words)))
        done(number)
    return made


def make(
    parts: Parts,
    connection: Connection,
    wanted: Sequence[Wanted],
    made: Sequence[tuple[str, str]],
    places: Mapping[str, str],
) -> list[Slip]:
    """Their accounts in the caller's transaction, with their slips; `places`: a village's code → its name."""
    slips = []
    for each, (password, kept) in zip(wanted, made, strict=True):
        write_agent(parts, connection, each.login, each.name, kept, each.villages, given=True)
        issued = write_second(parts, connection, Agent, each.login)
        slips.append(Slip(each.name, "、".join(places[code] for code in each.villages), each.login, password, issued))
    return slips


def make_staff(
    parts: Parts,
    connection: Connection,
    wanted: Sequence[WantedStaff],
    made: Sequence[tuple[str, str]],
    places: Mapping[str, str],
) -> list[Slip]:
    """The same of the offices' staff; `places`: a town's or department's code → its name."""
    slips = []
    for each, (password, kept) in zip(wanted, made, strict=True):
        write_staff(parts, connection, each, kept, given=True)
        issued = write_second(parts, connection, Staff, each.login)
        own = "、".join(places[code] for code in (*each.towns, *each.departments))
        slips.append(Slip(each.name, f"{ROLES[each.role]}{f'（{own}）' if own else ''}", each.login, password, issued))
    return slips


def paper(slips: Sequence[Slip], *, author: str, at: datetime, title: str = "代办员账号") -> bytes:
    """The slips as PDF, one a page: to be handed over in an envelope."""
    page = Page(title, author=author, at=at, foot="交给本人，不要拍照、不要发到群里")
    for each in slips:
        page.keep(240)
        page.head(title)
        page.fact("姓名", each.name)
        page.fact("负责", each.places)
        page.fact("账号", each.login)
        if each.password:
            page.fact("第一次的密码", each.password)
            page.line("第一次登录以后，请马上换成自己的密码。", colour=GREY)
        page.rule()
        page.line("手机验证器扫右边的码，以后每次登录要输入它显示的六位数字：", size=11, step=8)
        page.code(each.issued.address, size=50)
        page.line("扫不了的，照着输入这些字母：", step=7)
        page.line(each.issued.secret, size=11, step=12)
        page.line("手机不在身边时，用下面的恢复码代替六位数字，每个只能用一次：", step=8)
        for code in each.issued.recovery:
            page.line(code, size=12, step=7, x=4)
    return page.finish()
