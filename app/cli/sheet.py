"""flask sheet show: why this amount, in plain text, for any person, insurance and moment."""

import sys
from collections.abc import Iterator
from datetime import datetime

import click
from flask.cli import AppGroup

from app.cli.parts import parts, year_meant
from app.documents.said_days import dated
from app.flows.due.explain import explain
from app.flows.due.look_up import identify
from app.flows.due.quote import YEARS_OWN, subjects
from app.flows.register.open_year import YearNeverOpened
from app.policy.facts import Insurance
from app.policy.sheet import Reader, Sheet
from app.registry.find import Subject
from core.clock import BEIJING, business_day
from core.errors import AppError
from core.money import Fen, fen, plain_yuan
from core.redact import mask_name

sheet = AppGroup("sheet", help="The why-this-amount sheet.")


@sheet.command("show")
@click.option("--name", prompt="姓名", help="The name as on the identity card.")
@click.option(
    "--insurance",
    type=click.Choice([each.value for each in Insurance]),
    help="One of the two; those of the year by default.",
)
@click.option("--year", type=int, help="Of which levy year; needed where two are collected.")
@click.option("--tier", help="The pension tier or amount, in yuan.")
@click.option("--level", type=int, help="The level of the medical insurance, where the year has any.")
@click.option("--staff", is_flag=True, help="With lists, ages and paying departments in full.")
@click.option("--at", "at", help="A Beijing moment, e.g. 2022-01-15T09:00; now by default.")
def show(  # noqa: PLR0917 one for each option
    name: str, insurance: str | None, year: int | None, tier: str | None, level: int | None, staff: bool, at: str | None
) -> None:
    """Print the sheet; the identity number is asked for, or read from standard input."""
    of = year_meant(year)  # before anything is asked
    chosen, moment = _tier(tier), moment_of(at) if at else parts().clocks.now()
    try:
        person = _in_year(subjects(parts(), [_person(name, moment)])[0], of)
    except AppError as error:
        raise click.ClickException(next(iter(error.fields.values()), error.sentence())) from error
    reader = Reader.STAFF if staff else Reader.RESIDENT
    for each in [Insurance(insurance)] if insurance else filter(parts().levy.rules(of).offers, YEARS_OWN):
        found = explain(parts(), person, each, at=moment, reader=reader, tier=chosen, level=level)
        click.echo("\n".join(_told(found, person, moment)))
    if at:
        click.echo("（按现在登记的情况和名单推算到这个时间。）")


def _in_year(person: Subject, year: int) -> Subject:
    """YearNeverOpened."""
    if year not in person.years:
        raise YearNeverOpened(str(year))
    return person.in_year(year)


def _person(name: str, moment: datetime) -> int:
    return identify(parts(), name=name, id_number=id_number_asked(), today=business_day(moment))


def id_number_asked() -> str:
    """From standard input, never from the arguments: those can be read in the list of processes."""
    if sys.stdin.isatty():
        return str(click.prompt("身份证号 identity number", hide_input=True))
    return sys.stdin.readline().strip()


def moment_of(text: str) -> datetime:
    """A Beijing moment unless it names another zone. BadParameter."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("a moment like 2022-01-15T09:00", param_hint="--at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def _tier(text: str | None) -> Fen | None:
    try:
        return fen(text) if text else None
    except ValueError:
        raise click.BadParameter("an amount in yuan, like 500", param_hint="--tier") from None


def _told(sheet: Sheet, person: Subject, moment: datetime) -> Iterator[str]:
    name = person.name if sheet.reader is Reader.STAFF else mask_name(person.name)
    yield ""
    yield f"══ {sheet.title} ══"
    yield f"{name}　{person.town}{person.village}　{dated(moment)}查"
    yield sheet.answer
    for line in sheet.lines:
        yield f"  ● {line.text}"
        yield f"      谁出：{line.payer_words}，{line.fund_words}"
        yield f"      凭什么：{line.evidence}"
        yield f"      依据：{line.clause_words}"
    if sheet.lines and sheet.total is not None and sheet.insurance is Insurance.RES_MEDICAL:
        yield f"  合计 {plain_yuan(sheet.total)} 元"
    for words in sheet.behind:
        yield f"  依据：{words}"
    for sentence in (sheet.waiting, sheet.benefits, sheet.valid, sheet.change):
        if sentence:
            yield sentence
    if sheet.codes:
        yield f"代码：{sheet.codes}"
    yield f"来源：{sheet.source}"
