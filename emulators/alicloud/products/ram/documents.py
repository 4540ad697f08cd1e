"""Policy documents of RAM: what the service refuses in one."""

from __future__ import annotations

import json

from emulators.alicloud.call import Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.tables import limit


def policy_document(call: Call, parameter: str, needs: str) -> str:
    """Return a policy document as it was sent; each statement must have `needs` (Action or Principal) and Effect.

    Raises `ApiError` when it is no policy document.
    """
    text = call.need(parameter)
    if len(text) > limit("policy_document_characters"):
        raise ApiError("InvalidParameter.PolicyDocument.Length", most=limit("policy_document_characters"))
    try:
        document = json.loads(text)
        statements = document["Statement"]
        good = document["Version"] == "1" and statements and isinstance(statements, list)
        good = good and all(s["Effect"] in ("Allow", "Deny") and s[needs] for s in statements)
    except (ValueError, TypeError, KeyError):
        good = False
    if not good:
        raise ApiError("MalformedPolicyDocument", parameter=parameter, needs=needs)
    return text
