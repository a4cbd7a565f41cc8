"""What a poster says, for whoever draws it and whoever only knows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

OBJECTING = (
    "漏了谁、不该有谁、名字不对，公示期内都可以提：扫右上角的码登录以后写一句话，或打电话 {phone}，"
    "或者告诉代办员。谁提的不公开。"
)
FREE = "不用自己出钱的也写在“已参保缴费”里：自己手机上还没写“办好了”的，请点一下办好，或者请代办员办。"
PAID_NOT_SHOWN = FREE + (
    "交了没写上、不该写、名字不对，公示期内都可以说：登录以后在“有话要说”里写一句话，或打电话 {phone}，"
    "或者告诉代办员。谁说的不公开。"
)


@dataclass(frozen=True)
class Poster:
    """What is drawn: every name masked, in the order in which they hang; or what was changed (`added`, `removed`); or
    several lists under their titles. `said`: as of when, in words; `objecting`: how somebody objects."""

    place: str
    title: str
    version: int
    code: str
    address: str
    added: Sequence[str]
    removed: Sequence[str]
    names: Sequence[str]
    prices: Sequence[str]
    posted_on: date
    until: date
    phone: str
    issuer: str
    at: datetime
    lists: Sequence[tuple[str, Sequence[str]]] = ()
    said: str = ""
    objecting: str = OBJECTING


def grouped(code: str) -> str:
    """ABCD-EF01-2345."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
