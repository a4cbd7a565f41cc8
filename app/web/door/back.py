"""/back/<gateway>: the payer's browser comes back from a gateway's page. Display only: what it brings is believed of
nothing (A22); it leads to the payment's own page, which asks our own books."""

import re

from apiflask import APIBlueprint
from flask import redirect, request, url_for
from werkzeug.wrappers import Response

bp = APIBlueprint("back", __name__, enable_openapi=False)
_NUMBER = re.compile(r"[0-9A-Z]{26}")
_NAMES = ("out_trade_no", "orderId")  # Alipay brings the one by GET, UnionPay the other by POST; WeChat what we gave it


@bp.route("/<gateway>", methods=["GET", "POST"])
def come_back(gateway: str) -> Response:
    """On to the payment's page if a number of ours came along, else to what is due."""
    came = request.form if request.method == "POST" else request.args
    number = next((came[name] for name in _NAMES if _NUMBER.fullmatch(came.get(name, ""))), "")
    if number:
        return redirect(url_for("resident.payment", number=number), 303)
    return redirect(url_for("resident.due"), 303)
