"""How days and moments are told to people: on a Beijing clock, on pages and papers alike."""

from datetime import date, datetime, timedelta

from core.clock import beijing


def day(moment: date | datetime) -> str:
    """12月20日; a moment is told on a Beijing clock."""
    if isinstance(moment, datetime):
        moment = beijing(moment)
    return f"{moment.month}月{moment.day}日"


def full_day(moment: date | datetime) -> str:
    """2022年1月1日."""
    if isinstance(moment, datetime):
        moment = beijing(moment)
    return f"{moment.year}年{day(moment)}"


def hour(moment: datetime) -> str:
    """9点05分, on a Beijing clock."""
    local = beijing(moment)
    return f"{local.hour}点{local.minute:02d}分"


def clock(moment: datetime) -> str:
    """11月5日 9点05分: what is over soon."""
    return f"{day(moment)} {hour(moment)}"


def dated(moment: datetime) -> str:
    """2021年11月5日 9点05分: where years may differ."""
    return f"{full_day(moment)} {hour(moment)}"


def moment(at: datetime) -> str:
    """2021年11月5日 9点05分30秒: a step of a trail, on a Beijing clock."""
    return f"{dated(at)}{beijing(at).second:02d}秒"


def hangs_until(end: datetime) -> str:
    """10月25日24时: a posting ends with its last day."""
    return f"{day(_last_day(end))}24时" if hour(end) == "0点00分" else clock(end)


def hangs_until_in_year(end: datetime) -> str:
    """2021年10月25日24时: the same where years may differ."""
    return f"{full_day(_last_day(end))}24时" if hour(end) == "0点00分" else dated(end)


def _last_day(end: datetime) -> datetime:
    return beijing(end) - timedelta(seconds=1)
