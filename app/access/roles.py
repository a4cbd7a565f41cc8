"""What each role of the offices may do (INV-33: who asks, who reviews and who agrees are different people)."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """A place in an office. Staff are known by login; two people of one name sit in the leading group."""

    TAX_CLERK = "tax_clerk"  # matches the books, accepts refunds, clears differences
    TAX_LEAD = "tax_lead"  # the second person where money moves
    HRSS = "hrss"  # reviews pension refunds
    MEDICAL = "medical"  # reviews medical refunds
    TOWN = "town"  # sees the people and the progress of its own towns
    COUNTER = "counter"  # serves whoever stands at its own towns' service hall; everything is signed with his name
    DEPARTMENT = "department"  # sends its department's lists of helped people, and sees nothing else
    AUDITOR = "auditor"  # sees all, changes nothing
    GLASS = "glass"  # for an hour, opened by another: sees what the desks see, changes nothing (A52); no account has it


ROLES: Mapping[Role, str] = {
    Role.TAX_CLERK: "税务经办",
    Role.TAX_LEAD: "税务复核",
    Role.HRSS: "人社经办",
    Role.MEDICAL: "医保经办",
    Role.TOWN: "镇街经办",
    Role.COUNTER: "服务大厅窗口",
    Role.DEPARTMENT: "帮扶部门",
    Role.AUDITOR: "审计",
    Role.GLASS: "应急查看",
}
GIVEN = tuple(role for role in Role if role is not Role.GLASS)  # what an account may have
DESKS = frozenset(Role) - {Role.DEPARTMENT}  # who sees people and what is due
LOCAL = frozenset({Role.TOWN, Role.COUNTER})  # who sees his own towns and nothing else
DISTRICT = frozenset(GIVEN) - LOCAL - {Role.DEPARTMENT}  # whose desk is the whole district's
BOOKS = frozenset({Role.TAX_CLERK, Role.TAX_LEAD, Role.AUDITOR, Role.GLASS})  # who sees where the money is
PERMISSIONS: Mapping[str, frozenset[Role]] = {
    "office.see": frozenset(Role),
    "day.see": BOOKS,
    "day.clear": frozenset({Role.TAX_CLERK}),
    "day.confirm": frozenset({Role.TAX_LEAD}),
    "day.close": frozenset({Role.TAX_CLERK, Role.TAX_LEAD}),
    "refund.see": DISTRICT | {Role.GLASS},
    "refund.accept": frozenset({Role.TAX_CLERK}),
    "refund.review": frozenset({Role.HRSS, Role.MEDICAL}),
    "refund.approve": frozenset({Role.TAX_LEAD}),
    "refund.reject": DISTRICT - {Role.AUDITOR},  # and only whoever has the next step
    "determination.see": frozenset({Role.HRSS, Role.MEDICAL, Role.AUDITOR, Role.GLASS}),  # each bureau its insurance
    "determination.decide": frozenset({Role.HRSS, Role.MEDICAL}),
    "newborn.see": frozenset({Role.MEDICAL, Role.AUDITOR, Role.GLASS}),  # children without an identity number
    "newborn.decide": frozenset({Role.MEDICAL}),
    "joining.see": frozenset({Role.HRSS, Role.MEDICAL, Role.AUDITOR, Role.GLASS}),  # certificates and numbers joined
    "joining.ask": frozenset({Role.HRSS, Role.MEDICAL}),  # and agreed to, never by who asked
    "matter.see": frozenset({Role.TAX_CLERK, Role.HRSS, Role.MEDICAL, Role.AUDITOR, Role.GLASS}),  # each office its own
    "matter.answer": frozenset({Role.TAX_CLERK, Role.HRSS, Role.MEDICAL}),
    "elsewhere.see": frozenset({Role.HRSS, Role.MEDICAL, Role.AUDITOR, Role.GLASS}),  # each bureau its own
    "elsewhere.find": frozenset({Role.HRSS, Role.MEDICAL}),
    "suspense.see": BOOKS,
    "suspense.solve": frozenset({Role.TAX_CLERK}),
    "suspense.confirm": frozenset({Role.TAX_LEAD}),
    "complaint.see": BOOKS,
    "complaint.answer": frozenset({Role.TAX_CLERK}),
    "channel.see": BOOKS,
    "channel.pause": frozenset({Role.TAX_LEAD}),
    "counter.serve": frozenset({Role.COUNTER}),  # codes, refunds, determinations, papers for who stands there
    "people.see": DESKS,  # found one by one, numbers masked
    "number.see": DESKS - {Role.TAX_LEAD},  # a full number: for a reason that is written down
    "progress.see": BOOKS | {Role.TOWN},
    "policy.see": DESKS,  # what the years say, before and after somebody signs
    "year.see": BOOKS,
    "year.open": frozenset({Role.TAX_LEAD}),
    "register.see": frozenset({Role.HRSS, Role.MEDICAL, Role.AUDITOR, Role.GLASS}),
    "register.bring": frozenset({Role.HRSS, Role.MEDICAL}),  # files of the register, each its own insurance's rows
    "police.see": frozenset({Role.HRSS, Role.MEDICAL, Role.AUDITOR, Role.GLASS}),
    "police.bring": frozenset({Role.HRSS, Role.MEDICAL}),
    "conflict.see": frozenset({Role.HRSS, Role.MEDICAL, Role.AUDITOR, Role.GLASS}),  # each bureau its own
    "conflict.solve": frozenset({Role.HRSS, Role.MEDICAL}),
    "trace.see": BOOKS,
    "helped.see": DESKS - {Role.HRSS, Role.COUNTER} | {Role.DEPARTMENT},  # lists of helped people; a department its own
    "helped.send": frozenset({Role.DEPARTMENT}),
    "helped.answer": frozenset(
        {Role.DEPARTMENT, Role.TOWN, Role.MEDICAL}
    ),  # who tells a failed person, and how it ended
    "agent.keep": frozenset({Role.TOWN}),  # a town its own agents: made from a list, ended, a lost telephone renewed
    "agent.agree": frozenset({Role.TOWN, Role.TAX_LEAD}),  # to a lost telephone, and never who asked
    "helped.close": frozenset({Role.DEPARTMENT, Role.MEDICAL}),
    "bill.see": DISTRICT | {Role.GLASS, Role.DEPARTMENT},  # what departments owe, as bills; a department its own
    "bill.draw": frozenset({Role.HRSS, Role.MEDICAL}),  # each bureau of its insurance
    "bill.take": frozenset({Role.HRSS, Role.MEDICAL, Role.DEPARTMENT}),  # with names and numbers, and it is noted
    "sponsor.see": DISTRICT - {Role.HRSS} | {Role.TOWN, Role.GLASS},  # pledges and their money; a town its own
    "sponsor.enter": frozenset({Role.MEDICAL, Role.TOWN}),
    "sponsor.agree": frozenset({Role.MEDICAL, Role.TAX_LEAD}),  # and never who entered it
    "roster.see": DISTRICT | {Role.TOWN, Role.GLASS},  # rosters of villages; a town its own
    "roster.draw": frozenset({Role.TAX_CLERK, Role.TAX_LEAD}),
    "roster.sign": frozenset({Role.TAX_CLERK, Role.TAX_LEAD, Role.HRSS, Role.MEDICAL}),  # each office its step, once
    "roster.hand": frozenset({Role.TOWN}),  # to an agent of the village
    "objection.answer": frozenset({Role.HRSS, Role.MEDICAL}),  # to a list that hangs, each its insurance
    "roster.back": DISTRICT - {Role.AUDITOR} | {Role.TOWN},
    "disclosure.see": frozenset({Role.AUDITOR}),
    "cash.see": BOOKS | {Role.TOWN},  # what agents hold, books of receipts; a town its own
    "cash.books": frozenset({Role.TAX_CLERK}),  # serials for a village; of which batch a bank's slip is not
    "cash.switch": frozenset({Role.TOWN}),  # which village may take cash on which day
    "glass.see": DESKS - {Role.COUNTER},
    "glass.ask": DESKS - {Role.COUNTER, Role.AUDITOR, Role.GLASS},
    "glass.open": frozenset({Role.TAX_LEAD, Role.HRSS, Role.MEDICAL}),  # who asks does not open his own
}
REVIEWS: Mapping[Role, str] = {Role.HRSS: "RES_PENSION", Role.MEDICAL: "RES_MEDICAL"}  # whose insurance


def may(role: Role, permission: str) -> bool:
    """KeyError for a permission nobody declared."""
    return role in PERMISSIONS[permission]
