"""What a levy year needs before it is opened, line by line: its file, its place in the row of years, the accounts of
everybody who pays, agents, the register that would be carried over, the messages."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.flows.parts import Parts
from app.policy.facts import Insurance
from app.policy.payers import payers
from app.policy.strict import BadPolicyYear
from app.policy.terms import PolicyYear
from app.policy.year import NoSuchYear, Written, written_year
from notifications.approved import KINDS, template
from payments.ledger.chart import INSURANCES, of_year, receivables
from payments.states import LIVE

_A_YEAR = re.compile(r"(?<![0-9])20[0-9]{2}(?![0-9])")


@dataclass(frozen=True)
class Line:
    """One thing that was looked at. `ok` False: the year cannot be opened; None: good to know before it is."""

    ok: bool | None
    words: str


def check_year(parts: Parts, year: int) -> list[Line]:
    """Everything that was looked at, in the order in which it is put right; asked with the register as it is now."""
    parts.levy.look()
    with parts.reading() as connection:
        return [
            *_file(parts, connection, year),
            *_places(connection),
            *_register(parts, connection, year),
            *_messages(),
        ]


def strangers(rules: PolicyYear, departments: Mapping[str, str]) -> list[str]:
    """Who pays by these rules and is no department of the district (code → name): their codes, with the insurance.
    Nobody could owe what they pay. Pure."""
    known = {line.code for line in receivables(departments, rules.funds)}
    return sorted(words for account, words in _owing(rules).items() if account not in known)


def missing(parts: Parts, year: int) -> list[Line]:
    """Only what keeps the year shut."""
    return [line for line in check_year(parts, year) if line.ok is False]


def _file(parts: Parts, connection: Connection, year: int) -> Iterator[Line]:
    try:
        written: Written | None = written_year(year, parts.year_files)
    except NoSuchYear:
        written = None
        yield Line(False, f"没有{year}年的标准文件（{year}.toml）")
    except BadPolicyYear:
        written = None
        yield Line(False, f"{year}年的标准文件有错，用 policy check 看错在哪里")
    if written is not None:
        yield Line(True, f"{year}年的标准文件读得通，{len(written.examples)}个案例全部相符")
        yield from _rules(parts, connection, written.rules)
    yield _turn(parts, year)


def _rules(parts: Parts, connection: Connection, rules: PolicyYear) -> Iterator[Line]:
    ours, theirs = parts.rules.source, rules.source
    here = (theirs.city, theirs.district) == (ours.city, ours.district)
    yield Line(
        here,
        f"是{theirs.city}{theirs.district}的标准" if here else f"这是{theirs.city}{theirs.district}的标准，不是本区的",
    )
    yield _payers(parts, connection, rules)
    if rules.has_medical and rules.has_medical.gap:
        yield _record(connection)


def _payers(parts: Parts, connection: Connection, rules: PolicyYear) -> Line:
    """Whoever pays must have an account, and each fund, or a payment would fail when it is booked. They come with the
    opening of the year; what the file got later waits for `db upgrade`."""
    if strange := strangers(rules, parts.departments):
        return Line(False, f"本区的付款单位里没有：{'、'.join(strange)}")
    without = without_account(connection, rules, parts.departments) if rules.year in parts.levy.ever.all else []
    if without:
        return Line(False, f"科目表里还没有这些账户，请运行 db upgrade：{'、'.join(without)}")
    return Line(True, "替居民付钱的单位本区都有，科目表里有账户")


def without_account(connection: Connection, rules: PolicyYear, departments: Mapping[str, str]) -> list[str]:
    """What a year that was opened needs and the book's chart has not, by name."""
    has = set(connection.execute(text("select code from account")).scalars())
    owed = [line for line in receivables(departments, rules.funds) if line.code in _owing(rules)]
    wanted = [*of_year(rules.year, rules.funds), *owed]
    return [line.name for line in wanted if line.code not in has]


def _owing(rules: PolicyYear) -> dict[str, str]:
    """The account of each who owes what he pays, and how he is called: not of the resident, who pays at once."""
    return {
        f"receivable:{part}:{payer}:{fund}": f"{payer}（{INSURANCES.get(fund) or rules.funds[fund]}）"
        for part, payer, fund in payers(rules)
        if payer != "resident"
    }


def have_funds(parts: Parts, connection: Connection) -> bool:
    """Has the book an account for each other fund that is collected now, and for who pays into it? Without them nobody
    could be charged."""
    return not any(rules.funds and without_account(connection, rules, parts.departments) for rules in parts.levy.open)


def _record(connection: Connection) -> Line:
    """Nobody is told to wait for a gap that nobody has seen."""
    row = connection.execute(_UNSAID).one()
    if row.unsaid:
        return Line(
            None, f"断过保的要多等，可登记着的{row.people}人里有{row.unsaid}人医保局没报过往年参保，都按一直参保算"
        )
    return Line(True, "断过保的要多等，往年参保医保局都报来了")


def _turn(parts: Parts, year: int) -> Line:
    """Years follow on each other; one that ended may begin again."""
    newest = parts.levy.ever.newest
    if year in parts.levy.years.all:
        return Line(None, f"{year}年正在征缴，不用再开")
    if year in parts.levy.ever.all:
        return Line(None, f"{year}年已经停止征缴，开了就接着收")
    if year != newest + 1:
        return Line(False, f"最新的是{newest}年，接下来只能开{newest + 1}年")
    return Line(True, f"接在{newest}年后面")


def _places(connection: Connection) -> Iterator[Line]:
    row = connection.execute(_AGENTS).one()
    if row.without:
        yield Line(
            None, f"{row.villages}个村（居）里有{row.without}个没有代办员：{row.some}{'等' if row.without > 3 else ''}"
        )
    else:
        yield Line(True, f"{row.villages}个村（居）都有代办员")


def _register(parts: Parts, connection: Connection, year: int) -> Iterator[Line]:
    newest = parts.levy.ever.newest
    if year != newest + 1:
        return
    for insurance in filter(parts.rules.offers, Insurance):
        row = connection.execute(_CARRIED, {"insurance": insurance}).one()
        yield Line(
            None,
            f"{INSURANCES[insurance]}现在登记着{row.registered}人，其中{row.helped}人在帮扶名单上，都照{newest}年的搬到{year}年",
        )
    yield Line(None, f"{year}年的帮扶名单和参保文件还要各部门重新报来，报来以前按{newest}年的算")
    unpaid = connection.execute(_STILL, {"live": list(LIVE)}).scalar_one()
    if unpaid:
        yield Line(None, f"还有{unpaid}项没交的应缴单正在付（码已经出了），开征以后照样能付，记在原来的年度")
    else:
        yield Line(True, "没有正在付的应缴单")


def _messages() -> Iterator[Line]:
    odd = [kind for kind in KINDS if _A_YEAR.search(template(kind).template)]
    if odd:
        yield Line(False, f"短信模板里写死了年份：{'、'.join(odd)}")
    else:
        yield Line(True, f"{len(KINDS)}个短信模板都没有写死年份")


_AGENTS = text(
    "with alone as (select v.code, v.name from village v where not exists ("
    "   select from agent_village av join agent a on a.id = av.agent_id where av.village_code = v.code and a.active))"
    " select (select count(*) from village) as villages, (select count(*) from alone) as without,"
    "  (select string_agg(name, '、') from (select name from alone order by code limit 3) first) as some"
)
_CARRIED = text(
    "select (select count(*) from enrolment where insurance = :insurance and status <> 'ENDED') as registered,"
    " (select count(distinct person_id) from category where insurance = :insurance) as helped"
)
_UNSAID = text(
    "select count(*) as people, count(*) filter (where medical_years is null) as unsaid from person where alive"
)
_STILL = text(
    "select count(distinct (b.household_id, b.id)) from payment p"
    " join payment_bill pb on pb.household_id = p.household_id and pb.number = p.number"
    " join bill b on b.household_id = pb.household_id and b.id = pb.bill_id"
    " where p.state = any (:live) and b.state = 'open'"
)
