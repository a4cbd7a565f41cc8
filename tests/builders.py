"""Valid things by default, one argument to spoil. Further builders join their part's tests here."""

import base64
import os
import secrets
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, text

from app.registry.identity import check_digit
from config.district import FOLDER
from core.clock import BEIJING, utc_now
from core.vault import Key, Vault
from payments.gateways.base import Kind, Order, Outcome, Trade, Word
from payments.number import new_number
from payments.taking.bills import Draft, DraftLine, IssuedBill, issue
from payments.taking.settle import Message
from payments.taking.start import Asked, Attempt, begin

DEPARTMENTS = tomllib.loads((FOLDER / "yicheng.toml").read_text(encoding="utf-8"))["departments"]
NOON = datetime(2021, 11, 5, 12, tzinfo=BEIJING)  # on the business clock
NEW_YEAR = datetime(2022, 1, 1, tzinfo=BEIJING)
_VAULT_KEYS = os.urandom(32), os.urandom(32)
VAULT_LINES = {
    "VAULT_KEYS": f"1:{base64.b64encode(_VAULT_KEYS[0]).decode()}",
    "VAULT_INDEX_KEY": base64.b64encode(_VAULT_KEYS[1]).decode(),
}


def an_order(
    number: str, *, kind: Kind = Kind.NATIVE, amount: int = 32000, at: datetime | None = None, openid: str | None = None
) -> Order:
    """What we would ask a gateway to take, ordered `at` (now) and payable for fifteen minutes."""
    at = (at or utc_now()).replace(microsecond=0)
    return Order(number, at, kind, amount, "居民医保 2022 年度", at + timedelta(minutes=15), openid)


def a_trade(number: str, *, at: datetime | None = None) -> Trade:
    """A number to ask about."""
    return Trade(number, (at or utc_now()).replace(microsecond=0))


def a_vault() -> Vault:
    """One vault for the whole test run, so that builders and tests read each other."""
    return Vault({1: Key(_VAULT_KEYS[0])}, Key(_VAULT_KEYS[1]), current=1)


def an_id_number(*, born: date = date(1986, 3, 14), sequence: int = 1) -> str:
    """A well-formed number of the unassigned area 370499; an odd sequence is a man's."""
    head = f"370499{born:%Y%m%d}{sequence:03d}"
    return head + check_digit(head)


def a_village(connection: Connection, code: str = "370404103901", name: str = "示例村") -> str:
    """A village of 榴园镇, with its town; its code."""
    connection.execute(text("insert into town values (:town, '榴园镇') on conflict do nothing"), {"town": code[:9]})
    connection.execute(
        text("insert into village (code, town_code, name) values (:code, :town, :name) on conflict do nothing"),
        {"code": code, "town": code[:9], "name": name},
    )
    return code


def a_household(connection: Connection, *, village: str = "370404103901", number: str = "0001") -> int:
    """A household; its id."""
    return connection.execute(
        text(
            "insert into household (village_code, number) values (:village, :number)"
            " on conflict (village_code, number) do update set number = excluded.number returning id"
        ),
        {"village": a_village(connection, village), "number": number},
    ).scalar_one()


def a_person(
    connection: Connection,
    *,
    name: str = "张示例",
    id_number: str | None = None,
    household: int | None = None,
    phone: str | None = "13800000000",
    insurances: tuple[str, ...] = ("RES_PENSION", "RES_MEDICAL"),
    categories: tuple[str, ...] = (),
    **columns: object,
) -> int:
    """An enrolled person, adult by default; the person id. `columns` are those of the table."""
    vault = a_vault()
    number = id_number or an_id_number()
    key = connection.execute(text("select nextval(pg_get_serial_sequence('person', 'id'))")).scalar_one()
    values = {
        "id": key,
        "household_id": household or a_household(connection),
        "id_number": vault.seal(number, bound_to=f"person.id_number:{key}"),
        "id_index": vault.index(number, purpose="id_number"),
        "name": vault.seal(name, bound_to=f"person.name:{key}"),
        "phone": vault.seal(phone, bound_to=f"person.phone:{key}") if phone else None,
        "birth_date": date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        "sex": 1 if int(number[16]) % 2 else 2,
        "digest": b"",
    } | columns
    names = ", ".join(values)
    places = ", ".join(f":{column}" for column in values)
    connection.execute(text(f"insert into person ({names}) overriding system value values ({places})"), values)
    for insurance in insurances:
        connection.execute(
            text("insert into enrolment (person_id, insurance, household_id, digest) values (:p, :i, :h, '')"),
            {"p": key, "i": insurance, "h": values["household_id"]},
        )
        for code in categories:
            connection.execute(text("insert into category values (:p, :i, :c)"), {"p": key, "i": insurance, "c": code})
    return key


def in_a_files_name(connection: Connection) -> None:
    """What this transaction changes in the register comes from a bureau's file, as its trail wants it (INV-81)."""
    connection.execute(
        text(
            "insert into import_batch (kind, file_hash, file_name, rows_in, added, changed, same, refused)"
            " values ('enrolment', 'prepared', 'prepared.csv', 0, 0, 0, 0, 0) on conflict do nothing"
        )
    )
    connection.execute(
        text("select set_config('liangxian.cause', 'import:' || encode(cast('prepared' as bytea), 'hex'), true)")
    )


def a_draft(**spoilt: object) -> Draft:
    """The medical bill of an ordinary adult: 320 by the resident, 580 by finance."""
    draft = Draft(
        household_id=7,
        person_id=11,
        insurance="RES_MEDICAL",
        levy_year=2022,
        tier=None,
        total=90000,
        personal_due=32000,
        reason_code="OK",
        price_until=NEW_YEAR,
        benefit_start=date(2022, 1, 1),
        lines=(
            DraftLine("personal", "resident", "RES_MEDICAL", 32000, "R16"),
            DraftLine("gov_subsidy", "finance", "RES_MEDICAL", 58000, "R16"),
        ),
    )
    return replace(draft, **spoilt)  # type: ignore[arg-type]


def a_bill(connection: Connection, **spoilt: object) -> IssuedBill:
    """An issued bill, the ordinary adult's by default."""
    return issue(connection, a_draft(**spoilt))


def an_attempt(household_id: int = 7, **spoilt: object) -> Attempt:
    """An attempt at WeChat Pay that is to be told to nobody."""
    attempt = Attempt(
        number=new_number(household_id, NOON.date()),
        gateway="wechat",
        merchant="1900000109",
        app="wx8888888888888888",
        kind="native",
        description="峄城区2022年度城乡居民保险费",
        started_by="resident",
        started_at=datetime.now(UTC),
        ordered_at=NOON,
        expires_at=NOON + timedelta(minutes=15),
        next_query_at=datetime.now(UTC) + timedelta(seconds=15),
        check_code="K3W9X0T2",
        memo={
            "notice": {
                "fields": {
                    "village": "榴园镇示例村",
                    "names": "张*例",
                    "items": "2022年居民医保",
                    "amount": "320",
                    "check_code": "K3W9X0T2",
                },
                "openid": None,
                "phone": None,
            }
        },
    )
    return replace(attempt, **spoilt)  # type: ignore[arg-type]


def a_started_payment(connection: Connection, *bills: IssuedBill, **spoilt: object) -> Attempt:
    """A payment written down for these bills (the ordinary adult's by default)."""
    covered = bills or (a_bill(connection),)
    attempt = an_attempt(covered[0].household_id, **spoilt)
    begin(connection, covered, attempt, a_wish())
    return attempt


def a_wish() -> Asked:
    """A key nobody used before."""
    return Asked(secrets.token_bytes(32), b"")


def a_paid_word(attempt: Attempt, amount: int = 32000, **spoilt: object) -> Outcome:
    """The gateway's verified "paid" for an attempt."""
    outcome = Outcome(
        gateway=attempt.gateway,
        number=attempt.number,
        word=Word.PAID,
        merchant=attempt.merchant,
        app=attempt.app,
        reference=f"42000{attempt.number[-10:]}",
        amount=amount,
        currency="CNY",
        happened_at=NOON + timedelta(minutes=2),
    )
    return replace(outcome, **spoilt)  # type: ignore[arg-type]


def a_message(outcome: Outcome | None, **spoilt: object) -> Message:
    """A verified callback with that word."""
    gateway = outcome.gateway if outcome else "wechat"
    message = Message(gateway, "EV-1", {"Wechatpay-Serial": "PUB_KEY_ID_1"}, b"{}", outcome)
    return replace(message, **spoilt)  # type: ignore[arg-type]


def an_environment(**spoilt: str | None) -> dict[str, str]:
    """A complete environment of a sandbox with fresh keys; `NAME=value` changes a variable, None leaves it out."""
    complete = {
        "LIANGXIAN_MODE": "sandbox",
        "SECRET_KEY": random_key(),
        "VAULT_KEYS": f"1:{random_key()}",
        "VAULT_INDEX_KEY": random_key(),
        "BUSINESS_CLOCK_START": "2021-11-05T09:00:00+08:00",
        "MINIPROGRAM_APPID": "wx0000000000000001",
        "MINIPROGRAM_SECRET": random_key(),
        "SMS_PROVIDER": "console",
    }
    return _spoil(complete, spoilt)


def a_production_environment(**spoilt: str | None) -> dict[str, str]:
    """A complete environment of production with fresh keys, changed like `an_environment`."""
    complete = {
        "LIANGXIAN_MODE": "production",
        "DATABASE_URL": f"postgresql://app:{os.urandom(8).hex()}@db.internal/liangxian",
        "DATABASE_OFFICE_URL": f"postgresql://office:{os.urandom(8).hex()}@db.internal/liangxian",
        "DATABASE_OWNER_URL": f"postgresql://owner:{os.urandom(8).hex()}@db.internal/liangxian",
        "SECRET_KEY": random_key(),
        "VAULT_KEYS": f"1:{random_key()}",
        "VAULT_INDEX_KEY": random_key(),
        "PUBLIC_URL": "https://pay.example.gov.cn",
        "GATEWAY_WECHAT_MCHID": "1900000001",
        "GATEWAY_WECHAT_APIV3_KEY": os.urandom(16).hex(),
        "GATEWAY_WECHAT_BASE_URL": "https://api.mch.weixin.qq.com",
    }
    return _spoil(complete, spoilt)


def random_key() -> str:
    """Base64 of 32 random bytes."""
    return base64.b64encode(os.urandom(32)).decode()


def _spoil(complete: dict[str, str], spoilt: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in (complete | spoilt).items() if value is not None}
