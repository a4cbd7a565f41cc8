"""What we say to Alipay: the library's request and model classes, our signature, our clock, our door.

The library supplies the names, their order and the text to sign; it neither signs, sends nor verifies (its clock knows
no time zone, its address no port, and its verification lets SHA-1 through). Each of its classes is a file, read when it
is first needed. Manual: 签名, 公共请求参数.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from core.clock import beijing
from core.http import Door, OutsideSilent
from core.money import yuan
from payments.errors import GatewaySilent
from payments.gateways.alerting import Alert
from payments.gateways.alipay.keys import OwnKey
from payments.gateways.alipay.reading import (
    LARGEST_AMOUNT,
    LARGEST_BODY,
    NAME,
    SUCCESS,
    AlipayReader,
    Complaint,
    Unproven,
    code_of,
)
from payments.gateways.base import Clock, Order, Page, RefundOrder, Trade

log = logging.getLogger(__name__)

PRODUCTS = ("FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE")  # 当面付; 订单码支付, which new contracts are
LONGEST_SUBJECT = 256
LONGEST_REASON = 256
# Alipay refuses '/', '=' and '&' in a subject, and its statement does not quote commas: their wide twins read alike.
_SUBJECT = str.maketrans("/=&,", "／＝＆，")
_NUMBER = re.compile(r"[0-9A-Za-z]{6,32}")


@dataclass(frozen=True)
class AlipayLine:
    """Signs and sends; believes an answer only as the reader does. Holds no state: one serves every thread."""

    app_id: str
    base_url: str
    own: OwnKey
    reader: AlipayReader
    door: Door
    clock: Clock  # the system's: `timestamp` says when we speak
    alert: Alert

    def ask(self, request: Any) -> dict[str, object]:
        """The verified answer, whatever its code; GatewaySilent."""
        params = self._signed(request)
        method = params["method"]
        kind, sent = _sent(_unaddressed(params), request.get_multipart_params())
        headers = {"Content-Type": kind, "User-Agent": "liangxian"}
        try:
            answer = self.door.send(
                "POST",
                self._address(),
                headers=headers,
                body=sent,
                most=LARGEST_BODY,
            )
        except OutsideSilent as error:
            raise GatewaySilent(str(error)) from error
        if answer.status != 200:
            log.warning("alipay %s: %s", method, answer.status)
            raise GatewaySilent(f"{answer.status} without an answer")
        try:
            stated = self.reader.answer(answer.body, method, now=self.clock())
        except Complaint as complaint:  # our app, key or contract is not as they know it: every call will end so
            log.error("alipay configuration refused, %s: %s", method, complaint)
            self.alert("gateway_complains", gateway=NAME, said=str(complaint))
            raise GatewaySilent(str(complaint)) from complaint
        except Unproven as doubt:
            log.error("alipay answer not believed, %s: %s", method, doubt)
            raise GatewaySilent(str(doubt)) from doubt
        if stated.get("code") != SUCCESS:
            log.warning("alipay %s: %s %s", method, code_of(stated, "code"), code_of(stated, "sub_code"))
        return stated

    def page(self, request: Any) -> Page:
        """A form for the payer's browser, signed."""
        return Page(self._address(), _unaddressed(self._signed(request)))

    def _signed(self, request: Any) -> dict[str, str]:
        from alipay.aop.api.util.SignatureUtils import get_sign_content  # noqa: PLC0415 as every file of the library

        params: dict[str, str] = {
            **{name: value for name, value in request.get_params().items() if value},
            "app_id": self.app_id,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{beijing(self.clock()):%Y-%m-%d %H:%M:%S}",
            **self.own.sns,
        }
        params["sign"] = self.own.signer.sign(get_sign_content(params).encode())
        return params

    def _address(self) -> str:
        """The charset stands where it is read before anything else."""
        return f"{self.base_url}/gateway.do?charset=utf-8"


def code_wanted(order: Order, *, product: str, seller_id: str, notify_url: str) -> Any:
    """alipay.trade.precreate: a code to scan; the trade comes into being when somebody does. `product` is the contract:
    one of PRODUCTS."""
    model = of_library("domain.AlipayTradePrecreateModel")
    _describe(model, order, product, seller_id)
    request = of_library("request.AlipayTradePrecreateRequest", biz_model=model)
    request.notify_url = notify_url
    return request


def page_wanted(order: Order, *, seller_id: str, notify_url: str, return_url: str, quit_url: str) -> Any:
    """alipay.trade.wap.pay: a page of theirs; the trade comes into being when the payer logs in there."""
    model = of_library("domain.AlipayTradeWapPayModel")
    _describe(model, order, "QUICK_WAP_WAY", seller_id)
    model.quit_url = quit_url or None
    request = of_library("request.AlipayTradeWapPayRequest", biz_model=model)
    request.notify_url, request.return_url = notify_url, return_url
    return request


def query_wanted(trade: Trade) -> Any:
    """alipay.trade.query by our number."""
    model = of_library("domain.AlipayTradeQueryModel")
    model.out_trade_no = _ours(trade.number)
    return of_library("request.AlipayTradeQueryRequest", biz_model=model)


def close_wanted(trade: Trade) -> Any:
    """alipay.trade.close by our number."""
    model = of_library("domain.AlipayTradeCloseModel")
    model.out_trade_no = _ours(trade.number)
    return of_library("request.AlipayTradeCloseRequest", biz_model=model)


def refund_wanted(order: RefundOrder) -> Any:
    """alipay.trade.refund, always with a number of its own: number and amount again are the same refund."""
    assert 1 <= order.amount <= order.paid and type(order.amount) is int
    model = of_library("domain.AlipayTradeRefundModel")
    _of_trade(model, order)
    model.out_request_no = _ours(order.number)
    model.refund_amount = yuan(order.amount)
    model.refund_reason = order.reason[:LONGEST_REASON]
    return of_library("request.AlipayTradeRefundRequest", biz_model=model)


def refund_query_wanted(order: RefundOrder) -> Any:
    """alipay.trade.fastpay.refund.query."""
    model = of_library("domain.AlipayTradeFastpayRefundQueryModel")
    _of_trade(model, order)
    model.out_request_no = _ours(order.number)
    model.query_options = ["gmt_refund_pay"]
    return of_library("request.AlipayTradeFastpayRefundQueryRequest", biz_model=model)


def statement_wanted(day: date) -> Any:
    """alipay.data.dataservice.bill.downloadurl.query: where a day's trades can be fetched for 30 seconds, by https."""
    model = of_library("domain.AlipayDataDataserviceBillDownloadurlQueryModel")
    model.bill_type, model.bill_date, model.secure = "trade", day.isoformat(), "true"
    return of_library("request.AlipayDataDataserviceBillDownloadurlQueryRequest", biz_model=model)


def of_library(place: str, *words: object, **named: object) -> Any:
    """One of the library's objects, of a class that stands in a file of its own name."""
    return getattr(import_module(f"alipay.aop.api.{place}"), place.rpartition(".")[2])(*words, **named)


def _describe(model: Any, order: Order, product: str, seller_id: str) -> None:
    assert 1 <= order.amount <= LARGEST_AMOUNT and type(order.amount) is int
    assert 0 < len(order.description) <= LONGEST_SUBJECT
    model.out_trade_no = _ours(order.number)
    model.total_amount = yuan(order.amount)
    model.subject = order.description.translate(_SUBJECT)
    model.product_code = product
    model.seller_id = seller_id
    model.time_expire = f"{beijing(order.expires_at):%Y-%m-%d %H:%M:%S}"
    if order.network:
        model.business_params = of_library("domain.BusinessParams")
        model.business_params.mc_create_trade_ip = order.network


def _of_trade(model: Any, order: RefundOrder) -> None:
    """Their own number of the payment where we have it: money may have come under a number that is none of ours."""
    if order.reference:
        model.trade_no = order.reference
    else:
        model.out_trade_no = _ours(order.payment)


def _ours(number: str) -> str:
    assert _NUMBER.fullmatch(number), "our numbers are letters and digits"
    return number


def _unaddressed(params: Mapping[str, str]) -> dict[str, str]:
    """Everything but what the address says already."""
    return {name: value for name, value in params.items() if name != "charset"}


def _sent(params: Mapping[str, str], files: Mapping[str, Any]) -> tuple[str, bytes]:
    """Content type and body. With a file it is multipart/form-data, of which the file is no part of the signature."""
    if not files:
        return "application/x-www-form-urlencoded;charset=utf-8", urlencode(params).encode()
    boundary, sent = secrets.token_hex(16), b""
    for name, value in params.items():
        sent += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, file in files.items():
        named = f'Content-Disposition: form-data; name="{name}"; filename="{file.get_file_name()}"'
        sent += f"--{boundary}\r\n{named}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
        sent += file.get_file_content() + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", sent + f"--{boundary}--\r\n".encode()
