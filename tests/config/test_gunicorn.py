"""The web server starts with the settings, or not at all."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from config.local import sandbox_keys
from tests.builders import an_environment
from tests.outside import with_keys

NOWHERE = "postgresql://app@127.0.0.1:1/nowhere"
CHECKOUT = Path(__file__).resolve().parents[2]
SMALL = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"here"]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("with_metrics", [True, False])
def test_it_serves_with_the_settings_and_ends_cleanly(tmp_path, with_metrics):
    (tmp_path / "small.py").write_text(SMALL)
    old, worker = tmp_path / "gauge_all_4194305.db", tmp_path / f"counter_{os.getpid()}.db"
    old.write_text("")  # of a process that is gone; the other one's runs
    worker.write_text("")
    port = free_port()
    environ = an_environment(PORT=str(port), WEB_WORKERS="1", WEB_THREADS="2", PATH=os.defpath)
    environ["PYTHONPATH"] = f"{CHECKOUT}:{tmp_path}"
    if with_metrics:
        environ["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "small:app"]
    with subprocess.Popen(command, env=environ, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert fetch(port, f"/{'x' * 1000}") == b"here"
            with pytest.raises(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{'x' * 5000}", timeout=5)
        finally:
            running.send_signal(signal.SIGTERM)
        said = running.stderr.read()
    assert running.returncode == 0, said
    assert "Traceback" not in said
    assert old.exists() is not with_metrics
    assert worker.exists(), "F5: the worker's figures are kept, it shares the folder"
    assert "GET /x" not in said


def test_bad_settings_stop_it_before_it_listens(tmp_path):
    environ = an_environment(SECRET_KEY="short", PYTHONPATH=str(CHECKOUT))
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "small:app"]
    run = subprocess.run(command, env=environ, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=30)
    assert run.returncode != 0
    assert "SECRET_KEY is shorter than 32 bytes" in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (
            {"GATEWAY_WECHAT_PRIVATE_KEY": "not a key, not a key, not a key, not a key"},
            "private key is not a readable PEM",
        ),
        ({"GATEWAY_PAYPAL_ID": "1"}, "there is no gateway paypal"),
        ({"GATEWAY_WECHAT_MCHID": ""}, "GATEWAY_WECHAT_MCHID is empty"),
    ],
)
def test_a_gateway_that_cannot_work_stops_it_at_the_start(tmp_path, spoiled, said):
    environ = an_environment(PORT=str(free_port()), PYTHONPATH=str(CHECKOUT), DATABASE_URL=NOWHERE)
    others = {f"DATABASE_{role.upper()}_URL": NOWHERE.replace("app", role) for role in ("office", "owner")}
    environ |= others | dict(sandbox_keys(with_keys(tmp_path))) | spoiled
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "wsgi:app"]
    run = subprocess.run(command, env=environ, cwd=CHECKOUT, check=False, capture_output=True, text=True, timeout=30)
    assert run.returncode != 0
    assert said in run.stdout + run.stderr


def fetch(port, path):
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.read()
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError("never answered")
