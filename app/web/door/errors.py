"""Where a no becomes a status and a page or JSON. The sentence is for the person, the code for machines."""

from uuid import uuid4

import structlog
from apiflask.exceptions import HTTPError
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from gunicorn.http.errors import ParseException
from psycopg import DataError
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, ReadOnlySqlTransaction
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from core.errors import AppError, BadInput, TryLater

_WORDS = {
    400: "填写的内容不对，请检查后再试。",
    404: "没有这个页面。",
    405: "不能这样打开这个页面。",
    413: "发来的内容太大了。",
    415: "发来的内容格式不对。",
    429: "操作太频繁了，请过一会儿再试。",
}
_IMPOSSIBLE = frozenset({"22003", "22007", "22008", "22021", "22P02", "22P05"})  # a value beyond its type
_BUSY = (LockNotAvailable, DeadlockDetected, QueryCanceled)


class Busy(TryLater):
    """The database is waited for too long; nothing was changed."""

    text = "现在办理的人多，这一步没有办成，请过一会儿再试。已经付了的，钱不会丢。"


class BusyLook(Busy):
    """The same for somebody who only looks: he may have paid already."""

    text = "现在办理的人多，暂时查不到结果。钱没有丢，请不要再付，过一会儿再看。"


class ReadOnly(TryLater):
    """The database may be read only, as while another one takes over; nothing was changed."""

    text = "系统正在维护，只能查询，暂时不能缴费和办理，请过几分钟再试。已经付了的，钱不会丢。"


class ImpossibleValue(BadInput):
    """A number or a sign that no column of ours can hold: there is nothing of that name, and nothing was changed."""

    text = "地址或填写的内容里有办不到的数字或符号，请返回重新看。"


class WrongFields(BadInput):
    """Fields of a JSON body that are missing, unknown or of another kind; each has its sentence."""

    status = 422
    text = "有的项目填写不对，请看每一项的提示，改好再试。"


class StaleForm(BadInput):
    """A form without its token, or with one that has ended: nothing was done."""

    text = "页面打开得太久了，请返回重新打开再试。这一步没有办；已经付了的，钱不会丢。"


class Unforeseen(AppError):
    """Something nobody foresaw; the number finds it in the log."""

    text = "系统出了点问题，请稍后再试。问题编号：{number}"


def register(app: Flask) -> None:
    """Our own errors, the framework's, the database's, and the unforeseen."""
    app.register_error_handler(AppError, answer)
    app.register_error_handler(CSRFError, lambda _error: answer(StaleForm()))
    app.register_error_handler(HTTPException, _framework)
    app.register_error_handler(HTTPError, _fields)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PendingRollbackError, _after_the_database)
    app.register_error_handler(ParseException, lambda _error: answer(BadInput()))
    app.register_error_handler(PoolTimeout, lambda _error: answer(_busy()))
    app.register_error_handler(500, _unforeseen)


def answer(error: AppError) -> Response:
    """An error in the form the door speaks: JSON for the API and the gateways, a page for people."""
    body = {"code": error.code, "message": error.sentence(), "request": request_number()}
    if error.fields:
        body["fields"] = error.fields
    if reason := getattr(error, "reason", None):
        body["reason"] = reason
    if request.path.startswith(("/api/", "/callbacks/")):
        return make_response(jsonify(body), error.status)
    return make_response(render_template("errors/error.html", error=error, number=request_number()), error.status)


def request_number() -> str:
    """The number of this request, in the log line and on the error page."""
    if "request_number" not in g:
        g.request_number = uuid4().hex[:12]
    return g.request_number


def _framework(error: HTTPException) -> Response:
    status = error.code or 500
    said = AppError(error.name)
    said.status, said.code, said.text = status, f"HTTP_{status}", _WORDS.get(status, "这个请求办不了。")  # type: ignore[misc]
    return answer(said)


def _fields(error: HTTPError) -> Response:
    """Each wrong field with a sentence of ours; what was sent is never echoed."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        said = {".".join(map(str, each["loc"])) or "body": each["type"] for each in cause.errors(include_input=False)}
        return answer(WrongFields(fields={name: _WRONG.get(kind, _WRONG_ELSE) for name, kind in said.items()}))
    same = HTTPException(error.message)
    same.code = error.status_code
    return _framework(same)


_WRONG_ELSE = "这一项填写的内容不对。"
_WRONG = {
    "missing": "缺少这一项。",
    "extra_forbidden": "没有这一项，请去掉。",
    "string_type": "这一项要是文字。",
    "string_too_short": "这一项太短了。",
    "string_too_long": "这一项太长了。",
    "string_pattern_mismatch": "这一项的写法不对。",
    "int_type": "这一项要是整数，金额以分为单位。",
    "int_parsing": "这一项要是整数，金额以分为单位。",
    "greater_than_equal": "这一项太小了。",
    "less_than_equal": "这一项太大了。",
    "rise_of_another": "补差提档只有当年的养老才有，不能和别的险种、补缴或者档次写在一起。",
    "literal_error": "这一项只能从给出的几种里选。",
    "list_type": "这一项要是一个列表。",
    "too_short": "至少要有一项。",
    "too_long": "项目太多了。",
    "model_type": "请发送一个 JSON 对象。",
    "model_attributes_type": "请发送一个 JSON 对象。",
    "dict_type": "请发送一个 JSON 对象。",
}


def _database(error: DBAPIError) -> Response:
    if isinstance(error.orig, ReadOnlySqlTransaction):
        return answer(ReadOnly())
    if isinstance(error, OperationalError) or isinstance(error.orig, _BUSY):
        structlog.get_logger("web").warning("database_busy", kind=type(error.orig).__name__)
        return answer(_busy())
    if isinstance(error.orig, DataError) and (error.orig.sqlstate or "22021") in _IMPOSSIBLE:
        structlog.get_logger("web").warning("impossible_value", exc_info=error)
        return answer(ImpossibleValue())
    return _unforeseen(error)


def _busy() -> Busy:
    return BusyLook() if request.method in ("GET", "HEAD") else Busy()


def _after_the_database(error: PendingRollbackError) -> Response:
    """A commit that was tried although the database had failed: what failed first is what is told."""
    first = error.__context__
    return _database(first) if isinstance(first, DBAPIError) else _unforeseen(error)


def _unforeseen(error: BaseException) -> Response:
    cause = getattr(error, "original_exception", None) or error
    structlog.get_logger("web").error("unforeseen", kind=type(cause).__name__, exc_info=cause)
    return answer(Unforeseen(number=request_number()))
