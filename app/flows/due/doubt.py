"""What offices contradict each other about cannot be billed: the item stands there without a price, with the office
that is looking and the telephone to ask at. Pure."""

from dataclasses import replace

from app.flows.due.item import Due, Said
from app.flows.parts import Parts
from app.policy.answer import Reason, turned_away
from app.registry.conflicts import OFFICES
from app.registry.subject import Subject

IN_DOUBT = "先不要交钱。登记的情况有对不上的地方，{office}正在核对，核对好了就能办，不用您跑。想问的，请打{phone}。"


def unless_in_doubt(parts: Parts, subject: Subject, due: Due) -> Due:
    """The item as it is, or as it waits; what is settled is."""
    owner = subject.conflicts.get(due.insurance)
    if owner is None or due.settled:
        return due
    words = IN_DOUBT.format(office=OFFICES[owner], phone=parts.help_phone)
    return replace(
        due,
        quote=turned_away(due.insurance, due.quote.day, Reason.REGISTER_CONFLICT),
        say=lambda: Said(words),
        offer=tuple,
        free_until=None,
        ask_first=None,
        on_phone=None,
        asked=False,
        amounts=None,
        levels=(),
        rise=None,
    )
