"""What the offices see of complaints: a list by its clock, one case with everything that was said and done, and the
payer's full words and phone for a reason that is written down."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from app.access import disclosures
from app.access.sessions import Officer
from app.flows.complaints.answer import NoSuchComplaint, places_of
from app.flows.complaints.ask import bound
from app.flows.complaints.words import approved
from app.flows.offices.people import allow_reading, good_reason
from app.flows.parts import Parts
from app.flows.refund.follow import WORDS as REFUND_WORDS
from core.money import Fen
from core.redact import mask_phone, scrub
from payments.complaints import cases
from payments.gateways.complaining import Stage, complaints_of
from payments.gateways.known import GATEWAYS
from payments.refunds import find as find_refunds
from payments.states import RefundState

PAGE = 20
STAGES: Mapping[str, str] = {
    Stage.OPEN: "等我们处理",
    Stage.PLATFORM: "平台介入",
    Stage.DONE: "办结",
    Stage.WITHDRAWN: "投诉人撤回",
    Stage.UNKNOWN: "平台的说法不认识",
}
ANSWERED = "已回复，等办结"
MOVES: Mapping[str, str] = {
    "came": "提出投诉",
    "again": "继续投诉",
    "said": "留言",
    "done": "标记处理完成",
    "withdrawn": "撤回投诉",
    "refund_agreed": "告诉平台同意退款",
    "refund_refused": "告诉平台不同意退款",
    "noted": "系统消息",
    "unknown": "不认识的一步",
}
VOICES: Mapping[str, str] = {"payer": "投诉人", "us": "我们", "platform": "平台"}
KINDS: Mapping[str, str] = {
    "answer": "回复",
    "finish": "处理完成",
    "agree": "告诉平台同意退款",
    "refuse": "告诉平台不同意退款",
}
STATES: Mapping[str, str] = {
    "pending": "马上发出",
    "unknown": "发出了，还没听到回音，正在核对",
    "sent": "平台收下了",
    "confirmed": "平台上已经看得到",
    "refused": "平台没有收，请改一改再发",
}


@dataclass(frozen=True)
class Waiting:
    """One complaint in the list. `left`: until the next deadline; negative when it is over; None once it has ended."""

    gateway: str
    number: str
    title: str
    stage: str
    about: str  # masked
    is_ours: bool
    amount: Fen | None
    turn: int
    came_at: datetime
    waits_for: str
    until: datetime
    left: timedelta | None
    hurries: bool
    ended_at: datetime | None


@dataclass(frozen=True)
class Line:
    """One line of the conversation, masked."""

    who: str
    what: str
    words: str
    at: datetime


@dataclass(frozen=True)
class Reply:
    """What we wrote, and how far it is."""

    what: str
    words: str
    pictured: bool
    state: str
    state_words: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Case:
    """One complaint as the clerk sees it; numbers of people are masked. `refund`: its number and where it stands."""

    head: Waiting
    payment: str | None
    named: str
    about: str
    words: str
    pictures: int
    phone: str
    wants_back: Fen | None
    answer_by: datetime
    end_by: datetime
    answered_at: datetime | None
    lines: Sequence[Line]
    replies: Sequence[Reply]
    refund: tuple[str, str] | None


def listed(parts: Parts, *, ended: bool, gateway: str, page: int) -> tuple[Sequence[Waiting], int]:
    """A page of those that wait, the nearest end first, or that ended, the latest first; and how many there are."""
    now = parts.clocks.now()
    with parts.reading() as connection:
        count = cases.counted(connection, ended=ended, gateway=gateway)
        rows = cases.listed(connection, ended=ended, gateway=gateway, offset=(page - 1) * PAGE, most=PAGE)
    return [_head(row, now, scrub(_opened(parts, row)[0]["about"])) for row in rows], count


def without(parts: Parts) -> Sequence[str]:
    """Channels of ours that tell of no complaints; theirs come by telephone and by the merchant's pages."""
    return [GATEWAYS[name].facts.title for name, held in parts.gateways.items() if complaints_of(held) is None]


def waiting_count(parts: Parts) -> int:
    """How many wait for the clerk."""
    with parts.reading() as connection:
        return cases.counted(connection, ended=False)


def case(parts: Parts, gateway: str, number: str) -> Case:
    """NoSuchComplaint."""
    with parts.reading() as connection:
        row = cases.find(connection, gateway, number)
        if row is None:
            raise NoSuchComplaint(number)
        lines, replies = cases.lines_of(connection, gateway, number), cases.replies_of(connection, gateway, number)
        refund = _refund(connection, row)
    told, phone = _opened(parts, row)
    about = scrub(told["about"])
    return Case(
        head=_head(row, parts.clocks.now(), about),
        payment=row.payment,
        named=scrub(row.named),
        about=about,
        words=scrub(told["words"]),
        pictures=told["pictures"],
        phone=mask_phone(phone) if phone else "",
        wants_back=row.wants_back,
        answer_by=row.answer_by,
        end_by=row.end_by,
        answered_at=row.answered_at,
        lines=[_line(parts, each) for each in lines],
        replies=[_reply(parts, each) for each in replies],
        refund=refund,
    )


def read_in_full(parts: Parts, officer: Officer, gateway: str, number: str, *, reason: str) -> tuple[str, str]:
    """The payer's words and phone as he gave them, and the reason written down in the same transaction (decision 17).

    BadReadingReason, NoSuchComplaint, TooOften."""
    why = good_reason(reason)
    with parts.reading() as connection:
        row = cases.find(connection, gateway, number)
    if row is None:
        raise NoSuchComplaint(number)
    allow_reading(parts, officer)
    with parts.engine.begin() as connection:
        place = f"complaint:{gateway}:{number}"
        disclosures.note(connection, session=officer.session, reason=why, at=parts.clocks.wall(), place=place)
    told, phone = _opened(parts, row)
    return told["words"], phone


def sentences(parts: Parts, payment: str | None) -> Mapping[str, str]:
    """The approved sentences, with the district's own words and the payment's years in them."""
    with parts.reading() as connection:
        places = places_of(parts, connection, payment)
    return {key: words.format_map(places) for key, words in approved().items()}


def _head(row: Row, now: datetime, about: str) -> Waiting:
    answered = row.answered_at is not None
    until = row.end_by if answered else row.answer_by
    left = None if row.ended_at else until - now
    return Waiting(
        gateway=row.gateway,
        number=row.number,
        title=GATEWAYS[row.gateway].facts.title,
        stage=ANSWERED if row.stage == Stage.OPEN and answered and not row.waiting else STAGES[row.stage],
        about=about,
        is_ours=row.payment is not None,
        amount=row.amount,
        turn=row.turn,
        came_at=row.came_at,
        waits_for="办结" if answered else "第一次回复",
        until=until,
        left=left,
        hurries=left is not None and left * 10 <= (until - row.came_at),
        ended_at=row.ended_at,
    )


def _opened(parts: Parts, row: Row) -> tuple[Mapping[str, Any], str]:
    if not row.told:
        return {"about": "", "words": "（已过保存期限，内容已清除）", "pictures": 0}, ""
    told = json.loads(parts.vault.open(row.told, bound_to=bound(row.gateway, row.number, "complaint.told")))
    sealed = row.phone
    phone = parts.vault.open(sealed, bound_to=bound(row.gateway, row.number, "complaint.phone")) if sealed else ""
    return told, phone


def _line(parts: Parts, row: Row) -> Line:
    bound_to = bound(row.gateway, row.number, "complaint_line.words")
    words = parts.vault.open(row.words, bound_to=bound_to) if row.words else ""
    return Line(VOICES.get(row.by, row.by), MOVES.get(row.move, row.move), scrub(words), row.at)


def _reply(parts: Parts, row: Row) -> Reply:
    words = parts.vault.open(row.words, bound_to=bound(row.gateway, row.number, "complaint_reply.words"))
    said = STATES[row.state]
    return Reply(KINDS[row.kind], words, row.picture is not None, row.state, said, row.by, row.at)


def _refund(connection: Connection, row: Row) -> tuple[str, str] | None:
    if row.refund is None:
        return None
    state = find_refunds.find(connection, row.refund).state
    return row.refund, REFUND_WORDS[RefundState(state)]
