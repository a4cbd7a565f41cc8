"""A sandbox's people: the synthetic district, brought in through the real import, and its accounts."""

import csv
import os
import secrets
import tempfile
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

import click
from PIL import Image
from sqlalchemy import select

from app.access.models import Agent, Staff
from app.access.passwords import SHORTEST
from app.access.roles import Role
from app.cli.sample_rosters import Hands, any_in_force, bring_into_force
from app.documents.picture import photo
from app.flows.enter.second import has_second, issue_second
from app.flows.parts import Parts
from app.flows.register.district import is_empty, put_agent, put_places, put_staff
from app.flows.register.import_roster import import_roster
from app.registry.cast import showcase
from app.registry.columns import FIELDS
from app.registry.synthetic import BOTH, TOWNS, header, people, villages, villages_for
from config.settings import CHECKOUT

LOGIN = "agent01"
STAFF = {
    Role.TAX_CLERK: "clerk01",
    Role.TAX_LEAD: "lead01",
    Role.HRSS: "hrss01",
    Role.MEDICAL: "medical01",
    Role.TOWN: "town01",
    Role.COUNTER: "counter01",
    Role.AUDITOR: "auditor01",
}
SECOND_CLERK = "clerk02"  # takes on what the first one asked for
OFFICES = (*STAFF.items(), (Role.TAX_CLERK, SECOND_CLERK))
PASSWORD_FILE = CHECKOUT / ".local" / "agent-password.txt"


@dataclass(frozen=True)
class District:
    """Whom to try the sandbox with. `today` is the business clock's Beijing date."""

    resident_name: str
    resident_id: str
    agent_login: str
    agent_password: str
    agent_village: str
    staff_password: str
    today: date


def ensure_district(parts: Parts, people: int = 3000, *, password_file: Path = PASSWORD_FILE) -> District:
    """The synthetic district: made if the register is empty, found again if not. The resident is an ordinary adult
    of the agent's village, registered in both insurances."""
    place = villages(1)[0]
    if is_empty(parts):
        load_district(parts, people)
    put_places(parts, TOWNS, [(place.code, place.name)])
    password = kept_password(password_file)
    put_agent(parts, login=LOGIN, name="示例代办员", village=place.code, password=password)
    staff_password = kept_password(password_file.with_name("staff-password.txt"))
    put_staff(parts, STAFF, password=staff_password, town=place.code[:9])
    put_staff(parts, {Role.TAX_CLERK: SECOND_CLERK}, password=staff_password, town=place.code[:9])
    for whose, login in ((Agent, LOGIN), *((Staff, login) for _, login in OFFICES)):
        if not has_second(parts, whose, login=login):
            issue_second(parts, whose, login=login)
    if parts.rules.campaign.agents_by_roster and not any_in_force(parts, place.code):
        bring_rosters(parts, place.code)
    resident = showcase().ordinary
    return District(
        resident_name=resident.name,
        resident_id=resident.id_number,
        agent_login=LOGIN,
        agent_password=password,
        agent_village=f"{TOWNS[place.code[:9]]}{place.name}",
        staff_password=staff_password,
        today=parts.clocks.today(),
    )


def bring_rosters(parts: Parts, village: str) -> None:
    """The village's rosters are in force with everybody who is registered there, as of the days before, or of now."""
    with parts.reading() as connection:
        staff = {row.login: row.id for row in connection.execute(select(Staff.login, Staff.id))}
        agent = connection.execute(select(Agent.id).where(Agent.login == LOGIN)).scalar_one()
    officers = {role: (staff[STAFF[role]], STAFF[role]) for role in (Role.TAX_LEAD, Role.HRSS, Role.TOWN)}
    bring_into_force(parts, Hands(officers, {village: agent}), photo=_photo())


def _photo() -> bytes:
    """Of a wall, as nobody took it."""
    written = BytesIO()
    Image.new("RGB", (40, 30), "grey").save(written, "PNG")
    return photo(written.getvalue())


def load_district(parts: Parts, count: int) -> None:
    """Towns, villages, and one bureau's file per insurance, taken in as any other file."""
    put_places(parts, TOWNS, [(place.code, place.name) for place in villages_for(count)])
    with tempfile.TemporaryDirectory(prefix="district-") as folder:
        for insurance in BOTH:
            path = Path(folder) / f"{insurance}.csv"
            write_bureau_file(path, insurance, count)
            result = import_roster(parts, path, report=_broken)
            click.echo(f"{insurance}: {result.added} 人", err=True)


def write_bureau_file(path: Path, insurance: str, count: int) -> int:
    """The file that a bureau would send about a district of so many people; its number of rows."""
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(header())
        for person in people(count):
            if insurance in person.insurances:
                row = person.row(insurance)
                lines.writerow([row[field] for field in FIELDS])
                written += 1
    return written


def kept_password(path: Path) -> str:
    """The password in a file that only its owner reads; made at the first call."""
    if path.exists() and len(kept := path.read_text().strip()) >= SHORTEST:
        return kept
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    made = secrets.token_urlsafe(9)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(made + "\n")
    return made


def _broken(failure: object) -> None:
    raise AssertionError(f"the synthetic district is refused: {failure}")
