"""Who we are in WeChat: the mini-program, the official account, and how somebody inside WeChat's browser pays."""

from typing import Any

from config.reading import Reading

API = "https://api.weixin.qq.com"
INSIDE = ("account", "miniprogram", "code")


def wechat(read: Reading) -> dict[str, Any]:
    """The settings of both; what is wrong with them is said to `read`."""
    api = f"http://127.0.0.1:{read.whole('SANDBOX_PORT', 8100, 1, 65535)}" if read.sandbox else API
    program, account = _known(read, "MINIPROGRAM"), _known(read, "OFFICIAL_ACCOUNT")
    base = read.address("OFFICIAL_ACCOUNT_BASE_URL", api)
    has = {"account": bool(account[0]), "miniprogram": bool(program[0]), "code": True}
    inside = read.text("WECHAT_INSIDE") or next(way for way in INSIDE if has[way])
    if inside not in INSIDE:
        read.say("WECHAT_INSIDE", "is none of account, miniprogram, code")
    elif not has[inside]:
        read.say("WECHAT_INSIDE", "names what is not configured")
    return {
        "miniprogram_appid": program[0],
        "miniprogram_secret": program[1],
        "miniprogram_base_url": read.address("MINIPROGRAM_BASE_URL", api),
        "miniprogram_templates": read.text("MINIPROGRAM_TEMPLATES", shape=r"([a-z_]+:[0-9A-Za-z_-]+(,|$))*"),
        "official_account": (*account, base) if account[0] else None,
        "wechat_inside": inside,
    }


def _known(read: Reading, whose: str) -> tuple[str, str]:
    appid, secret = read.text(f"{whose}_APPID"), read.text(f"{whose}_SECRET")
    if bool(appid) != bool(secret):
        read.say(f"{whose}_APPID", f"and {whose}_SECRET are given together or not at all")
    if secret and not read.sandbox:
        read.strong(f"{whose}_SECRET", secret)
    return appid, secret
