"""Who we are in WeChat: half an account is none, and what pays in WeChat's browser must be configured."""

import pytest

from config.settings import BadSettings, Settings
from tests.builders import a_production_environment, random_key

ACCOUNT = {"OFFICIAL_ACCOUNT_APPID": "wx0000000000000002"}
PROGRAM = {"MINIPROGRAM_APPID": "wx0000000000000001"}


def known(**more: str) -> Settings:
    secrets = {name.replace("APPID", "SECRET"): random_key() for name in more if name.endswith("APPID")}
    return Settings.from_environment(a_production_environment(**secrets | more))


@pytest.mark.parametrize(
    ("given", "inside"),
    [({}, "code"), (PROGRAM, "miniprogram"), (ACCOUNT, "account"), (ACCOUNT | PROGRAM, "account")],
)
def test_somebody_in_wechat_pays_by_the_best_that_is_configured(given, inside):
    assert known(**given).wechat_inside == inside


def test_the_operator_chooses_otherwise():
    assert known(**ACCOUNT, **PROGRAM, WECHAT_INSIDE="miniprogram").wechat_inside == "miniprogram"
    assert known(**ACCOUNT, WECHAT_INSIDE="code").wechat_inside == "code"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (ACCOUNT | {"OFFICIAL_ACCOUNT_SECRET": ""}, "OFFICIAL_ACCOUNT_APPID and OFFICIAL_ACCOUNT_SECRET"),
        (ACCOUNT | {"OFFICIAL_ACCOUNT_SECRET": "password"}, "OFFICIAL_ACCOUNT_SECRET"),
        (ACCOUNT | {"OFFICIAL_ACCOUNT_BASE_URL": "http://127.0.0.1:8100"}, "OFFICIAL_ACCOUNT_BASE_URL points"),
        ({"WECHAT_INSIDE": "account"}, "WECHAT_INSIDE names what is not configured"),
        ({"WECHAT_INSIDE": "magic"}, "WECHAT_INSIDE is none of"),
    ],
)
def test_what_cannot_be_is_told_by_name(given, problem):
    with pytest.raises(BadSettings) as refused:
        known(**given)
    assert [line.startswith(problem) for line in refused.value.problems] == [True]
