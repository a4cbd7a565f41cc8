"""What the outside world remembers, across restarts: documents by kind and key in one SQLite file, one lock."""

import json
import sqlite3
from pathlib import Path
from threading import RLock
from typing import Any

Document = dict[str, Any]


class Shelf:
    """Hold `lock` over reading and writing together; single calls take it themselves."""

    def __init__(self, file: Path) -> None:
        self.lock = RLock()
        self._base = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=OFF")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS document (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key))"
        )

    def get(self, kind: str, key: str) -> Document | None:
        """A copy of one document."""
        with self.lock:
            row = self._base.execute("SELECT body FROM document WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, key: str, document: Document) -> None:
        """Write or overwrite one document."""
        body = json.dumps(document, ensure_ascii=False)
        with self.lock:
            self._base.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", (kind, key, body))

    def take(self, kind: str, key: str) -> Document | None:
        """Remove one document and return it; of several callers one gets it."""
        with self.lock:
            document = self.get(kind, key)
            self._base.execute("DELETE FROM document WHERE kind = ? AND key = ?", (kind, key))
        return document

    def all(self, kind: str) -> list[Document]:
        """Every document of a kind, in the order they came."""
        with self.lock:
            rows = self._base.execute("SELECT body FROM document WHERE kind = ? ORDER BY rowid", (kind,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            self._base.close()
