"""The outside world as one Flask application."""

from collections.abc import Callable

from flask import Flask

from core.routing import LateRule
from payments.sandbox import account, complaints, controls, miniprogram, phone, sms
from payments.sandbox.alipay.routes import AlipaySide
from payments.sandbox.config import SandboxConfig
from payments.sandbox.far import FarSide, Parts
from payments.sandbox.texts import routes as texts
from payments.sandbox.unionpay.routes import UnionPaySide
from payments.sandbox.wechat.routes import WeChatSide
from payments.sandbox.world import join

FAR_SIDES: tuple[Callable[[Parts], FarSide], ...] = (  # one line per gateway
    WeChatSide,
    AlipaySide,
    UnionPaySide,
)
OTHERS = (miniprogram.bp, account.bp, sms.bp, texts.bp, phone.bp, controls.bp, complaints.bp)


def create_sandbox(config: SandboxConfig) -> Flask:
    """The far sides over HTTP; one process with many threads (its faults and its clock live in memory)."""
    app = Flask("payments.sandbox")
    app.url_rule_class = LateRule
    app.config["MAX_CONTENT_LENGTH"] = 3 * 1024 * 1024
    for other in OTHERS:
        app.register_blueprint(other)
    join(config, app, FAR_SIDES)
    return app
