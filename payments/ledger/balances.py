"""Read the book: balances, the trial balance, an entry's lines."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, Row, cast, func, select

from payments.ledger.models import Account, Posting


def trial_balance(connection: Connection) -> Sequence[Row]:
    """Every account with a posting: code, name, debit, credit, balance in fen; the balances add up to zero."""
    debit = cast(func.coalesce(func.sum(Posting.amount).filter(Posting.amount > 0), 0), BigInteger)
    credit = cast(func.coalesce(-func.sum(Posting.amount).filter(Posting.amount < 0), 0), BigInteger)
    return connection.execute(
        select(
            Account.code, Account.name, debit.label("debit"), credit.label("credit"), (debit - credit).label("balance")
        )
        .join(Posting, Posting.account == Account.code)
        .group_by(Account.code, Account.name)
        .order_by(Account.code)
    ).all()


def account_names(connection: Connection) -> dict[str, str]:
    """Code → name of every account, as the book has it."""
    return {row.code: row.name for row in connection.execute(select(Account.code, Account.name))}


def balance(connection: Connection, account: str) -> int:
    """One account's balance in fen, debit positive."""
    total = connection.execute(select(func.sum(Posting.amount)).where(Posting.account == account)).scalar_one()
    return int(total or 0)


def entry_lines(connection: Connection, household_id: int, cause: str) -> Sequence[Row]:
    """The postings of one entry in order: account, its name, amount in fen."""
    return connection.execute(
        select(Posting.account, Account.name, Posting.amount)
        .join(Account, Account.code == Posting.account)
        .where(Posting.household_id == household_id, Posting.cause == cause)
        .order_by(Posting.line)
    ).all()
