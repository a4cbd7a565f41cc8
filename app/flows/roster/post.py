"""The agent's part: his rosters, the poster to hang, the photo by which the three days begin; and what goes on by
itself when they are over."""

import base64
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from app.access.sessions import Visitor
from app.documents.hanging import Poster
from app.flows.parts import Parts
from app.flows.roster.move import NoSuchRoster, RosterMoved
from app.policy.facts import Insurance
from app.policy.terms import PolicyYear
from app.policy.words import phrases
from app.registry.rosters import SHOWN, Stage
from core.clock import beijing, business_day
from core.errors import BadInput
from core.money import plain_yuan
from payments.refusals import as_errors

LENGTH = 12  # of a poster's code
_MISREAD = str.maketrans("OILG", "0116")  # as people write them down
DAYS = 3


class WrongPoster(BadInput):
    """The code of another poster than this village's version in hand."""

    text = "公示码不对：这不是本村这一份清册现在这一版的公示表。请看照片上那张表右上角的12位公示码；贴错了的先取下来。"


def own(parts: Parts, villages: Sequence[str]) -> Sequence[Row]:
    """The rosters that reached an agent's villages, the latest step first: with posting and open objections."""
    with parts.reading() as connection:
        return connection.execute(_OWN, {"villages": sorted(villages), "one": None}).all()


def own_one(parts: Parts, villages: Sequence[str], roster: int) -> Row:
    """One. NoSuchRoster."""
    with parts.reading() as connection:
        row = connection.execute(_OWN, {"villages": sorted(villages), "one": roster}).one_or_none()
    if row is None:
        raise NoSuchRoster(str(roster))
    return row


def may_print(row: Row, agent: int, now: datetime) -> bool:
    """What is to hang, by who has it in hand; what hangs; what was changed of a list in force. Pure."""
    if row.state == Stage.WITH_AGENT:
        return bool(row.agent_id == agent)
    if row.state == Stage.POSTED:
        return bool(now < row.ends_at)
    return bool(row.state == Stage.EFFECTIVE and row.changed and now < row.changes_until)


def poster(parts: Parts, row: Row, *, on: date) -> Poster:
    """What hangs in the village from a day on: the list, or of a later version in force what was changed. What hangs
    already says its own days."""
    if row.state == Stage.EFFECTIVE and row.changes_until is not None:
        on = business_day(row.changes_until) - timedelta(days=DAYS + 1)
    elif row.posted_at is not None:
        on = business_day(row.posted_at)
    with parts.reading() as connection:
        names = connection.execute(_NAMES, {"id": row.id, "no": row.no}).scalars().all()
        changed = connection.execute(_CHANGED, {"id": row.id, "no": row.no}).all()
    rules = parts.levy.rules(row.levy_year)
    title = f"{row.levy_year}年{phrases('names')[Insurance(row.insurance)]}缴费人"
    changes = row.effective_no == row.no and bool(changed)
    return Poster(
        place=f"{row.town}{row.village}",
        title=f"{title}{'名单更正' if changes else '名单'}公示",
        version=row.no,
        code=row.code,
        address=f"{parts.public_url}/posted/{row.code}",
        added=[each.masked for each in changed if each.what == "added"] if changes else [],
        removed=[each.masked for each in changed if each.what == "removed"] if changes else [],
        names=[] if changes else names,
        prices=prices(rules, Insurance(row.insurance)),
        posted_on=on,
        until=on + timedelta(days=DAYS),
        phone=parts.help_phone,
        issuer=parts.issuer,
        at=parts.clocks.now(),
    )


def prices(rules: PolicyYear, insurance: Insurance) -> list[str]:
    """What is paid, as it stands beside every list: nobody's own. Pure."""
    if insurance is Insurance.RES_MEDICAL and rules.has_medical:
        found = [f"一般每人每年 {plain_yuan(rules.medical.base.personal)} 元。"]
    elif rules.has_pension and rules.has_pension.tiers:
        tiers = "、".join(plain_yuan(amount) for amount in sorted(rules.has_pension.tiers))
        found = [f"每年的档次（元）：{tiers}，自己选。有的档次只给规定的人。"]
    else:
        found = []
    return [*found, "按政策少交、不交的，以自己登录看到的为准。名单上不写谁交多少。"]


def hang(parts: Parts, seen: tuple[int, int], *, code: str, photo: bytes, by: Visitor) -> None:
    """It hangs; the clock begins at the next midnight. `seen`: the roster, and the version that he printed. `photo`:
    drawn anew (app.documents.picture). WrongPoster, NoSuchRoster, RosterMoved."""
    roster, no = seen
    drawn = base64.b64encode(photo).decode()
    asked = {
        "session": by.token_hash,
        "roster": roster,
        "no": no,
        "code": plain(code),
        "photo": parts.vault.seal(drawn, bound_to=f"roster_posting.photo:{roster}:{no}"),
        "at": parts.clocks.wall(),
        "now": parts.clocks.now(),
    }
    with parts.engine.begin() as connection, as_errors(_NOT_HUNG):
        connection.execute(_HANGS, asked)


def photo_of(parts: Parts, roster: int, no: int) -> bytes:
    """The photo of a version that hung. NoSuchRoster."""
    with parts.reading() as connection:
        sealed = connection.execute(_PHOTO, {"id": roster, "no": no}).scalar_one_or_none()
    if sealed is None:
        raise NoSuchRoster(str(roster))
    return base64.b64decode(parts.vault.open(sealed, bound_to=f"roster_posting.photo:{roster}:{no}"))


def ripen(parts: Parts) -> int:
    """Whose three days are over, and who has no open objection, goes on; how many."""
    with parts.engine.begin() as connection:
        return int(connection.execute(text("select roster_ripen(:now)"), {"now": parts.clocks.now()}).scalar_one())


def plain(code: str) -> str:
    """As people type it → as it is kept. Pure."""
    return "".join(sign for sign in code.upper() if sign.isascii() and sign.isalnum()).translate(_MISREAD)[:LENGTH]


def stands_until(row: Any) -> str:
    """Until when it hangs, in words: the last day, whole."""
    last = beijing(row.ends_at) - timedelta(seconds=1)
    return f"{last.month}月{last.day}日24时"


_NOT_HUNG = {
    "LX140": NoSuchRoster,
    "LX146": WrongPoster,
    **dict.fromkeys(("LX141", "LX143", "55P03"), RosterMoved),
}
_OWN = text(
    "select r.*, v.code, v.people, s.name as village, t.name as town, p.posted_at, p.starts_at, p.ends_at,"
    " (select count(*) from roster_objection o where o.roster_id = r.id and o.told_at is null) as open,"
    " exists (select from roster_change c where c.roster_id = r.id and c.no = r.no) as changed,"
    " (select roster_changes_until(max(s.at)) from roster_step s"
    "   where (s.roster_id, s.no, s.what) = (r.id, r.effective_no, 'EFFECTIVE')) as changes_until"
    " from roster r join roster_version v on v.roster_id = r.id and v.no = r.no"
    " join village s on s.code = r.village_code join town t on t.code = s.town_code"
    " left join roster_posting p on p.roster_id = r.id and p.no = r.no"
    " where r.village_code = any (:villages) and (cast(:one as bigint) is null or r.id = :one)"
    " and r.state in ('WITH_AGENT', 'POSTED', 'AMENDING', 'REPORTED', 'TAX_CONFIRMED', 'EFFECTIVE')"
    " order by r.village_code, r.insurance, r.levy_year desc"
)
_NAMES = text(
    f"select w.masked from roster_row w where w.roster_id = :id and w.no = :no and {SHOWN}"
    ' order by w.masked collate "C"'
)
_CHANGED = text(
    f"select w.masked, w.what from roster_change w where w.roster_id = :id and w.no = :no and {SHOWN}"
    ' order by w.what, w.masked collate "C"'
)
_HANGS = text("select agent_posts_roster(:session, :roster, :no, :code, :photo, :at, :now)")
_PHOTO = text("select photo from roster_posting where roster_id = :id and no = :no")
