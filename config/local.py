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
    """A sandbox's `.env`, readable for its owner only, with fresh secrets; False if there is one already. Where its
    gateways answer is not written down: they follow SANDBOX_PORT."""
    if env_file.exists():
        return False
    lines = {**own_lines(), **make_keys(keys)}
    lines = {name: value for name, value in lines.items() if not name.endswith(_ADDRESSES)}
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


_ADDRESSES = ("_BASE_URL", "_FILE_URL")


def sandbox_keys(folder: Path, *, base_url: str = "http://127.0.0.1:8100") -> Mapping[str, str]:
    """The merchant's side of a sandbox's keys, as lines of the environment; the keys are made if they are missing."""
    from payments.sandbox.alipay import keys as alipay_keys  # noqa: PLC0415 only a sandbox needs them
    from payments.sandbox.keys import make_keys  # noqa: PLC0415
    from payments.sandbox.unionpay import keys as unionpay_keys  # noqa: PLC0415

    keys, alipay = make_keys(folder), alipay_keys.make(folder)
    unionpay = unionpay_keys.make(folder).held(base_url)
    return {
        "GATEWAY_WECHAT_MCHID": keys.mchid,
        "GATEWAY_WECHAT_APPID": keys.appid,
        "GATEWAY_WECHAT_SERIAL_NO": keys.merchant_serial,
        "GATEWAY_WECHAT_PRIVATE_KEY": keys.merchant_key,
        "GATEWAY_WECHAT_CERTIFICATE": keys.merchant_cert,
        "GATEWAY_WECHAT_API_V3_KEYS": keys.api_v3_key,
        "GATEWAY_WECHAT_PUBLIC_KEYS": f"{keys.pub_key_id}\n{keys.public_key}",
        "GATEWAY_WECHAT_PLATFORM_CERTIFICATES": keys.certificate,
        "GATEWAY_WECHAT_BASE_URL": base_url,
        "GATEWAY_ALIPAY_APP_ID": alipay.app_id,
        "GATEWAY_ALIPAY_SELLER_ID": alipay.seller_id,
        "GATEWAY_ALIPAY_PRIVATE_KEY": alipay.app_key,
        "GATEWAY_ALIPAY_PUBLIC_KEYS": alipay.public_key,
        "GATEWAY_ALIPAY_BASE_URL": base_url,
        **{f"GATEWAY_UNIONPAY_{name.upper()}": value for name, value in unionpay.items()},
        "MINIPROGRAM_APPID": keys.appid,
        "MINIPROGRAM_SECRET": keys.app_secret,
        "OFFICIAL_ACCOUNT_APPID": keys.account_appid,
        "OFFICIAL_ACCOUNT_SECRET": keys.account_secret,
        "SMS_KEY": keys.sms_key,
    }


def own_lines() -> dict[str, str]:
    """A sandbox's own lines, with fresh secrets."""
    return {
        "LIANGXIAN_MODE": "sandbox",
        "SECRET_KEY": _random(),
        "VAULT_KEYS": f"1:{_random()}",
        "VAULT_INDEX_KEY": _random(),
        "BUSINESS_CLOCK_START": "2021-11-05T09:00:00+08:00",
        "MINIPROGRAM_TEMPLATES": "paid:sandbox-paid,remind:sandbox-remind,certified:sandbox-certified",
        "SMS_PROVIDER": "sandbox",
    }


def _random() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'" if escaped != value or set(value) & set(' #\n"$`') else value


if __name__ == "__main__":
    written = write_env(CHECKOUT / ".env", CHECKOUT / ".local" / "sandbox", sandbox_keys)
    sys.stdout.write("wrote .env for the sandbox\n" if written else ".env is there and stays\n")
