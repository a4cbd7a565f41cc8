"""消费者投诉 2.0 of WeChat Pay's far side: /v3/merchant-service."""

import hashlib
import json
import re
from datetime import date, datetime
from typing import Any

from flask import Response, request

from payments.sandbox import grievances
from payments.sandbox.clock import BEIJING
from payments.sandbox.complaints import tell
from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_text
from payments.sandbox.wechat.answer import answer, read
from payments.sandbox.wechat.check import ApiError, Spoken
from payments.sandbox.wechat.side import NAME, bp, side
from payments.sandbox.world import World

_STATES = {"OPEN": "PENDING", "ANSWERED": "PROCESSING", "DONE": "PROCESSED", "WITHDRAWN": "PROCESSED"}
_STATES |= {"PLATFORM": "PROCESSING"}
_OPERATIONS = {
    ("PAYER", "CAME"): ("投诉人", "USER_CREATE_COMPLAINT"),
    ("PAYER", "AGAIN"): ("投诉人", "USER_CONTINUE_COMPLAINT"),
    ("PAYER", "SAID"): ("投诉人", "USER_RESPONSE"),
    ("PAYER", "WITHDRAWN"): ("投诉人", "USER_REVOKE_COMPLAINT"),
    ("MERCHANT", "SAID"): ("商户", "MERCHANT_RESPONSE"),
    ("MERCHANT", "DONE"): ("商户", "MERCHANT_CONFIRM_COMPLETE"),
    ("MERCHANT", "APPROVE"): ("商户", "MERCHANT_APPROVE_REFUND"),
    ("MERCHANT", "REJECT"): ("商户", "MERCHANT_REFUSE_RERUND"),
    ("PLATFORM", "NOTED"): ("平台", "PLATFORM_RESPONSE"),
}
_CASES, _MOST_DAYS = "/v3/merchant-service/complaints-v2", 30
_URL = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)(?=[:/]))[^?#\s]{1,240}")


@bp.get(_CASES)
def list_complaints() -> Response:
    """Those that came on these days."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        limit, offset = _whole("limit", 10, 1, 50), _whole("offset", 0, 0, 10_000)
        begin, end = _day("begin_date"), _day("end_date")
        if not begin <= end or (end - begin).days >= _MOST_DAYS + 1:
            raise _bad("end_date", request.args.get("end_date"))
        found = [case for case in grievances.all_of(here, NAME) if begin <= _came(case) <= end]
        page = [_told(here, case) for case in found[offset : offset + limit]]
        return {"data": page, "limit": limit, "offset": offset, "total_count": len(found)}

    return answer("complaints", ("",), act)


@bp.get(f"{_CASES}/<number>")
def one_complaint(number: str) -> Response:
    """One, with the payer's phone sealed for the merchant."""
    return answer(
        "complaint",
        (number,),
        lambda here, spoken: _told(here, _case(here, number)) | {"complainted_mchid": here.keys.mchid},
    )


@bp.get(f"{_CASES}/<number>/negotiation-historys")
def history(number: str) -> Response:
    """All that was said, the latest first."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        limit, offset = _whole("limit", 100, 1, 300), _whole("offset", 0, 0, 10_000)
        lines = [_line(line) for line in reversed(_case(here, number)["lines"])]
        return {"data": lines[offset : offset + limit], "limit": limit, "offset": offset, "total_count": len(lines)}

    return answer("complaint", (number,), act)


@bp.post(f"{_CASES}/<number>/response")
def respond(number: str) -> Response:
    """The merchant speaks; the first time it is under way."""

    def act(here: World, spoken: Spoken) -> None:
        wanted, case = _of_merchant(here, read(spoken)), _case(here, number)
        words, pictures = wanted.get("response_content"), wanted.get("response_images", [])
        if not isinstance(words, str) or not 0 < len(words) <= 200:
            raise _bad("/body/response_content", words)
        if not isinstance(pictures, list) or len(pictures) > 4 or not all(_is_ours(here, one) for one in pictures):
            raise _bad("/body/response_images", pictures)
        if case["state"] in grievances.ENDED:
            raise ApiError(400, "INVALID_REQUEST", "投诉单已完结，不能回复")
        state = {} if case["state"] == "PLATFORM" else {"state": "ANSWERED"}
        done = grievances.moved(here, case, "MERCHANT", "SAID", words, waiting=False, pictures=pictures, **state)
        tell(here, done, "MERCHANT_RESPONSE")

    return answer("answer", (number,), act)


@bp.post(f"{_CASES}/<number>/complete")
def complete(number: str) -> Response:
    """The merchant says that it is dealt with."""

    def act(here: World, spoken: Spoken) -> None:
        _of_merchant(here, read(spoken))
        case = _case(here, number)
        if case["state"] in grievances.ENDED:
            raise ApiError(400, "INVALID_REQUEST", "投诉单已处理完成")
        tell(here, grievances.moved(here, case, "MERCHANT", "DONE", state="DONE"), "MERCHANT_CONFIRM_COMPLETE")

    return answer("finish", (number,), act)


@bp.post(f"{_CASES}/<number>/update-refund-progress")
def refund_progress(number: str) -> Response:
    """Only of a complaint that asks for money back."""

    def act(here: World, spoken: Spoken) -> None:
        wanted, case = read(spoken), _case(here, number)
        action = wanted.get("action")
        if action not in ("APPROVE", "REJECT"):
            raise _bad("/body/action", action)
        if action == "REJECT" and not wanted.get("reject_reason"):
            raise _bad("/body/reject_reason", None)
        if not case["wants_back"]:
            raise ApiError(400, "INVALID_REQUEST", "非申请退款类投诉单")
        done = grievances.moved(here, case, "MERCHANT", action, str(wanted.get("reject_reason", "")))
        tell(here, done, f"MERCHANT_{'APPROVE' if action == 'APPROVE' else 'REJECT'}_REFUND")

    return answer("answer", (number,), act)


@bp.post("/v3/merchant-service/images/upload")
def upload() -> Response:
    """multipart/form-data: of it only `meta` is signed, and it holds the file's SHA-256."""
    meta, file = request.form.get("meta", ""), request.files.get("file")
    picture = file.read() if file else b""
    signed = Spoken("POST", heard_path(), dict(request.headers) | {"Content-Type": "application/json"}, meta.encode())

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        said = json.loads(meta)
        if said.get("sha256") != hashlib.sha256(picture).hexdigest() or not said.get("filename"):
            raise ApiError(400, "PARAM_ERROR", "图片哈希与内容不符")
        kind = picture[:8]
        if len(picture) > 2 * 1024 * 1024 or not (kind == b"\x89PNG\r\n\x1a\n" or kind.startswith(b"\xff\xd8\xff")):
            raise ApiError(400, "PARAM_ERROR", "图片格式或大小不符合要求")
        if here.faults.take("picture_refused", gateway=NAME):
            raise ApiError(400, "INVALID_REQUEST", "图片未通过安全检查")
        media = random_text(64)
        here.shelf.put("wechat_picture", media, {"sha256": said["sha256"], "length": len(picture)})
        return {"media_id": media}

    return answer("picture", ("",), act, spoken=signed)


@bp.route("/v3/merchant-service/complaint-notifications", methods=["GET", "POST", "PUT"])
def told_where() -> Response:
    """The address notifications go to: asked, created, changed."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        held = here.shelf.get("wechat_complaint_url", "")
        if spoken.method == "GET":
            if held is None:
                raise ApiError(404, "NOT_FOUND", "回调地址不存在")
            return {"mchid": here.keys.mchid, "url": held["url"]}
        url = read(spoken).get("url")
        if not isinstance(url, str) or not _URL.fullmatch(url):
            raise _bad("/body/url", url)
        if (spoken.method == "POST") != (held is None):
            raise ApiError(400, "INVALID_REQUEST", "回调地址已存在" if held else "回调地址不存在")
        here.shelf.put("wechat_complaint_url", "", {"url": url})
        return {"mchid": here.keys.mchid, "url": url}

    return answer("complaints", ("",), act)


def heard_path() -> str:
    """The path as it was sent."""
    path: str = request.environ.get("RAW_URI") or request.environ["REQUEST_URI"]
    return path


def _case(here: World, number: str) -> Document:
    case = grievances.find(here, NAME, number)
    if case is None:
        raise ApiError(404, "RESOURCE_NOT_EXISTS", "投诉单不存在")
    return case


def _told(here: World, case: Document) -> dict[str, Any]:
    odd = here.faults.take("complaint_word", case["number"], gateway=NAME)
    said = {
        "complaint_id": case["number"],
        "complaint_time": case["came_at"],
        "complaint_detail": case["words"],
        "complaint_state": odd["word"] if odd else _STATES[case["state"]],
        "payer_phone": side(here).voice.seal(case["phone"]),
        "payer_openid": f"o{'S' * 27}",
        "complaint_order_info": [
            {"transaction_id": case["reference"], "out_trade_no": case["payment"], "amount": case["amount"]}
        ],
        "complaint_full_refunded": False,
        "incoming_user_response": case["waiting"],
        "user_complaint_times": case["times"],
        "complaint_media_list": [],
        "problem_description": "缴费后查不到记录",
        "problem_type": "REFUND" if case["wants_back"] else "OTHERS",
        "user_tag_list": [],
        "in_platform_service": case["state"] == "PLATFORM",
        "need_immediate_service": False,
    }
    return said | ({"apply_refund_amount": case["wants_back"]} if case["wants_back"] else {})


def _line(line: Document) -> dict[str, Any]:
    operator, word = _OPERATIONS[line["by"], line["move"]]
    return {
        "log_id": line["id"],
        "operator": operator,
        "operate_time": line["at"],
        "operate_type": word,
        "operate_details": line["words"],
        "image_list": line["pictures"],
    }


def _of_merchant(here: World, wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted.get("complainted_mchid") != here.keys.mchid:
        raise _bad("/body/complainted_mchid", wanted.get("complainted_mchid"))
    return wanted


def _is_ours(here: World, media: object) -> bool:
    return isinstance(media, str) and here.shelf.get("wechat_picture", media) is not None


def _came(case: Document) -> date:
    return datetime.fromisoformat(case["came_at"]).astimezone(BEIJING).date()


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        raise _bad(name, request.args.get(name)) from None


def _whole(name: str, default: int, least: int, most: int) -> int:
    given = request.args.get(name, str(default))
    if not re.fullmatch("[0-9]{1,5}", given) or not least <= int(given) <= most:
        raise _bad(name, given)
    return int(given)


def _bad(field: str, value: object) -> ApiError:
    return ApiError(400, "PARAM_ERROR", "参数错误", {"field": field, "value": value, "issue": "输入源不合规则"})
