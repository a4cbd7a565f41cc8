"""The outside world as one Flask application."""

from flask import Flask

from payments.sandbox import controls, miniprogram, phone, sms, wechat
from payments.sandbox.config import SandboxConfig
from payments.sandbox.world import join

PARTS = (wechat.bp, miniprogram.bp, sms.bp, phone.bp, controls.bp)


def create_sandbox(config: SandboxConfig) -> Flask:
    """The far sides over HTTP; one process with many threads (its faults and its clock live in memory)."""
    app = Flask("payments.sandbox")
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    for part in PARTS:
        app.register_blueprint(part)
    join(config, app)
    return app
