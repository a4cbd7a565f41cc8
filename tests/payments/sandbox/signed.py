"""Requests to WeChat Pay's far side signed by hand, to be spoiled in one place."""

import base64
import json
import secrets
import time

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def ask(sandbox, method, path, wanted=None, *, signed_path=None, signed_body=None, auth=None, drop=(), **headers):
    """A request signed by hand, to be spoiled in one place."""
    body = b"" if wanted is None else json.dumps(wanted, ensure_ascii=False).encode()
    members = {
        "mchid": sandbox.keys.mchid,
        "serial_no": sandbox.keys.merchant_serial,
        "nonce_str": secrets.token_hex(16),
        "timestamp": str(int(time.time())),
        **(auth or {}),
    }
    text = f"{method}\n{signed_path or path}\n{members['timestamp']}\n{members['nonce_str']}\n".encode()
    key = load_pem_private_key(sandbox.keys.merchant_key.encode(), None)
    signature = key.sign(text + (body if signed_body is None else signed_body) + b"\n", PKCS1v15(), SHA256())
    members.setdefault("signature", base64.b64encode(signature).decode())
    sent = {
        "Accept": "application/json",
        "User-Agent": "test",
        "Content-Type": "application/json",
        "Wechatpay-Serial": sandbox.keys.pub_key_id,
        "Authorization": "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{name}="{v}"' for name, v in members.items()),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    sent = {name: value for name, value in sent.items() if name not in drop}
    answer = sandbox.door.send(method, sandbox.url + path, headers=sent, body=body or None)
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return answer.status, json.loads(answer.body) if is_json and answer.body else answer.body or {}, answer.headers
