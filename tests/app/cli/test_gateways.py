"""What an operator asks of the channels: are they ready, is this callback genuine, what did the day bring."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.serving import create_app
from config.local import sandbox_keys
from config.settings import Settings
from payments.gateways.known import GATEWAYS
from tests.app.web.conftest import far_folder, running
from tests.builders import an_environment
from tests.outside import with_keys

__all__ = ["far_folder", "running"]
HERE = Path(__file__).parents[2] / "vectors"
NOWHERE = "postgresql://app@127.0.0.1:1/nowhere"
NOWHERE_URLS = {
    "DATABASE_URL": NOWHERE,
    "DATABASE_OFFICE_URL": NOWHERE.replace("app@", "office@"),
    "DATABASE_OWNER_URL": NOWHERE.replace("app@", "owner@"),
}


def read(name):
    return (HERE / name).read_text(encoding="utf-8")


def lines(kind):
    """Whose messages the vectors are."""
    if kind == "wechat":
        held = json.loads(read("wechat/callbacks.json"))
        return {
            "MCHID": held["mchid"],
            "APPID": held["appid"],
            "API_V3_KEYS": held["apiv3_key"],
            "PUBLIC_KEYS": f"{held['pub_key_id']}\n{read('wechat/wx_platform.pub.pem')}",
            "PLATFORM_CERTIFICATES": read("wechat/wx_platform_old.crt"),
        }
    if kind == "alipay":
        return {
            "APP_ID": "2021000000000001",
            "SELLER_ID": "2088101568353491",
            "PUBLIC_KEYS": read("alipay/ali_platform.pub.pem"),
        }
    return {
        "MER_ID": "777290000000001",
        "ROOT_CERTIFICATES": read("unionpay/certs/root256.cer") + "\n" + read("unionpay/certs/root1.cer"),
        "MIDDLE_CERTIFICATES": read("unionpay/certs/mid256.cer") + "\n" + read("unionpay/certs/mid1.cer"),
        "COMPANY_NAMES": "中国银联股份有限公司",
    }


def vectors(kind):
    """Name → (headers, body, now, whether it is genuine)."""
    if kind == "wechat":
        held = json.loads(read("wechat/callbacks.json"))
        return {one["name"]: (one["headers"], one["body"], held["now"], one["ok"]) for one in held["vectors"]}
    if kind == "alipay":
        held = json.loads(read("alipay/notifies.json"))["vectors"]
        return {one["name"]: ({}, one["body"], "2026-01-01T08:00:00+08:00", one["ok"]) for one in held}
    held = json.loads(read("unionpay/vectors.json"))["verification"]
    now = datetime(2026, 11, 23, 4, tzinfo=UTC).timestamp()
    return {one["name"]: ({}, one["form_body"], now, one["expect_production"]) for one in held if one.get("form_body")}


ALL = [(kind, name) for kind in GATEWAYS for name in vectors(kind)]


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    keys = dict(sandbox_keys(with_keys(tmp_path_factory.mktemp("keys"))))
    for kind in GATEWAYS:
        keys |= {f"GATEWAY_{kind.upper()}_{name}": value for name, value in lines(kind).items()}
    keys.pop("GATEWAY_WECHAT_CERTIFICATE", None)
    environment = an_environment(**{**NOWHERE_URLS, **keys})
    return create_app(Settings.from_environment(environment)).test_cli_runner()


def verify(runner, folder, kind, document):
    file = folder / "callback.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return runner.invoke(args=["gateways", "verify", kind, str(file)])


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_stored_callback_comes_out_as_marked(runner, tmp_path, kind, name):
    headers, body, now, genuine = vectors(kind)[name]

    done = verify(runner, tmp_path, kind, {"headers": headers, "body": body, "now": now})

    said = json.loads(done.output)
    assert (said["accepted"], done.exit_code) == (genuine, 0 if genuine else 1), said["why"]
    assert bool(said["why"]) is not genuine


def test_what_it_means_is_told_without_the_payer(runner, tmp_path):
    headers, body, now, _ = vectors("wechat")["paid/pubkey"]

    said = verify(runner, tmp_path, "wechat", {"headers": headers, "body": body, "now": now})

    told = json.loads(said.output)
    assert (told["about"], told["meaning"], told["amount"], told["currency"]) == ("payment", "付款成功", 40000, "CNY")
    assert "openid" not in said.output and told["happened_at"].startswith("2026-01-01T08:00:00")


@pytest.mark.parametrize(
    "document", ["", "[]", "{}", '{"body": 5, "now": 1}', '{"body": "x"}', '{"body":"","now":"x"}']
)
def test_a_file_that_is_none_is_told_in_words(runner, tmp_path, document):
    done = verify(runner, tmp_path, "wechat", document)

    assert done.exit_code == 2 and '"headers"' in done.output


def test_a_channel_that_is_ready_says_so(running):
    done = running.app.test_cli_runner().invoke(args=["gateways", "check"])

    assert done.exit_code == 0, done.output
    assert len(re.findall("查一个不存在的单号，对方说没有", done.output)) == len(GATEWAYS)
    assert "✗" not in done.output and "!" not in done.output


def test_a_contract_that_is_not_there_is_found_before_the_first_payer(running):
    """A5: the wrong product code is refused for every payer."""
    running.outside.fault("error", gateway="alipay", on="create", code="ACQ.ACCESS_FORBIDDEN")

    first = running.app.test_cli_runner().invoke(args=["gateways", "check", "alipay"])
    then = running.app.test_cli_runner().invoke(args=["gateways", "check", "alipay"])

    assert first.exit_code == 1 and "谁都不能付" in first.output and "ACQ.ACCESS_FORBIDDEN" in first.output
    assert then.exit_code == 0 and "试着要一个付款码，要到了" in then.output


def checked(tmp_path, *names, **spoiled):
    keys = {name: value for name, value in sandbox_keys(with_keys(tmp_path)).items() if value} | spoiled
    keys = {name: value for name, value in keys.items() if value is not None}
    environment = an_environment(**{**NOWHERE_URLS, **keys})
    app = create_app(Settings.from_environment(environment))
    return app.test_cli_runner().invoke(args=["gateways", "check", *names])


@pytest.mark.parametrize(
    ("spoiled", "words"),
    [
        ({"GATEWAY_ALIPAY_APP_ID": None}, "缺少 GATEWAY_ALIPAY_APP_ID"),
        ({"GATEWAY_ALIPAY_PUBLIC_KEYS": None}, "缺少 GATEWAY_ALIPAY_PUBLIC_KEYS 或 GATEWAY_ALIPAY_CERTIFICATES 之一"),
        ({"GATEWAY_ALIPAY_PRIVATE_KEY": "nonsense"}, "密钥或参数不能用"),
        ({"GATEWAY_ALIPAY_BASE_URL": "http://127.0.0.1:9"}, "连不上，请核对地址和网络"),
    ],
)
def test_what_is_missing_is_said_by_name(tmp_path, spoiled, words):
    done = checked(tmp_path, "alipay", **spoiled)

    assert done.exit_code == 1 and words in done.output


def test_a_channel_nobody_configured_says_what_it_would_need(tmp_path):
    gone = {name: None for name in sandbox_keys(with_keys(tmp_path)) if name.startswith("GATEWAY_UNIONPAY_")}

    done = checked(tmp_path, "unionpay", **gone)

    assert done.exit_code == 1 and "GATEWAY_UNIONPAY_MER_ID" in done.output and "没有配置" in done.output
    assert "NOTIFY_URL" not in done.output, "our own addresses are made from PUBLIC_URL"
