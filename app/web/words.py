"""How pages write amounts and names, and the clock of the district. Registered as template filters."""

import re
from collections.abc import Sequence
from datetime import datetime

from flask import Flask
from markupsafe import Markup, escape

from app.access.roles import ROLES, Role
from app.documents.said_days import clock, dated, day, full_day, hangs_until, hangs_until_in_year, hour, moment
from app.policy.words import level_words
from app.web.door.parts import parts
from core.money import plain_yuan
from core.redact import mask_name
from payments.gateways.known import GATEWAYS


def items(names: Sequence[str]) -> Markup:
    """Each of hundreds of names as an item of a list, made safe in one go."""
    return Markup("<li>{}</li>").format(escape("\n".join(names)).replace("\n", Markup("</li><li>")))


ACTS = {
    "in": "登录",
    "refused": "登录没有成功：账号、密码或短信码不对",
    "second_refused": "登录没有成功：动态码不对",
    "out": "退出",
    "unsure": "用很久没登录的手机号登录，还没说是谁",
    "search": "找人",
    "account": "开账号",
    "removed": "删账号",
    "disabled": "停用账号",
    "enabled": "恢复账号",
    "role": "给角色",
    "village": "改负责的村（居）",
    "password": "换密码",
    "second": "换第二验证因素",
    "paused": "暂停渠道收款",
    "opened": "恢复渠道收款",
    "year_opened": "年度开征",
    "year_closed": "年度停止征缴",
    "glass_asked": "申请应急查看",
    "glass_opened": "打开应急查看",
    "glass_ended": "结束应急查看",
}


_TURNS = {"insert": "加上", "delete": "去掉", "update": "改成"}


def act_words(what: str, words: str) -> str:
    """What is noted beside an act, as the auditor reads it: numbers of places stay, every other word is ours."""
    first, _, rest = words.partition(" ")
    if what == "role" and first in {*Role}:
        return " ".join([ROLES[Role(first)], *re.findall(r"[0-9]{9}", rest)])
    if what == "village" and first in _TURNS:
        return f"{_TURNS[first]} {rest}"
    if what == "out" and first:
        return "退出了一处登录" if first == "one" else f"退出了别处的 {rest} 处登录"
    if what == "search" and first:
        return f"{'镇街' if len(first) == 9 else '村（居）'} {first}"
    if what == "in" and words.startswith("phone of "):
        return f"这个手机号以前是{person(words.removeprefix('phone of '))}的"
    return words


def act(what: str) -> str:
    """What somebody did, as the auditor reads it."""
    return ACTS.get(what, what)


_RULES = {
    "bank": "银行",
    "treasury": "国库",
    "bureau": "主管部门",
    "resident": "本人",
    "refund_desk": "退费岗（还没人领）",
    "tax_clerk": "税务经办（还没人领）",
    "upgrade": "系统（升级）",
    "rule:an_hour": "系统（满一小时）",
    "rule:surplus": "系统（多付的钱）",
    "rule:died": "系统（交费时已去世）",
    "rule:late_entitlement": "系统（按政策应少交）",
    "rule:too_old": "系统（超过渠道的退款期限）",
    "rule:no_list": "系统（丢失时段的对账单没来）",
    "rule:given_back": "系统（渠道上已经退过）",
    "rule:no_way_back": "系统（不是从线上渠道来的）",
    "rule:elsewhere": "系统（在外地参保了）",
    "rule:united": "系统（同一个人登记了两次）",
    "rule:paid_by_others": "系统（全是别人代交的）",
    "rule:matched": "系统（再次核对时相符）",
    "rule:slip": "系统（代办员登记了存款凭条）",
    "rule:three_days": "系统（公示期满）",
    "rule:retention": "系统（保存期满）",
    "rule:erased_list": "系统（恢复以后重新删除）",
}


_WHOSE = {
    "account": "居民账号",
    "agent": "代办员",
    "operator": "系统管理员",
    "role": "数据库账号",
    "sought": "查询内容",
    "year": "年度",
}


def person(who: str) -> str:
    """Who did something, for the offices: a login, a gateway, a rule."""
    kind, _, named = who.partition(":")
    if kind in _WHOSE:
        return f"{_WHOSE[kind]} {named}"
    gateway = GATEWAYS.get(who.removeprefix("gateway:"))
    return gateway.facts.title if gateway else _RULES.get(who) or who.removeprefix("staff:")


def trail_name(said: str) -> str:
    """Who is meant, as the trail writes him: `person` read backwards. Any other word is an office's login."""
    for kind, words in _WHOSE.items():
        if said.startswith(words):
            return f"{kind}:{said.removeprefix(words).strip()}"
    return f"staff:{said.lower()}" if said and ":" not in said else said


PAYMENT_STANDS = {
    "created": "正在下单",
    "pending": "等着付",
    "unknown": "正在核对",
    "closing": "正在关闭",
    "left": "换了别的方式付",
    "paid": "已付，入了账",
    "partly_back": "退了一部分",
    "back": "已退费",
    "surplus": "多付待退",
    "surplus_back": "多付的，已退回",
    "closed": "关了，没有付",
    "failed": "没有付成",
}


def payment_stands(stands: str) -> str:
    """Where a payment is today, for the offices."""
    return PAYMENT_STANDS[stands]


def district(at: datetime) -> datetime:
    """A moment that was written down by the system clock, as the district's clock shows it. They differ in a sandbox
    alone, where somebody turned the latter: a page tells one time."""
    return at + parts().clocks.ahead()


def register(app: Flask) -> None:
    """Filters: yuan (fen → '320'), those of app/documents/said_days.py, district, items, masked, level (2 → 二档),
    person, payment_stands."""
    app.jinja_env.filters.update(yuan=plain_yuan, day=day, full_day=full_day, clock=clock, hour=hour, masked=mask_name)
    app.jinja_env.filters.update(hangs_until=hangs_until, hangs_until_in_year=hangs_until_in_year, items=items)
    app.jinja_env.filters.update(dated=dated, district=district)
    app.jinja_env.filters.update(moment=moment, level=level_words)
    app.jinja_env.filters.update(person=person, payment_stands=payment_stands, act=act, act_words=act_words)
