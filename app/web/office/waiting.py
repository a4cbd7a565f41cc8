"""What waits for whoever looks at it: counted by his role, each with the page where it is done. Reads only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.access.roles import Role, may
from app.access.sessions import Officer
from app.flows.cases.desk import waiting_count as waiting_matters
from app.flows.cases.elsewhere import to_ask_again
from app.flows.complaints.desk import waiting_count
from app.flows.conflicts.queue import waiting_count as waiting_conflicts
from app.flows.helped.lists import open_count
from app.flows.newborn.desk import waiting_count as waiting_newborns
from app.flows.newborn.joins import waiting_count as waiting_joinings
from app.flows.offices.audit import alarms
from app.flows.offices.progress import progress, totals
from app.flows.parts import Parts
from app.flows.reconcile.close_day import due_to_close
from app.flows.refund.desk import work
from app.flows.register.desk import waiting_count as waiting_cases
from app.flows.roster.closings import waiting_count as waiting_closings
from app.flows.roster.desk import waiting_count as waiting_rosters
from app.flows.roster.objections import waiting_count as waiting_objections
from app.flows.sponsor.desk import to_agree
from app.flows.staffing.desk import to_answer
from app.flows.suspense.desk import Doubt, doubts
from app.flows.village.people import TITLES
from app.policy.facts import Insurance
from app.web.office.refunds import waits_for
from payments.reconcile.discrepancies import open_ones


@dataclass(frozen=True)
class Waiting:
    """So many of one kind, to be done on the page of an endpoint."""

    count: int
    what: str
    endpoint: str


def waiting(parts: Parts, who: Officer) -> list[Waiting]:
    """Everything that waits for this officer, kinds with nothing too."""
    found: list[Waiting] = []
    if may(who.role, "day.close"):
        found += _of_the_days(parts, who)
    for permissions, count, words, endpoint in _KINDS:
        if any(may(who.role, permission) for permission in permissions):
            found.append(Waiting(count(parts, who), words, endpoint))
    if who.role is Role.AUDITOR:
        found.append(Waiting(sum(each.count for each in alarms(parts)), "项现在不对", "audit.now"))
    if who.role is Role.TOWN:
        for row in totals(progress(parts, who)):
            found.append(Waiting(row.left, f"人{TITLES[Insurance(row.insurance)]}还没办", "office_progress.table"))
    return found


def _of_the_days(parts: Parts, who: Officer) -> list[Waiting]:
    with parts.reading() as connection:
        differences = open_ones(connection)
    if may(who.role, "day.clear"):
        mine = sum(row.count for row in differences if row.state == "open")
        words = "条差异等您处理"
    else:
        mine = sum(row.count for row in differences if row.state == "proposed" and row.cleared_by != who.by)
        words = "条差异等您复核"
    return [Waiting(mine, words, "day.days"), Waiting(due_to_close(parts), "天该日结了", "day.days")]


def _refunds(parts: Parts, who: Officer) -> int:
    return sum(waits_for(who, row) for row in work(parts))


def _doubts(parts: Parts, who: Officer) -> int:
    return sum(_doubt_waits(who, row) for row in doubts(parts))


def _complaints(parts: Parts, _who: Officer) -> int:
    return waiting_count(parts)


def _helped(parts: Parts, _who: Officer) -> int:
    return open_count(parts)


def _doubt_waits(who: Officer, row: Doubt) -> bool:
    """For who solves: what is nobody's, or his and not proposed. For who agrees: what another proposed."""
    if may(who.role, "suspense.solve"):
        return row.proposed_by is None and (not row.owned or row.owner == who.by)
    return row.proposed_by not in (None, who.by)


_KINDS: Sequence[tuple[Sequence[str], Callable[[Parts, Officer], int], str, str]] = (
    (("refund.reject",), _refunds, "笔退费等您办", "office_refunds.listed"),
    (("determination.decide",), waiting_cases, "件核定等您办", "office_determinations.listed"),
    (("newborn.decide",), waiting_newborns, "个孩子等您登记", "office_newborns.listed"),
    (("joining.ask",), waiting_joinings, "件并号等您办", "office_joinings.listed"),
    (("matter.answer",), waiting_matters, "件反映的事等您答复", "office_matters.listed"),
    (("elsewhere.find",), to_ask_again, "人说在外地交了，该再问一次", "office_elsewhere.listed"),
    (("conflict.solve",), waiting_conflicts, "件登记冲突等您定", "office_conflicts.listed"),
    (("suspense.solve", "suspense.confirm"), _doubts, "笔待查款等您办", "office_suspense.listed"),
    (("complaint.answer",), _complaints, "件投诉等您办", "office_complaints.all_of_them"),
    (("sponsor.agree",), to_agree, "笔资助等您同意", "office_sponsors.listed"),
    (("roster.sign", "roster.hand"), waiting_rosters, "份清册等您办", "office_rosters.listed"),
    (("objection.answer", "roster.hand"), waiting_objections, "条清册异议等您办", "office_objections.listed"),
    (("roster.draw", "roster.hand"), waiting_closings, "份参保缴费公示等您办", "office_closings.listed"),
    (("agent.agree",), to_answer, "个代办员要换动态码，等您同意", "office_agents.listed"),
    (("helped.answer",), _helped, "人部门名单里还没办成", "office_helped.waiting"),
)
