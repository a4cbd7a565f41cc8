"""The accounts, with one line of meaning each. Debit is positive. docs/ledger.md has every event with its entry.

clearing:<channel>       asset      money a channel took for us and has not yet handed over
cash:agents              asset      nothing any more: each agent's cash has an account of its own
cash:agent:<id>          asset      cash in a village agent's hands, opened with his first receipt
bank:pending             asset      the bank account for premiums on their way to the treasury (待报解社会保险费)
treasury:<insurance>:<year>  asset  premiums and subsidies that the treasury has booked
receivable:<part>:<payer>:<insurance>  asset  what somebody else than the resident owes: one account each for the
                                    subsidies, the bonus, each department's substitute payments, the sponsors
receivable:resident      asset      money that went back to a payer although it was not owed to him; he owes it
fees:<channel>           expense    what a channel keeps of the money
fund:<insurance>:<year>  liability  premiums that belong to a fund, by levy year
                                    (in place of <insurance> the code of another fund that is collected with it)
suspense:<channel>       liability  money that fits nothing we wrote down; somebody owns the question
surplus:<channel>        liability  money beyond what was due, to be given back
refunds:<channel>        liability  money that two people agreed to give back and the channel (or the bank) has not yet
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

INSURANCES = {"RES_PENSION": "居民养老保险", "RES_MEDICAL": "居民医疗保险"}
GATEWAYS = {"wechat": "微信支付", "alipay": "支付宝", "unionpay": "云闪付"}
CHANNELS = GATEWAYS | {"ccb_pos": "建行POS"}


@dataclass(frozen=True)
class Line:
    """One account of the chart."""

    code: str
    kind: str
    name: str


Funds = Callable[[int], Mapping[str, str]]  # a levy year → the other funds collected with its premiums, code → name


def no_funds(_year: int) -> Mapping[str, str]:
    """The insurances' own alone."""
    return {}


def accounts(years: Iterable[int], departments: Mapping[str, str], funds: Funds = no_funds) -> Iterator[Line]:
    """Every account there is, for the levy years given, their other funds, and the district's departments that pay:
    code → name."""
    for code, name in CHANNELS.items():
        yield Line(f"clearing:{code}", "asset", f"{name}待清算款")
        yield Line(f"fees:{code}", "expense", f"{name}手续费")
        yield Line(f"suspense:{code}", "liability", f"{name}待查款")
        yield Line(f"surplus:{code}", "liability", f"{name}待退款")
        yield Line(f"refunds:{code}", "liability", f"{name}应退款")
    yield Line("cash:agents", "asset", "代办员手中现金")
    yield Line("bank:pending", "asset", "待报解社会保险费")
    yield Line("suspense:bank", "liability", "银行来款待查")
    yield Line("refunds:bank", "liability", "银行来款应退款")
    yield Line("receivable:resident", "asset", "应收居民多退款")
    yield from receivables(departments)
    for year in years:
        yield from of_year(year, INSURANCES | dict(funds(year)))
        yield from _substitutes(departments, funds(year))


def of_year(year: int, funds: Mapping[str, str]) -> Iterator[Line]:
    """What a levy year's funds have, code → name."""
    for code, name in funds.items():
        yield Line(f"fund:{code}:{year}", "liability", f"{year}年度{name}费")
        yield Line(f"treasury:{code}:{year}", "asset", f"{year}年度{name}费已入库")


def receivables(departments: Mapping[str, str], funds: Mapping[str, str] = MappingProxyType({})) -> Iterator[Line]:
    """What others than the resident owe, by what for, by whom, and for which fund; into other `funds` than the
    insurances' only a department pays in his place."""
    for insurance, name in INSURANCES.items():
        yield Line(f"receivable:gov_subsidy:finance:{insurance}", "asset", f"应收{name}财政补助")
        yield Line(f"receivable:couple_bonus:finance:{insurance}", "asset", f"应收{name}计生夫妻补贴")
        yield Line(f"receivable:sponsor:sponsor:{insurance}", "asset", f"应收{name}资助款")
    yield from _substitutes(departments, INSURANCES | dict(funds))


def _substitutes(departments: Mapping[str, str], funds: Mapping[str, str]) -> Iterator[Line]:
    for fund, name in funds.items():
        for code, department in departments.items():
            yield Line(f"receivable:gov_substitute:{code}:{fund}", "asset", f"应收{department}代缴{name}")
