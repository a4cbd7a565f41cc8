"""flask sponsor enter | agree | list | show | shares | end | back: sponsors' pledges (资助)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from app.cli.parts import office_parts, year_meant
from app.flows.due.look_up import identify
from app.flows.sponsor import desk
from app.flows.sponsor.enter import Hand, agree, end, enter
from app.flows.sponsor.give_back import give_back
from app.flows.sponsor.promise import MODES, Typed, promised
from app.registry.sponsors import KINDS
from core.clock import beijing
from core.errors import AppError
from core.money import plain_yuan

sponsor = AppGroup("sponsor", help="Sponsors, their pledges and the money of each (资助).")
_by = click.option("--by", required=True, callback=lambda _c, _p, who: f"staff:{who.strip()}", help="Who does this.")
_page = click.option("--page", type=click.IntRange(min=1), default=1, show_default=True)


@sponsor.command("enter")
@click.option("--sponsor", "known", default="", help="The id of one who gave before; or the next five.")
@click.option("--kind", default="", type=click.Choice(["", *KINDS]))
@click.option("--name", default="", help="Whole name; kept sealed.")
@click.option("--shown", default="", help="What residents read; a person is anonymous if not said.")
@click.option("--contact", default="", help="Whom to speak to there.")
@click.option("--phone", default="", help="His telephone.")
@click.option("--insurance", default="RES_MEDICAL", show_default=True)
@click.option("--year", type=int, help="The levy year; needed where two are collected.")
@click.option("--mode", required=True, type=click.Choice(list(MODES)))
@click.option("--value", default="", help="Percent of what is left, or yuan.")
@click.option("--budget", required=True, help="Yuan.")
@click.option("--from", "from_day", default="", help="The first day, 2021-11-05; today if not said.")
@click.option("--until", "until_day", default="", help="The last day; the window's if not said.")
@click.option("--covers-late", is_flag=True, help="It pays the late price too.")
@click.option("--village", default="", help="Code of the village whose people it is for.")
@click.option("--category", default="", help="Code of the category whose people it is for.")
@click.option("--from-age", default="")
@click.option("--to-age", default="")
@click.option(
    "--named", type=click.File(encoding="utf-8"), help="A file of who it is for: name and number, a line each."
)
@_by
def enter_command(known: str, year: int | None, named: Any, by: str, **words: str) -> None:
    """Write a pledge down. It counts when another person has agreed and its money has come."""
    of, parts = year_meant(year), office_parts()

    def done() -> str:
        said = {name: "1" if value is True else str(value or "") for name, value in words.items()}
        said |= {"sponsor": known, "village_code": words["village"], "whom": "named" if named else ""}
        lines = [line.split() for line in named] if named else []
        people = [identify(parts, name=line[0], id_number=line[1]) for line in lines if len(line) == 2]
        promise = promised(Typed(said, people), parts.levy.rules(of), today=parts.clocks.today())
        number = enter(parts, promise, hand=Hand(by=by))
        return f"资助{number}：{desk.pledge(parts, number).row.number}。还要另一个人同意：sponsor agree {number}"

    _say(done)


@sponsor.command("agree")
@click.argument("pledge", type=int)
@_by
def agree_command(pledge: int, by: str) -> None:
    """Another person agrees to PLEDGE; its number is what the payer writes on the transfer."""

    def done() -> str:
        parts = office_parts()
        agree(parts, pledge, hand=Hand(by=by))
        return f"已同意。转账时在附言里写：{desk.pledge(parts, pledge).row.number}"

    _say(done)


@sponsor.command("list")
@_page
def list_command(page: int) -> None:
    """The pledges, the latest first."""
    rows, count = desk.pledges(office_parts(), page=page)
    for each in rows:
        click.echo(_line(each))
    if count > page * desk.PAGE:
        click.echo(f"还有，看下一页：--page {page + 1}")


@sponsor.command("show")
@click.argument("pledge", type=int)
def show_command(pledge: int) -> None:
    """One PLEDGE with the money that came in for it."""

    def done() -> str:
        parts = office_parts()
        lines = [_line(desk.pledge(parts, pledge))]
        lines += [
            f"到账\t{beijing(row.at):%Y-%m-%d}\t{plain_yuan(row.amount)}元\t已退或在退{plain_yuan(row.back)}元\t{row.cause}"
            for row in desk.money_in(parts, pledge)
        ]
        return "\n".join(lines)

    _say(done)


@sponsor.command("shares")
@click.argument("pledge", type=int)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_by
def shares_command(pledge: int, file: Path, by: str) -> None:
    """Write whose premium PLEDGE paid to FILE (.xlsx), names masked."""

    def done() -> str:
        parts = office_parts()
        mark = f"{by} {beijing(parts.clocks.now()):%Y-%m-%d %H:%M}"
        file.write_bytes(desk.shares_file(parts, desk.pledge(parts, pledge).row.id, mark=mark))
        return f"已写入 {file}"

    _say(done)


@sponsor.command("end")
@click.argument("pledge", type=int)
@click.option("--why", required=True)
@_by
def end_command(pledge: int, why: str, by: str) -> None:
    """Nothing more of PLEDGE is given; one that nobody agreed to is dropped."""
    _say(lambda: end(office_parts(), pledge, why=why, hand=Hand(by=by)) or "已结束。剩的钱用 sponsor back 申请退回。")


@sponsor.command("back")
@click.argument("pledge", type=int)
@_by
def back_command(pledge: int, by: str) -> None:
    """Ask for what is left of PLEDGE to go back the way it came; it is a refund with its four hands."""

    def done() -> str:
        asked = give_back(office_parts(), pledge, hand=Hand(by=by))
        return "\n".join(f"退款 {each.number}：{plain_yuan(each.amount)}元，待受理" for each in asked)

    _say(done)


def _line(each: desk.Stand) -> str:
    row = each.row
    return (
        f"{row.id}\t{row.number}\t{row.levy_year}\t{row.shown}\t{each.words}\t预算{plain_yuan(row.budget)}\t"
        f"到账{plain_yuan(row.taken)}\t正在付{plain_yuan(each.reserved)}\t已资助{plain_yuan(each.used)}\t"
        f"剩{plain_yuan(each.left)}"
    )


def _say(done: Callable[[], str]) -> None:
    try:
        click.echo(done())
    except AppError as error:
        said = "；".join(error.fields.values()) or error.sentence()
        raise click.ClickException(said) from error
