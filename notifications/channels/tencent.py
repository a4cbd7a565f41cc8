"""Text messages through Tencent Cloud (sms 2021-01-11), by its own SDK: it writes, signs (TC3-HMAC-SHA256) and reads.

Held back in one place: what it wrote goes out by `core.http.Door`, with our budget, breaker and list of hosts. Its log
would hold phones and is silent; its exceptions hold what was said and never leave this file.

Words are those of errorcodes.py in tencentcloud-sdk-python-sms 3.1.153 and of cloud.tencent.com 382/59177; receipts
are asked for by phone (PullSmsSendStatusByPhoneNumber, 382/40518): the other question, PullSmsSendStatus, hands each
receipt out once, and whoever dies with it in hand has lost it. It does not drop what comes twice. SessionContext
carries our key; it comes back with a receipt only where Tencent has switched that on for the account, so a receipt is
known by its SerialNo first. Only what a carrier answered for is told: silence may last minutes."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

from core.clock import utc_now
from core.http import Door
from notifications.approved import numbers_in
from notifications.channels import Account, ChannelSilent, NotReachable, Receipt, Words
from notifications.channels.sms import Alert, Provider, unheard

logging.getLogger("tencentcloud_sdk_common").setLevel(logging.CRITICAL)
Said = TypeVar("Said")
GOOD = "Ok"
NEVER = frozenset(
    {
        "InvalidParameterValue.IncorrectPhoneNumber",
        "FailedOperation.PhoneNumberInBlacklist",
        "FailedOperation.PhoneNumberParseFail",
    }
)
OURS_OF_LIMITS = ("LimitExceeded.App", "LimitExceeded.DailyLimit")  # what the account may send in a day
LATER = ("LimitExceeded", "RequestLimitExceeded", "InternalError", "ResourceUnavailable")
OURS = (
    *("FailedOperation", "InvalidParameter", "MissingParameter", "UnauthorizedOperation", "UnsupportedOperation"),
    *("AuthFailure", "InvalidAction", "InvalidRequest", "NoSuchVersion", "UnknownParameter", "IpNotInWhitelist"),
)
NOT_READ = frozenset({"FailedOperation.ProhibitSubAccountUse", "FailedOperation.NotEnterpriseCertification"})
A_PAGE = 100


@dataclass(frozen=True)
class _Heard:
    """An answer as the SDK reads it."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]


class _Through:
    """The SDK's way out."""

    def __init__(self, door: Door, url: str) -> None:
        self._door, self._url = door, url

    def send_request(self, wanted: Any) -> _Heard:
        """OutsideSilent."""
        answer = self._door.send(
            wanted.method, f"{self._url}{wanted.uri}", headers=wanted.header, body=wanted.data.encode()
        )
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        return _Heard(answer.status, answer.body, {"Content-Type": kind})


class Tencent(Provider):
    """One account there."""

    knows_after = timedelta(minutes=5)

    def __init__(self, door: Door, account: Account, *, name: str = "sms", alert: Alert = unheard) -> None:
        super().__init__(door, account, name=name, alert=alert)
        host = urlsplit(account.url)
        profile = ClientProfile(httpProfile=HttpProfile(protocol=host.scheme, endpoint=host.netloc))
        self._client = SmsClient(Credential(account.key_id, account.key), account.region, profile)
        self._client.request = _Through(door, account.url)

    def deliver(self, to: str, words: Words) -> str:
        """The SerialNo. ChannelSilent, NotReachable, RefusesUs."""
        template, values = self._prepared(words)
        asked = models.SendSmsRequest()
        asked.PhoneNumberSet = [f"+86{to}"]
        asked.SmsSdkAppId, asked.SignName, asked.TemplateId = self.account.app_id, self.account.sign, template
        asked.TemplateParamSet, asked.SessionContext = list(values.values()), words.key
        said = self._ask(self._client.SendSms, asked)
        if len(said.SendStatusSet or ()) != 1:
            raise ChannelSilent("an answer nobody understands")
        status = said.SendStatusSet[0]
        if status.Code != GOOD or not status.SerialNo:
            raise self._no(str(status.Code))
        return str(status.SerialNo)

    def receipts(self, to: str, *, since: datetime, reference: str = "") -> Sequence[Receipt]:
        """What carriers said of this phone since then. ChannelSilent, RefusesUs."""
        asked = models.PullSmsSendStatusByPhoneNumberRequest()
        asked.PhoneNumber, asked.SmsSdkAppId = f"+86{to}", self.account.app_id
        asked.BeginTime, asked.EndTime = int(since.timestamp()), int(utc_now().timestamp())
        asked.Offset, asked.Limit = 0, A_PAGE
        said = self._ask(self._client.PullSmsSendStatusByPhoneNumber, asked)
        return [_receipt(line) for line in said.PullSmsSendStatusSet or ()]

    def approved(self, kind: str) -> tuple[str, ...] | None:
        """The numbers of the places, by DescribeSmsTemplateList, which only the main account of a firm may ask; None
        for another. ChannelSilent, RefusesUs."""
        asked = models.DescribeSmsTemplateListRequest()
        asked.International, asked.TemplateIdSet = 0, [int(self.account.templates[kind])]
        try:
            said = self._client.DescribeSmsTemplateList(asked)
        except TencentCloudSDKException as refused:
            if refused.code in NOT_READ:
                return None
            raise self._no(str(refused.code)) from None
        found = said.DescribeTemplateStatusSet or ()
        if not found or found[0].StatusCode != 0:
            raise self._refuses_us("FailedOperation.TemplateUnapprovedOrNotExist", kind=kind)
        return numbers_in(found[0].TemplateContent or "")

    def _ask(self, call: Callable[[Any], Said], asked: Any) -> Said:
        try:
            return call(asked)
        except TencentCloudSDKException as refused:
            raise self._no(str(refused.code)) from None

    def _no(self, code: str) -> Exception:
        """What it says; the SDK's own trouble, and ours on the way, come as codes that are none of theirs."""
        if code in NEVER:
            return NotReachable(code)
        if code.startswith(OURS_OF_LIMITS) or code.startswith(OURS):
            return self._refuses_us(code)
        return ChannelSilent(code if code.isascii() and code else "an answer nobody understands")


def _receipt(line: models.PullSmsSendStatus) -> Receipt:
    delivered = {"SUCCESS": True, "FAIL": False}.get(line.ReportStatus)
    at = datetime.fromtimestamp(line.UserReceiveTime, UTC) if line.UserReceiveTime else None
    return Receipt(str(line.SerialNo), line.SessionContext or "", delivered, at, "" if delivered else "FAIL")
