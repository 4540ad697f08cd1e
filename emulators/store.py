"""What the emulated clouds remember: documents, counters and blobs in one SQLite file that survives a restart."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    place INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (kind, id));
CREATE TABLE IF NOT EXISTS blob (digest TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""

Document = dict[str, Any]

_LAST, _SURROGATES, _AFTER_SURROGATES = 0x10FFFF, 0xD800, 0xE000  # code points

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def _behind(prefix: str) -> str | bytes:
    """Return what sorts right behind all texts that begin with `prefix`, so that an index finds them.

    SQLite compares texts by code point, and puts any bytes behind them (sqlite.org, "Datatypes", 4.1).
    """
    for at in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[at]) + 1
        if following <= _LAST:
            return prefix[:at] + chr(_AFTER_SURROGATES if following == _SURROGATES else following)
    return b""


class Store:
    """Documents by kind and id, in the order in which they were first put.

    One writer at a time: a request is handled inside `transaction()`, which holds the lock, and which takes
    everything back when the handler raises.
    """

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block that happens whole or not at all. A nested block that raises takes back its own part only."""
        with self._lock:
            mark = f"block{self._depth}"
            self._db.execute("BEGIN IMMEDIATE" if self._depth == 0 else f"SAVEPOINT {mark}")
            self._depth += 1
            try:
                yield
                self._db.execute("COMMIT" if self._depth == 1 else f"RELEASE {mark}")
            except BaseException:
                # On a full disk SQLite has taken everything back itself.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK" if self._depth == 1 else f"ROLLBACK TO {mark}")
                    if self._depth > 1:
                        self._db.execute(f"RELEASE {mark}")
                raise
            finally:
                self._depth -= 1

    def put(self, kind: str, ident: str, document: Document) -> None:
        """Create or replace a document; a replaced one keeps its place in the order."""
        with self._lock:
            self._db.execute(
                "INSERT INTO document (kind, id, body) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, ident, json.dumps(document, ensure_ascii=False)),
            )

    def get(self, kind: str, ident: str) -> Document | None:
        """Return a document, or None."""
        with self._lock:
            row = self._db.execute("SELECT body FROM document WHERE kind = ? AND id = ?", (kind, ident)).fetchone()
        return json.loads(row[0]) if row else None

    def delete(self, kind: str, ident: str) -> bool:
        """Delete a document; return whether there was one."""
        with self._lock:
            return self._db.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, ident)).rowcount > 0

    def all(self, kind: str, prefix: str = "") -> list[tuple[str, Document]]:
        """Return (id, document) of a kind whose id starts with `prefix`, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id, body FROM document WHERE kind = ? AND id >= ? AND id < ? ORDER BY place",
                (kind, prefix, _behind(prefix)),
            ).fetchall()
        return [(ident, json.loads(body)) for ident, body in rows]

    def kinds(self) -> dict[str, int]:
        """Return how many documents there are of each kind."""
        with self._lock:
            return dict(self._db.execute("SELECT kind, count(*) FROM document GROUP BY kind ORDER BY kind"))

    def next(self, counter: str) -> int:
        """Return 1, 2, 3, …: ids that are the same in every run."""
        with self._lock:
            row = self._db.execute(
                "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                (counter,),
            ).fetchone()
        return int(row[0])

    def put_blob(self, body: bytes) -> str:
        """Keep bytes and return their SHA-256, by which `blob` finds them."""
        digest = hashlib.sha256(body).hexdigest()
        with self._lock:
            self._db.execute("INSERT OR IGNORE INTO blob VALUES (?, ?)", (digest, body))
        return digest

    def blob(self, digest: str) -> bytes:
        """Return the bytes of a digest. Raises `KeyError` when there are none."""
        with self._lock:
            row = self._db.execute("SELECT body FROM blob WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise KeyError(digest)
        return bytes(row[0])

    def drop_unused_blobs(self) -> int:
        """Drop the blobs whose digest stands in no document (what was overwritten or deleted); return how many."""
        with self.transaction():
            used = {
                digest for (body,) in self._db.execute("SELECT body FROM document") for digest in _DIGEST.findall(body)
            }
            unused = [row for row in self._db.execute("SELECT digest FROM blob").fetchall() if row[0] not in used]
            self._db.executemany("DELETE FROM blob WHERE digest = ?", unused)
        return len(unused)

    def reset(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in ("document", "blob", "counter"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own table names

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
