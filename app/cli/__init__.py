"""`flask --app wsgi GROUP VERB`: what operators and the scheduler run. A group's module is read when one of its verbs
is asked for, so that no command waits for what only others need."""

from importlib import import_module

import click


class Later(click.Group):
    """A group of commands that stands in a module not read yet, under a name there."""

    def __init__(self, name: str, module: str, place: str, words: str) -> None:
        super().__init__(name, help=words)
        self._module, self._place = module, place

    def read(self) -> click.Group:
        """The group itself."""
        found = getattr(import_module(self._module), self._place)
        assert isinstance(found, click.Group)
        return found

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One verb."""
        return self.read().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb."""
        return self.read().list_commands(ctx)


GROUPS = (
    Later("stack", "app.cli.stack", "stack", "Everything at once, with the sandbox."),
    Later("demo", "app.cli.demo", "demo", "The main job once, end to end."),
    Later("db", "app.cli.db", "db", "The database's schema."),
    Later("ops", "app.cli.ops", "ops", "The machine: upgrades, backups, keys (运维)."),
    Later("worker", "app.cli.worker", "worker", "The background process."),
    Later("office", "app.cli.office", "office", "What offices asked for at their pages (办公后台)."),
    Later("clock", "app.cli.clock", "clock", "The business clock (sandbox only)."),
    Later("policy", "app.cli.policy", "policy", "The insurance rules of a levy year."),
    Later("year", "app.cli.year", "year", "Levy years: what they need, begun and ended (年度开征)."),
    Later("people", "app.cli.whom", "people_group", "The invented people of a sandbox."),
    Later("registry", "app.cli.registry", "registry", "Who is insured, as the bureaus' files say."),
    Later(
        "police",
        "app.cli.police",
        "police",
        "The police's lists and what contradicts the register (公安名单、登记冲突).",
    ),
    Later("roster", "app.cli.roster", "roster", "Rosters of villages (征收清册)."),
    Later("sponsor", "app.cli.sponsor", "sponsor", "Sponsors, their pledges and the money of each (资助)."),
    Later("helped", "app.cli.helped", "helped", "Departments' lists of helped people (特殊人群名单)."),
    Later("correction", "app.cli.correction", "correction", "Names the register has wrong (姓名更正)."),
    Later("sheet", "app.cli.sheet", "sheet", "The why-this-amount sheet."),
    Later(
        "determination",
        "app.cli.determination",
        "determination",
        "Back-pay, newborn, late waiver: decided by bureaus (核定).",
    ),
    Later("agent", "app.cli.agent", "agent", "Village agents (代办员)."),
    Later("staff", "app.cli.staff", "staff", "Staff of the offices (税务、人社、医保、镇街、审计)."),
    Later("gateways", "app.cli.gateways", "gateways", "The payment channels: keys, callbacks, statements (支付渠道)."),
    Later("channel", "app.cli.channel", "channel", "Channels paused for new payments, and opened again (渠道暂停)."),
    Later("notice", "app.cli.notice", "notice", "Messages to residents."),
    Later("refund", "app.cli.refund", "refund", "Money back the way it came (退款)."),
    Later("suspense", "app.cli.suspense", "suspense", "Money that fits no bill (待查款)."),
    Later("recon", "app.cli.recon", "recon", "Books compared, days closed (对账、日结)."),
    Later("ledger", "app.cli.ledger", "ledger", "The book (账本)."),
    Later("bench", "app.cli.bench", "bench", "Measurements, as ratios."),
)
