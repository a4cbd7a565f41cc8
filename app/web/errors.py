"""Where a no becomes a status and a page or JSON. The sentence is for the person, the code for machines."""

from uuid import uuid4

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from core.errors import AppError, TryLater

_WORDS = {
    400: "填写的内容不对，请检查后再试。",
    404: "没有这个页面。",
    405: "不能这样打开这个页面。",
    413: "发来的内容太大了。",
    415: "发来的内容格式不对。",
    429: "操作太频繁了，请过一会儿再试。",
}
_BUSY = (LockNotAvailable, DeadlockDetected, QueryCanceled)


class Busy(TryLater):
    """The database is waited for too long; nothing was changed."""

    text = "现在办理的人多，请过一会儿再试。您的钱没有动。"


class Unforeseen(AppError):
    """Something nobody foresaw; the number finds it in the log."""

    text = "系统出了点问题，请稍后再试。问题编号：{number}"


def register(app: Flask) -> None:
    """Our own errors, the framework's, the database's, and the unforeseen."""
    app.register_error_handler(AppError, answer)
    app.register_error_handler(HTTPException, _framework)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, lambda _error: answer(Busy()))
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


def _database(error: DBAPIError) -> Response:
    if isinstance(error, OperationalError) or isinstance(error.orig, _BUSY):
        structlog.get_logger("web").warning("database_busy", kind=type(error.orig).__name__)
        return answer(Busy())
    return _unforeseen(error)


def _unforeseen(error: BaseException) -> Response:
    cause = getattr(error, "original_exception", None) or error
    # The statement's parameters may hold personal data: the kind and the place are enough to find the cause.
    structlog.get_logger("web").error("unforeseen", kind=type(cause).__name__, exc_info=_without_values(cause))
    return answer(Unforeseen(number=request_number()))


def _without_values(cause: BaseException) -> BaseException:
    if isinstance(cause, DBAPIError):
        cause.hide_parameters = True
    return cause
