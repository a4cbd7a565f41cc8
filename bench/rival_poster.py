"""One process that posts entries of three legs, each its own commit, for some seconds; prints how many.

python rival_poster.py ours|hordak|ledger HOST DATABASE SECONDS [prepare]. Stands alone: django-hordak and django-ledger
live in an environment of their own, where nothing of ours is installed."""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

ENGINE, HOST, DATABASE, SECONDS = sys.argv[1:5]
LEGS = (("receivable", 58000), ("clearing", 32000), ("fund", -90000))


def ours() -> Callable[[int], None]:
    """ledger_post(), as every function of ours that books calls it."""
    import psycopg

    connection = psycopg.connect(host=HOST, port=5432, user="liangxian_owner", dbname=DATABASE, autocommit=True)
    accounts = ["receivable:gov_subsidy:finance:RES_MEDICAL", "clearing:wechat", "fund:RES_MEDICAL:2022"]

    def post(number: int) -> None:
        connection.execute(
            "select ledger_post(%s, %s, '2021-11-05', now(), %s, %s, %s)",
            (number, f"receipt:wechat:{number}", accounts, [58000, 32000, -90000], [number] * 3),
        )

    return post


def hordak() -> Callable[[int], None]:
    """A Transaction with its Legs, as its documentation shows."""
    _django("django.contrib.contenttypes", "mptt", "hordak", HORDAK_DECIMAL_PLACES=2, HORDAK_MAX_DIGITS=13)
    from django.db import transaction
    from hordak.models import Account, AccountType, Leg, Transaction
    from moneyed import Money

    if _preparing():
        for code, (name, _) in enumerate(LEGS):
            kind = AccountType.liability if name == "fund" else AccountType.asset
            Account.objects.create(name=name, code=f"{code + 1}", type=kind, currencies=["CNY"])
    accounts = {account.name: account for account in Account.objects.all()}

    def post(number: int) -> None:
        with transaction.atomic():
            booked = Transaction.objects.create(description=str(number), date=date(2021, 11, 5))
            for name, fen in LEGS:
                money = Money(Decimal(abs(fen)) / 100, "CNY")
                side = {"debit": money} if fen > 0 else {"credit": money}
                Leg.objects.create(transaction=booked, account=accounts[name], **side)

    return post


def ledger() -> Callable[[int], None]:
    """A journal entry committed and posted through the ledger's own commit_txs()."""
    _django(
        "django.contrib.auth", "django.contrib.contenttypes", "treebeard", "django_ledger", AUTH_USER_MODEL="auth.User"
    )
    from django.contrib.auth.models import User
    from django_ledger.io import roles
    from django_ledger.models import AccountModel, EntityModel

    if _preparing():
        made = EntityModel.create_entity(
            name="Yicheng",
            use_accrual_method=True,
            admin=User.objects.create_user("clerk"),
            fy_start_month=1,
        )
        made.create_chart_of_accounts(assign_as_default=True, commit=True)
        for code, (name, _) in enumerate(LEGS):
            role, side = (
                (roles.LIABILITY_CL_OTHER, "credit") if name == "fund" else (roles.ASSET_CA_RECEIVABLES, "debit")
            )
            made.create_account(
                code=f"{2 if name == 'fund' else 1}0{code}0", role=role, name=name, balance_type=side, active=True
            )
        made.create_ledger(name="book", posted=True)
    entity = EntityModel.objects.get(name="Yicheng")
    book = entity.ledgermodel_set.get(name="book")
    accounts = {account.name: account for account in AccountModel.objects.filter(name__in=[name for name, _ in LEGS])}
    began = datetime(2021, 11, 5, tzinfo=UTC)

    def post(number: int) -> None:
        book.commit_txs(
            je_timestamp=began + timedelta(microseconds=number),
            je_txs=[
                {
                    "account": accounts[name],
                    "amount": Decimal(abs(fen)) / 100,
                    "tx_type": "debit" if fen > 0 else "credit",
                    "description": "",
                }
                for name, fen in LEGS
            ],
            je_posted=True,
        )

    return post


def _django(*apps: str, **more: object) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        INSTALLED_APPS=list(apps),
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": HOST,
                "PORT": 5432,
                "USER": "liangxian_owner",
                "NAME": DATABASE,
            }
        },
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        CURRENCIES=["CNY"],
        DEFAULT_CURRENCY="CNY",
        **more,
    )
    django.setup()
    if _preparing():
        call_command("migrate", verbosity=0)


def _preparing() -> bool:
    return sys.argv[5:] == ["prepare"]


def main() -> None:
    """Post until the time is over."""
    post = {"ours": ours, "hordak": hordak, "ledger": ledger}[ENGINE]()
    if _preparing():
        post(0)  # django-ledger makes its counter with the first entry, and two at once make two, which it cannot read
        return
    number = first = os.getpid() * 10_000_000 + int(time.time()) % 10_000 * 1000
    until = time.monotonic() + float(SECONDS)
    while time.monotonic() < until:
        post(number)
        number += 1
    print(number - first)


main()
