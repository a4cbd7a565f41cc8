"""What sponsors pay of the items of one wish: a pledge that pays for one of its people has less for the next. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from app.flows.due.item import Due
from app.policy.answer import Part
from app.registry.subject import Pledged, Subject
from core.money import Fen


def together(asked: Iterable[tuple[Subject, Callable[[Subject], Due]]]) -> Iterator[tuple[Subject, Due]]:
    """Each item of one wish at its price: its person, and how it is priced for him."""
    given = Counter[int]()
    for person, price in asked:
        subject = less_pledged(person, given)
        due = price(subject)
        yield subject, due
        given += newly_given(subject, due)


def less_pledged(subject: Subject, given: Mapping[int, Fen]) -> Subject:
    """The person as the pledges stand once so much more of them is given; pledge → fen."""
    if not any(given.get(each.id) for each in subject.pledges):
        return subject
    years = {year: replace(said, pledges=_less(said.pledges, given)) for year, said in subject.years.items()}
    return replace(subject, pledges=_less(subject.pledges, given), years=years)


def newly_given(subject: Subject, due: Due) -> Counter[int]:
    """What this item takes of pledges beyond what its bill has of them already."""
    own = {each.id: each.own for each in subject.in_year(due.levy_year).pledges}
    lines = [line for line in due.quote.lines if line.part is Part.SPONSOR]
    taken = {int(line.payer.partition(":")[2]): line.amount for line in lines}
    return Counter({pledge: max(amount - own.get(pledge, 0), 0) for pledge, amount in taken.items()})


def short_of(dues: Sequence[Due]) -> dict[str, list[str]]:
    """Whose money is used up that would have paid of these, as it is kept with a payment."""
    names = list(dict.fromkeys(name for due in dues for name in due.quote.short))
    return {"short": names} if names else {}


def _less(pledges: tuple[Pledged, ...], given: Mapping[int, Fen]) -> tuple[Pledged, ...]:
    return tuple(each._replace(room=each.room - given.get(each.id, 0)) for each in pledges)
