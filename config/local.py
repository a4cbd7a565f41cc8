"""`python -m config.local`: a checkout becomes a sandbox. Writes `.env` once and never again."""

import base64
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from config.settings import CHECKOUT

MakeKeys = Callable[[Path], Mapping[str, str]]
"""Makes the gateways' keys in a folder; gives the GATEWAY_… lines of the merchant's side. Keeps what is there."""


def write_env(env_file: Path, keys: Path, make_keys: MakeKeys) -> bool:
    """A sandbox's `.env`, readable for its owner only, with fresh secrets; False if there is one already."""
    if env_file.exists():
        return False
    lines = {**_own_lines(), **make_keys(keys)}
    fresh = env_file.with_name(f"{env_file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("# This checkout's sandbox. The secrets are random; docs/settings.md explains every line.\n")
        file.writelines(f"{name}={_quoted(value)}\n" for name, value in lines.items())
    try:
        os.link(fresh, env_file)  # unlike a rename it never replaces a file written meanwhile
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    return True


def sandbox_keys(folder: Path) -> Mapping[str, str]:
    """The sandbox's own key maker."""
    from payments.sandbox.keys import make_keys  # noqa: PLC0415 only this command needs it

    return make_keys(folder)


def _own_lines() -> dict[str, str]:
    return {
        "LIANGXIAN_MODE": "sandbox",
        "SECRET_KEY": _random(),
        "VAULT_KEYS": f"1:{_random()}",
        "VAULT_INDEX_KEY": _random(),
        "BUSINESS_CLOCK_START": "2021-11-05T09:00:00+08:00",
        "MINIPROGRAM_APPID": "wx0000000000000001",
        "MINIPROGRAM_SECRET": os.urandom(16).hex(),
        "MINIPROGRAM_TEMPLATE_PAID": "sandbox-paid",
        "SMS_PROVIDER": "sandbox",
        "SMS_KEY": _random(),
    }


def _random() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'" if escaped != value or set(value) & set(' #\n"$`') else value


if __name__ == "__main__":
    written = write_env(CHECKOUT / ".env", CHECKOUT / ".local" / "sandbox", sandbox_keys)
    sys.stdout.write("wrote .env for the sandbox\n" if written else ".env is there and stays\n")
