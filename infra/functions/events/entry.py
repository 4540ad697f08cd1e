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

MOST_BYTES = 1024 * 1024


def handle(event: bytes, _: Any) -> dict[str, Any]:
    """Keep one event, and answer as API gateway wants it; EventBridge looks only at whether this raises."""
    data = json.loads(event)
    if "httpMethod" in data:
        status, text = _of_gateway(data, Path(os.environ["EXTRACTS"]), time.time())
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return {"statusCode": status, "headers": headers, "isBase64Encoded": False, "body": text}
    keep(Path(os.environ["EXTRACTS"]), event, time.time())
    return {"statusCode": 200, "headers": {}, "isBase64Encoded": False, "body": ""}


def keep(folder: Path, event: bytes, now: float) -> str:
    """Keep an event below `folder`, by day (UTC) and digest, and return its name; a repetition is kept once."""
    name = f"events/{time.strftime('%Y/%m/%d', time.gmtime(now))}/{hashlib.sha256(event).hexdigest()}.json"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(event)
    logging.getLogger("events").info("kept bytes=%d", len(event))
    return name


def _of_gateway(data: Mapping[str, Any], folder: Path, now: float) -> tuple[int, str]:
    body = data.get("body") or ""
    raw = base64.b64decode(body) if data.get("isBase64Encoded") else body.encode()
    if len(raw) > MOST_BYTES:
        return 413, '{"error": "too large"}'
    try:
        json.loads(raw)
    except ValueError:
        return 400, '{"error": "not JSON"}'
    return 202, json.dumps({"kept": keep(folder, raw, now)})
