"""Faults of processes, the database and statements (catalogue F01 to F18, F64), each a story on a scene. A story ends
with what became of it; what must be true of the money afterwards is asked of all of them together, by the oracle."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import psycopg

from tests.faults.scene import Scene, Wish
from tests.simulate.gates import What
from tests.simulate.stage import DATABASE

LEASE_S = 61


def callback(scene: Scene, what: What) -> str:
    """Struck anywhere in a callback: rolled back or booked, and told again; booked once."""

    def after(number: str) -> None:
        scene.repeat()
        assert scene.state(number) == "paid"

    return scene.at_every_gate("callbacks", what, lambda: scene.paid(told=False), lambda _number: scene.tell(), after)


def after_the_commit(scene: Scene) -> str:
    """Booked, and killed before the answer leaves: the repetition is told "success", and nothing is booked twice."""
    number = scene.paid(told=False)
    gates = scene.stage.seen[f"deliver /callbacks/{scene.gateway}"]
    assert gates, "a callback was seen before"
    told = scene.stage.far.post.made["deliveries"]
    scene.strike("callbacks", gates)
    scene.tell()
    assert scene.state(number) == "paid"

    scene.repeat()
    assert scene.stage.far.post.made["deliveries"] == told + 2
    return "booked once, told twice"


def starting(scene: Scene, what: What) -> str:
    """Struck anywhere in the start of a payment: the same button again leads to one payment, which is paid once."""

    def after(wish: Wish) -> None:
        for place in range(5):
            reply = scene.begin(wish if place < 2 else replace(wish, key=f"{wish.key}-{place}"))
            if reply.data is not None and reply.data.checkout is not None:
                number = scene.pay(reply.data)
                scene.repeat()
                assert scene.state(number) == "paid"
                return
            scene.wait(LEASE_S * 11 if place else 2)  # a code that was lost may be paid until its time is over
            scene.tick("ask", "ask")
        raise AssertionError(f"no code in the end: {reply}")

    return scene.at_every_gate("web", what, scene.wish, scene.begin, after)


def asking(scene: Scene, what: What) -> str:
    """The worker struck anywhere while it asks about four payments: the lease ends, and none is forgotten."""

    def prepare() -> list[str]:
        numbers = [scene.untold() for _ in range(4)]
        scene.wait(20)
        return numbers

    def after(numbers: list[str]) -> None:
        scene.wait(LEASE_S)
        scene.tick("ask", "ask")
        assert [scene.state(number) for number in numbers] == ["paid"] * 4

    return scene.at_every_gate("worker", what, prepare, lambda _numbers: scene.tick("ask"), after)


def telling(scene: Scene, what: What) -> str:
    """The worker struck anywhere while it sends a message: at most one more, with the same words; never none."""

    def prepare() -> str:
        number = scene.paid()
        scene.wait(31)
        return number

    def after(number: str) -> None:
        scene.wait(LEASE_S * 10)
        scene.tick("tell_due")
        came = [one for one in scene.stage.far.world.shelf.all("message") if number in one["key"]]
        assert 1 <= len(came) <= 2 and len({one["text"] for one in came}) == 1, came

    return scene.at_every_gate("worker", what, prepare, lambda _number: scene.tick("tell_due"), after)


def giving_back(scene: Scene, what: What) -> str:
    """Struck anywhere between the agreement and the booked refund: asked about first, then sent again; paid once."""

    def after(refund: str) -> None:
        for _ in range(6):
            scene.wait(400)
            scene.tick("refund")
        assert scene.state(refund, "refund") == "paid"
        there = [one for _, one in scene.stage.far.world.trades.refunds() if one["number"] == refund]
        assert [one["state"] for one in there] == ["SUCCESS"]

    return scene.at_every_gate(
        "worker", what, lambda: scene.agreed(scene.paid()), lambda _refund: scene.tick("refund"), after
    )


def two_workers(scene: Scene) -> str:
    """Two workers at the same work in the same moment: every payment is asked about once, every message sent once."""
    numbers = [scene.untold() for _ in range(6)]
    scene.wait(16)
    asked = scene.stage.far.asked
    scene.stage.at_once(("worker", "another worker"), "task", "ask")
    assert scene.stage.far.asked - asked == 6
    assert {scene.state(number) for number in numbers} == {"paid"}

    scene.wait(31)
    scene.stage.at_once(("worker", "another worker"), "task", "tell_due")
    for number in numbers:
        assert len([one for one in scene.stage.far.world.shelf.all("message") if number in one["key"]]) == 1
    return "6 asked once, told once"


def no_connection_left(scene: Scene) -> str:
    """Every connection of the database is taken: the callback is not believed lost, it is told "later"."""
    number = scene.paid(told=False)
    scene.stage.end("callbacks")
    held: list[psycopg.Connection] = []
    with suppress(psycopg.OperationalError):
        while len(held) < 1000:
            held.append(psycopg.connect(scene.stage.server.app_url(DATABASE)))
    statuses = scene.statuses()
    scene.tell()
    for connection in held:
        connection.close()
    assert scene.statuses() - statuses == {"503": 1}, scene.statuses() - statuses

    scene.repeat()
    assert scene.state(number) == "paid"
    return f"503 with {len(held)} held, then booked"


def row_locked(scene: Scene) -> str:
    """Somebody holds the payment's row: the callback gives up after four seconds, and is repeated."""
    number = scene.paid(told=False)
    statuses = scene.statuses()
    with scene.stage.another_eye() as other:
        other.execute("begin")
        other.execute("select from payment where number = %s for update", (number,))
        scene.tell()
        other.execute("rollback")
    assert scene.statuses() - statuses == {"503": 1}, scene.statuses() - statuses

    scene.repeat()
    assert scene.state(number) == "paid"
    return "503, then booked"


def deadlock(scene: Scene) -> str:
    """A transaction that locks the other way round: one of the two is ended, and the callback is booked in the end."""
    number = scene.paid(told=False)
    with scene.stage.another_eye() as other:
        other.execute("begin")
        other.execute(
            "select from bill where id in (select bill_id from payment_bill where number = %s) for update", (number,)
        )

        def turn_round() -> None:
            with suppress(psycopg.errors.DeadlockDetected):
                other.execute("select pg_sleep(0.3)")
                other.execute("select from payment where number = %s for update", (number,))
            other.execute("rollback")

        rival = threading.Thread(target=turn_round)
        rival.start()
        scene.tell()
        rival.join()

    scene.repeat()
    assert scene.state(number) == "paid"
    return "booked"


def statement(scene: Scene, what: What) -> str:
    """The worker struck anywhere while it fetches a day's list: nothing half of it is kept, and it is fetched again."""

    def prepare() -> str:
        number = scene.paid()
        scene.morning()
        return number

    def after(number: str) -> None:
        scene.wait(660)
        scene.tick("statements")
        scene.wait(660)
        scene.tick("statements")
        rows = scene.stage.eye.execute(_KEPT, (number,)).fetchall()
        assert [tuple(row) for row in rows] == [("whole", 1, 1)], rows

    return scene.at_every_gate("worker", what, prepare, lambda _number: scene.tick("statements"), after)


_KEPT = """
select s.state, s.lines, count(*) from statement s join statement_row r using (gateway, day)
 where exists (select from statement_row m where m.gateway = s.gateway and m.day = s.day and m.number = %s)
 group by s.gateway, s.day"""
Story = Callable[[Scene], str]
STRUCK: dict[str, Story] = {
    "F01 web process killed in a callback": lambda scene: callback(scene, What.PROCESS),
    "F01 web process killed at the start of a payment": lambda scene: starting(scene, What.PROCESS),
    "F02 killed after the commit, before the answer": after_the_commit,
    "F06 worker killed while it asks": lambda scene: asking(scene, What.PROCESS),
    "F07 worker killed while it sends a message": lambda scene: telling(scene, What.PROCESS),
    "F08 two workers at once": two_workers,
    "F10 worker killed while it pays a refund": lambda scene: giving_back(scene, What.PROCESS),
    "F13 database backend killed in a callback": lambda scene: callback(scene, What.BACKEND),
    "F13 database backend killed at the start of a payment": lambda scene: starting(scene, What.BACKEND),
    "F14 database killed in a callback": lambda scene: callback(scene, What.SERVER),
    "F14 database killed while the worker asks": lambda scene: asking(scene, What.SERVER),
    "F14 database killed while a refund is paid": lambda scene: giving_back(scene, What.SERVER),
    "F14 database stopped at once in a callback": lambda scene: callback(scene, What.IMMEDIATE),
    "F15 line cut at the commit of a callback": lambda scene: callback(scene, What.LINE),
    "F15 line cut at the commits of a start": lambda scene: starting(scene, What.LINE),
    "F15 line cut at the commits of a refund": lambda scene: giving_back(scene, What.LINE),
    "F16 no connection left": no_connection_left,
    "F17 row locked": row_locked,
    "F18 deadlock": deadlock,
    "F64 worker killed while it fetches a statement": lambda scene: statement(scene, What.PROCESS),
    "F64 database killed while a statement is kept": lambda scene: statement(scene, What.SERVER),
}
ONCE = ("F64",)  # the worker fetches every gateway's list in one task; and a season has only so many days
SHORT = ("F02", "F07", "F10", "F15 line cut at the commit of", "F14 database killed in a callback")
