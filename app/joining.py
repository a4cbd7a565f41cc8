"""Joins the parts of the running system from the settings: the one place that knows them all by name."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, cached_property
from getpass import getuser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Engine

from app.flows.levy import Levy
from app.flows.parts import Clocks, Parts, Urls
from app.flows.pay.collect import Collector
from app.flows.register.check_year import strangers
from app.log import set_up_logs
from app.observe import Alarm, say_alert
from app.policy.terms import PolicyYear
from app.policy.year import load_year
from config.postgres import create_database, ensure_running
from config.settings import BadSettings, Settings
from core.clock import utc_now
from core.db import connect
from core.http import Door
from core.vault import Vault
from notifications.channels import BY_TEXT, Channel
from notifications.channels.console import Console
from notifications.channels.sms import connect as connect_texts
from notifications.channels.subscription import Subscription
from payments.errors import UnknownGateway
from payments.gateways.alerting import Alert, unheard
from payments.gateways.base import Gateway
from payments.gateways.known import GATEWAYS
from payments.gateways.known import connect as connect_gateway
from payments.gateways.signing import BadKey

if TYPE_CHECKING:
    from notifications.channels.account import OfficialAccount
    from notifications.channels.wechat import MiniProgram


def database_urls(settings: Settings) -> Urls:
    """Those that are named, or else the embedded server's, started, with its database."""
    if settings.database_url and settings.database_office_url and settings.database_owner_url:
        return Urls(settings.database_url, settings.database_office_url, settings.database_owner_url)
    server = ensure_running(settings.postgres_folder, pg_bin=settings.pg_bin)
    name = settings.database_name
    create_database(server, name)
    return Urls(server.app_url(name), server.office_url(name), server.owner_url(name))


def join(settings: Settings, engine: Engine) -> Parts:
    """Every part, ready to run. Opens no connection yet."""
    alert = Alarm(say_alert)
    program = _mini_program(settings, alert)
    return Parts(
        engine=engine,
        vault=Vault(settings.vault_keys, settings.vault_index_key, current=settings.vault_current),
        levy=Levy(engine, settings.district.years, _rules(settings).year),
        clocks=Clocks(engine, movable=settings.is_sandbox),
        gateways=_gateways(settings, alert),
        channels=_channels(settings, program, alert),
        public_url=settings.public_url.rstrip("/"),
        help_phone=settings.help_phone,
        issuer=settings.issuer_name,
        departments=settings.district.departments,
        year_files=settings.district.years,
        place_words=settings.district.password_words,
        answer_days=settings.district.answer_days,
        days_off=settings.district.days_off,
        senders=settings.notice_senders,
        login=(lambda code: program().login(code)) if program else None,
        account=_account(settings, alert) if settings.wechat_inside == "account" else None,
        program_link=(lambda: program().link()) if program and settings.wechat_inside == "miniprogram" else None,
        certificate_key=_certificate_key(settings),
        keeper=settings.backups.keeper,
        papers=settings.backups.papers,
        backups_due=bool(settings.backups.keeper) or not settings.is_sandbox,
        alert=alert,
    )


def _rules(settings: Settings) -> PolicyYear:
    """BadSettings for a year whose rules cannot be collected here: nobody is charged with a part that nobody owes."""
    rules = load_year(settings.levy_year, settings.district.years)
    if (rules.source.district, rules.source.city) != (settings.district.name, settings.district.city):
        raise BadSettings([f"LEVY_YEAR: {rules.year} has the rules of another district than DISTRICT names"])
    if strange := strangers(rules, settings.district.departments):
        raise BadSettings([f"DISTRICT: has no such department that pays: {', '.join(strange)}"])
    return rules


def _certificate_key(settings: Settings) -> bytes:
    """The one that is set, or else one that only this system's secret gives."""
    if settings.certificate_key is not None:
        return settings.certificate_key
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"day certificate").derive(settings.secret_key.encode())


def _gateways(settings: Settings, alert: Alert) -> dict[str, Gateway]:
    """Every channel that has credentials. BadSettings for one whose credentials cannot be used."""
    joined, problems = {}, []
    for name in settings.gateways:
        try:
            joined[name] = gateway_of(settings, name, alert=alert)
        except UnknownGateway:
            problems.append(f"GATEWAY_{name.upper()}_…: there is no gateway {name}; there are {', '.join(GATEWAYS)}")
        except BadKey as error:
            problems.append(f"GATEWAY_{name.upper()}_…: {error}")
    if problems:
        raise BadSettings(problems)
    return joined


def gateway_of(settings: Settings, name: str, *, alert: Alert = unheard) -> Gateway:
    """One channel from its credentials. UnknownGateway, BadKey."""
    if name not in GATEWAYS:
        raise UnknownGateway(name)
    credentials = settings.gateways.get(name, {})
    ours = settings.public_url.rstrip("/")
    known = {"notify_url": f"{ours}/callbacks/{name}", "return_url": f"{ours}/back/{name}"}
    known["account_appid"] = settings.official_account[0] if settings.official_account else ""
    return connect_gateway(name, known | dict(credentials), gateway_door(name, credentials), utc_now, alert=alert)


def _channels(settings: Settings, program: "Callable[[], MiniProgram] | None", alert: Alert) -> Mapping[str, Channel]:
    """In the order they are tried."""
    found: list[Channel] = []
    if program and settings.miniprogram_templates:
        pairs = settings.miniprogram_templates.rstrip(",").split(",")
        found.append(Subscription(program, dict(pair.split(":") for pair in pairs)))
    for name, account in zip(BY_TEXT, (settings.sms, settings.sms_second), strict=True):
        if account is not None:
            door = _door(account.url, pool=2 * settings.notice_senders)  # some send while others ask
            found.append(connect_texts(account, door, name=name, alert=alert))
    if settings.is_sandbox:
        found.append(Console())
    return {channel.name: channel for channel in found}


def _mini_program(settings: Settings, alert: Alert) -> "Callable[[], MiniProgram] | None":
    if not settings.miniprogram_appid:
        return None
    secret, base_url = settings.miniprogram_secret, settings.miniprogram_base_url

    @cache
    def made() -> "MiniProgram":
        from notifications.channels.wechat import MiniProgram  # noqa: PLC0415 most processes never speak to WeChat

        return MiniProgram(settings.miniprogram_appid, secret, base_url, alert=alert)

    return made


def _account(settings: Settings, alert: Alert) -> "Callable[[], OfficialAccount] | None":
    if settings.official_account is None:
        return None
    known, pages = settings.official_account, settings.sandbox_url if settings.is_sandbox else _WECHAT_PAGES

    @cache
    def made() -> "OfficialAccount":
        from notifications.channels.account import OfficialAccount  # noqa: PLC0415 nor this

        return OfficialAccount(*known, pages, alert)

    return made


_WECHAT_PAGES = "https://open.weixin.qq.com"


def gateway_door(name: str, credentials: Mapping[str, str]) -> Door:
    """One door for each channel: its own connections, its own budget, its own breaker, and no host but its own."""
    stated = {urlsplit(str(credentials.get(url, ""))).netloc for url in ("base_url", "file_url")}
    return Door(hosts=frozenset(stated - {""}) | GATEWAYS[name].facts.also_hosts)


def _door(url: str, *, pool: int) -> Door:
    return Door(hosts=frozenset({urlsplit(url).netloc}), pool=pool)


def joined(settings: Settings) -> dict[str, Any]:
    """What a process finds joined, the web's or a command's, by name; and where its words go."""
    set_up_logs(settings.log_level)
    return {"joined": Joined(settings), "urls": database_urls, "join": join, "gateway": gateway_of}


class Joined:
    """The parts, joined when they are first needed: a command that only reads rules starts no database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def parts(self) -> Parts:
        """The joined system."""
        held = self.settings
        url = database_urls(held).app
        return join(held, connect(url, pool_size=held.web_threads, pooler=held.has_pooler))

    @cached_property
    def office(self) -> Parts:
        """The same as the commands have it that make accounts and take files in."""
        return self.office_of(f"operator:{getuser()}")

    def office_of(self, actor: str) -> Parts:
        """The same in somebody's name; connections of its own."""
        url = database_urls(self.settings).office
        return replace(self.parts, engine=connect(url, pool_size=4, actor=actor, pooler=self.settings.has_pooler))

    @cached_property
    def collector(self) -> Collector:
        """This process's collector."""
        return Collector(self.parts.engine, self.parts.clocks)
