"""Events onto a bus: what an org sent becomes a CloudEvent, put where the account's rules see it.

EventBridge, PutEvents: the wire and the signature of the official SDK (alibabacloud-eventbridge 1.2), spoken by the
standard library, since nothing else travels with the function.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

MOST_BYTES = 60 * 1024  # an event may have 64 KB, with its attributes (EventBridge, "Limits"; from knowledge)
TIMEOUT_SECONDS = 5
SOURCE = "salesforce"
_KIND = "application/cloudevents-batch+json; charset=utf-8"
_PATH = "/openapi/putEvents"


class NotTaken(Exception):
    """The bus didn't take an event. Its text holds a code, never anything of the event."""


@dataclass(frozen=True)
class Keys:
    """Temporary keys of the function's role."""

    ident: str
    secret: str = field(repr=False)
    token: str = field(repr=False)


def event_of(body: bytes, bus: str) -> dict[str, Any]:
    """Return the CloudEvent of what an org sent (JSON). The same body has the same id, so a repetition is known."""
    data = json.loads(body)
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(body).hexdigest(),
        "source": SOURCE,
        "type": _type(data),
        "datacontenttype": "application/json; charset=utf-8",
        "data": data,
        "aliyuneventbusname": bus,
    }


def put(event: Mapping[str, Any], host: str, keys: Keys) -> None:
    """Put one event on its bus, at the account's own host. Raises `NotTaken`."""
    body = json.dumps([event], ensure_ascii=False).encode()
    signed = {
        "x-acs-signature-method": "HMAC-SHA1",
        "x-acs-signature-nonce": str(uuid.uuid4()),
        "x-acs-signature-version": "1.0",
        **({"x-acs-accesskey-id": keys.ident, "x-acs-security-token": keys.token} if keys.token else {}),
    }
    date = formatdate(usegmt=True)
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    text = f"POST\n\n{_KIND}\n{date}\n{lines}{_PATH}"
    signature = base64.b64encode(hmac.digest(keys.secret.encode(), text.encode(), "sha1")).decode()
    headers = {"Date": date, "Content-Type": _KIND, "Authorization": f"acs:{keys.ident}:{signature}", **signed}
    request = urllib.request.Request(
        f"https://{host}{_PATH}", body, {**headers, "x-eventbridge-version": "2015-06-06"}, method="POST"
    )
    try:
        # An opener of its own: the one that urllib shares keeps the proxy of the first call.
        with urllib.request.build_opener().open(request, timeout=TIMEOUT_SECONDS) as response:
            answer = json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise NotTaken(f"the bus answered {error.code}") from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise NotTaken(f"the bus can't be reached: {type(error).__name__}") from None
    if answer.get("FailedEntryCount"):
        raise NotTaken(f"the bus refused it: {answer['EntryList'][0].get('ErrorCode')}")


def _type(data: Any) -> str:
    """Return what rules tell events apart by: the object of a change event, or just that it is a platform event."""
    payload = data.get("payload", data) if isinstance(data, dict) else {}
    header = payload.get("ChangeEventHeader") if isinstance(payload, dict) else None
    entity = str(header.get("entityName", "")) if isinstance(header, dict) else ""
    name = re.sub(r"[^\w.-]", "", entity)[:40]
    return f"salesforce:ChangeEvent:{name}" if name else "salesforce:PlatformEvent"
