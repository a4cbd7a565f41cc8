"""What offices contradict each other about cannot be billed: the item stands there without a price, with the office
that is looking and the telephone to ask at. Pure."""

from dataclasses import replace

from app.flows.due.item import Due, Said
from app.flows.parts import Parts
from app.policy.answer import Reason, turned_away
from app.registry.conflicts import OFFICES, Kind
from app.registry.subject import Subject

IN_DOUBT = "先不要交钱。登记的情况有对不上的地方，{office}正在核对，核对好了就能办，不用您跑。想问的，请打{phone}。"
_OF_LIFE = (
    "先不要交钱。{said}，核对好了就能办，不用您跑。"
    "人还健在的，请告诉我们，会有人答复：可以打{phone}，也可以请村里代办员报上来。"
)
_SAID = {
    Kind.ALIVE: "公安报来的名单上写着人已经去世，登记上写着健在，{office}正在核对",
    Kind.BUREAUS: "{office}的登记上写着人已经去世，另一家局的写着健在，{office}正在核对",
}


def called_dead(subject: Subject, insurance: str) -> str:
    """Who says what of his life, as he may read it; empty where nobody disputes that. Pure."""
    kind, owner = subject.called_dead.get(insurance, ("", ""))
    return _SAID[Kind(kind)].format(office=OFFICES[owner]) if kind else ""


def unless_in_doubt(parts: Parts, subject: Subject, due: Due) -> Due:
    """The item as it is, or as it waits; what is settled is."""
    owner = subject.conflicts.get(due.insurance)
    if owner is None or due.settled:
        return due
    words = called_dead(subject, due.insurance)
    words = (_OF_LIFE if words else IN_DOUBT).format(said=words, office=OFFICES[owner], phone=parts.help_phone)
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
