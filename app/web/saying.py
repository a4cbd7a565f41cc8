"""One sentence to an office: the same page for a resident and for an agent of a village."""

from collections.abc import Mapping, Sequence

from flask import redirect, render_template, request

from app.flows.cases.say import BadSentence, NoSuchMatter, Said, say, settle
from app.flows.due.doubt import called_dead
from app.policy.facts import Insurance
from app.registry.matters import LACKING, TOPICS
from app.registry.subject import Subject
from app.web.door.access import Answer, here
from app.web.door.parts import parts
from core.errors import AppError
from core.redact import mask_name


def saying_page(
    whom: Mapping[str, Subject],
    said: Sequence[Said],
    *,
    own: str,
    back: str,
    problem: str | None = None,
    begun: Mapping[str, str] | None = None,
    of_him: bool = False,
) -> str:
    """What was said, its answers, and a form. `whom`: reference → of whom something may be said; `own`: the page's
    address. What was typed stays; `begun`: what stands in the form at first; `of_him`: who writes is not he."""
    dead = {named: _called_dead(person) for named, person in whom.items() if person.called_dead}
    return render_template(
        "saying.html",
        whom={named: mask_name(person.name) for named, person in whom.items()},
        dead=dead,
        said=said,
        topics=_topics(of_people=bool(whom), of_dead=bool(dead), of_him=of_him),
        own=own,
        back=back,
        problem=problem,
        typed=request.form or begun or {},
    )


_OF_HIM = {"NOT_MY_PAYMENT": "他没付过这笔", "NOT_MY_FAMILY": "不是他家的人"}


def say_here(person_id: int | None, *, village: str | None, by: str, named: str = "") -> None:
    """What the form says, of the person chosen in it. `named`: who is meant where a list lacks somebody whom the office
    would not find otherwise. BadSentence, NotFound."""
    kind, _, insurance = request.form.get("kind", "")[:40].partition(":")
    words, lacking = request.form.get("words", "")[:2000], kind == "NOT_LISTED"
    insurance = insurance or "RES_MEDICAL"
    if insurance not in LACKING:
        raise BadSentence
    said = f"{named}：{words}" if lacking and named and words.strip() and named not in words else words
    say(parts(), kind, said, person_id=None if lacking else person_id, village=village, by=by, insurance=insurance)


def _topics(*, of_people: bool, of_dead: bool, of_him: bool) -> dict[str, str]:
    """The form's words for each, of whom a list lacks first, by whose list it is; `of_him`: as another says it."""
    lists = {each: topic for each, topic in LACKING.items() if parts().rules.offers(Insurance(each))}
    found = {f"NOT_LISTED:{each}": topic.words for each, topic in lists.items()}
    own = {kind: topic.words for kind, topic in TOPICS.items() if kind != "NOT_LISTED"} if of_people else {}
    alive = {"STILL_ALIVE": own.pop("STILL_ALIVE")} if own else {}
    every = (alive if of_dead else {}) | found | own
    if of_him:
        return {kind: _OF_HIM.get(kind, words.replace("我（他）", "他")) for kind, words in every.items()}
    return every


def _called_dead(person: Subject) -> str:
    return "；".join(dict.fromkeys(called_dead(person, insurance) for insurance in person.called_dead))


def settle_here(number: str, said: Sequence[Said]) -> None:
    """解决了, or 没解决 and why, of one that stands on this page. NoSuchMatter, NotAnswered, BadSentence."""
    known = {str(each.id): each.id for each in said}
    if number not in known:
        raise NoSuchMatter(number[:20])
    again = request.form.get("again", "")[:2000] if request.form.get("solved") == "no" else None
    settle(parts(), known[number], again=again, by=here())


def shown(act: object, page: object, own: str, *, said: bool = False) -> Answer | tuple[Answer, int]:
    """`act` and back to the page, which then says that it was `said`; what is refused is said on it, with what was
    typed."""
    assert callable(act) and callable(page), "both are of this door"
    try:
        act()
    except AppError as error:
        return page(error.sentence()), error.status
    return redirect(f"{own}{'&' if '?' in own else '?'}said=1" if said else own, 303)
