"""What differs between machines. The only reader of the environment; every other part is given a Settings.

Every variable may be given as NAME_FILE=path instead, whose content is read (a relative path starts at the
checkout). All problems are told at once, by name; a value is never shown. docs/settings.md is the table of all.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dotenv import dotenv_values

from config.backups import TOLD, Backups, backups
from config.database import database
from config.district import District, whose
from config.messages import sms
from config.processes import processes
from config.reading import Reading, names
from config.upgrading import Upgrading, upgrading
from config.vault import vault
from config.wechat import wechat
from core.vault import Key
from notifications.channels import Account

CHECKOUT = Path(__file__).resolve().parents[1]


class Mode(StrEnum):
    """A sandbox plays with itself; production touches people and money."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class BadSettings(Exception):
    """The process may not start. One line per problem; no value in any of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def told(variable: str, meaning: str, default: str, required: str = "") -> dict[str, str]:
    """What docs/settings.md says about a field of Settings."""
    return {"variable": variable, "meaning": meaning, "default": default, "required": required}


@dataclass(frozen=True)
class Settings:
    """Everything a machine decides. Made by `from_environment` only, so an instance is a checked one."""

    mode: Mode = field(metadata=told("LIANGXIAN_MODE", "`sandbox` or `production`", "", "always"))
    database_url: str | None = field(
        repr=False,
        metadata=told("DATABASE_URL", "the role that runs, `postgresql://…`", "embedded server", "production"),
    )
    database_office_url: str | None = field(
        repr=False, metadata=told("DATABASE_OFFICE_URL", "another: accounts, files in", "embedded server", "production")
    )
    database_owner_url: str | None = field(
        repr=False, metadata=told("DATABASE_OWNER_URL", "another: owns the tables", "embedded server", "production")
    )
    database_pooler: str = field(
        metadata=told(
            "DATABASE_POOLER",
            "`transaction` if a pooler in between hands each transaction another connection",
            "`none`",
        )
    )
    database_name: str = field(metadata=told("DATABASE_NAME", "database in the embedded server", "`liangxian`"))
    pg_bin: str | None = field(
        metadata=told("PG_BIN", "folder with `postgres` and `initdb`", "the wheel's, else the newest")
    )
    postgres_folder: Path = field(
        metadata=told("POSTGRES_FOLDER", "where the embedded server lives", "`.local/postgres`")
    )
    backups: Backups = field(metadata=TOLD)
    secret_key: str = field(
        repr=False, metadata=told("SECRET_KEY", "signs sessions and forms, ≥ 32 bytes", "", "always")
    )
    vault_keys: Mapping[int, Key] = field(
        repr=False,
        metadata=told("VAULT_KEYS", "`1:base64,2:sm4:base64`: 32 bytes each, for SM4-GCM 16", "", "always"),
    )
    vault_current: int = field(metadata=told("VAULT_CURRENT", "the number of the key that seals", "the highest"))
    vault_index_key: Key = field(
        repr=False,
        metadata=told("VAULT_INDEX_KEY", "finds ID numbers; base64 of ≥ 32 bytes, `sm3:base64` by SM3", "", "always"),
    )
    certificate_key: bytes | None = field(
        repr=False,
        metadata=told(
            "CERTIFICATE_KEY", "signs the certificates of closed days; base64 of 32 bytes", "from `SECRET_KEY`"
        ),
    )
    public_url: str = field(
        metadata=told(
            "PUBLIC_URL",
            "our address as others see it; https outside the sandbox",
            "`http://127.0.0.1:PORT`",
            "production",
        )
    )
    port: int = field(metadata=told("PORT", "where we listen", "`8000`"))
    sandbox_port: int = field(metadata=told("SANDBOX_PORT", "where the sandbox's gateways listen", "`8100`"))
    gateways: Mapping[str, Mapping[str, str]] = field(
        repr=False,
        metadata=told(
            "GATEWAY_<NAME>_<KEY>", "what a gateway needs (`GATEWAY_WECHAT_MCHID`); keys in PEM", "no gateway"
        ),
    )
    miniprogram_appid: str = field(
        metadata=told("MINIPROGRAM_APPID", "the mini-program; with its secret or not at all", "none")
    )
    miniprogram_secret: str = field(
        repr=False, metadata=told("MINIPROGRAM_SECRET", "the mini-program's secret", "none")
    )
    miniprogram_base_url: str = field(
        metadata=told(
            "MINIPROGRAM_BASE_URL", "where WeChat answers", "`https://api.weixin.qq.com`; in the sandbox the sandbox"
        )
    )
    miniprogram_templates: str = field(
        metadata=told("MINIPROGRAM_TEMPLATES", "subscribe messages, `paid:ID,remind:ID,…` by kind of notice", "none")
    )
    official_account: tuple[str, str, str] | None = field(
        repr=False,
        metadata=told(
            "OFFICIAL_ACCOUNT_<APPID,SECRET,BASE_URL>",
            "the official account, whose users pay inside WeChat; its id with its secret, or not at all",
            "none; `https://api.weixin.qq.com`, in the sandbox the sandbox",
        ),
    )
    wechat_inside: str = field(
        metadata=told("WECHAT_INSIDE", "its browser pays by `account`, `miniprogram`, `code`", "the first configured")
    )
    sms: Account | None = field(
        metadata=told(
            "SMS_<PROVIDER,URL,KEY,KEY_ID,SIGN,APP_ID,REGION,TEMPLATES,LONGEST,PRICE>",
            "text messages; `PROVIDER` is `none`, `aliyun`, `tencent`, `http`, or in the sandbox `console` or"
            " `sandbox`; the others: [docs/messages.md](messages.md)",
            "`none`; in the sandbox `console`",
        )
    )
    sms_second: Account | None = field(
        metadata=told(
            "SMS_SECOND_<PROVIDER,URL,KEY,KEY_ID,SIGN,APP_ID,REGION,TEMPLATES,LONGEST,PRICE>",
            "another provider, for what the first one cannot deliver",
            "none",
        )
    )
    notice_senders: int = field(metadata=told("NOTICE_SENDERS", "notices handed over at once by a worker", "`16`"))
    business_clock_start: datetime | None = field(
        metadata=told("BUSINESS_CLOCK_START", "the business clock's start, with offset; sandbox only", "the true time")
    )
    trusted_proxies: int = field(
        metadata=told("TRUSTED_PROXIES", "reverse proxies in front whose headers count", "`0`")
    )
    levy_year: int = field(metadata=told("LEVY_YEAR", "the year a new database collects for first", "`2022`"))
    district: District = field(
        metadata=told("DISTRICT", "who collects: a file of `config/districts` by its name, or a path", "`yicheng`")
    )
    help_phone: str = field(metadata=told("HELP_PHONE", "shown to people who need help", "the district's"))
    payee_name: str = field(
        metadata=told("PAYEE_NAME", "who receives the money, as the payer's phone shows it", "the district's")
    )
    issuer_name: str = field(
        metadata=told("ISSUER_NAME", "the office that issues confirmations and certificates", "the district's")
    )
    web_workers: int = field(metadata=told("WEB_WORKERS", "processes", "`2`"))
    web_threads: int = field(metadata=told("WEB_THREADS", "requests each works on at once", "`16`"))
    drain_s: int = field(
        metadata=told(
            "WEB_DRAIN_S", "seconds a stopping process is not ready and still takes requests", "`5`; sandbox `0`"
        )
    )
    worker_metrics_port: int = field(metadata=told("WORKER_METRICS_PORT", "where the worker shows figures", "nowhere"))
    upgrading: Upgrading = field(
        metadata=told(
            "UPGRADE_<BACKUP,BACKUP_CHECK,FOLDERS>",
            "for `ops upgrade`: commands that back up and that say a backup is recent; folders that need room",
            "none; the checkout",
        )
    )
    log_level: str = field(metadata=told("LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`", "`INFO`"))

    @property
    def is_sandbox(self) -> bool:
        return self.mode is Mode.SANDBOX

    @property
    def has_pooler(self) -> bool:
        return self.database_pooler == "transaction"

    @property
    def web_line(self) -> int:
        """Requests of each process that may wait for room: a few times what it works on."""
        return 3 * self.web_threads

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox's gateways answer; nothing listens there in production."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check everything. BadSettings lists all that is wrong."""
        read = Reading(environ, known=names(each.metadata["variable"] for each in fields(cls)), home=CHECKOUT)
        _may_start(read)
        values = {} if read.problems else _values(read)
        if read.problems:
            raise BadSettings(read.problems)
        return cls(**values)


def environment(env_file: Path | None = CHECKOUT / ".env") -> dict[str, str]:
    """The process's environment over the lines of `.env`, if there is one and it is wanted."""
    held = dotenv_values(env_file, interpolate=False) if env_file and env_file.is_file() else {}
    return {name: value for name, value in held.items() if value is not None} | dict(os.environ)


def table() -> str:
    """Every variable, as docs/settings.md shows it."""
    rows = ["| variable | meaning | default | required |", "|---|---|---|---|"]
    for each in fields(Settings):
        told_of = each.metadata
        words = (f"`{told_of['variable']}`", told_of["meaning"], told_of["default"] or "–", told_of["required"] or "–")
        rows.append(f"| {' | '.join(words)} |")
    return "\n".join(rows) + "\n"


def _may_start(read: Reading) -> None:
    """Without a mode nothing else can be judged."""
    mode = read.text("LIANGXIAN_MODE")
    if not mode:
        read.say("LIANGXIAN_MODE", "is missing; `make setup` writes a .env for the sandbox")
    elif mode not in list(Mode):
        read.say("LIANGXIAN_MODE", "is neither sandbox nor production")
    if not __debug__:
        read.problems.append("python -O leaves out the checks that guard the money; start without it")


def _values(read: Reading) -> dict[str, Any]:
    whose_it_is = whose(read)
    held = whose_it_is["district"]
    return {
        "mode": Mode.SANDBOX if read.sandbox else Mode.PRODUCTION,
        **database(read, CHECKOUT),
        **backups(read, CHECKOUT),
        **_secrets(read),
        **_addresses(read),
        **wechat(read),
        **sms(read, held.signature if held else ""),
        **processes(read, CHECKOUT),
        "upgrading": upgrading(read, CHECKOUT),
        "notice_senders": read.whole("NOTICE_SENDERS", 16, 1, 64),
        "gateways": MappingProxyType({name: MappingProxyType(keys) for name, keys in read.gateways().items()}),
        "business_clock_start": read.sandbox_moment("BUSINESS_CLOCK_START"),
        "trusted_proxies": read.whole("TRUSTED_PROXIES", 0, 0, 9),
        **whose_it_is,
    }


def _secrets(read: Reading) -> dict[str, Any]:
    secret, held = read.text("SECRET_KEY"), vault(read)
    read.strong("SECRET_KEY", secret)
    keys = (held["vault_index_key"], *held["vault_keys"].values())
    given = [value for value in (secret.encode(), *(key.secret for key in keys)) if value]
    if len(set(given)) < len(given):
        read.say("SECRET_KEY", "VAULT_KEYS and VAULT_INDEX_KEY must all differ")
    signs = read.text("CERTIFICATE_KEY")
    return {
        "secret_key": secret,
        **held,
        "certificate_key": read.key("CERTIFICATE_KEY", signs, exactly=32) if signs else None,
    }


def _addresses(read: Reading) -> dict[str, Any]:
    port, sandbox_port = read.whole("PORT", 8000, 1, 65535), read.whole("SANDBOX_PORT", 8100, 1, 65535)
    if read.sandbox and port == sandbox_port:
        read.say("PORT", "and SANDBOX_PORT are the same")
    public = read.address("PUBLIC_URL", f"http://127.0.0.1:{port}" if read.sandbox else "")
    if not public:
        read.say("PUBLIC_URL", "is missing")
    return {
        "public_url": public,
        "port": port,
        "sandbox_port": sandbox_port,
    }


if __name__ == "__main__":
    sys.stdout.write(table())
