"""What the worker does, as jobs of the queue: tell people, ask about silent payments, pay agreed refunds, fetch
statements, rescue what a dead worker left.

Jobs are deferred inside the transaction that needs them. Each may run twice: every flow it calls bears that.
A cron of six columns has its seconds in the last one.
"""

from collections.abc import Callable
from threading import Event

import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.jobs import Job, Status
from sqlalchemy import text

from app.access.accounts import forget_codes
from app.access.tally import forget
from app.flows.complaints.send import send_due
from app.flows.complaints.watch import ask_hinted, listen, poll, ring, tell_of_refunds
from app.flows.conflicts.of_the_dead import ask_for_dead, withdraw_of_the_dead
from app.flows.conflicts.watch import watch_conflicts
from app.flows.custody.watch import watch_cash
from app.flows.helped.watch import watch_rows
from app.flows.keep.retention import let_go
from app.flows.offices.glass import end_over
from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.pay.expire import ask_silent
from app.flows.pay.pause import watch_pauses
from app.flows.reconcile.compare import reconcile_due, watch_differences
from app.flows.reconcile.fetch_statement import fetch_due
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.refund.for_nothing import ask_for_elsewhere
from app.flows.refund.give_back import pay_due
from app.flows.refund.steps import ask_for_surplus
from app.flows.restore.watch import watch_backups
from app.flows.roster.post import ripen
from app.flows.roster.watch import watch_rosters
from app.flows.suspense.solve import watch
from app.flows.tell.ask_back import ask_back
from app.flows.tell.send import tell, tell_due
from app.flows.watch.book import watch_book, watch_new
from app.flows.watch.clock import watch_clock
from app.flows.watch.keys import watch_address, watch_keys, watch_last_day
from core.errors import AppError

STALLED_S = 30
STOPPING = Event()  # this process is told to stop: what is not begun is left to the next one


def jobs(parts: Parts, url: str, *, pooler: bool = False) -> App:
    """The queue with every task of ours; `url` is the application's role, `pooler` as in `core.db.connect`."""
    prepared = {"prepare_threshold": None} if pooler else {}
    app = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=6, kwargs=prepared))

    @app.task(name="tell", queue="notices", retry=False)
    def _tell(notices: list[list[object]]) -> None:
        tell(parts, [(int(str(household)), str(cause)) for household, cause in notices])

    @app.periodic(cron="* * * * * */2")
    @app.task(name="ask", queue="clock", queueing_lock="ask", lock="ask")
    def _ask(timestamp: int) -> None:
        parts.levy.keep_up()
        _turn_by_turn("ask", lambda: ask_silent(parts), full=50)

    @app.periodic(cron="* * * * * */5")
    @app.task(name="tell_due", queue="clock", queueing_lock="tell_due", lock="tell_due")
    def _tell_due(timestamp: int) -> None:
        _turn_by_turn("tell_due", lambda: tell_due(parts, stop=STOPPING.is_set), full=1000)

    @app.periodic(cron="* * * * * */5")
    @app.task(name="receipts", queue="clock", queueing_lock="receipts", lock="receipts")
    def _receipts(timestamp: int) -> None:
        _turn_by_turn("receipts", lambda: ask_back(parts), full=100)

    _money_tasks(app, parts)
    _office_tasks(app, parts)
    _watch_tasks(app, parts)
    _complaint_tasks(app, parts)
    _keeping_tasks(app, parts)
    return app


def _money_tasks(app: App, parts: Parts) -> None:
    """Refunds that two people agreed to, and the gateways' own lists."""

    @app.periodic(cron="* * * * * */2")
    @app.task(name="refund", queue="clock", queueing_lock="refund", lock="refund")
    def _refund(timestamp: int) -> None:
        _turn_by_turn("refund", lambda: pay_due(parts), full=20)

    @app.periodic(cron="* * * * * */10")
    @app.task(name="surplus", queue="clock", queueing_lock="surplus", lock="surplus")
    def _surplus(timestamp: int) -> None:
        _safely("surplus", lambda: ask_for_surplus(parts))

    @app.periodic(cron="11 18 * * *")  # two in the morning in Beijing
    @app.task(name="entitled", queue="clock", queueing_lock="entitled", lock="entitled")
    def _entitled(timestamp: int) -> None:
        _safely("entitled", lambda: ask_for_entitled(parts))
        _safely("bills_of_the_dead", lambda: withdraw_of_the_dead(parts))
        _safely("of_the_dead", lambda: ask_for_dead(parts))
        _safely("for_nothing", lambda: ask_for_elsewhere(parts))

    @app.periodic(cron="5 * * * *")
    @app.task(name="suspense", queue="clock", queueing_lock="suspense", lock="suspense")
    def _suspense(timestamp: int) -> None:
        _safely("suspense", lambda: watch(parts))

    @app.periodic(cron="35 * * * *")
    @app.task(name="watch_pauses", queue="clock", queueing_lock="watch_pauses", lock="watch_pauses")
    def _watch_pauses(timestamp: int) -> None:
        watch_pauses(parts)

    @app.periodic(cron="* * * * * 30")
    @app.task(name="statements", queue="clock", queueing_lock="statements", lock="statements")
    def _statements(timestamp: int) -> None:
        steps = {"fetch": fetch_due, "reconcile": reconcile_due, "differences": watch_differences}
        one_by_one(parts, "statements", steps, lambda step: _safely(step, lambda: steps[step](parts)), name=str)


def _office_tasks(app: App, parts: Parts) -> None:
    """What offices have in hand."""

    @app.periodic(cron="15 * * * *")
    @app.task(name="helped_rows", queue="clock", queueing_lock="helped_rows", lock="helped_rows")
    def _helped_rows(timestamp: int) -> None:
        watch_rows(parts)

    @app.periodic(cron="25 * * * *")
    @app.task(name="conflicts", queue="clock", queueing_lock="conflicts", lock="conflicts")
    def _conflicts(timestamp: int) -> None:
        watch_conflicts(parts)

    @app.periodic(cron="* * * * * 20")
    @app.task(name="rosters", queue="clock", queueing_lock="rosters", lock="rosters")
    def _rosters(timestamp: int) -> None:
        _safely("rosters", lambda: ripen(parts))

    @app.periodic(cron="50 * * * *")
    @app.task(name="roster_bells", queue="clock", queueing_lock="roster_bells", lock="roster_bells")
    def _roster_bells(timestamp: int) -> None:
        watch_rosters(parts)

    @app.periodic(cron="40 * * * *")
    @app.task(name="cash_bells", queue="clock", queueing_lock="cash_bells", lock="cash_bells")
    def _cash_bells(timestamp: int) -> None:
        watch_cash(parts)


def _watch_tasks(app: App, parts: Parts) -> None:
    """What wakes somebody by itself."""

    @app.periodic(cron="* * * * * 45")
    @app.task(name="watch_book", queue="clock", queueing_lock="watch_book", lock="watch_book")
    def _watch_book(timestamp: int) -> None:
        watch_new(parts)

    @app.periodic(cron="7 * * * *")
    @app.task(name="watch_whole_book", queue="clock", queueing_lock="watch_whole_book", lock="watch_book")
    def _watch_whole_book(timestamp: int) -> None:
        watch_book(parts)

    @app.periodic(cron="23 1 * * *")  # nine in the morning in Beijing
    @app.task(name="watch_keys", queue="clock", queueing_lock="watch_keys")
    def _watch_keys(timestamp: int) -> None:
        steps = {"keys": watch_keys, "address": watch_address}
        one_by_one(parts, "watch_keys", steps, lambda step: _safely(step, lambda: steps[step](parts)), name=str)

    @app.periodic(cron="43 * * * *")
    @app.task(name="watch_last_day", queue="clock", queueing_lock="watch_last_day")
    def _watch_last_day(timestamp: int) -> None:
        watch_last_day(parts)

    @app.periodic(cron="* * * * * 55")
    @app.task(name="watch_clock", queue="clock", queueing_lock="watch_clock")
    def _watch_clock(timestamp: int) -> None:
        watch_clock(parts)


def _complaint_tasks(app: App, parts: Parts) -> None:
    """What payers complain of at their gateways, and what we say there."""

    @app.periodic(cron="* * * * * */5")
    @app.task(name="complaint_talk", queue="clock", queueing_lock="complaint_talk", lock="complaint_talk")
    def _complaint_talk(timestamp: int) -> None:
        steps = {"asked": ask_hinted, "sent": send_due}
        one_by_one(parts, "complaint_talk", steps, lambda step: _safely(step, lambda: steps[step](parts)), name=str)

    @app.periodic(cron="*/3 * * * * 20")
    @app.task(name="complaints", queue="clock", queueing_lock="complaints", lock="complaints")
    def _complaints(timestamp: int) -> None:
        steps = {"list": poll, "refunds": tell_of_refunds}
        one_by_one(parts, "complaints_due", steps, lambda step: _safely(step, lambda: steps[step](parts)), name=str)

    @app.periodic(cron="* * * * * 50")
    @app.task(name="complaint_bells", queue="clock", queueing_lock="complaint_bells", lock="complaint_bells")
    def _complaint_bells(timestamp: int) -> None:
        _safely("complaint_bells", lambda: ring(parts))

    @app.periodic(cron="*/10 * * * * 40")
    @app.task(name="complaint_address", queue="clock", queueing_lock="complaint_address")
    def _complaint_address(timestamp: int) -> None:
        _safely("complaint_address", lambda: listen(parts))


def _keeping_tasks(app: App, parts: Parts) -> None:
    """What keeps the queue and the tables tidy, and looks after their backups."""

    @app.periodic(cron="* * * * * */10")
    @app.task(name="rescue", queue="clock", queueing_lock="rescue", pass_context=True)
    async def _rescue(context: JobContext, timestamp: int) -> None:
        # A killed worker's jobs stay "doing" for ever, with their locks, unless somebody puts them back.
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
            structlog.get_logger("worker").warning("job_rescued", task=job.task_name)
            if job.queueing_lock:  # the clock's: its next turn is queued already, and two may not be
                await app.job_manager.finish_job_by_id_async(_id(job), status=Status.FAILED, delete_job=True)
            else:
                await app.job_manager.retry_job(job)

    @app.periodic(cron="*/5 * * * * 15")
    @app.task(name="watch_backups", queue="clock", queueing_lock="watch_backups", lock="watch_backups")
    def _watch_backups(timestamp: int) -> None:
        watch_backups(parts)

    @app.periodic(cron="17 * * * *")
    @app.task(name="sweep", queue="clock", queueing_lock="sweep")
    def _sweep(timestamp: int) -> None:
        with parts.engine.begin() as connection:
            forget(connection, now=parts.clocks.wall())
            forget_codes(connection, now=parts.clocks.wall())
            connection.execute(text("delete from session where expires_at < now()"))
            connection.execute(_OLD_FAILURES)
            connection.execute(text("delete from trouble where last_at < now() - interval '7 days'"))
            # An hour after midnight nobody writes on the day before any more.
            connection.execute(
                text("select keep_days(((now() - interval '1 hour') at time zone 'Asia/Shanghai')::date)")
            )

    @app.periodic(cron="* * * * * 15")
    @app.task(name="glass", queue="clock", queueing_lock="glass", lock="glass")
    def _glass(timestamp: int) -> None:
        end_over(parts)

    @app.periodic(cron="41 19 * * *")  # in the night in Beijing
    @app.task(name="retention", queue="clock", queueing_lock="retention", lock="retention")
    def _retention(timestamp: int) -> None:
        let_go(parts)


def _id(job: Job) -> int:
    assert job.id is not None, "a job that was fetched has its number"
    return job.id


_OLD_FAILURES = text(
    "delete from procrastinate_jobs j where status not in ('todo', 'doing') and not exists"
    " (select from procrastinate_events e where e.job_id = j.id and e.at > now() - interval '7 days')"
)


def _turn_by_turn(task: str, act: Callable[[], int], *, full: int) -> None:
    """Until a turn was not full, or the process is told to stop."""
    while _safely(task, act) >= full and not STOPPING.is_set():
        pass


def _safely(task: str, act: Callable[[], int]) -> int:
    """A flow that meets a silent outsider is tried again by its own schedule, not by the queue."""
    try:
        return act()
    except AppError as error:
        structlog.get_logger("worker").warning("put_off", task=task, code=error.code)
        return 0
