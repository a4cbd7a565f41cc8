"""Who sends text messages: one provider, and another for when it stays silent."""

from typing import Any

from config.reading import Reading

SANDBOX_SMS = frozenset({"console", "sandbox"})


def sms(read: Reading) -> dict[str, Any]:
    """The settings of both; what is wrong with them is said to `read`."""
    provider = read.text("SMS_PROVIDER", "console" if read.sandbox else "none", shape=r"[a-z][a-z0-9]*")
    url, key = read.address("SMS_URL"), read.text("SMS_KEY")
    _judge(read, "SMS", provider, url, key)
    second = read.text("SMS_SECOND_PROVIDER", "none", shape=r"[a-z][a-z0-9]*")
    other = (second, read.address("SMS_SECOND_URL"), read.text("SMS_SECOND_KEY"))
    _judge(read, "SMS_SECOND", *other)
    return {
        "sms_provider": provider,
        "sms_url": url,
        "sms_key": key,
        "sms_second": None if second == "none" else other,
    }


def _judge(read: Reading, name: str, provider: str, url: str, key: str) -> None:
    if provider in SANDBOX_SMS and not read.sandbox:
        read.say(f"{name}_PROVIDER", "is one of the sandbox's: nobody would get a message")
    elif provider not in (*SANDBOX_SMS, "none"):
        read.strong(f"{name}_KEY", key)
        if not url:
            read.say(f"{name}_URL", "is missing")
