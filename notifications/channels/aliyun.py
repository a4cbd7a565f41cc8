"""Text messages through Alibaba Cloud (dysmsapi 2017-05-25), with the models of its SDK.

Held back where the SDK was found wanting: its client reads forty megabytes of modules we do not use, keeps no budget,
no breaker and no list of hosts. So the models write and read, `core.http.Door` sends, and the signature is the one of
"V3版本请求体&签名机制" (help.aliyun.com 2593177); a test compares it with the SDK's own and with the vendor's vector.

Words are those of help.aliyun.com 101346 (errors) and 419277 (QuerySendDetails: SendStatus 1 waits for the carrier,
2 failed, 3 received). It does not drop what comes twice; OutId carries our key and comes back with the receipt."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from string import Template
from typing import Any
from urllib.parse import quote, urlsplit

from alibabacloud_dysmsapi20170525.models import (
    QuerySendDetailsRequest,
    QuerySendDetailsResponseBody,
    QuerySmsTemplateRequest,
    QuerySmsTemplateResponseBody,
    SendSmsRequest,
    SendSmsResponseBody,
)

from core.clock import BEIJING, beijing, utc_now
from core.http import OutsideSilent
from notifications.channels import ChannelSilent, NotReachable, Receipt, Words
from notifications.channels.sms import Provider

ALGORITHM, VERSION = "ACS3-HMAC-SHA256", "2017-05-25"
NEVER = frozenset({"isv.MOBILE_NUMBER_ILLEGAL"})  # this phone
LATER = (
    *("isv.BUSINESS_LIMIT_CONTROL", "isp.SYSTEM_ERROR", "isp.UNKNOWN", "isp.GATEWAY_ERROR"),
    *("Throttling", "ServiceUnavailable", "Internal"),  # of every one of their services
)
OURS = ("isv.", "isp.", "Invalid", "Signature", "Forbidden", "Missing", "NoPermission", "UnsupportedOperation")
WAITS, FAILED, RECEIVED = 1, 2, 3
A_PAGE = 50


class Aliyun(Provider):
    """One account there."""

    knows_after = timedelta(minutes=1)

    def deliver(self, to: str, words: Words) -> str:
        """The BizId. ChannelSilent, NotReachable, RefusesUs."""
        template, values = self._prepared(words)
        asked = SendSmsRequest(
            phone_numbers=to,
            sign_name=self.account.sign,
            template_code=template,
            template_param=json.dumps(values, ensure_ascii=False) if values else None,
            out_id=words.key,
        )
        said = SendSmsResponseBody().from_map(self._ask("SendSms", asked.to_map()))
        if not said.biz_id:
            raise ChannelSilent("an answer nobody understands")
        return str(said.biz_id)

    def receipts(self, to: str, *, since: datetime, reference: str = "") -> Sequence[Receipt]:
        """Day by day, as the question has it: the day it was sent and, over midnight, the next. ChannelSilent,
        RefusesUs."""
        first, last = beijing(since).date(), beijing(utc_now()).date()
        found: list[Receipt] = []
        for day in {first, min(first + timedelta(days=1), last)}:
            asked = QuerySendDetailsRequest(
                phone_number=to, send_date=f"{day:%Y%m%d}", page_size=A_PAGE, current_page=1, biz_id=reference or None
            )
            said = QuerySendDetailsResponseBody().from_map(self._ask("QuerySendDetails", asked.to_map()))
            lines = said.sms_send_detail_dtos.sms_send_detail_dto if said.sms_send_detail_dtos else []
            found += [_receipt(line, reference) for line in lines]
        return found

    def approved(self, kind: str) -> tuple[str, ...]:
        """The names of the places, by QuerySmsTemplate. ChannelSilent, RefusesUs."""
        asked = QuerySmsTemplateRequest(template_code=self.account.templates[kind])
        said = QuerySmsTemplateResponseBody().from_map(self._ask("QuerySmsTemplate", asked.to_map()))
        if said.template_status != 1:
            raise self._refuses_us("isv.SMS_TEMPLATE_ILLEGAL", kind=kind)
        return tuple(dict.fromkeys(Template(said.template_content or "").get_identifiers()))

    def _ask(self, action: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """One signed question; the answer's words if it says OK."""
        query = canonical({name: str(value) for name, value in wanted.items()})
        headers = signed(
            action, query, urlsplit(self.account.url).netloc, key_id=self.account.key_id, key=self.account.key
        )
        try:
            answer = self._door.send("POST", f"{self.account.url}/?{query}", headers=headers, body=b"")
            said = json.loads(answer.body)
        except OutsideSilent as silent:
            raise ChannelSilent(str(silent)) from None
        except ValueError:
            raise ChannelSilent("an answer nobody understands") from None
        code = str(said.get("Code", "")) if isinstance(said, dict) else ""
        if code == "OK" and isinstance(said, dict):
            return said
        raise self._no(code)

    def _no(self, code: str) -> Exception:
        if code in NEVER:
            return NotReachable(code)
        if code.startswith(LATER) or not code.startswith(OURS):
            return ChannelSilent(code if code.isascii() else "an answer nobody understands")
        return self._refuses_us(code)


def canonical(wanted: Mapping[str, str]) -> str:
    """The query in its one order and spelling."""
    return "&".join(f"{quote(name, safe='')}={quote(wanted[name], safe='')}" for name in sorted(wanted))


def signed(
    action: str,
    query: str,
    host: str,
    *,
    key_id: str,
    key: str,
    version: str = VERSION,
    date: str = "",
    nonce: str = "",
) -> dict[str, str]:
    """The headers of a question without a body."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": date or f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce or secrets.token_hex(16),
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    whole = f"POST\n/\n{query}\n{lines}\n{names}\n{headers['x-acs-content-sha256']}"
    text = f"{ALGORITHM}\n{hashlib.sha256(whole.encode()).hexdigest()}"
    signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return headers | {"Authorization": f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"}


def _receipt(line: Any, reference: str) -> Receipt:
    delivered = {RECEIVED: True, FAILED: False}.get(int(line.send_status or 0))
    at = None
    if line.receive_date:
        at = datetime.strptime(line.receive_date, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    return Receipt(reference, line.out_id or "", delivered, at, str(line.err_code or ""))
