"""Under overload lists give way first, then looking up, then new payments; a gateway's word is always taken."""

import threading

import pytest

from app.web.door.load import SHARES, Load, Urgency, urgency_of
from tests.app.web.test_api import Api
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_office_people import at_desk
from tests.system import eventually

__all__ = ["PASSWORD", "client_of"]


@pytest.mark.parametrize(
    ("endpoint", "method", "urgency"),
    [
        ("office_progress.table", "GET", Urgency.LISTS),
        ("day.run", "POST", Urgency.LISTS),
        ("resident.due", "GET", Urgency.LOOKS),
        ("people.due", "GET", Urgency.LOOKS),
        (None, "GET", Urgency.LOOKS),
        ("resident.pay", "POST", Urgency.ACTS),
        ("payments.begin", "POST", Urgency.ACTS),
        ("callbacks.receive", "POST", Urgency.ALWAYS),
        ("health.readyz", "GET", Urgency.ALWAYS),
    ],
)
def test_every_route_has_an_urgency(endpoint, method, urgency):
    assert urgency_of(endpoint, method) is urgency


def test_the_less_urgent_gives_way_first():
    load = Load(16, line=0)
    turned_away = {}
    for _ in range(16):
        for urgency in SHARES:
            if urgency not in turned_away:
                if load.enter(urgency):
                    load.leave()
                else:
                    turned_away[urgency] = load.active
        load.enter(Urgency.ALWAYS)

    assert turned_away == {Urgency.LISTS: 8, Urgency.LOOKS: 12, Urgency.ACTS: 15}
    assert load.enter(Urgency.ALWAYS)


def full(load: Load, active: int) -> Load:
    for _ in range(active):
        load.enter(Urgency.ALWAYS)
    return load


def test_whoever_waits_is_let_in_the_most_urgent_first_and_in_order():
    load, came = full(Load(4, line=8), 4), []

    def visit(urgency: Urgency, name: str) -> None:
        assert load.enter(urgency)
        came.append(name)

    line = [(Urgency.LISTS, "list"), (Urgency.LOOKS, "look"), (Urgency.ACTS, "act 1"), (Urgency.ACTS, "act 2")]
    waiting = [threading.Thread(target=visit, args=one) for one in line]
    for place, thread in enumerate(waiting, start=1):
        thread.start()
        eventually(lambda place=place: load.waiting == place)

    leaving = [(1, "act 1"), (1, "act 2"), (2, "look"), (2, "list")]  # the less urgent want more room
    for number, (times, name) in enumerate(leaving, start=1):
        for _ in range(times):
            assert len(came) == number - 1
            load.leave()
        eventually(lambda number=number: len(came) == number)
        assert came[-1] == name and load.active == 6 - max(number, 2), "a place is handed on, no newcomer takes it"
    for thread in waiting:
        thread.join(timeout=5)
    assert load.waiting == 0


def test_a_place_that_several_may_have_goes_to_the_most_urgent():
    load, came = full(Load(1, line=8), 1), []
    waiting = [
        threading.Thread(target=lambda urgency=urgency: load.enter(urgency) and came.append(urgency))
        for urgency in (Urgency.LISTS, Urgency.LOOKS, Urgency.ACTS)
    ]
    for place, thread in enumerate(waiting, start=1):
        thread.start()
        eventually(lambda place=place: load.waiting == place)

    for number in (1, 2, 3):
        load.leave()
        eventually(lambda number=number: len(came) == number)
    for thread in waiting:
        thread.join(timeout=5)

    assert came == [Urgency.ACTS, Urgency.LOOKS, Urgency.LISTS]


def test_the_line_has_an_end_and_patience_too():
    load = full(Load(4, line=4), 4)
    assert not load.enter(Urgency.ACTS, patience_s=0.01) and load.waiting == 0
    waiting = [threading.Thread(target=load.enter, args=(Urgency.LOOKS,)) for _ in range(3)]
    for thread in waiting:
        thread.start()
    eventually(lambda: load.waiting == 3)

    assert not load.enter(Urgency.LOOKS), "three of four places in line are all that looking up gets"
    assert load.enter(Urgency.ALWAYS), "a callback never waits"

    for _ in range(5):
        load.leave()
    for thread in waiting:
        thread.join(timeout=5)
    assert load.waiting == 0 and load.active == 3


def test_a_crowded_process_says_so_and_still_takes_callbacks(running, district):
    clerk = at_desk(running, "tax_clerk", "clerk01")
    api = Api(running)
    api.look_up(district.adult)
    load = running.app.extensions["load"]
    full, load._line_length = load._at_once, 0  # nobody waits
    for active, office, due in ((full * 6 // 10, 503, 200), (full * 8 // 10, 503, 503), (0, 200, 200)):
        load.active = active
        answers = clerk.get("/office/people/"), api.get("/due")
        assert [each.status_code for each in answers] == [office, due]
        assert load.active == active, "who was turned away is not counted"
        for each in answers:
            if each.status_code == 503:
                assert each.headers["Retry-After"] == "60" and "人太多" in each.text
                assert "钱没有丢，请不要再付" in each.text and "钱没有动" not in each.text  # B11: he may have paid
    load.active = full
    assert running.app.test_client().post("/callbacks/wechat", data=b"{}").status_code == 401
    assert api.client.get("/livez").status_code == 200
    load.active = 0


def test_who_only_looks_while_the_database_is_waited_for_is_not_told_that_nothing_moved(running, district):
    """B11: Busy said 您的钱没有动 on every read, to who may have paid already."""
    api = Api(running)
    api.look_up(district.adult)
    with running.office.engine.begin() as held:
        held.exec_driver_sql("lock table person, household in access exclusive mode")
        looks = api.get("/due")
        acts = api.find(district.neighbour.name, district.neighbour.id_number)

    assert (looks.status_code, looks.json["code"]) == (503, "BUSY_LOOK")
    assert "钱没有丢，请不要再付" in looks.json["message"]
    assert (acts.status_code, acts.json["code"]) == (503, "BUSY") and "已经付了的，钱不会丢" in acts.json["message"]
    assert api.get("/due").status_code == 200


def test_nobody_is_counted_twice_or_forgotten(running, district):
    threads = [threading.Thread(target=lambda: running.app.test_client().get("/nothing")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert running.app.extensions["load"].active == 0
