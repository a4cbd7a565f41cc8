"""The sandbox as it is really run: a process of its own, under gunicorn."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import urllib3

from core.clock import utc_now
from core.http import Door
from payments.gateways.base import Word
from payments.sandbox.keys import load_keys
from tests.builders import a_trade, an_order
from tests.outside import Outside

ROOT = Path(__file__).parents[3]


def test_an_order_lives_its_life_against_the_running_process(tmp_path, merchant):
    port = free_port()
    command = [sys.executable, "-m", "payments.sandbox", "--folder", str(tmp_path), "--port", str(port)]
    order = an_order("P000000000000001")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            assert wait_for(f"http://127.0.0.1:{port}/healthz")
            door = Door(hosts=frozenset({f"127.0.0.1:{port}"}))
            running = Outside(f"http://127.0.0.1:{port}", load_keys(tmp_path), door)
            wechat = running.wechat(merchant.url)

            running.pay(wechat.start(order).code_url)
            [(headers, body)] = merchant.wait(1)
            told = wechat.read_callback(headers, body, now=utc_now()).outcome
            asked = wechat.query(order)
            wechat.close(a_trade("P000000000000002"))
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=10)

    assert told == asked and asked.word is Word.PAID
    assert f"http://127.0.0.1:{port}" in said.decode()
    assert process.returncode == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url):
    with urllib3.PoolManager(retries=False) as client:
        for _ in range(100):
            try:
                return client.request("GET", url, timeout=1).status == 200
            except urllib3.exceptions.HTTPError:
                time.sleep(0.1)
    return False
