"""flask registry import | template | district | sample | places: who is insured, as the bureaus' files say."""

import gc
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from app.cli.parts import office_parts, settings
from app.cli.people import ensure_district
from app.flows.register.district import put_places, renamed
from app.flows.register.import_roster import Imported, import_roster
from app.registry.failures import OF_MANY, REASONS, Failure, FailureFile
from app.registry.places import Places, read_places
from app.registry.sample import write_sample, write_template
from app.registry.synthetic import MOST_VILLAGES, TOWNS, villages
from app.registry.workbook import BadFile
from core.clock import beijing
from core.errors import AppError

registry = AppGroup("registry", help="Who is insured, as the bureaus' files say.")
SHOWN = 20
EVERY = 100_000


@registry.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(["enrolment"]), default="enrolment", show_default=True)
@click.option("--good-rows", is_flag=True, help="Take the good rows although others are refused.")
@click.option("--again", is_flag=True, help="Take a file once more that later files have overtaken.")
@click.option("--failures", type=click.Path(dir_okay=False, path_type=Path), help="Where refused rows go: .csv, .xlsx")
@click.option("--sheet", help="Only this sheet of an Excel file.")
@click.option("--year", type=int, help="A former levy year that is still collected; the newest if not said.")
def import_command(  # noqa: PLR0917 one for each option
    file: Path, kind: str, good_rows: bool, again: bool, failures: Path | None, sheet: str | None, year: int | None
) -> None:
    """Bring a bureau's enrolment FILE in. With any bad row nothing is taken and the exit status is 1, unless
    --good-rows. The same file again brings what was refused; when others have come after it, it changes nothing and the
    exit status is 1, unless --again. With --year nothing changes but what that former year says of people, and what no
    year owns. docs/import.md explains the columns."""
    started = time.monotonic()
    gc.freeze()
    gc.disable()  # rows make no cycles, and looking for some takes a quarter of the time
    codes: Counter[str] = Counter()
    with ExitStack() as stack:
        stack.callback(gc.enable)
        sink = stack.enter_context(FailureFile(failures)) if failures else None

        def report(failure: Failure) -> None:
            codes[failure.code] += 1
            if sink:
                sink.add(failure)
            elif codes.total() <= SHOWN:
                click.echo(_line(failure), err=True)

        try:
            result = import_roster(
                office_parts(),
                file,
                good_rows=good_rows,
                again=again,
                sheet=sheet,
                year=year,
                report=report,
                progress=_progress(),
            )
        except AppError as error:
            raise click.ClickException(error.sentence()) from error
    _tell(result, codes, time.monotonic() - started)
    if not result.taken and (result.stale or result.refused or not result.before):
        raise SystemExit(1)


@registry.command("template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def template_command(file: Path) -> None:
    """Write an empty enrolment FILE to fill in, .xlsx (its cells are text) or .csv. What stands there is not
    overwritten."""
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise click.ClickException("文件名要以 .xlsx 或 .csv 结尾。")
    if file.exists():
        raise click.ClickException(f"{file} 已经有了，请换一个名字。")
    write_template(file)
    click.echo(f"{file}：空表，表头在第1行，从第2行填起。怎么填见 docs/import.md。")


@registry.command("district")
@click.option("--people", default=3000, show_default=True, help="How many people, if the register is empty.")
def district_command(people: int) -> None:
    """Load the synthetic district (sandbox only); say whom to try it with."""
    if not settings().is_sandbox:
        raise click.ClickException("只用于沙盒。 Only for a sandbox.")
    found = ensure_district(office_parts(), people)
    click.echo(f"居民 {found.resident_name} {found.resident_id}")
    click.echo(f"代办员 {found.agent_login} {found.agent_password} {found.agent_village}")


@registry.command("sample")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--people", default=1000, show_default=True, help="Number of rows.")
@click.option("--bad", default=0.0, show_default=True, help="Percentage of bad rows, of every kind in turn.")
@click.option("--format", "form", type=click.Choice(["csv", "xlsx"]), help="By FILE's ending if not said.")
def sample_command(file: Path, people: int, bad: float, form: str | None) -> None:
    """Write an enrolment FILE of invented people, and beside it the failure file that its import must write. Its
    villages are those of `registry places`."""
    path = file.with_suffix(f".{form}") if form else file
    side, count = write_sample(path, people, bad_percent=bad)
    click.echo(f"{path}: {people} 行，其中 {count} 行有错，见 {side}")


@registry.command("places")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rename", is_flag=True, help="Places that are known by another name get the one in FILE.")
def places_command(file: Path | None, rename: bool) -> None:
    """Make the district's towns and villages known as FILE lists them (.csv, .xlsx: 镇街代码, 镇街名称, 村居代码,
    村居名称). Without FILE the invented district's (sandbox only)."""
    if file is None and not settings().is_sandbox:
        raise click.ClickException("请给出村居名单文件：镇街代码、镇街名称、村居代码、村居名称四列。")
    try:
        found = (
            read_places(file) if file else Places(TOWNS, [(each.code, each.name) for each in villages(MOST_VILLAGES)])
        )
    except BadFile as error:
        raise click.ClickException(error.sentence()) from error
    others = [f"{code} {name}→{other}" for code, name, other in renamed(office_parts(), found.towns, found.villages)]
    if others and not rename:
        more = f"……等 {len(others)} 处" if len(others) > SHOWN else ""
        raise click.ClickException(
            f"这些地方已经有别的名字，什么都没有改：{'；'.join(others[:SHOWN])}{more}。真的改名，加 --rename。"
        )
    put_places(office_parts(), found.towns, found.villages)
    click.echo(f"{len(found.towns)} 个镇街，{len(found.villages)} 个村")


def _progress() -> Callable[[int, int], None]:
    shown = 0

    def tell(rows: int, about: int) -> None:
        nonlocal shown
        if sys.stderr.isatty():
            part = f" {min(100, rows * 100 // about)}%" if about else ""
            click.echo(f"\r已读 {rows} 行{part} ", nl=False, err=True)
        elif rows // EVERY > shown // EVERY:
            click.echo(f"已读 {rows} 行", err=True)
        shown = rows

    return tell


def _line(failure: Failure) -> str:
    where = f"{failure.table} 第{failure.row}行".strip()
    return f"{where} {failure.column}：{failure.reason}（{failure.code}）"


def _tell(result: Imported, codes: Counter[str], seconds: float) -> None:
    if sys.stderr.isatty():
        click.echo("", err=True)
    for code, number in codes.most_common():
        click.echo(f"  {code} {number}：{OF_MANY.get(code, REASONS[code])}", err=True)
    for words, named in (("没有读的工作表", result.skipped), ("隐藏的工作表没有读（要读请加 --sheet）", result.unseen)):
        if named:
            click.echo(f"{words}：{'、'.join(named)}")
    if result.ignored:
        click.echo(f"不是人、没有算的行：{'、'.join(result.ignored)}")
    if result.hidden:
        click.echo(f"注意：有 {result.hidden} 行是隐藏或筛选掉的，也读了。不该读的请删掉再导入。")
    counts = (
        f"读入 {result.rows_in}，新增 {result.added}，变更 {result.changed}，相同 {result.same}，退回 {result.refused}"
    )
    if result.taken:
        click.echo(f"{result.year}年度导入完成。{counts}。用时 {seconds:.1f} 秒。")
    elif result.stale:
        click.echo(
            f"{result.year}年度什么都没有导入：这份文件已在 {beijing(_when(result)):%Y-%m-%d %H:%M} 导入过，"
            "后来又导入了别的文件，"
            f"有 {result.stale} 行与现在的登记不同。要以这份文件为准，加 --again。"
        )
    elif result.before and not result.refused:
        click.echo(f"这份文件已在 {beijing(result.before):%Y-%m-%d %H:%M} 导入过，没有改动。")
    else:
        good = result.rows_in - result.refused
        click.echo(
            f"{result.year}年度什么都没有导入：读入 {result.rows_in}，退回 {result.refused}。用时 {seconds:.1f} 秒。"
            f"请改好退回的行再导入整份文件；只要先导入其余 {good} 行，加 --good-rows。"
        )


def _when(result: Imported) -> datetime:
    assert result.before is not None, "only a file that was taken before is stale"
    return result.before
