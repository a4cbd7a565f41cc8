"""flask policy verify | copy | check | replay: worked cases, a year's file to change, and what a change would do."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from app.cli.parts import parts, settings
from app.cli.policy_refusal import refusal
from app.policy.cases import differences
from app.policy.remarks import remarks
from app.policy.terms import PolicyYear
from app.policy.told import in_lines, tell
from app.policy.year import Written, written_file, written_year
from core.clock import BEIJING, utc_now
from core.errors import AppError

policy = AppGroup("policy", help="The insurance rules of a levy year.")
EVERY = 100_000


@policy.command("verify")
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", default=None, help="A levy year or a year's .toml file; the settings' year by default.")
def verify(cases: Path, year: str | None) -> None:
    """Compare every case of a table (columns as in policy_cases.csv); exit 1 at any difference."""
    rules = _rules(year or str(settings().levy_year))
    try:
        count, found = differences(cases, rules)
    except AppError as error:
        raise click.ClickException(f"{error.sentence()} {error}") from error
    for difference in found:
        click.echo(
            f"{difference.case}\t{difference.column}\texpected {difference.expected}\tgot {difference.got}", err=True
        )
    click.echo(f"{count} 例，{len(found)} 处不同。 {count} cases, {len(found)} differences.")
    if found:
        raise SystemExit(1)


@policy.command("copy")
@click.argument("year", type=int)
@click.argument("new", required=False, type=click.Path(dir_okay=False, path_type=Path))
def copy_command(year: int, new: Path | None) -> None:
    """Copy the file of YEAR to NEW.toml, to change it; asks for the next year's name if none is given. Nothing is
    overwritten."""
    _rules(str(year))
    new = new or Path(click.prompt("新一年的文件名", default=f"{year + 1}.toml"))
    if new.suffix != ".toml":
        raise click.BadParameter("a name that ends in .toml, best the year's own: 2026.toml", param_hint="NEW")
    try:
        with new.open("xb") as file:
            file.write((settings().district.years / f"{year}.toml").read_bytes())
    except FileExistsError:
        raise click.ClickException(f"{new} 已经有了，换一个名字。") from None
    except OSError as error:
        raise click.ClickException(f"{new} 写不了：{error.strerror}") from error
    click.echo(f"{year} 年的标准已抄到 {new}。接下来：\n{_next_steps(year, new)}")


def _next_steps(year: int, new: Path) -> str:
    named = new.stem if new.stem.isdigit() and len(new.stem) == 4 else "新的年份"
    command = "flask --app wsgi policy"
    steps = (
        f"用文本编辑器打开，先把 year = {year} 改成{named}，再改 dates 和文中每一个日期；"
        f"放进{settings().district.name}的年度文件夹时，文件名要是年份加 .toml。",
        "改 source 和 clauses：文号、标题、原文。金额以分为单位，320_00 就是 320 元。",
        "改价钱和规矩。谁适用写在 who 里（groups、schools、from_age、to_age……），不写就是所有人，排在前面的先算："
        "medical.prices 是另外的价钱，windows 是待遇从哪天起，late 是过了集中缴费期怎么收、等多久，gap 是断保，"
        "newborn 是新生儿，grounds 是政府替谁交；pension 里是档次、补贴、kept、substitute、bonus。",
        "公告里没有、先推定的，在那一行后面写 # assumed: 为什么。",
        "改写文末的案例（examples）：每个档次、每类代缴至少有一例，案例要与新数字相符。",
        f"{command} check {new}",
        f"{command} show {new} --against {year} --out 请审核.pdf",
        f"{command} replay --year {year} --against {new} --out 推演.xlsx",
    )
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


@policy.command("show")
@click.argument("year")
@click.option("--against", help="Another levy year or .toml file: first what changed since that one.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="As a paper to sign (.pdf) instead.")
def show(year: str, against: str | None, out: Path | None) -> None:
    """A YEAR (or a year's .toml file) in plain Chinese, as whoever signs it reads it."""
    if out and out.suffix.lower() != ".pdf":
        raise click.BadParameter("a name that ends in .pdf", param_hint="--out")
    if out and not out.parent.is_dir():
        raise click.BadParameter(f"没有这个文件夹：{out.parent}", param_hint="--out")
    names = settings().district.departments
    document = tell(_written(year), against=_written(against) if against else None, departments=names)
    if out is None:
        for line in in_lines(document):
            click.echo(line)
        return
    from app.documents.year import draw

    out.write_bytes(draw(document, issuer=settings().issuer_name, at=utc_now()))
    click.echo(f"{document.title}已写到 {out}")


@policy.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--strict", is_flag=True, help="Exit 1 for anything that is worth a look, too.")
def check(file: Path, strict: bool) -> None:
    """Say whether a year's FILE is good, or what is missing or wrong; exit 1 if it is. What is odd or assumed is told
    with its place and refuses nothing."""
    from app.flows.register.check_year import strangers  # the other verbs ask no register

    written = _written_file(file)
    rules, ours = written.rules, settings().district
    here = (rules.source.city, rules.source.district) == (ours.city, ours.name)
    if here and (strange := strangers(rules, ours.departments)):
        raise click.ClickException(f"{file.name} 里替居民付钱的，本区的付款单位里没有：{'、'.join(strange)}")
    said = [f"{rules.year} 年度"]
    if pension := rules.has_pension:
        tiers = f"{len(pension.tiers)} 个档次" if pension.tiers else "任选档次"
        said.append(f"养老 {tiers}，养老代缴 {len(pension.grounds)} 类")
    if medical := rules.has_medical:
        said.append(f"医保减免 {len(medical.grounds)} 类")
    click.echo(f"{file.name} 可以用：{'，'.join(said)}，{len(written.examples)} 个案例全部相符。")
    found = remarks(written)
    if not found:
        return
    click.echo(f"还有 {len(found)} 处请看一看，不影响使用：")
    for remark in found:
        click.echo(f"  ● {remark.place or file.name}：{remark.words}")
    if strict:
        raise SystemExit(1)


@policy.command("replay")
@click.option("--year", required=True, help="A levy year, or a year's .toml file.")
@click.option("--against", required=True, help="The other: a levy year, or a changed copy's .toml file.")
@click.option("--at", "moment", help="Beijing moment, e.g. 2021-11-05T10:00; the business clock's by default.")
@click.option("--villages", is_flag=True, help="Print every village, not only towns.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also as a spreadsheet (.xlsx).")
def replay_command(year: str, against: str, moment: str | None, villages: bool, out: Path | None) -> None:
    """What the other rules would change for everybody in the register: who pays more or less, who gains or loses a
    subsidy, what each budget line costs. Changes nothing."""
    from app.cli.policy_words import table  # only this verb asks the register
    from app.flows.due.replay import replay
    from app.flows.due.replay_book import write_book

    before, after = _rules(year), _rules(against)
    if out and out.suffix.lower() != ".xlsx":
        raise click.BadParameter("a name that ends in .xlsx", param_hint="--out")
    if out and not out.parent.is_dir():
        raise click.BadParameter(f"没有这个文件夹：{out.parent}", param_hint="--out")
    at = _moment(moment) if moment else parts().clocks.now()
    try:
        replayed = replay(parts(), before, after, at=at, names=(_name(year), _name(against)), progress=_progress())
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    if sys.stderr.isatty():
        click.echo("", err=True)
    for line in table(replayed, villages=villages):
        click.echo(line)
    if out:
        write_book(out, replayed)
        click.echo(f"表格已写到 {out}")


def _rules(said: str) -> PolicyYear:
    return _written(said).rules


def _written(said: str) -> Written:
    if not said.isdigit():
        return _written_file(Path(said))
    try:
        return written_year(int(said), settings().district.years)
    except AppError as error:
        raise click.ClickException(f"{error.sentence()} {said}") from error


def _name(said: str) -> str:
    return said if said.isdigit() else Path(said).name


def _written_file(file: Path) -> Written:
    try:
        return written_file(file)
    except AppError as error:
        raise click.ClickException(refusal(error)) from error


def _moment(said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise click.BadParameter("a moment like 2021-11-05T10:00", param_hint="--at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def _progress() -> Callable[[int, int], None]:
    shown = 0

    def tell(done: int, about: int) -> None:
        nonlocal shown
        if sys.stderr.isatty():
            part = done / about if about else 1
            click.echo(f"\r{'█' * int(30 * part):░<30} {part:4.0%} {done}/{about} 人 ", nl=False, err=True)
        elif done // EVERY > shown // EVERY:
            click.echo(f"已算 {done} 人", err=True)
        shown = done

    return tell
