"""flask notice remind | templates: messages that we begin, and what every message says."""

import click
from flask.cli import AppGroup
from sqlalchemy import text

from app.cli.parts import parts
from app.flows.tell.remind import Told, remind
from core.errors import AppError
from notifications.approved import TEMPLATES
from notifications.send import render, version_of

notice = AppGroup("notice", help="Messages to residents.")
SAMPLE = {
    "village": "榴园镇示例村",
    "names": "张*例",
    "items": "2022年居民医保",
    "amount": "320",
    "check_code": "K3W9X0T2",
    "reason": "材料不全",
    "until": "12月31日",
    "help_phone": "0632-12366",
    "code": "123456",
}


@notice.command("remind")
@click.option("--village", "villages", multiple=True, help="A village code; may be repeated.")
@click.option("--town", "towns", multiple=True, help="A town code: all of its villages; may be repeated.")
@click.option("--dry-run", "dry", is_flag=True, help="Count only, write nothing.")
def remind_command(villages: tuple[str, ...], towns: tuple[str, ...], dry: bool) -> None:
    """This week's messages: who has something left to do, and who is to hear that nothing is to be paid.

    One a household and week; quiet hours and the week's budget are kept when they are sent. Running it again writes
    nothing twice."""
    found = text("select code from village where code = any (:villages) or town_code = any (:towns) order by code")
    with parts().reading() as connection:
        codes = connection.execute(found, {"villages": list(villages), "towns": list(towns)}).scalars().all()
    if not codes:
        raise click.UsageError("没有这个村（居）或镇街代码。 No such village or town.")
    try:
        told = remind(parts(), codes, dry=dry, progress=_show)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(_words("合计 total", told) + ("（只是数一数 counted only）" if dry else ""))


@notice.command("templates")
def templates() -> None:
    """Every message as it reads, with the version that each notice keeps of it."""
    for path in sorted(TEMPLATES.glob("*.txt")):
        words = render(path.stem, SAMPLE)
        click.echo(f"{path.stem}  {version_of(path.stem)}  {len(words)}字  {-(-len(words) // 67)}条")
        click.echo(f"  {words}")


def _show(code: str, told: Told) -> None:
    click.echo(_words(code, told))


def _words(code: str, told: Told) -> str:
    return f"{code}: 提醒 {told.remind} 户，告诉不用交 {told.waived} 户，这周已经有的 {told.again} 户"
