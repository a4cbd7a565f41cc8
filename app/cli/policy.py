"""flask policy verify CASES.csv: worked cases against the rules, every output column."""

from pathlib import Path

import click
from flask.cli import AppGroup

from app.cli.parts import settings
from app.policy.cases import differences
from app.policy.year import load_year

policy = AppGroup("policy", help="The insurance rules of a levy year.")


@policy.command("verify")
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", type=int, default=None, help="The levy year; the settings' by default.")
def verify(cases: Path, year: int | None) -> None:
    """Compare every case of a table (columns as in policy_cases.csv); exit 1 at any difference."""
    rules = load_year(year or settings().levy_year)
    count, found = differences(cases, rules)
    for difference in found:
        click.echo(
            f"{difference.case}\t{difference.column}\texpected {difference.expected}\tgot {difference.got}", err=True
        )
    click.echo(f"{count} 例，{len(found)} 处不同。 {count} cases, {len(found)} differences.")
    if found:
        raise SystemExit(1)
