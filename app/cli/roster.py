"""flask roster draw | list: rosters of villages (征收清册)."""

import click
from flask.cli import AppGroup

from app.cli.parts import office_parts, parts, year_meant
from app.flows.roster import desk
from app.flows.roster.draw import Asked, draw
from app.policy.facts import Insurance
from app.registry.rosters import LEFT_OUT, ODD, WORDS
from core.errors import AppError

roster = AppGroup("roster", help="Rosters of villages (征收清册).")


@roster.command("draw")
@click.option("--year", type=int, help="The levy year; needed where two are collected.")
@click.option("--insurance", type=click.Choice(list(Insurance)), help="One of them; all if not said.")
@click.option("--place", default="", help="Code of a town or a village; the whole district if not said.")
@click.option("--medical", is_flag=True, help="The medical bureau signs too, if these are the first of the year.")
@click.option("--by", required=True, callback=lambda _c, _p, who: f"staff:{who.strip()}", help="Who does this.")
def draw_command(year: int | None, insurance: Insurance | None, place: str, medical: bool, by: str) -> None:
    """Draw up rosters from the register as it stands; one that would say the same again is not drawn."""
    of, held = year_meant(year), office_parts()
    rules = held.levy.rules(of)
    chosen = (insurance,) if insurance else tuple(each for each in Insurance if rules.offers(each))
    try:
        told = draw(held, Asked(of, tuple(map(str, chosen)), place, medical), by=by)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(f"出了新版 {told['drawn']} 份，和上一版一样 {told['same']} 份，正在审或已移交没有动 {told['busy']} 份")
    for code, row in told["counts"].items():
        left = "，".join(f"{words}{row[name.lower()]}人" for name, words in LEFT_OUT.items())
        click.echo(f"{code}\t登记里{row['registered']}人，列入清册{row['listed']}人；没有列的：{left}")
    for row in told["batches"]:
        click.echo(f"参保登记文件 {row['kind']}\t{row['files']}份，新增过{row['added']}行，最近一份 {row['last']}")
    for kind, number in told["odd"].items():
        click.echo(f"请看：{ODD[kind]}\t{number}人")


@roster.command("list")
@click.option("--year", type=int, help="The levy year; needed where two are collected.")
def list_command(year: int | None) -> None:
    """How many rosters of a year stand where."""
    for state, number in desk.stands(parts(), desk.Wanted(year_meant(year))).items():
        click.echo(f"{WORDS[state]}\t{number}份")
