"""Valid things by default, one argument to spoil. Further builders join their part's tests here."""

import base64
import os


def an_environment(**spoilt: str | None) -> dict[str, str]:
    """A complete environment of a sandbox with fresh keys; `NAME=value` changes a variable, None leaves it out."""
    complete = {
        "LIANGXIAN_MODE": "sandbox",
        "SECRET_KEY": random_key(),
        "VAULT_KEYS": f"1:{random_key()}",
        "VAULT_INDEX_KEY": random_key(),
        "BUSINESS_CLOCK_START": "2021-11-05T09:00:00+08:00",
        "MINIPROGRAM_APPID": "wx0000000000000001",
        "MINIPROGRAM_SECRET": random_key(),
        "SMS_PROVIDER": "console",
    }
    return _spoil(complete, spoilt)


def a_production_environment(**spoilt: str | None) -> dict[str, str]:
    """A complete environment of production with fresh keys, changed like `an_environment`."""
    complete = {
        "LIANGXIAN_MODE": "production",
        "DATABASE_URL": f"postgresql://app:{os.urandom(8).hex()}@db.internal/liangxian",
        "DATABASE_OWNER_URL": f"postgresql://owner:{os.urandom(8).hex()}@db.internal/liangxian",
        "SECRET_KEY": random_key(),
        "VAULT_KEYS": f"1:{random_key()}",
        "VAULT_INDEX_KEY": random_key(),
        "PUBLIC_URL": "https://pay.example.gov.cn",
        "GATEWAY_WECHAT_MCHID": "1900000001",
        "GATEWAY_WECHAT_APIV3_KEY": os.urandom(16).hex(),
        "GATEWAY_WECHAT_BASE_URL": "https://api.mch.weixin.qq.com",
    }
    return _spoil(complete, spoilt)


def random_key() -> str:
    """Base64 of 32 random bytes."""
    return base64.b64encode(os.urandom(32)).decode()


def _spoil(complete: dict[str, str], spoilt: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in (complete | spoilt).items() if value is not None}
