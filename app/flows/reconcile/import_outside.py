"""Files of the bank, the treasury, the bureaus and the POS terminals → kept once, booked line by line, compared.

All of a file or nothing of it; the same file again changes nothing. Identity numbers are looked up by the vault's blind
index and never kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, text
from sqlalchemy.dialects.postgresql import insert as upsert

from app.flows.parts import Parts
from app.flows.reconcile.settle_pos import take_day
from app.flows.tell.remind import tell_certified
from app.registry import find
from core.clock import beijing, business_day
from core.errors import Conflict
from core.money import Fen
from payments.reconcile.outside_files import BadOutsideFile, OutsideFile, read
from payments.reconcile.tables import OutsideFile as Taken
from payments.reconcile.tables import OutsideRow


class SerialKnown(Conflict):
    """A serial that came before with other figures: a correction is asked for in writing, not taken from a file."""

    text = "第{row}行的编号以前导入过，内容不一样。整个文件都没有导入，请与对方核对。"


@dataclass(frozen=True)
class Imported:
    """How a file fared: False if the very file was taken before; its rows, their total in fen, differences open now."""

    taken: bool
    rows: int
    total: Fen
    open: int


@dataclass(frozen=True)
class _When:
    now: datetime  # business clock
    booked_on: date


def import_outside(parts: Parts, kind: str, content: bytes, *, by: str) -> Imported:
    """Take a file of a kind of payments.outside_files. BadOutsideFile, SerialKnown."""
    file = read(kind, content, parts.departments, parts.levy.funds)
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        if not _first_time(connection, file, by=by):
            return Imported(False, len(file.rows), file.total, 0)
        taken = _TAKE[kind](parts, connection, file, _When(now, business_day(now)))
    return Imported(True, len(file.rows), file.total, taken)


def _first_time(connection: Connection, file: OutsideFile, *, by: str) -> bool:
    made = connection.execute(
        upsert(Taken)
        .values(kind=file.kind, digest=file.digest, rows=len(file.rows), total=file.total, imported_by=by)
        .on_conflict_do_nothing()
        .returning(Taken.rows)
    )
    return made.scalar_one_or_none() is not None


def _take_bank(_parts: Parts, connection: Connection, file: OutsideFile, when: _When) -> int:
    for row in file.rows:
        day = row["day"] or row["booked_on"]
        if row["until"] and row["until"] < day:
            raise BadOutsideFile(row=row["row"], field="业务日期止", problem="在业务日期之前")
        if row["demand"] and (row["channel"] or row["day"] or row["until"]):
            raise BadOutsideFile(row=row["row"], field="代缴账单号", problem="部门交的钱，渠道和业务日期要空着")
        pledge = "" if row["channel"] else row["pledge"]  # whose money a channel brings is said by its days
        if row["channel"] == "cash":  # and an agent's by the slip that he was given
            pledge = (row["slip"] or "").upper()
        named = {"demand": row["demand"] or "", "part": pledge or ""}
        kept = {"day": day, "until": row["until"], "channel": row["channel"] or "", **named}
        if _keep(connection, file.kind, row, kept):
            _book(connection, "book_bank_row", row["serial"], when)
    newest = max(row["booked_on"] for row in file.rows)
    return _scalar(connection, "name_deposits(:until, :now)", until=newest, now=when.now)


def _take_treasury(parts: Parts, connection: Connection, file: OutsideFile, when: _When) -> int:
    accounts = set(connection.execute(text("select code from account")).scalars())
    for row in file.rows:
        if f"treasury:{row['insurance']}:{row['levy_year']}" not in accounts:
            raise BadOutsideFile(row=row["row"], field="年度", problem="账里没有这个年度")
        if row["amount"] < 0 and row["part"] != "premium":
            raise BadOutsideFile(row=row["row"], field="金额", problem="只有保费可以是退库的负数")
        if row["demand"] and not row["part"].startswith("gov_substitute:"):
            raise BadOutsideFile(row=row["row"], field="代缴账单号", problem="只有部门代缴可以写")
        kept = {"day": row["day"], "levy_year": row["levy_year"], "part": row["part"], "channel": row["insurance"]}
        kept |= {"demand": row["demand"] or ""}
        if _keep(connection, file.kind, row, kept):
            _book(connection, "book_treasury_row", row["serial"], when)
    first, last = _span(file)
    differences = _scalar(connection, "name_treasury(:first, :last, :now)", first=first, last=last, now=when.now)
    for day, insurance in sorted({(row["day"], row["insurance"]) for row in file.rows if row["part"] == "premium"}):
        tell_certified(parts, connection, day, insurance)  # once it is known whether the amounts agree
    return differences


def _take_bureau(parts: Parts, connection: Connection, file: OutsideFile, when: _When) -> int:
    for row in file.rows:
        index = find.index_of(parts.vault, row["id_number"].upper())
        person = connection.execute(
            text(
                "select id from person where id_index = :i"
                " union select person_id from birth_certificate where index = :i"
            ),
            {"i": index},
        ).scalar_one_or_none()
        kept = {
            "day": row["day"],
            "levy_year": row["levy_year"],
            "part": row["part"],
            "channel": row["insurance"],
            "person_id": person,
        }
        _keep(connection, file.kind, row, kept)
    first, last = _span(file)
    return sum(
        _scalar(connection, "name_bureau(:i, :first, :last, :now)", i=insurance, first=first, last=last, now=when.now)
        for insurance in sorted({row["insurance"] for row in file.rows})
    )


def _take_pos(parts: Parts, connection: Connection, file: OutsideFile, when: _When) -> int:
    days = {beijing(row["happened_at"]).date() for row in file.rows}
    if len(days) != 1:
        raise BadOutsideFile(row=1, field="时间", problem="一个文件只能是同一天的")
    return take_day(parts, connection, file, days.pop(), now=when.now)


_TAKE = {"bank": _take_bank, "treasury": _take_treasury, "bureau": _take_bureau, "pos": _take_pos}


def _keep(connection: Connection, kind: str, row: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Write a line down; False if the very line came before. SerialKnown."""
    values = {"kind": kind, "serial": row["serial"], "booked_on": row["booked_on"], "amount": row["amount"], **kept}
    held = connection.execute(
        text("select * from outside_row where kind = :kind and serial = :serial"),
        {"kind": kind, "serial": row["serial"]},
    ).one_or_none()
    if held is None:
        connection.execute(insert(OutsideRow).values(**values))
        return True
    if any(getattr(held, field) != value for field, value in values.items()):
        raise SerialKnown(row["serial"], row=row["row"])
    return False


def _book(connection: Connection, function: str, serial: str, when: _When) -> None:
    _scalar(connection, f"{function}(:serial, :now, :booked_on)", serial=serial, **vars(when))


def _scalar(connection: Connection, call: str, **values: object) -> Any:
    return connection.execute(text(f"select {call}"), values).scalar_one()


def _span(file: OutsideFile) -> tuple[date, date]:
    days = [row["day"] for row in file.rows]
    return min(days), max(days)
