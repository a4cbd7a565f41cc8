"""How pages write amounts, days and names. Registered as template filters."""

from datetime import date, datetime

from flask import Flask

from core.clock import beijing
from core.money import plain_yuan
from core.redact import mask_name


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


def clock(moment: datetime) -> str:
    """11月5日 9点05分."""
    return f"{day(moment)} {hour(moment)}"


def hour(moment: datetime) -> str:
    """9点05分, on a Beijing clock."""
    local = beijing(moment)
    return f"{local.hour}点{local.minute:02d}分"


def register(app: Flask) -> None:
    """Filters: yuan (fen → '320'), day, full_day, clock, hour, masked."""
    app.jinja_env.filters.update(yuan=plain_yuan, day=day, full_day=full_day, clock=clock, hour=hour, masked=mask_name)
