"""A reverse proxy in front of two instances and one for callbacks: what a server has (deploy/nginx/liangxian.conf),
with other ports, without TLS, and without a limit for one address, which here is everybody's."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.orders import wait_until_open
from config.settings import CHECKOUT

SHIPPED = CHECKOUT / "deploy" / "nginx" / "liangxian.conf"
_CONF = """
daemon off; master_process on; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
{user}
events {{ worker_connections 2048; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  {upstreams}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
{site}
  }}
}}
"""


def program() -> str | None:
    """Where nginx is, if it is here."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@contextmanager
def proxy(folder: Path, port: int, *, web: list[int], callbacks: int) -> Iterator[int]:
    """Listens at `port`."""
    folder.mkdir(parents=True, exist_ok=True)
    upstreams, site = _shipped({"8001": web[0], "8002": web[1], "8011": callbacks})
    user = "user root;" if Path(folder).owner() == "root" else ""
    (folder / "nginx.conf").write_text(
        _CONF.format(folder=folder, port=port, user=user, upstreams=upstreams, site=site)
    )
    path = program()
    assert path is not None, "nginx is not here"
    running = subprocess.Popen([path, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        wait_until_open(port)
        yield port
    finally:
        running.terminate()
        running.wait(20)


def _shipped(ports: dict[str, int]) -> tuple[str, str]:
    """The upstreams and the site of a server, at these ports; an instance that is not here is left out."""
    text = SHIPPED.read_text(encoding="utf-8")
    upstreams = "\n".join(re.findall(r"^upstream \w+ \{.*?^\}", text, re.M | re.S))
    [site] = re.findall(r"^  client_header_timeout .*?(?=^  # For this machine)", text, re.M | re.S)
    for written, here in ports.items():
        upstreams = upstreams.replace(f"127.0.0.1:{written}", f"127.0.0.1:{here}")
    upstreams = re.sub(r"^ +server 127\.0\.0\.1:80\d\d .*\n", "", upstreams, flags=re.M)
    site = re.sub(r"^ +limit_conn .*\n", "", site, flags=re.M).replace(
        "keepalive_timeout 30s", "keepalive_timeout 600s"
    )
    return upstreams, site.replace("X-Forwarded-Proto https", "X-Forwarded-Proto $scheme")
