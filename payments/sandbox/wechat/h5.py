"""WeChat Pay's H5 page: opens out of the merchant's registered page, on the phone that ordered, for five minutes.

The registered domain is the one that hears the callbacks. Manual: H5支付 常见问题 (v2 4011936869).
"""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template, request

from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_digits
from payments.sandbox.wechat.side import NAME, bp
from payments.sandbox.world import world

_PAGE = "/cgi-bin/mmpayweb-bin/checkmweb"
_LIVES = timedelta(minutes=5)


def page_of(prepay_id: str, host: str = "") -> str:
    """The address of the page of an order, here or by a fault at a stranger's."""
    return f"{host or request.host_url.rstrip('/')}{_PAGE}?prepay_id={prepay_id}&package={random_digits(10)}"


@bp.get(_PAGE)
def open_page() -> Response:
    """Looked at in the order in which the real one complains; then WeChat comes up, which here is the phone page."""
    here, token = world(), request.args.get("prepay_id", "")
    found = here.trades.behind(NAME, token)
    if found is None or found[0]["content"]["kind"] != "h5":
        return _no("商家参数格式有误，请联系商家解决")
    trade, age = found
    back = request.args.get("redirect_url", "")
    if words := _refusal(trade, age, back):
        return _no(words)
    if back:
        here.shelf.put("h5_return", trade["number"], {"url": back})
    return make_response(redirect(f"/phone?code={token}", 303))


def _refusal(trade: Document, age: timedelta, back: str) -> str:
    """Why the page does not open, in its own words."""
    if "MicroMessenger" in request.user_agent.string:
        return "请在微信外打开订单，进行支付"
    if not request.referrer:
        return "商家参数格式有误，请联系商家解决"
    registered = urlsplit(trade["content"]["notify_url"]).netloc
    if urlsplit(request.referrer).netloc != registered or (back and urlsplit(back).netloc != registered):
        return "商家存在未配置的参数，请联系商家解决"
    if age > _LIVES:
        return "支付请求已失效，请重新发起支付"
    if trade["content"]["scene_info"]["payer_client_ip"] != request.remote_addr:
        return "网络环境未能通过安全验证，请稍后再试"
    return ""


def _no(words: str) -> Response:
    return make_response(render_template("phone.html", title="微信支付", problem=words), 200)
