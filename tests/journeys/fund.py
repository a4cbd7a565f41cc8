"""A district that collects long-term care insurance with the medical premium of 2022, and eight of its people."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from app.flows.reconcile.import_outside import import_outside
from app.policy.facts import Insurance
from app.policy.year import YEARS, funds_of
from config.district import FOLDER
from config.postgres import Server, create_database, drop_database
from config.settings import Settings
from migrations.upgrade import upgrade
from tests.builders import a_household, a_person, a_village, an_environment, an_id_number
from tests.refunding import CLERK, rows
from tests.system import System, system

DATABASE = "liangxian_fund"
CARE, MEDICAL, PENSION = "LONG_TERM_CARE", Insurance.RES_MEDICAL, Insurance.RES_PENSION
DAY = date(2021, 11, 5)
TREASURY = "税票号,入库日期,业务日期,险种,年度,类别,金额"
BUREAU = "记录号,险种,年度,身份证号,个人缴费,缴费日期,确认日期,动作"
POS = "终端号,流水号,村居,卡号后四位,金额,时间,项目号,身份证号,险种"
FUND = """
[[medical.funds]]
code = "LONG_TERM_CARE"
words = "长期护理保险"
who = { from_age = 18 }
amount = 20_00

[[medical.funds.grounds]]
code = "DIBAO"
payer = "civil"
clause = "R17"
evidence = "低保名单（民政）"
note = ""
leaves = 0

[[medical.funds.grounds]]
code = "DIS3"
payer = "cdpf"
clause = "R17"
evidence = "残疾人名单，三级（残联）"
note = ""
leaves = 5_00

"""
OTHER = '\n[[medical.funds]]\ncode = "ACCIDENT"\nwords = "意外伤害保险"\namount = 10_00\n\n'
WHO: Mapping[str, tuple[str, date, tuple[str, ...]]] = {  # name, born, lists
    "adult": ("张示例", date(1986, 3, 14), ()),
    "old": ("李示老", date(1948, 5, 1), ()),
    "poor": ("王示低", date(1980, 2, 2), ("DIBAO",)),
    "helped": ("赵示残", date(1979, 7, 7), ("DIS3",)),
    "child": ("钱示童", date(2015, 6, 1), ()),
    "later": ("孙示迟", date(1983, 9, 9), ()),
    "card": ("周示卡", date(1977, 1, 8), ()),
    "found": ("吴示寻", date(1974, 4, 4), ()),
}


@dataclass
class Played:
    """The people, and the numbers of what they paid."""

    running: System
    village: str
    people: dict[str, int] = field(default_factory=dict)
    paid: dict[str, str] = field(default_factory=dict)

    def number(self, who: str) -> str:
        return an_id_number(born=WHO[who][1], sequence=2 * list(WHO).index(who) + 1)

    def named(self, who: str) -> tuple[str, str]:
        return WHO[who][0], self.number(who)

    def take(self, kind: str, heading: str, *lines: str, total: str):
        content = "\n".join([heading, *lines, f"合计,{len(lines)},{total}", ""]).encode()
        return import_outside(self.running.parts, kind, content, by=CLERK)

    def funds(self, day: date = DAY) -> dict[tuple[str, int], int]:
        """What residents paid into each fund on a day, by our book."""
        told = rows(self.running, "select insurance, levy_year, amount from premiums_of(:day, :day)", day=day)
        return {(row.insurance, row.levy_year): row.amount for row in told if row.amount}


@contextmanager
def district_with_a_fund(server: Server, folder: Path) -> Iterator[Played]:
    """Yicheng with FUND in 2022's file and OTHER in 2023's, opened before `upgrade` heard of the fund."""
    years = folder / "years"
    years.mkdir()
    for year, funds in ((2022, FUND), (2023, OTHER)):
        rules = (YEARS / f"{year}.toml").read_text(encoding="utf-8")
        (years / f"{year}.toml").write_text(rules.replace("[medical.lines]", f"{funds}[medical.lines]", 1), "utf-8")
    file = folder / "district.toml"
    yicheng = (FOLDER / "yicheng.toml").read_text(encoding="utf-8")
    file.write_text(yicheng.replace('years = "app/policy/years"', f'years = "{years}"'), "utf-8")
    district = Settings.from_environment(an_environment(DISTRICT=str(file))).district
    create_database(server, DATABASE)
    upgrade(server.owner_url(DATABASE), departments=district.departments)
    with system(server, DATABASE, folder / "outside", DISTRICT=str(file)) as running:
        played = Played(running, running.write(a_village))
        played.people = running.write(lambda connection: dict(_people(connection, played)))
        yield played
    drop_database(server, DATABASE)


def upgraded(server: Server, played: Played) -> None:
    """The fund is among the accounts."""
    district = played.running.app.extensions["settings"].district
    upgrade(server.owner_url(DATABASE), departments=district.departments, funds=funds_of(district.years))


def moved(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What came to each account; of those that stood still nothing."""
    steps = {code: after.get(code, 0) - before.get(code, 0) for code in {*before, *after}}
    return {code: amount for code, amount in steps.items() if amount}


def _people(connection, played: Played):
    home, other = a_household(connection), a_household(connection, number="0002")
    for who, (name, _, lists) in WHO.items():
        own = {"household": other if who in ("later", "card", "found") else home, "categories": lists}
        yield who, a_person(connection, name=name, id_number=played.number(who), **own)
