"""A village and its neighbour: the people of the pages' tests."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from tests.builders import a_household, a_person, a_village, an_id_number


@dataclass(frozen=True)
class Someone:
    id: int
    name: str
    id_number: str


@dataclass(frozen=True)
class District:
    """A household of four in 示例村, and a neighbour in another village."""

    village: str
    other_village: str
    household: int
    adult: Someone  # 320 for the medical, a tier to choose
    elder: Someone  # 75: medical waived, no pension any more
    poor: Someone  # 低保: medical and lowest pension tier waived
    worker: Someone  # employee insured: nothing to pay here
    neighbour: Someone  # another village's


def a_district(connection: Connection) -> District:
    village, other = "370404103901", "370404103902"
    a_village(connection, village)
    a_village(connection, other, "邻家村")
    home = a_household(connection, village=village, number="0001")
    away = a_household(connection, village=other, number="0001")
    return District(
        village,
        other,
        home,
        adult=_someone(connection, "张示例", date(1986, 3, 14), 1, household=home, relation_to_head="户主"),
        elder=_someone(connection, "王奶奶", date(1946, 5, 1), 2, household=home, relation_to_head="母亲"),
        poor=_someone(connection, "张小困", date(1990, 7, 2), 3, household=home, categories=("DIBAO",)),
        worker=_someone(connection, "李上班", date(1988, 9, 9), 4, household=home, employed=True),
        neighbour=_someone(connection, "赵邻居", date(1980, 1, 6), 5, household=away),
    )


def _someone(
    connection: Connection, name: str, born: date, sequence: int, *, household: int, employed: bool = False, **more
) -> Someone:
    number = an_id_number(born=born, sequence=sequence)
    key = a_person(connection, name=name, id_number=number, household=household, **more)
    if employed:
        connection.exec_driver_sql("update enrolment set employee_insured = true where person_id = %s", (key,))
    return Someone(key, name, number)
