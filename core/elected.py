"""Which of several servers is the one to write to: an address may name the standby too, `?host=a,b`. After the standby
took over, the former primary may come back and think that nothing happened: its older timeline tells it (F21)."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

FRESH_S = 5.0  # so long one answer serves
_ASKED = (
    "select case when not pg_is_in_recovery() then"
    " ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end"
)


class NoneElected(psycopg.OperationalError):
    """No server of those that are named may be written to, or only one that was replaced."""


class _Hosts:
    """What is known of the servers of one address."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.timeline = 0  # the newest that this process has seen
        self.chosen: tuple[str, str] | None = None
        self.until = 0.0  # monotonic


_KNOWN: dict[str, _Hosts] = {}


def elected(named: Mapping[str, Any]) -> dict[str, Any]:
    """Words for libpq, with one host of those they name: the primary of the newest timeline. NoneElected."""
    hosts = str(named.get("host") or "").split(",")
    if len(hosts) < 2:
        return dict(named)
    known = _KNOWN.setdefault(f"{named['host']} {named.get('port')} {named.get('dbname')}", _Hosts())
    with known.lock:
        if known.chosen is None or time.monotonic() > known.until:
            _ask(known, hosts, named)
        assert known.chosen is not None
        host, port = known.chosen
    return _one(named, host, port)


def elected_url(url: str) -> str:
    """The same for an address."""
    return make_conninfo(**elected(conninfo_to_dict(url)))


def forget() -> None:
    """A server that was chosen did not take a connection: ask anew."""
    for known in _KNOWN.values():
        known.until = 0.0


def _ask(known: _Hosts, hosts: list[str], named: Mapping[str, Any]) -> None:
    ports = str(named.get("port") or "5432").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    found = []
    for host, port in zip(hosts, ports, strict=True):
        try:
            with psycopg.connect(**_one(named, host, port), autocommit=True) as connection:
                [timeline] = connection.execute(_ASKED).fetchone() or (None,)
        except psycopg.OperationalError:
            continue
        if timeline is not None:
            found.append((int(timeline), host, port))
    known.chosen = None
    newest = max(found, default=(0, "", ""))
    if newest[0] < max(known.timeline, 1):
        raise NoneElected("no server may be written to")
    known.timeline, *chosen = newest
    known.chosen, known.until = (chosen[0], chosen[1]), time.monotonic() + FRESH_S


def _one(named: Mapping[str, Any], host: str, port: str) -> dict[str, Any]:
    return {name: value for name, value in named.items() if name != "target_session_attrs"} | {
        "host": host,
        "port": port,
    }
