"""What a server is set up with is what the programs that read it understand."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
DEPLOY = HERE / "deploy"


def _tool(name: str) -> str:
    found = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


def _said(*command: str | Path, wanted: int = 0) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == wanted, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_units_are_units(tmp_path: Path) -> None:
    """With programs where theirs will be: that these exist is all that is not asked of this machine."""
    analyze = _tool("systemd-analyze")
    for unit in (DEPLOY / "systemd").iterdir():
        text = re.sub(
            r"^(Exec(?:Start|StopPost)=-?)/opt/liangxian/\S+",
            rf"\1{shutil.which('true')}",
            unit.read_text(),
            flags=re.M,
        )
        (tmp_path / unit.name).write_text(text)
    told = _said(analyze, "verify", "--man=no", *sorted(tmp_path.iterdir()))
    assert "liangxian" not in told


@pytest.mark.parametrize("unit", ["liangxian-web@.service", "liangxian-worker.service", "liangxian-office.service"])
def test_a_process_may_do_little(unit: str) -> None:
    analyze = _tool("systemd-analyze")
    _said(analyze, "security", "--offline=true", "--threshold=20", DEPLOY / "systemd" / unit)


def test_the_proxy_takes_its_configuration(tmp_path: Path) -> None:
    nginx = _tool("nginx")
    _a_certificate(tmp_path)
    own = tmp_path / "liangxian"
    shutil.copytree(DEPLOY / "nginx" / "liangxian", own)
    (own / "certificate.conf").write_text(
        f"ssl_certificate {tmp_path}/cert.pem;\nssl_certificate_key {tmp_path}/key.pem;\n"
    )
    (tmp_path / "log").mkdir()
    text = (DEPLOY / "nginx" / "liangxian.conf").read_text().replace("/var/log/liangxian", f"{tmp_path}/log")
    (tmp_path / "liangxian.conf").write_text(re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.M))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nerror_log {tmp_path}/log/error.log crit;\nevents {{}}\n"
        "http { include liangxian.conf; }\n"
    )
    assert "test is successful" in _said(nginx, "-t", "-e", tmp_path / "first.log", "-c", tmp_path / "nginx.conf")


def _a_certificate(folder: Path) -> None:
    names: Sequence[str] = ("-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-subj", "/CN=example.cn")
    _said(_tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names)


def test_the_proxy_writes_down_no_query_and_no_referrer() -> None:
    text = (DEPLOY / "nginx" / "liangxian.conf").read_text()
    [written] = re.findall(r"log_format liangxian escape=json\n(.*?);\n", text, re.S)
    assert not re.search(r"\$(request|request_uri|args|query_string|http_\w+|arg_\w+|cookie_\w+)\b", written)
    logs = re.findall(r"access_log (\S+)(?: (\S+))?;", text)
    assert {log for log in logs if log[0] != "off"} == {("/var/log/liangxian/nginx.log", "liangxian")}


def test_the_rules_are_rules() -> None:
    promtool = _tool("promtool")
    assert "SUCCESS" in _said(promtool, "check", "rules", DEPLOY / "prometheus" / "liangxian.rules.yml")
    _said(promtool, "check", "config", "--syntax-only", DEPLOY / "prometheus" / "liangxian.yml")


def test_a_rule_rings_when_its_time_has_come() -> None:
    promtool = _tool("promtool")
    _said(promtool, "test", "rules", DEPLOY / "prometheus" / "liangxian.tests.yml")


def test_the_scripts_are_shell() -> None:
    for script in (
        DEPLOY / "install",
        DEPLOY / "database",
        DEPLOY / "rehearsal",
        DEPLOY / "secrets",
        DEPLOY / "bin" / "liangxian",
    ):
        _said("/bin/sh", "-n", script)
        assert script.stat().st_mode & 0o111, script


def test_the_settings_hold_no_secret_and_name_what_there_is() -> None:
    known = set(re.findall(r"`([A-Z_]+)`", (HERE / "docs" / "settings.md").read_text()))
    for line in (DEPLOY / "settings").read_text().splitlines():
        if not line or line.startswith("# "):
            continue
        name, _, value = line.removeprefix("#").partition("=")
        assert name.startswith(("GATEWAY_", "SMS_", "BACKUP_", "UPGRADE_")) or name.removesuffix("_FILE") in known, name
        if re.search(r"(KEYS?|SECRET)(_FILE)?$", name):
            assert name.endswith("_FILE") and value.startswith("/etc/liangxian/secrets/"), name
