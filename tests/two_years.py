"""A household in the autumn of 2022: the levy year 2023 has begun, and 2022 can still be paid, late."""

from dataclasses import dataclass
from datetime import datetime

from app.flows.pay.start import Want
from app.flows.register.open_year import open_year
from app.policy.facts import Insurance
from core.clock import BEIJING
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import pay

IN_BOTH = datetime(2022, 10, 21, 10, tzinfo=BEIJING)  # agents collect 2023, a phone pays 2022
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION


@dataclass(frozen=True)
class TwoYears:
    """Two adults of one household, by id: one paid nothing for 2022, the other both premiums in time."""

    household: int
    late: int
    in_time: int


def open_2023(running, *, at=IN_BOTH):
    """The day comes, the year begins, and both processes know."""
    running.turn(at)
    open_year(running.office, 2022, by="operator:test")  # an emptied database says of no year
    assert open_year(running.office, 2023, by="operator:test")
    running.parts.levy.look()


def two_years_of(running):
    """The scene; whoever pays for 2022 in time does so in November 2021."""
    household = running.write(a_household)
    late, in_time = (
        running.write(
            lambda connection, name=name, sequence=sequence: a_person(
                connection, name=name, id_number=an_id_number(sequence=sequence), household=household
            )
        )
        for name, sequence in (("张示迟", 7), ("张示早", 9))
    )
    pay(running, Want(in_time, MEDICAL), Want(in_time, PENSION, 30000), key="in time")
    open_2023(running)
    return TwoYears(household, late, in_time)
