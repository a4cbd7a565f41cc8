"""Under overload lists give way first, then looking up, then new payments; a gateway's word is always taken."""

import threading

import pytest

from app.web.load import SHARES, Load, Urgency, urgency_of
from tests.app.web.test_api import Api
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_office_people import at_desk

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
    load = Load(16)
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


def test_a_crowded_process_says_so_and_still_takes_callbacks(running, district):
    clerk = at_desk(running, "tax_clerk", "clerk01")
    api = Api(running)
    api.look_up(district.adult)
    load = running.app.extensions["load"]
    full = load._threads
    for active, office, due in ((full * 6 // 10, 503, 200), (full * 8 // 10, 503, 503), (0, 200, 200)):
        load.active = active
        answers = clerk.get("/office/people/"), api.get("/due")
        assert [each.status_code for each in answers] == [office, due]
        assert load.active == active, "who was turned away is not counted"
        for each in answers:
            if each.status_code == 503:
                assert each.headers["Retry-After"] == "60" and "人太多" in each.text
    load.active = full
    assert running.app.test_client().post("/callbacks/wechat", data=b"{}").status_code == 401
    assert api.client.get("/livez").status_code == 200
    load.active = 0


def test_nobody_is_counted_twice_or_forgotten(running, district):
    threads = [threading.Thread(target=lambda: running.app.test_client().get("/nothing")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert running.app.extensions["load"].active == 0
