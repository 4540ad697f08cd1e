"""Which requests came and how they were answered: one JSON line a request, without bodies and without secrets."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections import deque
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from emulators.http import Request
from kit.redaction import redact

_FULL_BYTES = 16 * 1024 * 1024
_TARGET_CHARACTERS = 400
_SOAP_CALL = re.compile(rb"<(?:[\w.-]+:)?Body[^>]*>\s*<(?:[\w.-]+:)?(\w+)")
_SOAP_HEAD_BYTES = 16 * 1024

Entry = dict[str, Any]


class RequestLog:
    """The log in `file`. At 16 MiB it is set aside as `<file>.1` and begun anew.

    A disk that takes no more lines doesn't stop the emulators: `lost` counts what could not be written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.lost = 0

    def write(self, request: Request, status: int, started: float, seconds: float, **more: str) -> None:
        """Add a request that came at `started` (seconds since the epoch) and took `seconds`."""
        entry: Entry = {
            "time": dt.datetime.fromtimestamp(started, dt.UTC).isoformat(timespec="milliseconds"),
            "method": request.method,
            "host": request.host,
            # Decoded first: a percent-encoded secret has no shape to know it by.
            "path": redact(unquote(request.target))[:_TARGET_CHARACTERS],
            "action": action_of(request),
            "status": status,
            "ms": round(seconds * 1000, 1),
            **{name: redact(text) for name, text in more.items()},
        }
        with self._lock:
            try:
                if self._file.exists() and self._file.stat().st_size > _FULL_BYTES:
                    self._file.replace(self._file.with_name(self._file.name + ".1"))
                with self._file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(entry, ensure_ascii=False) + "\n")
            except OSError:
                self.lost += 1

    def tail(self, limit: int) -> list[Entry]:
        """Return the last `limit` entries, oldest first."""
        with self._lock:
            if not self._file.exists():
                return []
            with self._file.open(encoding="utf-8") as lines:
                return [entry for line in deque(lines, maxlen=limit) if (entry := _parse(line))]


def action_of(request: Request) -> str:
    """Return what the request asks for, where its API says so: an RPC action or a SOAP call; else ""."""
    soap_action = request.headers.get("soapaction", "").strip('"')
    named = request.headers.get("x-acs-action") or request.query.get("Action") or soap_action
    if named:
        return named
    if "xml" in request.headers.get("content-type", ""):
        call = _SOAP_CALL.search(request.body[:_SOAP_HEAD_BYTES])
        return call.group(1).decode() if call else ""
    return request.form.get("Action", "")


def _parse(line: str) -> Entry | None:
    """Return the entry of a line; None for a line that a killed process left unfinished."""
    try:
        entry: Entry = json.loads(line)
    except ValueError:
        return None
    return entry
