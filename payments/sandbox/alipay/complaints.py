"""交易投诉 of Alipay's far side: alipay.merchant.tradecomplain.* and the pictures for it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import request

from payments.sandbox import grievances
from payments.sandbox.alipay import check
from payments.sandbox.alipay.check import Asked, Denied
from payments.sandbox.alipay.statement import NAME
from payments.sandbox.alipay.words import stamp, yuan
from payments.sandbox.clock import BEIJING
from payments.sandbox.complaints import tell
from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_text
from payments.sandbox.world import World

Said = dict[str, Any]
_STATES = {
    "OPEN": "MERCHANT_PROCESSING",
    "ANSWERED": "MERCHANT_PROCESSING",
    "DONE": "MERCHANT_FEEDBACKED",
    "WITHDRAWN": "CANCELLED",
    "PLATFORM": "PLATFORM_PROCESSING",
}
_ROLES = {"PAYER": ("USER", "投诉人"), "MERCHANT": ("MERCHANT", "商家"), "PLATFORM": ("AUDITOR", "客服")}


def _list(here: World, asked: Asked) -> Said:
    begin, end = _moment(asked.text("begin_time")), _moment(asked.text("end_time"))
    size, page = int(asked.text("page_size") or 10), int(asked.text("page_num") or 1)
    found = [case for case in grievances.all_of(here, NAME) if begin <= datetime.fromisoformat(case["came_at"]) <= end]
    return {
        "page_num": page,
        "page_size": size,
        "total_num": len(found),
        "total_page_num": -(-len(found) // size),
        "trade_complain_infos": [_told(here, case) for case in found[(page - 1) * size : page * size]],
    }


def _one(here: World, asked: Asked) -> Said:
    case = _case(here, asked)
    return _told(here, case) | {
        "trade_amount": yuan(case["amount"]),
        "reply_detail_infos": [_line(line) for line in reversed(case["lines"])],
    }


def _reply(here: World, asked: Asked) -> Said:
    case = _case(here, asked)
    if case["state"] in grievances.ENDED:
        raise Denied("COMPLAIN_STATUS_ERROR", "投诉单状态不允许留言")
    pictures = list(filter(None, asked.text("reply_images").split(",")))
    if not all(here.shelf.get("alipay_picture", one) for one in pictures):
        raise Denied("IMAGE_NOT_EXIST", "图片不存在")
    words = asked.text("reply_content")
    tell(here, grievances.moved(here, case, "MERCHANT", "SAID", words, waiting=False, pictures=pictures), "")
    return {}


def _feedback(here: World, asked: Asked) -> Said:
    case = _case(here, asked)
    if case["state"] in grievances.ENDED:
        raise Denied("COMPLAIN_STATUS_ERROR", "投诉单状态不允许处理")
    tell(here, grievances.moved(here, case, "MERCHANT", "DONE", asked.text("feedback_content"), state="DONE"), "")
    return {}


def _picture(here: World, asked: Asked) -> Said:
    file = request.files.get("image_content")
    picture = file.read() if file else b""
    fits = {"png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff"}[asked.text("image_type")]
    if len(picture) > 2 * 1024 * 1024 or not picture.startswith(fits) or here.faults.take("picture_refused"):
        raise Denied("IMAGE_INVALID", "图片格式不支持")
    name = random_text(32)
    here.shelf.put("alipay_picture", name, {"length": len(picture)})
    return {"image_id": name, "image_url": f"https://example.invalid/{name}"}


def _case(here: World, asked: Asked) -> Document:
    case = grievances.find(here, NAME, asked.text("complain_event_id"))
    if case is None:
        raise Denied("COMPLAIN_NOT_EXIST", "投诉单不存在")
    return case


def _told(here: World, case: Document) -> Said:
    odd = here.faults.take("complaint_word", case["number"], gateway=NAME)
    return {
        "complain_event_id": case["number"],
        "complain_reason": "缴费后查不到记录",
        "content": case["words"],
        "gmt_create": stamp(case["came_at"]),
        "gmt_modified": stamp(case["changed_at"]),
        "images": [],
        "leaf_category_name": "申请退款" if case["wants_back"] else "其他",
        "merchant_order_no": case["payment"],
        "phone_no": case["phone"],
        "status": odd["word"] if odd else _STATES[case["state"]],
        "target_id": "2088000000000001",
        "target_type": "PID",
        "trade_no": case["reference"],
    }


def _line(line: Document) -> Said:
    role, name = _ROLES[line["by"]]
    return {
        "content": line["words"],
        "gmt_create": stamp(line["at"]),
        "images": line["pictures"],
        "replier_name": name,
        "replier_role": role,
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


ACTS: Mapping[str, tuple[str, Callable[[World, Asked], Said]]] = {
    check.COMPLAINTS: ("complaints", _list),
    check.COMPLAINT: ("complaint", _one),
    check.REPLY: ("answer", _reply),
    check.FEEDBACK: ("finish", _feedback),
    check.IMAGE: ("picture", _picture),
}
