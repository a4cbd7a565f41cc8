"""A checkout becomes a sandbox once, with secrets of its own."""

import stat

import pytest

from config.local import sandbox_keys, write_env
from config.settings import Settings, environment

PEM = '-----BEGIN PRIVATE KEY-----\nMIIB it\'s $HOME # \\n "quoted"\n-----END PRIVATE KEY-----'


def keys(folder):
    folder.mkdir(parents=True)
    (folder / "wechat.pem").write_text(PEM + "\n")
    return {
        "GATEWAY_WECHAT_MCHID": "1900000001",
        "GATEWAY_WECHAT_PRIVATE_KEY_FILE": str(folder / "wechat.pem"),
        "GATEWAY_WECHAT_PUBLIC_KEY": PEM,
    }


@pytest.fixture
def nothing_set(monkeypatch):
    for name in environment(None):
        if name.startswith(("GATEWAY_", "LIANGXIAN_", "VAULT_", "SMS_", "MINIPROGRAM_", "BUSINESS_", "SECRET_")):
            monkeypatch.delenv(name)


def test_what_is_written_starts_a_sandbox(tmp_path, nothing_set):
    assert write_env(tmp_path / ".env", tmp_path / "keys", keys)
    settings = Settings.from_environment(environment(tmp_path / ".env"))
    assert settings.is_sandbox
    assert settings.business_clock_start.isoformat() == "2021-11-05T09:00:00+08:00"
    own = {"mchid": "1900000001", "private_key": PEM, "public_key": PEM}
    assert settings.gateways["wechat"] == own | {"base_url": settings.sandbox_url}
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob(".env*")] == [".env"]


def test_the_keys_of_every_gateway_come_through_the_file_as_they_were_made(tmp_path, nothing_set):
    made = sandbox_keys(tmp_path / "keys")
    write_env(tmp_path / ".env", tmp_path / "keys", sandbox_keys)

    held = environment(tmp_path / ".env")

    assert {name: held.get(name) for name in made if not name.endswith("_URL")} == {
        name: value for name, value in made.items() if not name.endswith("_URL")
    }
    assert {name.split("_")[1] for name in made if name.startswith("GATEWAY_")} >= {"WECHAT", "UNIONPAY"}


@pytest.mark.parametrize("port", ["8100", "8200"])
def test_the_sandboxs_addresses_follow_its_port(tmp_path, nothing_set, monkeypatch, port):
    """U5: the way out of a taken port left the gateways at 8100, and every payment broke."""
    write_env(tmp_path / ".env", tmp_path / "keys", sandbox_keys)
    monkeypatch.setenv("SANDBOX_PORT", port)

    held = Settings.from_environment(environment(tmp_path / ".env"))

    addresses = [value for keys in held.gateways.values() for name, value in keys.items() if name.endswith("_url")]
    assert len(addresses) == 4 and all(address.startswith(f"http://127.0.0.1:{port}") for address in addresses)


def test_two_sandboxes_share_no_secret(tmp_path, nothing_set):
    made = []
    for name in "ab":
        write_env(tmp_path / f".env-{name}", tmp_path / name, keys)
        made.append(Settings.from_environment(environment(tmp_path / f".env-{name}")))
    assert made[0].secret_key != made[1].secret_key
    assert made[0].vault_keys != made[1].vault_keys
    assert made[0].vault_index_key != made[1].vault_index_key


def test_an_env_that_is_there_is_never_touched(tmp_path):
    (tmp_path / ".env").write_text("mine")
    assert not write_env(tmp_path / ".env", tmp_path / "keys", keys)
    assert (tmp_path / ".env").read_text() == "mine"
    assert not (tmp_path / "keys").exists()


def test_a_key_maker_that_fails_leaves_no_half_env(tmp_path):
    def broken(folder):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_env(tmp_path / ".env", tmp_path / "keys", broken)
    assert not list(tmp_path.glob(".env*"))
