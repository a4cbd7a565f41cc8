"""The certificate that whoever comes to us is shown ends: somebody is woken while there is time."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import TCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.flows.watch.keys import watch_address


@pytest.mark.parametrize(("left", "said"), [(40, []), (29, [28]), (0, [0]), (-2, [-2])])
def test_a_certificate_that_ends_is_told(tmp_path: Path, running, left: int, said: list[int]) -> None:
    heard: list[int] = []
    ends_at = datetime.now(UTC) + timedelta(days=left, minutes=-30 if left > 0 else 30)
    with shown(tmp_path, ends_at) as port:
        address = f"https://127.0.0.1:{port}"
        watch_address(replace(running.parts, public_url=address, alert=lambda _what, days: heard.append(days)))

    assert heard == said


def test_an_address_we_do_not_reach_wakes_nobody(running) -> None:
    def alert(*_what: object, **_words: object) -> None:
        raise AssertionError

    for address in ("http://127.0.0.1:1", "https://127.0.0.1:1"):
        assert watch_address(replace(running.parts, public_url=address, alert=alert)) == 0


@contextmanager
def shown(folder: Path, ends_at: datetime) -> Iterator[int]:
    """A port where this certificate is shown."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jiaofei.example")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(7).not_valid_before(ends_at - timedelta(days=90)).not_valid_after(ends_at)
    pem = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    kept = folder / "shown.pem"
    held = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    kept.write_bytes(pem + key.private_bytes(serialization.Encoding.PEM, *held))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(kept)
    with TCPServer(("127.0.0.1", 0), lambda *_: None) as server:  # type: ignore[arg-type]
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
