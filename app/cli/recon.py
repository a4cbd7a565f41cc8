"""flask recon run | show | import | clear | confirm | close | certificate | verify-certificate: the books compared, the
day closed."""

from datetime import date, datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from app.cli.parts import parts
from app.flows.reconcile import clear_difference, close_day
from app.flows.reconcile.certify import account_names, certificate, problems, read_certificate
from app.flows.reconcile.compare import reconcile_day, reconcile_due
from app.flows.reconcile.import_outside import import_outside
from core.errors import AppError
from core.money import yuan
from payments.ledger import seal
from payments.ledger.chart import CHANNELS
from payments.reconcile import day_books, discrepancies
from payments.reconcile.outside_files import KINDS

recon = AppGroup("recon", help="Books compared, days closed (对账、日结).")
DAY = click.DateTime(["%Y-%m-%d"])
BY = click.option("--by", required=True, help="Who does it.")


@recon.command("run")
@click.argument("channel", required=False)
@click.argument("day", required=False, type=DAY)
def run_command(channel: str | None, day: datetime | None) -> None:
    """Compare CHANNEL's list of DAY with the book; without them every list that came and was not compared yet."""
    with _said():
        if channel is None or day is None:
            click.echo(f"核对了 {reconcile_due(parts())} 份对账单")
            return
        done = reconcile_day(parts(), channel, day.date())
    click.echo(f"按对账单补记 {done.healed} 笔，未处理差异 {done.open} 条")


@recon.command("show")
@click.argument("day", type=DAY)
def show_command(day: datetime) -> None:
    """The books of DAY side by side, and its differences."""
    with parts().engine.connect() as connection:
        channels = day_books.channels(connection, day.date())
        differences = discrepancies.of_day(connection, day.date())
        sealed = seal.sealed(connection, day.date())
    for row in channels:
        click.echo(
            f"{CHANNELS.get(row.gateway, row.gateway)}\t对账单 {_yuan(row.received)} 退 {_yuan(row.refunded)}"
            f"\t账上 {_yuan(row.ours_received)} 退 {_yuan(row.ours_refunded)}\t手续费 {yuan(row.fee)}"
            f"\t到账 {_yuan(row.credited)}\t相符 {row.matched} 行"
        )
    for row in differences:
        click.echo(
            f"#{row.id}\t{discrepancies.STATES[row.state]}\t{discrepancies.BOOKS[row.books]}"
            f"\t{discrepancies.KINDS[row.kind]}\t{row.channel}\t{row.subject}\t我方 {_yuan(row.ours)}"
            f"\t对方 {_yuan(row.theirs)}\t{row.reason or discrepancies.NEXT_STEPS[row.books, row.kind]}"
        )
    click.echo(f"已日结，摘要 {bytes(sealed.digest).hex()}" if sealed else "未日结")


@recon.command("import")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@BY
def import_command(kind: str, file: Path, by: str) -> None:
    """Take FILE of the bank, the treasury, a bureau or the POS terminals, whole or not at all."""
    with _said():
        done = import_outside(parts(), kind, file.read_bytes(), by=f"staff:{by}")
    click.echo(
        f"导入 {done.rows} 行，共 {yuan(done.total)} 元，未处理差异 {done.open} 条"
        if done.taken
        else "这个文件以前导入过，没有改变"
    )


@recon.command("clear")
@click.argument("number", type=int)
@click.option(
    "--remedy", type=click.Choice(["accept", "book"]), required=True, help="accept: a reason; book: money moves."
)
@click.option("--reason", required=True, help="Why it ends so.")
@BY
def clear_command(number: int, remedy: str, reason: str, by: str) -> None:
    """End difference NUMBER; where money moves a second person must confirm."""
    with _said():
        state = clear_difference.clear(parts(), number, remedy, reason, by=f"staff:{by}")
    click.echo(discrepancies.STATES[state])


@recon.command("confirm")
@click.argument("number", type=int)
@click.option("--agree/--refuse", "agreed", required=True, default=None, help="The second person's word.")
@BY
def confirm_command(number: int, agreed: bool, by: str) -> None:
    """Agree to what somebody else proposed for difference NUMBER, or not."""
    with _said():
        clear_difference.confirm(parts(), number, agreed=agreed, by=f"staff:{by}")
    click.echo("已入账" if agreed else "已退回")


@recon.command("close")
@click.argument("day", type=DAY)
@click.option("--with-exceptions", is_flag=True, help="Ask to close it with what is open; somebody else confirms.")
@click.option("--confirm", "confirming", is_flag=True, help="Confirm what somebody else asked for.")
@BY
def close_command(day: datetime, with_exceptions: bool, confirming: bool, by: str) -> None:
    """Close DAY for good."""
    with _said():
        if with_exceptions:
            named = close_day.ask_to_close(parts(), day.date(), by=f"staff:{by}")
            click.echo(f"已申请带 {len(named)} 项例外日结，等另一个人确认")
            return
        act = close_day.confirm_close if confirming else close_day.close_day
        closed = act(parts(), day.date(), by=f"staff:{by}")
    click.echo("已日结" if closed else "以前已经日结")


@recon.command("certificate")
@click.argument("day", type=DAY)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The folder.")
def certificate_command(day: datetime, out: Path) -> None:
    """Write the certificate of DAY as PDF and as JSON."""
    from app.documents.certificate import draw  # noqa: PLC0415 the other verbs draw nothing

    with _said():
        held = certificate(parts(), day.date())
    name = out / f"rijie-{day:%Y%m%d}"
    name.with_suffix(".json").write_text(held.as_json(), encoding="utf-8")
    name.with_suffix(".pdf").write_bytes(
        draw(held.facts, names=account_names(parts()), signature=held.signature, public_key=held.public_key)
    )
    click.echo(f"{name}.pdf {name}.json")


@recon.command("verify-certificate")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--day", type=DAY, help="The certificate kept here of that day.")
def verify_command(file: Path | None, day: datetime | None) -> None:
    """Is FILE (JSON), or the certificate of a day, ours, and does the book still say the same? Exit status 1 if not."""
    with _said():
        if file is None and day is None:
            raise click.UsageError("FILE or --day")
        held = read_certificate(file.read_text(encoding="utf-8")) if file else certificate(parts(), _date(day))
        wrong = problems(parts(), held)
    for problem in wrong:
        click.echo(f"✗ {problem}")
    if wrong:
        raise SystemExit(1)
    click.echo(f"✓ {held.facts['day']} 的日结证明是真的，账与它一致")


class _said:
    """Our errors as the command line tells them."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, AppError):
            raise click.ClickException(error.sentence()) from error


def _date(day: datetime | None) -> date:
    assert day is not None
    return day.date()


def _yuan(amount: int | None) -> str:
    return "—" if amount is None else yuan(amount)
