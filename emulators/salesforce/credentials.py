"""`/named-credentials/credential`: the secrets of external credentials. They go in, and never come out.

Connect REST API Developer Guide, "Credential" and "Credential Input" (56.0 to 60.0, excerpts read 2026-11-22): POST
creates, PUT replaces, DELETE deletes; a credential is told by external credential, principal's name and type. What an
answer holds, and the words of the refusals, are from knowledge. Of a value its SHA-256 alone is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from emulators.http import Response
from emulators.salesforce import errors
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError
from emulators.salesforce.metadata.components import Key
from emulators.salesforce.metadata.xmlform import parse, text, walk

KIND = "salesforce.credential"
_SINCE = 56
_NAMED = ("externalCredential", "principalName", "principalType")


def handle(ctx: Context) -> Response:
    """Answer a call. Raises `RestError`."""
    if ctx.version < _SINCE:
        raise errors.not_found()
    given: Mapping[str, Any] = ctx.request.query if ctx.method in ("GET", "DELETE") else ctx.json_object()
    missing = [name for name in _NAMED if not isinstance(given.get(name), str) or not given[name]]
    if missing:
        raise RestError(400, "MISSING_ARGUMENT", f"Missing required fields: {', '.join(missing)}")
    credential, principal, kind = (str(given[name]) for name in _NAMED)
    protocol = _protocol(ctx, credential, principal, kind)
    place = f"{ctx.org.id}/{credential}/{kind}/{principal}"
    known = ctx.world.store.get(KIND, place)
    if ctx.method == "DELETE":
        if not ctx.world.store.delete(KIND, place):
            raise errors.not_found()
        return Response(204)
    if ctx.method in ("POST", "PUT"):
        if (ctx.method == "POST") is (known is not None):
            why = "already exists" if known else "doesn't exist"
            raise RestError(400, "INVALID_INPUT", f"The credential of principal {principal} {why}.")
        if given.get("authenticationProtocol") != protocol:
            raise RestError(400, "INVALID_INPUT", f"The authentication protocol of {credential} is {protocol}.")
        known = {"values": _values(given.get("credentials"))}
        ctx.world.store.put(KIND, place, known)
    elif ctx.method != "GET":
        raise errors.wrong_method(ctx.method, "DELETE,GET,POST,PUT")
    held = known["values"] if known else {}
    answer = {
        "authenticationProtocol": protocol,
        "authenticationStatus": "Configured" if held else "NotConfigured",
        "credentials": {name: {"encrypted": each["encrypted"], "value": None} for name, each in held.items()},
        "externalCredential": credential,
        "principalName": principal,
        "principalType": kind,
    }
    return Response.of_json(answer, 201 if ctx.method == "POST" else 200)


def _protocol(ctx: Context, credential: str, principal: str, kind: str) -> str:
    """Return the protocol of an external credential that has the principal."""
    held = ctx.components.get(*Key("ExternalCredential", credential))
    if held is not None:
        root = parse(ctx.components.content(held))
        for each in walk(root, "externalCredentialParameters"):
            if text(each, "parameterType") == kind and text(each, "parameterName") == principal:
                return text(root, "authenticationProtocol")
    raise RestError(404, "NOT_FOUND", f"No principal {principal} of external credential {credential} was found.")


def _values(credentials: object) -> dict[str, dict[str, object]]:
    if not isinstance(credentials, dict) or not credentials:
        raise RestError(400, "MISSING_ARGUMENT", "Missing required fields: credentials")
    return {
        str(name): {
            "encrypted": bool(each.get("encrypted")),
            "sha256": hashlib.sha256(str(each.get("value")).encode()).hexdigest(),
        }
        for name, each in credentials.items()
    }
