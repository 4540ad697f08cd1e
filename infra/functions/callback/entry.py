"""Where Function Compute comes in: an HTTP trigger's event, and the function's environment.

Function Compute 3.0, "HTTP trigger, event function": the event is JSON with rawPath, headers, queryParameters, body,
isBase64Encoded and requestContext.http; the answer has statusCode, headers and body. From knowledge, 2026-11-22.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from infra.functions.callback.callback import Call, Callback, Channel
from infra.functions.callback.envelope import key_of
from infra.functions.callback.salesforce import Org
from infra.functions.callback.secrets import Credentials, read_secret

_lock = threading.Lock()
_made: list[Callback] = []


def handle(event: bytes, context: Any) -> dict[str, Any]:
    """Answer one call of the HTTP trigger. The secret is read when an instance starts; a failure is answered 500."""
    call = call_of(json.loads(event))
    try:
        reply = _callback(context).answer(call)
        status, text = reply.status, reply.text
    except Exception as error:  # an answer must never carry what went wrong
        logging.getLogger("callback").error("failed: %s", type(error).__name__)
        status, text = 500, ""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return {"statusCode": status, "headers": headers, "isBase64Encoded": False, "body": text}


def call_of(event: Mapping[str, Any]) -> Call:
    """Return the call that an HTTP trigger's event describes."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    method = event.get("requestContext", {}).get("http", {}).get("method", "")
    return Call(method, event.get("rawPath", ""), event.get("queryParameters") or {}, raw)


def callback_of(secret: Mapping[str, Any], environ: Mapping[str, str]) -> Callback:
    """Return the callback that a secret and an environment make. Raises `KeyError` when something is missing."""
    wanted = environ["CHANNELS"].split(",")
    channels = {
        name: Channel(kept["token"], key_of(kept["aes_key"]), kept["receiver"])
        for name, kept in ((name, secret["channels"][name]) for name in wanted)
    }
    org = Org(
        environ["SALESFORCE_URL"],
        environ["SALESFORCE_AUDIENCE"],
        environ["SALESFORCE_API_VERSION"],
        **secret["salesforce"],
    )
    return Callback(channels, partial(org.publish, environ["SALESFORCE_EVENT"]))


def _callback(context: Any) -> Callback:
    with _lock:
        if not _made:
            given = context.credentials
            credentials = Credentials(given.access_key_id, given.access_key_secret, given.security_token or "")
            secret = read_secret(os.environ["SECRET_NAME"], os.environ["REGION"], credentials)
            _made.append(callback_of(secret, os.environ))
        return _made[0]
