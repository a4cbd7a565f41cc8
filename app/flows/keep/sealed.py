"""Every place of the database that holds sealed values, and what each value there is bound to; every other column of
bytes by name. A test compares both with the schema, and with what it finds in a database that was lived in."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A table with sealed values. `key`: its primary key, column → type. `bound`: the value → SQL of the words it is
    bound to; a value is a column, or the path of letters (base64) inside one of JSON, as in `memo.notice.phone`."""

    table: str
    key: Mapping[str, str]
    bound: Mapping[str, str]


_ID, _CASE = {"id": "bigint"}, {"gateway": "text", "number": "text"}
_HOUSE = {"household_id": "bigint", "number": "text"}


def _case(name: str) -> str:
    return f"'{name}:' || gateway || ':' || number"


_ACCOUNT = ("name", "second")
_SUBJECT = "regexp_replace(cause, ':[^:]*$', '')"  # a notice's cause less its event
PLACES = (
    Place(
        "person",
        _ID,
        {name: f"'person.{name}:' || id" for name in ("id_number", "name", "phone")},
    ),
    Place("birth_certificate", {"person_id": "bigint"}, {"number": "'birth_certificate.number:' || person_id"}),
    Place("newborn", _ID, {name: f"'newborn.{name}:' || id" for name in ("certificate", "name", "picture")}),
    Place("joining", _ID, {name: f"'joining.{name}:' || id" for name in ("number", "name")}),
    Place("name_correction", _ID, dict.fromkeys(("former", "name"), "'person.name:' || person_id")),
    Place("agent", _ID, {name: f"'agent.{name}:' || login" for name in (*_ACCOUNT, "phone")}),
    Place("staff", _ID, {name: f"'staff.{name}:' || login" for name in _ACCOUNT}),
    Place("resident_account", _ID, {"phone": "'account.phone:' || encode(phone_index, 'hex')"}),
    Place("login_code", {"token_hash": "bytea"}, {"phone": "'login_code.phone:' || encode(token_hash, 'hex')"}),
    Place(
        "determination_evidence",
        {"determination_id": "bigint"},
        {name: f"'determination_evidence.{name}:' || determination_id" for name in ("words", "picture")},
    ),
    Place("sponsor", _ID, {name: f"'sponsor.{name}:' || id" for name in ("name", "contact", "phone")}),
    Place("matter", _ID, {name: f"'matter.{name}:' || id" for name in ("words", "answer", "again")}),
    Place(
        "roster_posting",
        {"roster_id": "bigint", "no": "integer"},
        {"photo": "'roster_posting.photo:' || roster_id || ':' || no"},
    ),
    Place(
        "roster_objection",
        _ID,
        {name: f"'roster_objection.{name}:' || id" for name in ("words", "contact", "answer")},
    ),
    Place("cash_slip", _ID, {"photo": "'cash_slip.photo:' || id"}),
    Place("closing_step", _ID, {"photo": "'closing_step.photo:' || id"}),
    Place("roster_step", _ID, {"words": "'roster_step.words:' || id"}),
    Place("conflict", _ID, {"name": "'conflict.name:' || id"}),
    Place(
        "session",
        {"token_hash": "bytea"},
        {name: f"'session.{name}:' || encode(token_hash, 'hex')" for name in ("openid", "detour")},
    ),
    Place(
        "notice",
        {"household_id": "bigint", "cause": "text"},
        {name: f"'notice.{name}:' || {_SUBJECT}" for name in ("openid", "phone")},
    ),
    Place(
        "payment",
        _HOUSE,
        {"payer": "'payment.payer:' || number"}
        | {f"memo.notice.{name}": f"'notice.{name}:payment:' || number" for name in ("openid", "phone")},
    ),
    Place(
        "special_row",
        {"batch_id": "bigint", "no": "integer"},
        {"cells": "'special_row.cells:' || batch_id || ':' || no"},
    ),
    Place("proof", {"household_id": "bigint", "code": "text"}, {"content": "'proof.content:' || code"}),
    Place(
        "refund_transfer",
        _HOUSE | {"turn": "smallint"},
        {name: f"'refund_transfer.{name}:' || number" for name in ("name", "account")},
    ),
    Place("complaint", _CASE, {name: _case(f"complaint.{name}") for name in ("told", "phone")}),
    Place("complaint_line", _CASE | {"key": "text"}, {"words": _case("complaint_line.words")}),
    Place(
        "complaint_reply",
        _CASE | {"cause": "text"},
        {name: _case(f"complaint_reply.{name}") for name in ("words", "picture")},
    ),
    Place(
        "upload_piece",
        {"upload_id": "bigint", "no": "integer"},
        {"bytes": "'upload.piece:' || upload_id || ':' || no"},
    ),
)
NOT_SEALED: Mapping[str, str] = {
    **dict.fromkeys(
        ("person.id_index", "person.parent_index", "special_row.id_index", "joining.index"), "keyed index of a number"
    ),
    **dict.fromkeys(("birth_certificate.index", "newborn.index"), "keyed index of a birth certificate's number"),
    **dict.fromkeys(
        (
            *("resident_account.phone_index", "resident_account.openid_index", "subscription.openid_index"),
            "phone_correction.former_index",
        ),
        "keyed index",
    ),
    **dict.fromkeys(("person.digest", "enrolment.digest", "former_enrolment.digest"), "keyed digest of the file's row"),
    **dict.fromkeys(("agent.recovery", "staff.recovery", "login_code.digest"), "keyed digest of a code"),
    **dict.fromkeys(("login_code.token_hash", "session.token_hash"), "SHA-256 of a random token"),
    **dict.fromkeys(("request_key.key", "request_key.body_hash", "receipt.key"), "SHA-256"),
    **dict.fromkeys(
        ("import_batch.file_hash", "special_batch.digest", "outside_file.digest", "statement.digest", "upload.digest"),
        "SHA-256 of a file",
    ),
    **dict.fromkeys(("proof.digests", "refund_transfer.digest"), "SHA-256 of a file"),
    **dict.fromkeys(("roster_version.digest", "closing_version.digest"), "SHA-256 of a list"),
    **dict.fromkeys(("sealed_day.digest", "sealed_day.previous", "kept_day.digest"), "SHA-256 of a day"),
    **dict.fromkeys(("certificate.signature", "certificate.public_key"), "Ed25519"),
    **dict.fromkeys(("register_change.before", "register_change.after"), "digest under trail_key"),
    "trail_key.key": "key of the trail's digests, the owner's",
    **dict.fromkeys(("received.body", "received.whole"), "a gateway's words as they came"),
    "statement_piece.content": "a gateway's list as it came",
    "tally.key": "keyed digest of what is counted",
    "reseal.head": "which key",
}
