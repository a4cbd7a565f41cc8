"""The accounts, with one line of meaning each. Debit is positive.

clearing:<gateway>     asset      money a gateway took for us and has not yet handed over
receivable:<payer>     asset      what somebody else than the resident owes: finance, a department, sponsors
fund:<insurance>:<year>  liability  premiums that belong to a fund, by levy year
suspense:<gateway>     liability  money that fits nothing we wrote down; somebody owns the question
surplus:<gateway>      liability  money beyond what was due, to be given back
refunds:<gateway>      liability  money that two people agreed to give back and the gateway has not yet
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PAYERS = {
    "finance": "应收财政补助",
    "civil": "应收民政代缴",
    "cdpf": "应收残联代缴",
    "health": "应收卫健代缴",
    "rural": "应收乡村振兴代缴",
    "veterans": "应收退役军人代缴",
    "hsa": "应收医保局代缴",
    "sponsor": "应收资助款",
}
INSURANCES = {"RES_PENSION": "居民养老保险费", "RES_MEDICAL": "居民医疗保险费"}
GATEWAYS = {"wechat": "微信支付", "alipay": "支付宝", "unionpay": "银联"}


@dataclass(frozen=True)
class Line:
    """One account of the chart."""

    code: str
    kind: str
    name: str


def accounts(years: Iterable[int]) -> Iterator[Line]:
    """Every account there is, for the levy years given."""
    for code, name in GATEWAYS.items():
        yield Line(f"clearing:{code}", "asset", f"{name}待清算款")
        yield Line(f"suspense:{code}", "liability", f"{name}待查款")
        yield Line(f"surplus:{code}", "liability", f"{name}待退款")
        yield Line(f"refunds:{code}", "liability", f"{name}应退款")
    for code, name in PAYERS.items():
        yield Line(f"receivable:{code}", "asset", name)
    for year in years:
        for code, name in INSURANCES.items():
            yield Line(f"fund:{code}:{year}", "liability", f"{year}年度{name}")
