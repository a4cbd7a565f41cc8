"""WeChat Pay's far side: the trade bill. First a link with a hash, then the file itself, whose answer is not signed."""

import gzip
import hashlib
import re
import time
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, request

from payments.sandbox.clock import BEIJING
from payments.sandbox.signing import random_text
from payments.sandbox.statements import spoilt, take_spoils
from payments.sandbox.wechat.answer import answer, check_caller, heard, signed
from payments.sandbox.wechat.check import ApiError, Spoken
from payments.sandbox.wechat.side import NAME, bp, dumped, side
from payments.sandbox.wechat.statement import with_other_total
from payments.sandbox.world import World, world

_FILE = "/v3/billdownload/file"
_LINK_LIVES_S = 300
_MADE_AFTER = timedelta(days=1, hours=9)  # the file of a day is made the next morning
_KEPT = timedelta(days=92)


@bp.get("/v3/bill/tradebill")
def trade_bill() -> Response:
    """Where the day's bill is, and its SHA-1 over the unpacked bytes."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        day, packed = _asked(here)
        if not here.trades.paid_on(NAME, day) and not here.trades.refunds_on(NAME, day):
            raise ApiError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        link = {"day": day.isoformat(), "packed": packed, "spoils": take_spoils(here.faults, NAME)}
        digest = hashlib.sha1(_content(here, link), usedforsecurity=False).hexdigest()
        if here.faults.take("statement_hash", "", on="statement", gateway=NAME):
            digest = digest[::-1]
        token = random_text(64)
        here.shelf.put("bill_link", token, link | {"made_at": time.time()})
        path = f"{_FILE}?token={token}" + ("&tartype=gzip" if packed else "")
        return {"hash_type": "SHA1", "hash_value": digest, "download_url": request.host_url.rstrip("/") + path}

    return answer("statement", ("",), act)


@bp.get(_FILE)
def download() -> Response:
    """The file behind a link, to whoever signs for it within five minutes."""
    here, spoken = world(), heard()
    link = here.shelf.get("bill_link", request.args.get("token", ""))
    try:
        check_caller(here, spoken)
        spent = here.faults.take("statement_expired", "", on="statement", gateway=NAME)
        if link is None or spent or time.time() - link["made_at"] > _LINK_LIVES_S:
            raise ApiError(400, "INVALID_REQUEST", "账单下载链接已失效")
    except ApiError as refusal:
        return signed(here, spoken, refusal.status, dumped(refusal.document()))
    content = _content(here, link)
    if link["packed"]:
        return Response(gzip.compress(content, mtime=0), content_type="application/gzip")
    return Response(content, content_type="text/plain; charset=utf-8")


def _asked(here: World) -> tuple[date, bool]:
    """The day, and whether the file is to be packed; ApiError."""
    stated, kind, tar = (request.args.get(name) for name in ("bill_date", "bill_type", "tar_type"))
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", stated or "", re.ASCII) or kind != "ALL" or tar not in (None, "GZIP"):
        raise ApiError(400, "PARAM_ERROR", "参数错误")
    try:
        day = date.fromisoformat(str(stated))
    except ValueError:
        raise ApiError(400, "PARAM_ERROR", "账单日期格式错误") from None
    begins = datetime(day.year, day.month, day.day, tzinfo=BEIJING)
    now = here.clock.now()
    if now < begins + timedelta(days=1) or now > begins + _KEPT:
        raise ApiError(400, "PARAM_ERROR", "账单日期不在可下载的范围内")
    waits = here.faults.take("statement_not_ready", "", on="statement", gateway=NAME)
    if waits or now < begins + _MADE_AFTER:
        raise ApiError(400, "STATEMENT_CREATING", "账单生成中，请稍后再试")
    return day, tar == "GZIP"


def _content(here: World, link: dict[str, Any]) -> bytes:
    whole = side(here).statement(date.fromisoformat(link["day"]))
    return spoilt(whole, tuple(link["spoils"]), with_other_total=with_other_total)
