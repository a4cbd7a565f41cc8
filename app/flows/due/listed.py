"""A village's agent collects by its roster (R38, decision 0059): what is not on the one in force he may not collect,
and says what can be done. Pure."""

from dataclasses import replace

from app.flows.due.item import Due, Said
from app.policy.answer import Reason, turned_away
from app.policy.terms import Mode, PolicyYear
from app.policy.words import say
from app.registry.subject import Subject

_READ_BEFORE = "ccb_pos"  # what the bank's file brings was paid: money that is there is never refused


def by_roster(rules: PolicyYear, channel: str) -> bool:
    """Does who comes by this channel collect by a roster, for that year?"""
    collects = rules.channels.get(channel) is Mode.AGENT and channel != _READ_BEFORE
    return rules.campaign.agents_by_roster and collects


def is_of_roster(due: Due) -> bool:
    """Is it the year's ordinary premium? What rests on a bureau's word (a back-payment, a newborn) or on a premium that
    is paid (a raised tier) stands on no roster. As `is_of_roster` of app/flows/roster/collect.sql."""
    return due.determination is None and not due.is_rise and due.quote.reason_code is not Reason.NEWBORN_OK


def unless_unlisted(rules: PolicyYear, subject: Subject, due: Due) -> Due:
    """The item as it is; or, of somebody who is not on the roster, as one that only he himself can pay. Nothing is
    collected by saying that nothing is due: that stays."""
    listed = subject.listed.get(due.insurance)
    if listed or due.settled or not (due.payable or due.choice_open) or not is_of_roster(due):
        return due
    nothing = {"offer": tuple, "amounts": None, "levels": ()}
    if due.is_free:
        return replace(due, **nothing)
    reason = Reason.AGENT_NO_ROSTER if listed is None else Reason.AGENT_NOT_LISTED
    answer = turned_away(due.insurance, due.quote.day, reason)
    return replace(
        due,
        quote=answer,
        say=lambda: Said(say(answer, rules)),
        free_until=None,
        ask_first=None,
        on_phone=due.quote,
        **nothing,
    )
