"""A reverse proxy in front of two instances and one for callbacks, in the shape of docs/upgrading.md."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.orders import wait_until_open

_CONF = """
daemon off; master_process on; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
{user}
events {{ worker_connections 2048; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000; keepalive_timeout 600s;
  upstream web {{ {web} }}
  upstream callbacks {{ {callbacks} }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    client_body_timeout 10s; client_header_timeout 10s; client_max_body_size 20m; proxy_request_buffering on;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_connect_timeout 250ms;
    proxy_next_upstream error timeout;
    location / {{ proxy_pass http://web; }}
    location /callbacks/ {{ proxy_pass http://callbacks; }}
  }}
}}
"""


def program() -> str | None:
    """Where nginx is, if it is here."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@contextmanager
def proxy(folder: Path, port: int, *, web: list[int], callbacks: int) -> Iterator[int]:
    """Listens at `port`. No instance is ever taken for dead (`max_fails=0`): one that refuses costs nothing, the next
    is asked. A request that is no mere look goes to the next only if nothing of it was sent, which is nginx's rule as
    long as `non_idempotent` is not said; so no connection to an instance is kept, which it might just be closing."""
    folder.mkdir(parents=True, exist_ok=True)
    named = [f"server 127.0.0.1:{each} max_fails=0" for each in web]
    written = _CONF.format(
        folder=folder,
        port=port,
        user="user root;" if Path(folder).owner() == "root" else "",
        web=" ".join(f"{each};" for each in named),
        callbacks=" ".join([f"server 127.0.0.1:{callbacks} max_fails=0;", *(f"{each} backup;" for each in named)]),
    )
    (folder / "nginx.conf").write_text(written)
    path = program()
    assert path is not None, "nginx is not here"
    running = subprocess.Popen([path, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        wait_until_open(port)
        yield port
    finally:
        running.terminate()
        running.wait(20)
