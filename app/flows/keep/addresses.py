"""What is his by an address that only the key opens: notices, payments and counts of one person."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, text

from app.access.tally import FAMILY, TEXTS, TEXTS_IN_ALL
from app.flows.parts import Parts
from app.registry import find


@dataclass(frozen=True)
class _His:
    """Phones in clear, WeChat users by their index."""

    parts: Parts
    phones: frozenset[str]
    users: frozenset[bytes]

    def addressed(self, row: Row, subject: str) -> bool:
        """Does the address of a notice, or the one kept for it, lead to him?"""
        opened = self.parts.vault.open
        phone = opened(row.phone, bound_to=f"notice.phone:{subject}") if row.phone else ""
        return phone in self.phones or (
            row.openid is not None and self.is_user(opened(row.openid, bound_to=f"notice.openid:{subject}"))
        )

    def is_user(self, openid: str) -> bool:
        """Is this WeChat user he?"""
        return self.parts.vault.index(openid, purpose="account.openid") in self.users

    def paid(self, row: Row) -> bool:
        """Did his WeChat user pay it?"""
        return self.is_user(self.parts.vault.open(row.payer, bound_to=f"payment.payer:{row.number}"))


def found_of(parts: Parts, connection: Connection, person: int) -> Mapping[str, object]:
    """What erase_person takes: `notices` [household, cause] as JSON, numbers of payments `addressed` to him and those
    whose `payers` he is among, `tallies` as their keys. Whatever his own accounts began is his; of the rest, what is
    addressed to him."""
    accounts = connection.execute(_ACCOUNTS, {"person": person}).all()
    his = _addresses(parts, connection, person, accounts)
    paid = connection.execute(_PAYMENTS, {"person": person}).all()
    notices = connection.execute(_NOTICES, {"person": person}).all()
    counted = [f"text:{phone}/{window}" for phone in his.phones for window, _ in (*TEXTS, *TEXTS_IN_ALL)]
    counted += [f"family:{row.id}/{window}" for row in accounts for window, _ in FAMILY]
    return {
        "notices": json.dumps(
            [
                [row.household_id, row.cause]
                for row in notices
                if row.own or his.addressed(row, row.cause.rsplit(":", 1)[0])
            ]
        ),
        "addressed": [row.number for row in paid if row.own or his.addressed(row, f"payment:{row.number}")],
        "payers": [row.number for row in paid if row.payer and (row.own or his.paid(row))],
        "tallies": [parts.vault.index(key, purpose="tally") for key in counted],
    }


def _addresses(parts: Parts, connection: Connection, person: int, accounts: Sequence[Row]) -> _His:
    """Of his own accounts, and the registered phone; that one not where it is somebody else's too: the account of one
    who lent it, or registered for others of the household."""
    phones = {
        parts.vault.open(row.phone, bound_to=f"account.phone:{bytes(row.phone_index).hex()}")
        for row in accounts
        if row.phone is not None
    }
    registered = find.phone_of(connection, parts.vault, person)
    if registered:
        index = parts.vault.index(registered, purpose="account.phone")
        lent = connection.execute(_LENT, {"index": index, "person": person}).scalar_one()
        others = connection.execute(_TOGETHER, {"person": person}).all()
        shared = any(parts.vault.open(row.phone, bound_to=f"person.phone:{row.id}") == registered for row in others)
        if not lent and not shared:
            phones.add(registered)
    users = frozenset(bytes(row.openid_index) for row in accounts if row.openid_index is not None)
    return _His(parts, frozenset(phones), users)


_ACCOUNTS = text(
    "select id, phone, phone_index, openid_index from resident_account"
    " where id in (select own_accounts(:person)) order by id"
)
_LENT = text(
    "select exists (select from resident_account"
    " where phone_index = :index and id not in (select own_accounts(:person)))"
)
_TOGETHER = text(
    "select p.id, p.phone from person his join person p on p.household_id = his.household_id and p.id <> his.id"
    " where his.id = :person and p.phone is not null"
)
_OWN = "started_by in (select 'account:' || a from own_accounts(:person) a)"
_PAYMENTS = text(
    f"select p.number, p.payer, p.{_OWN} as own,"
    " decode(p.memo #>> '{notice,openid}', 'base64') as openid, decode(p.memo #>> '{notice,phone}', 'base64') as phone"
    " from own_payments(:person) m join payment p on (p.household_id, p.number) = (m.household_id, m.number)"
    " where p.payer <> '' or p.memo #>> '{notice,openid}' is not null or p.memo #>> '{notice,phone}' is not null"
)
_NOTICES = text(
    "select n.household_id, n.cause, n.openid, n.phone, exists (select from payment p"
    f"  where p.household_id = n.household_id and p.number = split_part(n.cause, ':', 2) and p.{_OWN}) as own"
    " from notice n where (n.openid is not null or n.phone is not null) and n.household_id in ("
    "  select household_id from person where id = :person union select household_id from bill where person_id = :person"
    "  union select household_id from own_payments(:person))"
)
