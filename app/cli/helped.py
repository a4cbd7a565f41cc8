"""flask helped check | take | drop | list | rows | back | told | end | back-out | close | layout: departments' lists of
helped people; bill: what they owe for them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from app.cli.helped_bill import bill
from app.cli.parts import office_parts
from app.flows.helped import lists, live
from app.flows.helped.back import INSURANCES, STATES, failures_file
from app.flows.helped.check import Checked, check
from app.flows.helped.layout import Layout, layout_of, learn
from app.flows.helped.live import HOW, WHOM, Hand, Told
from app.flows.helped.take import take
from app.registry.helped_columns import FIELDS
from app.registry.helped_reasons import NOTES, OF_MANY
from core.clock import beijing
from core.errors import AppError

helped = AppGroup("helped", help="Departments' lists of helped people (特殊人群名单).")
_by = click.option("--by", required=True, callback=lambda _c, _p, who: f"staff:{who.strip()}", help="Who does this.")
_department = click.option("--department", required=True, help="Its code in the district's file.")
_page = click.option("--page", type=click.IntRange(min=1), default=1, show_default=True)
_BATCH_STATES = {
    "VALIDATED": "待确认",
    "IMPORTED": "已导入",
    "PARTLY_IMPORTED": "部分导入",
    "CLOSED": "已办结",
    "DROPPED": "已作废",
}


@helped.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_department
@click.option(
    "--insurance",
    "insurances",
    multiple=True,
    type=click.Choice(list(INSURANCES)),
    help="Of rows that name none; may be repeated. Both if not said.",
)
@click.option("--year", type=int, help="The levy year; the newest if not said.")
@_by
def check_command(file: Path, department: str, insurances: tuple[str, ...], year: int | None, by: str) -> None:
    """Judge a department's FILE. Nothing counts yet: `helped take` with the list's number."""
    _say(
        lambda: _tell(
            check(
                office_parts(),
                file,
                department=department,
                insurances=insurances or tuple(INSURANCES),
                year=year,
                by=by,
            )
        )
    )


@helped.command("take")
@click.argument("batch", type=int)
@_by
def take_command(batch: int, by: str) -> None:
    """The good rows of list BATCH count from now on; the others are fed back."""

    def done() -> str:
        taken = take(office_parts(), batch, by=by)
        if taken.before:
            return f"名单{batch}以前办过，没有改动。"
        return f"名单{batch}：办成 {taken.good} 行，没有办成 {taken.failed} 行，申请退费 {taken.refunds} 笔。"

    _say(done)


@helped.command("drop")
@click.argument("batch", type=int)
@_by
def drop_command(batch: int, by: str) -> None:
    """Throw list BATCH away, which was only judged."""
    _say(lambda: live.dropped(office_parts(), batch, hand=Hand(by=by)) or "已作废。")


@helped.command("list")
@click.option("--department", default="", help="Only its own.")
@_page
def list_command(department: str, page: int) -> None:
    """The lists, the latest first."""
    rows, more = lists.batches(office_parts(), department=department, page=page)
    for row in rows:
        click.echo(
            f"{row.id}\t{row.judged_on:%Y-%m-%d}\t{row.department}\t{row.levy_year}\t{_BATCH_STATES[row.state]}\t"
            f"办成 {row.good}\t没有办成 {row.failed}\t没办完 {row.open}\t{row.file_name}"
        )
    if more:
        click.echo(f"还有，看下一页：--page {page + 1}")


@helped.command("rows")
@click.argument("batch", type=int, required=False)
@_page
def rows_command(batch: int | None, page: int) -> None:
    """The failed rows of list BATCH; without one, every row that is open, the oldest first. Names are masked."""
    parts = office_parts()
    rows, more = lists.waiting(parts, page=page) if batch is None else lists.failed(parts, batch, page=page)
    for each in rows:
        row = each.row
        late = f"，已{each.days}天" if each.late else ""
        click.echo(
            f"{row.batch_id}-{row.no}\t{row.place}\t{each.name}\t{each.id_number}\t{INSURANCES[row.insurance]}\t"
            f"{STATES[row.state]}{late}\t{row.code}\t{each.reason}"
        )
    if more:
        click.echo(f"还有，看下一页：--page {page + 1}")


@helped.command("back")
@click.argument("batch", type=int)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_by
def back_command(batch: int, file: Path, by: str) -> None:
    """Write the failed rows of list BATCH to FILE (.xlsx), in the department's own columns."""
    parts = office_parts()

    def done() -> str:
        mark = f"{by} {beijing(parts.clocks.now()):%Y-%m-%d %H:%M}"
        file.write_bytes(failures_file(parts, batch, mark=mark))
        return f"已写入 {file}"

    _say(done)


@helped.command("told")
@click.argument("batch", type=int)
@click.argument("no", type=int)
@click.option("--whom", default="self", show_default=True, type=click.Choice(list(WHOM)))
@click.option("--on", type=click.DateTime(formats=["%Y-%m-%d"]), help="The day; today if not said.")
@click.option("--how", required=True, type=click.Choice(list(HOW)))
@_by
def told_command(  # noqa: PLR0917 one for each option
    batch: int, no: int, whom: str, on: datetime | None, how: str, by: str
) -> None:
    """The person of row NO of list BATCH, or who speaks for him, knows why it failed."""
    said = Told(whom, how, on.date() if on else None)
    _say(lambda: live.told(office_parts(), batch, no, said, hand=Hand(by=by)) or "已记下。")


@helped.command("end")
@click.argument("batch", type=int)
@click.argument("no", type=int)
@click.option("--why", required=True, help="How it ended.")
@click.option("--give-up", is_flag=True, help="It was not settled.")
@_by
def end_command(batch: int, no: int, why: str, give_up: bool, by: str) -> None:
    """Row NO of list BATCH is settled, or given up, once somebody was told."""
    state = "GIVEN_UP" if give_up else "RESOLVED"
    _say(lambda: live.ended(office_parts(), batch, no, state=state, why=why, hand=Hand(by=by)) or "已记下。")


@helped.command("back-out")
@click.argument("batch", type=int)
@click.option("--insurance", required=True, type=click.Choice(list(INSURANCES)))
@click.option("--why", required=True)
@_by
def back_out_command(batch: int, insurance: str, why: str, by: str) -> None:
    """Somebody whom list BATCH named by mistake; his number comes on standard input."""

    def done() -> str:
        number = click.get_text_stream("stdin").readline()
        gone = live.taken_back(office_parts(), batch, number, insurance, why=why, hand=Hand(by=by))
        return "已收回。" if gone else "这份名单的已收回；别的名单里也有他，那一份还算数。"

    _say(done)


@helped.command("close")
@click.argument("batch", type=int)
@_by
def close_command(batch: int, by: str) -> None:
    """Nothing of list BATCH is left to do."""
    _say(lambda: live.closed(office_parts(), batch, hand=Hand(by=by)) or "已办结。")


@helped.command("layout")
@_department
@click.option("--column", "columns", multiple=True, help=f"HEADER=FIELD; fields: {', '.join(FIELDS)}.")
@click.option("--word", "words", multiple=True, help="WORD=CODE; DIS means that its grade stands beside it.")
@_by
def layout_command(department: str, columns: tuple[str, ...], words: tuple[str, ...], by: str) -> None:
    """How DEPARTMENT writes its lists: shown, or added to."""
    parts = office_parts()

    def done() -> str:
        if columns or words:
            learn(parts, department, Layout(_pairs(columns), _pairs(words)), by=by)
        with parts.reading() as connection:
            held = layout_of(connection, department)
        return "\n".join(f"{name} = {value}" for name, value in {**held.columns, **held.words}.items()) or "没有说过。"

    _say(done)


helped.add_command(bill)


def _pairs(said: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in said:
        name, separator, value = each.partition("=")
        if not separator:
            raise click.UsageError(f"{each} has no =")
        found[name.strip()] = value.strip()
    return found


def _say(done: Callable[[], str]) -> None:
    try:
        click.echo(done())
    except AppError as error:
        raise click.ClickException(error.sentence()) from error


def _tell(checked: Checked) -> str:
    said = [f"{OF_MANY[code]}（{code}） {rows} 行" for code, rows in checked.codes.most_common()]
    said += [f"注意：{NOTES[note]}（{note}） {rows} 行" for note, rows in checked.notes.most_common()]
    said += [
        f"不认识的类别“{word}” {rows} 行：helped layout --word {word}=CODE" for word, rows in checked.words.items()
    ]
    for words, named in (
        ("没有用的列", checked.unknown),
        ("没有人的工作表", checked.skipped),
        ("隐藏的工作表没有读", checked.unseen),
        ("不是人的行", checked.ignored),
    ):
        if named:
            said.append(f"{words}：{'、'.join(named)}")
    if checked.hidden:
        said.append(f"有 {checked.hidden} 行是隐藏或筛选掉的，也读了。")
    counts = (
        f"名单{checked.batch}：{checked.rows} 行，可以办 {checked.good} 行，不能办 {checked.rows - checked.good} 行"
    )
    return "\n".join([*said, f"{counts}。还没有生效，确认用 helped take {checked.batch}。"])
