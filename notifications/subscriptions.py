"""Our own count of what a WeChat user agreed to: one tap is one message, and nobody else counts. Nothing here
commits."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select, text

from core.vault import Vault
from notifications.models import Subscription


def agree(connection: Connection, vault: Vault, openid: str, kinds: Sequence[str]) -> None:
    """One more message of each kind."""
    for kind in kinds:
        connection.execute(
            text(
                "insert into subscription values (:openid, :kind, 1)"
                " on conflict (openid_index, kind) do update set left_over = subscription.left_over + 1"
            ),
            {"openid": _index(vault, openid), "kind": kind},
        )


def take(connection: Connection, vault: Vault, openid: str, kind: str) -> bool:
    """One less; False if none is left."""
    return (
        connection.execute(
            text(
                "update subscription set left_over = left_over - 1"
                " where openid_index = :openid and kind = :kind and left_over > 0"
            ),
            {"openid": _index(vault, openid), "kind": kind},
        ).rowcount
        == 1
    )


def forget(connection: Connection, vault: Vault, openid: str, kind: str) -> None:
    """WeChat says there is none left: it knows better than our count."""
    connection.execute(
        text("update subscription set left_over = 0 where openid_index = :openid and kind = :kind"),
        {"openid": _index(vault, openid), "kind": kind},
    )


def left(connection: Connection, vault: Vault, openid: str) -> Mapping[str, int]:
    """Kind → how many are left."""
    mine = select(Subscription.kind, Subscription.left_over).where(Subscription.openid_index == _index(vault, openid))
    return {row.kind: row.left_over for row in connection.execute(mine)}


def _index(vault: Vault, openid: str) -> bytes:
    return vault.index(openid, purpose="account.openid")
