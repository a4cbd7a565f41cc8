"""The list of who was erased, kept outside the database beside the certificates: keyed digests, days and kinds, nothing
that anybody reads. A restore to an earlier moment brings people back; after it the list is applied again."""

import json
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text

from app.flows.parts import Parts
from core.clock import beijing

LIFTED = "lifted"


def write_list(parts: Parts) -> int:
    """Every erasure that was agreed to and every one lifted, that is not in the list yet; how many are new. Who has no
    number any more stays in it as he was."""
    if parts.papers is None:
        return 0
    with parts.reading() as connection:
        rows = connection.execute(_DONE).all()
    file = list_in(parts.papers)
    written = file.read_text(encoding="utf-8") if file.exists() else ""
    known = set(written.splitlines())
    lines = [
        json.dumps(
            {"who": bytes(row.id_index).hex(), "at": f"{beijing(row.at):%Y-%m-%dT%H:%M:%S.%f}", "kind": row.kind}
        )
        for row in rows
    ]
    fresh = [line for line in lines if line not in known]
    if fresh:
        parts.papers.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write("\n" * (bool(written) and not written.endswith("\n")))  # cut off by a crash
            out.write("".join(f"{line}\n" for line in fresh))
    return len(fresh)


def read_list(parts: Parts) -> Mapping[bytes, str]:
    """Keyed index of a number → the ground, of everybody whose last line is no lifting. A line that was cut off by a
    crash says nothing."""
    standing: dict[bytes, tuple[str, str]] = {}
    if parts.papers is None or not list_in(parts.papers).exists():
        return {}
    for line in list_in(parts.papers).read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
            who, at, kind = bytes.fromhex(said["who"]), said["at"], said["kind"]
        except (ValueError, KeyError, TypeError):
            continue
        if at >= standing.get(who, ("", ""))[0]:
            standing[who] = (at, kind)
    return {who: kind for who, (_, kind) in standing.items() if kind != LIFTED}


def list_in(folder: Path) -> Path:
    """The list's file, beside the certificates."""
    return folder / "erased.jsonl"


_DONE = text(
    "with known as (select id as person_id, id_index from person"
    " union all select person_id, index from birth_certificate)"  # a backup may know him by that alone
    " select p.id_index, e.agreed_at as at, e.ground as kind from erasure e join known p using (person_id)"
    " where e.agreed_at is not null and e.let_go_at is null"
    " union select p.id_index, e.lifted_at, 'lifted' from erasure e join known p using (person_id)"
    " where e.lifted_at is not null order by at"
)
