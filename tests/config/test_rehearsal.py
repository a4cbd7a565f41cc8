"""A production server rehearses against the far sides: its settings name files, and hold no secret."""

import os
from pathlib import Path

import pytest

from config.rehearsal import lines
from config.settings import BadSettings, Settings

OWN = {
    "LIANGXIAN_MODE": "production",
    "PUBLIC_URL": "https://jiaofei.example.cn",
    **{f"DATABASE{part}_URL": f"postgresql://r{n}@/d" for n, part in enumerate(("", "_OFFICE", "_OWNER"))},
    "SECRET_KEY": "kZ3vQ9mT5xR8pL1wS6yB4nH7jF2gD0cA",
    "VAULT_KEYS": "1:jRifRT+gUaYHRHRZg7jR39hSNysVnuNxOkMy8e8iYA0=",
    "VAULT_INDEX_KEY": "Cvw4FrTPRhrLEbM6zNrw98HdBYqm+P88lfZZUMRcWEk=",
}


def test_what_it_prints_is_what_a_production_server_starts_with(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    given = dict(line.split("=", 1) for line in lines(tmp_path / "far", "https://far.example.test", secrets))

    held = Settings.from_environment(OWN | given)

    assert set(held.gateways) == {"wechat", "alipay", "unionpay"}
    assert all("PRIVATE" not in value for value in given.values())
    for file in secrets.iterdir():
        assert os.stat(file).st_mode & 0o007 == 0
        assert file.read_text() not in given.values()


def test_without_https_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    given = dict(
        line.split("=", 1) for line in lines(tmp_path / "far", "http://far.example.test", tmp_path / "secrets")
    )

    with pytest.raises(BadSettings):
        Settings.from_environment(OWN | given)


@pytest.mark.parametrize(
    ("password", "taken"), [("380277", True), ("111111", False), ("123456", True), ("121212", False)]
)
def test_six_digits_of_a_bank_are_no_weakness_unless_they_repeat(tmp_path: Path, password: str, taken: bool) -> None:
    (tmp_path / "secrets").mkdir()
    given = dict(
        line.split("=", 1) for line in lines(tmp_path / "far", "https://far.example.test", tmp_path / "secrets")
    )
    given["GATEWAY_UNIONPAY_PFX_PASSWORD"] = password
    del given["GATEWAY_UNIONPAY_PFX_PASSWORD_FILE"]
    try:
        Settings.from_environment(OWN | given)
        assert taken
    except BadSettings as bad:
        assert not taken, bad.problems
