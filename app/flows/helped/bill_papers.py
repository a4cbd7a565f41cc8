"""A department's bill as papers: the sheet with its people's names, and the demand note without any."""

from app.access import disclosures
from app.access.sessions import Officer
from app.documents.demand import Note, draw
from app.documents.spreadsheet import as_xlsx
from app.flows.helped.bills import demand, everybody
from app.flows.offices.people import allow_reading
from app.flows.parts import Parts
from core.clock import beijing
from core.money import yuan
from payments.ledger.chart import INSURANCES

TITLES = ("序号", "姓名", "身份证号", "村居", "代缴金额（元）", "说明")


def sheet(parts: Parts, number: str, *, mark: str) -> bytes:
    """An .xlsx with full names and numbers; `mark` says who took it and when. NoSuchDemand."""
    held = demand(parts, number)
    rows = [
        (
            str(each.no),
            each.name,
            each.id_number,
            each.village,
            yuan(each.amount),
            "" if each.amount > 0 else "前期退费",
        )
        for each in everybody(parts, held)
    ]
    rows.append(("合计", "", "", "", yuan(held.amount), ""))
    return as_xlsx(f"代缴账单{number}", TITLES, rows, mark=mark)


def sheet_for(parts: Parts, officer: Officer, number: str) -> bytes:
    """The same for somebody at his page: it is written down. NoSuchDemand, TooOften."""
    allow_reading(parts, officer)
    made = sheet(parts, number, mark=f"{officer.login} 于 {beijing(parts.clocks.now()):%Y-%m-%d %H:%M} 导出")
    with parts.engine.begin() as connection:
        noted = {"session": officer.session, "reason": f"代缴账单{number}的名单", "at": parts.clocks.wall()}
        disclosures.note(connection, place=f"demand:{number}", **noted)
    return made


def note(parts: Parts, number: str, *, payee: str) -> bytes:
    """The demand note as PDF; nobody's name is on it. NoSuchDemand."""
    held = demand(parts, number)
    return draw(
        Note(
            number=held.number,
            department=parts.departments.get(held.department, held.department),
            bureau="人社局" if held.fund == "RES_PENSION" else "医保局",
            fund=fund_name(parts, held.fund),
            levy_year=held.levy_year,
            of="参保登记里的代缴对象" if held.source is None else f"名单{held.source}里的人",
            people=held.lines,
            amount=held.amount,
            credit=held.credit,
            paid=held.paid,
            payee=payee,
            drawn_at=held.drawn_at,
            phone=parts.help_phone,
        )
    )


def fund_name(parts: Parts, code: str) -> str:
    """As people read it."""
    return {**INSURANCES, **parts.levy.funds}.get(code, code)
