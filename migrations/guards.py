"""Whether the guards of the book stand in a database as this code wrote them: an owner could drop a trigger or change a
function, and no query over the book would notice."""

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from migrations import functions

_FUNCTION = re.compile(r"create or replace function (\w+)\s*\(.*?\bas \$\$(.*?)\$\$", re.DOTALL)
RESTARTED = "1 hour"  # after an upgrade every process runs its code
BOOK = ("entry", "posting")
SCOPED = (
    "household",
    "person",
    "bill",
    "bill_line",
    "payment",
    "payment_bill",
    "refund",
    "notice",
    "proof",
    "special_batch",
    "special_row",
    "door_note",
    *("roster", "roster_version", "roster_row", "roster_odd", "roster_step"),
    *("roster_posting", "roster_change", "roster_objection"),
    *("closing", "closing_version", "closing_row", "closing_step"),
    *("receipt_book", "cash_switch", "receipt", "cash_batch", "cash_slip"),
)
UNIQUE = (
    *("uq__bill__levy_item", "uq__payment_bill__live"),  # one effective bill a person, one live payment a bill
    *(
        "uq__person__id_index",
        "uq__birth_certificate__index",
        "uq__newborn__certificate",
    ),  # nobody is in twice (INV-133)
)
KEPT: Mapping[str, Sequence[str]] = {  # what the application's role may not do with the other tables (grants.sql)
    **dict.fromkeys(
        ("staff", "agent", "agent_village", "town", "village", "import_batch", "name_correction", "phone_correction"),
        ("insert", "update", "delete"),
    ),
    **dict.fromkeys(
        ("household", "person", "enrolment", "category", "helped_category"), ("insert", "update", "delete", "empty")
    ),
    **dict.fromkeys(
        ("levy_year", "former_person", "former_enrolment", "former_category"), ("insert", "update", "delete", "empty")
    ),
    **dict.fromkeys(("special_batch", "special_row", "special_layout"), ("insert", "update", "delete", "empty")),
    **dict.fromkeys(
        ("determination", "determination_evidence", "matter", "newborn", "received"), ("update", "delete", "empty")
    ),
    "door_note": ("update", "delete", "empty"),
    "joining": ("insert", "update", "delete", "empty"),
    "birth_certificate": ("insert", "update", "delete", "empty"),
    "lost_second": ("insert", "update", "delete", "empty"),
    **dict.fromkeys(("sponsor", "pledge", "pledge_terms", "pledge_person"), ("insert", "update", "delete", "empty")),
    **dict.fromkeys(("pledge_money", "pledge_share"), ("insert", "update", "delete", "empty")),
    "pledge_payment": ("update", "delete", "empty"),
    **dict.fromkeys(
        (
            *("roster", "roster_version", "roster_row", "roster_odd", "roster_step"),
            *("roster_posting", "roster_change", "roster_objection"),
            *("closing", "closing_version", "closing_row", "closing_step"),
            *("receipt_book", "cash_switch", "receipt", "cash_batch", "cash_slip"),
        ),
        ("insert", "update", "delete", "empty"),
    ),
    "erasure": ("insert", "update", "delete", "empty"),
    "disclosure": ("insert", "update", "delete", "empty"),
    "act": ("update", "delete", "empty"),
    **dict.fromkeys(("register_change", "kept_day"), ("insert", "update", "delete", "empty")),
    **dict.fromkeys(("procrastinate_jobs", "procrastinate_events"), ("empty", "hook")),
}
_CLOSED = "((current_setting('liangxian.places'::text, true) = '*'::text) OR "  # untold is nothing (decision 0023)
INSIDE = (  # called by functions of ours only, and by the office's role
    *("ledger_post", "post_settlement", "hold_money", "take_outcome"),
    *("helped_counted", "helped_take", "helped_drop", "helped_tell", "helped_end", "helped_close"),
    *("sponsor_enter", "pledge_enter", "pledge_agree", "pledge_end", "pledge_return", "pledge_take", "pledge_claim"),
    *("roster_hold", "roster_gather", "roster_write", "roster_look", "roster_differ"),
    *("closing_hold", "closing_write"),
    *("open_levy_year", "open_receivables", "open_funds", "close_levy_year", "levy_year_note"),
    "joining_unite",
    *(
        "cash_settle",
        "cash_undo",
        "cash_arrives",
        "cash_had_arrived",
        "cash_writes_slip",
        "cash_is_there",
        "cash_account",
    ),
)
_MAY = {
    "insert": "select has_table_privilege(:role, :what, 'INSERT') or has_any_column_privilege(:role, :what, 'INSERT')",
    "update": "select has_table_privilege(:role, :what, 'UPDATE') or has_any_column_privilege(:role, :what, 'UPDATE')",
    "delete": "select has_table_privilege(:role, :what, 'DELETE')",
    "empty": "select has_table_privilege(:role, :what, 'TRUNCATE')",
    "hook": "select has_table_privilege(:role, :what, 'TRIGGER')",
}
_CALL = (
    "select coalesce(bool_or(has_function_privilege(:role, oid, 'EXECUTE')), false) from pg_proc where proname = :what"
)


def missing_guards(connection: Connection, *, role: str = "liangxian_app") -> Sequence[str]:
    """Each guard that is gone, off, or not the one we wrote; and each way past the functions that `role` was given."""
    if _others_upgraded(connection):
        return []
    written = "\n".join(functions.files())
    found = {
        row.proname: row.prosrc
        for row in connection.execute(
            text("select proname, prosrc from pg_proc where pronamespace = cast('public' as regnamespace)")
        )
    }
    wrong = [f"function {name}" for name, body in _FUNCTION.findall(written) if found.get(name) != body]
    enabled = {
        (row.tgname, row.table_name)
        for row in connection.execute(
            text(
                "select tgname, cast(cast(tgrelid as regclass) as text) as table_name from pg_trigger"
                " where not tgisinternal and tgenabled in ('O', 'A')"
            )
        )
    }
    wrong += [
        f"trigger {name} on {table}"
        for name, table in functions.TRIGGER.findall(written)
        if (name, table) not in enabled
    ]
    kept = set(
        connection.execute(
            text(
                "select c.relname from pg_class c join pg_policy p on p.polrelid = c.oid"
                " where c.relrowsecurity and p.polname = 'places'"
                " and starts_with(pg_get_expr(p.polqual, p.polrelid), :closed)"
            ),
            {"closed": _CLOSED},
        ).scalars()
    )
    wrong += [f"row security on {table}" for table in SCOPED if table not in kept]
    unique = set(
        connection.execute(
            text("select cast(cast(indexrelid as regclass) as text) from pg_index where indisunique and indisvalid")
        ).scalars()
    )
    wrong += [f"index {name}" for name in UNIQUE if name not in unique]
    for table, verbs in ({table: tuple(_MAY) for table in BOOK} | KEPT).items():
        wrong += [f"{role} may {verb} {table}" for verb in verbs if _may(connection, _MAY[verb], role, table)]
    wrong += [f"{role} may call {name}" for name in INSIDE if _may(connection, _CALL, role, name)]
    return wrong


def _others_upgraded(connection: Connection) -> bool:
    """Whether other code has just brought functions of its own: for so long ours need not be there, until this process
    is restarted too. Whoever only says so is found out after that time."""
    words = f"select digest <> :ours and at between now() - interval '{RESTARTED}' and now() from deployed"
    found = connection.execute(text(f"{words} where name = 'functions'"), {"ours": functions.digest()})
    return bool(found.scalar_one_or_none())


def _may(connection: Connection, asked: str, role: str, what: str) -> bool:
    return bool(connection.execute(text(asked), {"role": role, "what": what}).scalar_one())
