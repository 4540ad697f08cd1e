"""Where Function Compute comes in, with an event of API gateway or of EventBridge; the bucket is mounted as a folder.

API gateway, "Function Compute as backend": JSON with path, httpMethod, headers, body, isBase64Encoded. EventBridge:
a CloudEvent (id, source, type, time, data). From knowledge, 2026-11-22.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.functions.events.bus import MOST_BYTES as MOST_ON_THE_BUS
from infra.functions.events.bus import Keys, NotTaken, event_of, put

MOST_BYTES = 1024 * 1024
_log = logging.getLogger("events")


def handle(event: bytes, context: Any) -> dict[str, Any]:
    """Put what comes by API gateway on the bus, and keep what comes by the bus.

    The answer is as API gateway wants it; EventBridge looks only at whether this raises.
    """
    data = json.loads(event)
    folder = Path(os.environ["EXTRACTS"])
    if "httpMethod" in data:
        status, text = _of_gateway(data, folder, context)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return {"statusCode": status, "headers": headers, "isBase64Encoded": False, "body": text}
    keep(folder, f"{data['source']}\n{data['id']}".encode(), event, time.time())
    return {"statusCode": 200, "headers": {}, "isBase64Encoded": False, "body": ""}


def keep(folder: Path, ident: bytes, event: bytes, now: float) -> str:
    """Keep an event below `folder`, by day (UTC) and the digest of what it is known by, and return its name."""
    name = f"events/{time.strftime('%Y/%m/%d', time.gmtime(now))}/{hashlib.sha256(ident).hexdigest()}.json"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(event)
    _log.info("kept bytes=%d", len(event))
    return name


def _of_gateway(data: Mapping[str, Any], folder: Path, context: Any) -> tuple[int, str]:
    body = data.get("body") or ""
    raw = base64.b64decode(body) if data.get("isBase64Encoded") else body.encode()
    if len(raw) > MOST_BYTES:
        return 413, '{"error": "too large"}'
    try:
        event = event_of(raw, os.environ["BUS"])
    except ValueError:
        return 400, '{"error": "not JSON"}'
    if len(json.dumps(event["data"], ensure_ascii=False).encode()) > MOST_ON_THE_BUS:
        return 202, json.dumps({"kept": keep(folder, raw, raw, time.time())})
    given = context.credentials
    try:
        put(
            event,
            os.environ["BUS_HOST"],
            Keys(given.access_key_id, given.access_key_secret, given.security_token or ""),
        )
    except NotTaken as error:
        _log.error("not taken: %s", error)
        return 503, '{"error": "try again"}'
    return 202, json.dumps({"event": event["id"]})
