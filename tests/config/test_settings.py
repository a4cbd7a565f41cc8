"""What the environment may say, and what a process refuses to start with."""

import base64
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.messages import NEEDS
from config.settings import BadSettings, Settings, environment, table
from core.vault import AES, SM
from notifications.channels.sms import PROVIDERS
from tests.builders import a_production_environment, an_environment, random_key

CHECKOUT = Path(__file__).resolve().parents[2]


def problems(environ):
    with pytest.raises(BadSettings) as refused:
        Settings.from_environment(environ)
    return refused.value.problems


def test_a_sandbox_starts_with_little_and_everything_else_has_its_default():
    settings = Settings.from_environment(an_environment(BUSINESS_CLOCK_START=None))
    assert settings.is_sandbox
    assert settings.database_url is None
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.miniprogram_base_url == settings.sandbox_url == "http://127.0.0.1:8100"
    assert settings.business_clock_start is None
    assert (settings.levy_year, settings.web_workers, settings.web_threads) == (2022, 2, 16)


def test_production_starts_with_what_it_needs():
    settings = Settings.from_environment(a_production_environment())
    assert not settings.is_sandbox
    assert settings.gateways["wechat"]["mchid"] == "1900000001"
    assert settings.miniprogram_base_url == "https://api.weixin.qq.com"
    assert settings.sms is None


def test_without_a_mode_it_says_how_to_get_one():
    told = problems(an_environment(LIANGXIAN_MODE=None))
    assert len(told) == 1
    assert "make setup" in told[0]


def test_an_unknown_mode_is_refused():
    assert problems(an_environment(LIANGXIAN_MODE="staging")) == ["LIANGXIAN_MODE is neither sandbox nor production"]


def test_all_problems_are_told_at_once():
    told = problems(a_production_environment(SECRET_KEY="short", PUBLIC_URL=None, PORT="eighty", DATABASE_URL=None))
    assert [line.split()[0] for line in told] == ["DATABASE_URL", "SECRET_KEY", "PORT", "PUBLIC_URL"]


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "secret",
        "password",
        "a" * 40,
        "ab" * 20,
        "changeme-changeme-changeme-changeme",
        "Test0nlyApiV3Key_32bytes_long__!",
        "my-default-example-dev-secret-password-1",
        "0123456789abcdef0123456789abcdef",
    ],
)
@pytest.mark.parametrize("variable", ["SECRET_KEY", "GATEWAY_WECHAT_APIV3_KEY", "GATEWAY_WECHAT_API_V3_KEYS"])
def test_production_refuses_a_weak_secret(variable, weak):
    told = problems(a_production_environment(**{variable: weak}))
    assert [line.split()[0] for line in told] == [variable]


def test_production_refuses_weak_keys_for_personal_data():
    same = "QUFB" * 10 + "QUE="  # base64 of 32 times A
    assert problems(a_production_environment(VAULT_KEYS=f"1:{same}")) == ["VAULT_KEYS repeats itself"]
    assert problems(a_production_environment(VAULT_INDEX_KEY=same)) == ["VAULT_INDEX_KEY repeats itself"]


def test_production_refuses_one_secret_used_twice():
    key = random_key()
    assert "must all differ" in problems(a_production_environment(VAULT_KEYS=f"1:{key}", VAULT_INDEX_KEY=key))[0]


def test_random_secrets_are_never_taken_for_weak_ones():
    for _ in range(300):
        Settings.from_environment(a_production_environment())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_WECHAT_BASE_URL", "http://127.0.0.1:8100"),
        ("GATEWAY_WECHAT_BASE_URL", "https://127.0.0.1:8100"),
        ("GATEWAY_ALIPAY_SERVER_URL", "https://LOCALHOST/gateway.do"),
        ("GATEWAY_UNIONPAY_FRONT", "[::1]:8100"),
        ("GATEWAY_WECHAT_BASE_URL", "http://api.mch.weixin.qq.com"),
        ("MINIPROGRAM_BASE_URL", "http://localhost:8100"),
        ("PUBLIC_URL", "http://pay.example.gov.cn"),
        ("PUBLIC_URL", "https://127.0.0.1:8000"),
        ("BUSINESS_CLOCK_START", "2021-11-05T09:00:00+08:00"),
        ("GATEWAY_UNIONPAY_COMPANY_NAMES", "中国银联股份有限公司,00040000:SIGN"),
        ("SMS_PROVIDER", "console"),
        ("SMS_PROVIDER", "sandbox"),
    ],
)
def test_production_refuses_what_only_a_sandbox_has(variable, value):
    assert [line.split()[0] for line in problems(a_production_environment(**{variable: value}))] == [variable]


def test_what_runs_must_not_be_the_owner_of_the_tables():
    told = problems(
        a_production_environment(
            DATABASE_URL="postgresql://owner:a@db/liangxian", DATABASE_OWNER_URL="postgresql://owner:b@db/liangxian"
        )
    )
    assert told == ["DATABASE_URL and the others name three roles: what runs owns nothing, makes nobody an official"]


def test_what_runs_must_not_make_accounts():
    """M7: the role of the web is not the role of the commands that make officials."""
    told = problems(
        a_production_environment(
            DATABASE_URL="postgresql://app:a@db/liangxian", DATABASE_OFFICE_URL="postgresql://app:b@db/liangxian"
        )
    )
    assert told == ["DATABASE_URL and the others name three roles: what runs owns nothing, makes nobody an official"]


@pytest.mark.parametrize("mode", ["sandbox", "production"])
def test_without_asserts_nothing_starts(mode):
    environ = an_environment() if mode == "sandbox" else a_production_environment()
    program = "import os; from config.settings import Settings; Settings.from_environment(os.environ)"
    run = subprocess.run(
        [sys.executable, "-O", "-c", program], env=environ, cwd=CHECKOUT, check=False, capture_output=True
    )
    assert run.returncode == 1
    assert b"python -O" in run.stderr


def test_no_secret_shows_in_the_repr_or_in_a_refusal():
    secrets = {
        "SECRET_KEY": "hush-" + random_key(),
        "MINIPROGRAM_SECRET": "hush-" + random_key(),
        "GATEWAY_WECHAT_APIV3_KEY": "hush-" + random_key(),
        "DATABASE_URL": "postgresql://app:hush-1@db.internal/liangxian",
        "MINIPROGRAM_APPID": "wx0000000000000001",
    }
    shown = repr(Settings.from_environment(a_production_environment(**secrets)))
    assert "hush" not in shown
    weak = problems(a_production_environment(SECRET_KEY="hush", GATEWAY_WECHAT_APIV3_KEY="hush", VAULT_KEYS="hush"))
    assert len(weak) >= 3
    assert "hush" not in "\n".join(weak)
    index = an_environment()["VAULT_INDEX_KEY"]
    settings = Settings.from_environment(an_environment(VAULT_INDEX_KEY=index))
    assert repr(settings.vault_index_key) not in repr(settings)


def test_the_highest_key_seals_and_the_older_ones_stay():
    settings = Settings.from_environment(
        an_environment(VAULT_KEYS=f"2:{random_key()},10:{random_key()},1:{random_key()}")
    )
    assert sorted(settings.vault_keys) == [1, 2, 10]
    assert settings.vault_current == 10


def test_which_key_seals_may_be_said():
    """A new key is held by every process before the first one seals with it."""
    keys = f"1:{random_key()},2:{random_key()}"

    assert Settings.from_environment(an_environment(VAULT_KEYS=keys, VAULT_CURRENT="1")).vault_current == 1
    assert problems(an_environment(VAULT_KEYS=keys, VAULT_CURRENT="3")) == [
        "VAULT_CURRENT is the number of none of VAULT_KEYS"
    ]


def test_a_key_names_its_suite():
    short = base64.b64encode(os.urandom(16)).decode()
    given = an_environment(VAULT_KEYS=f"1:{random_key()},2:sm4:{short}", VAULT_INDEX_KEY=f"sm3:{random_key()}")

    settings = Settings.from_environment(given)

    assert [settings.vault_keys[number].suite for number in (1, 2)] == [AES, SM]
    assert (len(settings.vault_keys[2].secret), settings.vault_index_key.suite) == (16, SM)


@pytest.mark.parametrize(
    "keys",
    ["", "1:short", "1:YQ==", f"1:{'YWJj' * 11}", f"256:{random_key()}", f"{random_key()}", f"1:sm4:{random_key()}"],
    ids=["none", "short", "one byte", "33 bytes", "too high a number", "no number", "32 bytes for SM4"],
)
def test_keys_of_the_wrong_shape_are_refused_in_the_sandbox_too(keys):
    assert all(line.startswith("VAULT_KEYS") for line in problems(an_environment(VAULT_KEYS=keys)))


def test_a_value_may_come_from_a_file(tmp_path):
    pem = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"
    (tmp_path / "key.pem").write_text(pem + "\n")
    settings = Settings.from_environment(an_environment(GATEWAY_WECHAT_PRIVATE_KEY_FILE=str(tmp_path / "key.pem")))
    assert settings.gateways["wechat"]["private_key"] == pem


def test_a_pkcs12_comes_from_its_file_as_it_is(tmp_path):
    (tmp_path / "merchant.pfx").write_bytes(b"\x30\x82\xff\x00")
    held = Settings.from_environment(an_environment(GATEWAY_UNIONPAY_PFX_FILE=str(tmp_path / "merchant.pfx")))
    assert held.gateways["unionpay"]["pfx"] == "MIL/AA=="


def test_a_file_that_is_missing_or_doubled_is_told(tmp_path):
    assert problems(an_environment(SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "none")))[0] == (
        "SECRET_KEY_FILE names a file that cannot be read"
    )
    (tmp_path / "key").write_text(random_key())
    assert problems(an_environment(SECRET_KEY_FILE=str(tmp_path / "key"))) == [
        "SECRET_KEY_FILE and SECRET_KEY are both given"
    ]


def test_a_file_of_somebody_else_is_left_alone():
    Settings.from_environment(an_environment(SSL_CERT_FILE="/nowhere"))


def test_the_business_clock_is_a_moment_with_its_offset():
    settings = Settings.from_environment(an_environment())
    assert settings.business_clock_start == datetime(2021, 11, 5, 1, 0, tzinfo=UTC)
    assert len(problems(an_environment(BUSINESS_CLOCK_START="2021-11-05T09:00:00"))) == 1


def test_the_process_comes_before_the_env_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PORT=1\nLEVY_YEAR=2030\n")
    monkeypatch.setenv("PORT", "2")
    monkeypatch.delenv("LEVY_YEAR", raising=False)
    read = environment(tmp_path / ".env")
    assert (read["PORT"], read["LEVY_YEAR"]) == ("2", "2030")
    assert environment(tmp_path / "none") == dict(os.environ)


def test_the_page_about_settings_names_every_variable():
    assert table() in (CHECKOUT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"PORT": "8100", "SANDBOX_PORT": "8100"}, "PORT"),
        ({"LEVY_YEAR": "2035"}, "LEVY_YEAR"),
        ({"PUBLIC_URL": "http://[[[:::"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "http://host:99999"}, "PUBLIC_URL"),
        ({"SMS_SECOND_KEY_FILE": "/nowhere/at/all"}, "SMS_SECOND_KEY_FILE"),
        ({"DATABASE_POOLER": "pgbouncer"}, "DATABASE_POOLER"),
    ],
)
def test_a_setting_that_could_not_work_stops_the_start_by_its_name(given, named):
    """F6: none of them was said a word about."""
    assert [line.split()[0] for line in problems(an_environment(**given))] == [named]


@pytest.mark.parametrize("other", ["postgresql://%61pp@h/d", "postgresql://h/d?user=app", "postgres://app@other/d"])
def test_one_role_written_in_another_way_is_still_one_role(other):
    """F6: as libpq understands the address."""
    told = problems(a_production_environment(DATABASE_URL="postgresql://app@h/d", DATABASE_OFFICE_URL=other))

    assert [line.split()[0] for line in told] == ["DATABASE_URL"]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_secret_file_with_a_byte_order_mark_is_refused(tmp_path, mark):
    """F6: the mark would be a part of the key."""
    (tmp_path / "key").write_bytes(mark + random_key().encode())

    told = problems(an_environment(SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "key")))

    assert "SECRET_KEY_FILE names a file that begins with a byte-order mark" in told[0]


@pytest.mark.parametrize("variable", ["SMS_PROVIDER", "SMS_SECOND_PROVIDER"])
def test_a_provider_that_nobody_wrote_stops_the_start(variable):
    """G4."""
    [told] = problems(an_environment(**{variable: "twilio"}))

    assert told.startswith(f"{variable} names no provider there is; there are aliyun, http, sandbox, tencent")


def test_every_provider_that_may_be_named_is_written():
    assert set(NEEDS) == set(PROVIDERS)


AT_ALIYUN = {
    "SMS_PROVIDER": "aliyun",
    "SMS_KEY_ID": "LTAI5tExampleOfAnId",
    "SMS_KEY": random_key()[:30],
    "SMS_SIGN": "峄城税务",
    "SMS_TEMPLATES": "login_code:SMS_154950909,paid:SMS_154950910",
}


def test_production_starts_with_an_account_at_a_provider():
    settings = Settings.from_environment(a_production_environment(**AT_ALIYUN))

    assert settings.sms.url == "https://dysmsapi.aliyuncs.com"
    assert settings.sms.templates == {"login_code": "SMS_154950909", "paid": "SMS_154950910"}
    assert (settings.sms.longest, settings.sms_second) == (35, None)
    assert AT_ALIYUN["SMS_KEY"] not in repr(settings)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SMS_KEY_ID": None, "SMS_SIGN": None}, ["SMS_KEY_ID", "SMS_SIGN"]),
        ({"SMS_KEY": "short"}, ["SMS_KEY"]),
        ({"SMS_KEY": "secretsecretsecretsecretsecret"}, ["SMS_KEY"]),
        ({"SMS_TEMPLATES": "login_code:SMS_1,peid:SMS_2"}, ["SMS_TEMPLATES"]),
        ({"SMS_TEMPLATES": "login_code:1400"}, ["SMS_TEMPLATES"]),
        ({"SMS_TEMPLATES": "paid:SMS_1,paid:SMS_2"}, ["SMS_TEMPLATES"]),
        ({"SMS_TEMPLATES": None}, ["SMS_TEMPLATES"]),
        ({"SMS_URL": "http://dysmsapi.aliyuncs.com"}, ["SMS_URL"]),
        ({"SMS_LONGEST": "many", "SMS_PRICE": "-1"}, ["SMS_LONGEST", "SMS_PRICE"]),
        ({"SMS_PROVIDER": "tencent", "SMS_TEMPLATES": "paid:12"}, ["SMS_APP_ID", "SMS_KEY"]),
        ({"SMS_PROVIDER": "http"}, ["SMS_URL", "SMS_KEY"]),
    ],
)
def test_an_account_that_could_not_send_stops_the_start_by_name(changed, named):
    told = problems(a_production_environment(**AT_ALIYUN | changed))

    assert [line.split()[0] for line in told] == named
    assert AT_ALIYUN["SMS_KEY"] not in "".join(told)


def test_the_sandbox_may_name_a_provider_and_nothing_else():
    settings = Settings.from_environment(an_environment(SMS_PROVIDER="tencent", SMS_KEY=random_key()))

    assert settings.sms.url == settings.sandbox_url
    assert {"login_code", "paid", "moved"} <= set(settings.sms.templates)


def test_who_keeps_the_backups_is_a_program_by_its_whole_path(environment) -> None:
    given = Settings.from_environment(environment | {"BACKUP_KEEPER": "/usr/bin/sudo -n -u postgres /opt/keeper.py"})
    assert given.backups.keeper == ("/usr/bin/sudo", "-n", "-u", "postgres", "/opt/keeper.py")
    assert Settings.from_environment(environment).backups.keeper == ()

    for wrong in ("keeper.py", "'/usr/bin/sudo"):
        with pytest.raises(BadSettings, match="BACKUP_KEEPER"):
            Settings.from_environment(environment | {"BACKUP_KEEPER": wrong})
