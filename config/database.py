"""Where the database is, under its three roles, and where the embedded one lives."""

from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from config.reading import Reading

URLS = ("DATABASE_URL", "DATABASE_OFFICE_URL", "DATABASE_OWNER_URL")


def database(read: Reading, home: Path) -> dict[str, Any]:
    """The settings of the database; what is wrong with them is said to `read`."""
    url, office, owner = (read.database_url(name) for name in URLS)
    given = [each for each in (url, office, owner) if each]
    if read.sandbox and len(given) not in (0, 3):
        read.say("DATABASE_URL", "DATABASE_OFFICE_URL and DATABASE_OWNER_URL are given together or not at all")
    roles = [_role(read, name, each) for name, each in zip(URLS, (url, office, owner), strict=True) if each]
    if len(set(roles)) < len(roles):
        read.say("DATABASE_URL", "and the others name three roles: what runs owns nothing, makes nobody an official")
    return {
        "database_url": url,
        "database_office_url": office,
        "database_owner_url": owner,
        "database_pooler": read.text("DATABASE_POOLER", "none", shape="none|transaction"),
        "database_name": read.text("DATABASE_NAME", "liangxian", shape=r"[a-z_][a-z0-9_]{0,62}"),
        "pg_bin": read.text("PG_BIN") or None,
        "postgres_folder": home / read.text("POSTGRES_FOLDER", ".local/postgres"),
    }


def _role(read: Reading, variable: str, url: str) -> str:
    """As libpq understands it, however it is written; our own name for an address it does not understand."""
    try:
        return str(conninfo_to_dict(url).get("user", ""))
    except psycopg.Error:
        read.say(variable, "is not an address like postgresql://user@host/database")
        return variable
