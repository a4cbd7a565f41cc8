"""What Alipay's codes mean in our words, and whether a verified answer is about what was asked.

Manual: 公共错误码, and the tables of sub-codes of each interface.
"""

import re
from collections.abc import Mapping
from enum import Enum

from payments.errors import AlreadyPaidThere, GatewayRefused, GatewayShort, GatewaySilent, GatewayTakesNobody
from payments.gateways.alipay.reading import SUCCESS, code_of
from payments.gateways.base import RefundWord

BUSINESS = "40004"


class Meaning(Enum):
    """What an error means for what was asked."""

    REFUSED = "definitely not taken; repeating is pointless"
    NOBODY = "definitely not taken, whoever pays: our contract, account or application"
    PAID = "paid already: ask"
    ABSENT = "no such trade there now"
    ASK = "not in the state for it: what it is, a query tells"
    SHORT = "our balance is too low"
    UNKNOWN = "nobody knows: ask"


# Sub-codes without their prefix (ACQ., misspelt AQC., isv., isp.) in capitals. Whatever is not listed is unknown, and
# on purpose so are CONTEXT_INCONSISTENT and DISCORDANT_REPEAT_REQUEST: something lives under that number.
ERRORS: Mapping[str, Meaning] = {
    "TRADE_HAS_SUCCESS": Meaning.PAID,
    "TRADE_NOT_EXIST": Meaning.ABSENT,
    "TRADE_STATUS_ERROR": Meaning.ASK,
    "REASON_TRADE_STATUS_INVALID": Meaning.ASK,
    "REASON_ILLEGAL_STATUS": Meaning.ASK,
    "SELLER_BALANCE_NOT_ENOUGH": Meaning.SHORT,
    **dict.fromkeys(
        (
            *("TRADE_HAS_CLOSE", "TRADE_HAS_FINISHED", "INVALID_PARAMETER", "NOW_TIME_AFTER_EXPIRE_TIME_ERROR"),
            *("EXIST_FORBIDDEN_WORD", "TOTAL_FEE_EXCEED", "BUYER_SELLER_EQUAL", "BUYER_ENABLE_STATUS_FORBID"),
            *("BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR"),
            *("AGREEMENT_NOT_EXIST", "AGREEMENT_INVALID", "AGREEMENT_STATUS_NOT_NORMAL"),
        ),
        Meaning.REFUSED,
    ),
    **dict.fromkeys(  # of refunds: no way leads back but a person's
        (
            *("REFUND_AMT_NOT_EQUAL_TOTAL", "REASON_TRADE_BEEN_FREEZEN", "REASON_TRADE_REFUND_FEE_ERR"),
            *("TRADE_NOT_ALLOW_REFUND", "REFUND_FEE_ERROR", "BUYER_ERROR", "BUYER_NOT_EXIST", "USER_NOT_MATCH_ERR"),
            *("NOT_ALLOW_PARTIAL_REFUND", "ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND", "REFUND_ACCOUNT_NOT_EXIST"),
            *("CUSTOMER_VALIDATE_ERROR", "CURRENCY_NOT_SUPPORT", "ALLOC_AMOUNT_VALIDATE_ERROR"),
            *("REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST", "REFUNDALLOC_UNAUTH_LIMIT"),
            *("OVERDRAFT_AGREEMENT_NOT_MATCH", "OVERDRAFT_ASSIGN_ACCOUNT_INVALID"),
        ),
        Meaning.REFUSED,
    ),
    **dict.fromkeys(  # three months without a trade, limits of what we may collect, contracts, the payer's address
        (
            *("MERCHANT_STATUS_NOT_NORMAL", "SELLER_BEEN_BLOCKED", "SELLER_NOT_EXIST", "INVALID_RECEIVE_ACCOUNT"),
            *("BEYOND_PAY_RESTRICTION", "BEYOND_PER_RECEIPT_RESTRICTION", "BEYOND_PER_RECEIPT_DAY_RESTRICTION"),
            *("BEYOND_PER_RECEIPT_SINGLE_RESTRICTION", "MERCHANT_PERM_RECEIPT_DAY_LIMIT"),
            *("MERCHANT_PERM_RECEIPT_SINGLE_LIMIT", "MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT"),
            *("MERCHANT_AGREEMENT_NOT_EXIST", "MERCHANT_AGREEMENT_INVALID", "PARTNER_ERROR", "ACCESS_FORBIDDEN"),
            "RISK_MERCHANT_IP_NOT_EXIST",
        ),
        Meaning.NOBODY,
    ),
}
NEVER_TAKEN = {  # missing or invalid parameter; a token, no permission
    **dict.fromkeys(("40001", "40002"), Meaning.REFUSED),
    **dict.fromkeys(("20001", "40006"), Meaning.NOBODY),
}
FINAL = frozenset({Meaning.REFUSED, Meaning.NOBODY})
FUND_CHANGE = {"Y": RefundWord.DONE, "N": RefundWord.PROCESSING, None: RefundWord.PROCESSING}
REFUND_STATUS = {"REFUND_SUCCESS": RefundWord.DONE, None: RefundWord.ABSENT}

_PREFIX = re.compile(r"(?:acq|aqc|isv|isp|aop)\.", re.IGNORECASE)


def succeeded(stated: Mapping[str, object]) -> bool:
    """Whether the call was accepted: exactly 10000, never "there is no sub_code"."""
    return stated.get("code") == SUCCESS


def sub_code(stated: Mapping[str, object]) -> str:
    """The sub-code without its prefix, in capitals; may be empty."""
    return _PREFIX.sub("", code_of(stated, "sub_code"), count=1).upper().replace("-", "_")


def meaning(stated: Mapping[str, object]) -> Meaning:
    """What an answer that is no success means; UNKNOWN for whatever is not in the table."""
    code = code_of(stated, "code")
    if code in NEVER_TAKEN:
        return NEVER_TAKEN[code]
    return ERRORS.get(sub_code(stated), Meaning.UNKNOWN) if code == BUSINESS else Meaning.UNKNOWN


def failure(stated: Mapping[str, object]) -> GatewaySilent | GatewayRefused | GatewayShort | AlreadyPaidThere:
    """What to raise for an answer that is no success."""
    words = f"{code_of(stated, 'code')} {code_of(stated, 'sub_code')}".strip()
    kinds = {Meaning.PAID: AlreadyPaidThere, Meaning.SHORT: GatewayShort, Meaning.NOBODY: GatewayTakesNobody}
    kinds |= dict.fromkeys((Meaning.REFUSED, Meaning.ABSENT), GatewayRefused)
    return kinds.get(meaning(stated), GatewaySilent)(words)


def check_numbers(stated: Mapping[str, object], *, told: bool | None = None, **asked: str) -> None:
    """GatewaySilent unless every number in a verified answer is the one asked for: nothing else binds it to us.

    `told`: whether they must be in it (by default, in every success)."""
    needed = succeeded(stated) if told is None else told
    for name, value in asked.items():
        if (name in stated or needed) and stated.get(name) != value:
            raise GatewaySilent(f"an answer about another {name}")


def text_of(stated: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    """The text under `name` of a verified answer, in its documented form; GatewaySilent."""
    value = stated.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise GatewaySilent(f"a signed answer without {name}")
    return value


def refund_word(stated: Mapping[str, object], name: str, words: Mapping[str | None, RefundWord]) -> RefundWord:
    """The word under `name` in ours; absent and empty are the same, an unlisted one is UNKNOWN."""
    value = stated.get(name)
    return words.get(value or None, RefundWord.UNKNOWN) if isinstance(value, str | None) else RefundWord.UNKNOWN
