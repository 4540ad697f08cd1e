"""Who signed a ROA request: `acs id:signature` (version 1.0, HMAC-SHA1), or ACS3-HMAC-SHA256 as the RPC products have.

Source: tea-roa 1.3.4 and tea-roa-utils 1.1.5, with which terraform-provider-alicloud 1.285.0 signs.
"""

from __future__ import annotations

import base64
import hmac
from email.utils import parsedate_to_datetime

from emulators.alicloud.account import access_key
from emulators.alicloud.errors import ApiError
from emulators.alicloud.fc.errors import FunctionError
from emulators.alicloud.signature import Signatures
from emulators.alicloud.tables import limit
from emulators.http import Request
from emulators.service import World

_SIGNED = ("accept", "content-md5", "content-type", "date")


class RoaSignatures:
    """Checks the signatures of ROA requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._newer = Signatures(world)

    def check(self, request: Request) -> None:
        """Raise `FunctionError` unless a key of the account signed the request, and lately."""
        authorization = request.headers.get("authorization", "")
        if not authorization.startswith("acs "):
            try:
                self._newer.caller(request, request.query)
            except ApiError as error:
                raise FunctionError(error.status, error.code, error.message) from None
            return
        ident, _, given = authorization.removeprefix("acs ").partition(":")
        key = access_key(self._world.store, ident)
        if key is None or not key.active:
            raise FunctionError(403, "InvalidAccessKeyID", "The AccessKey is not found.")
        if key.token and not hmac.compare_digest(key.token, request.headers.get("x-acs-security-token", "")):
            raise FunctionError(403, "InvalidSecurityToken", "The security token doesn't belong to the AccessKey.")
        if key.expires and key.expires <= self._world.now():
            raise FunctionError(403, "InvalidSecurityToken.Expired", "The security token has expired.")
        text = to_sign(request)
        wanted = base64.b64encode(hmac.digest(key.secret.encode(), text.encode(), "sha1")).decode()
        if not hmac.compare_digest(wanted, given):
            raise FunctionError(
                403, "SignatureNotMatch", f"The signature does not match; what the server signs: {text}"
            )
        self._check_date(request.headers.get("date", ""))

    def _check_date(self, text: str) -> None:
        try:
            stamp = parsedate_to_datetime(text).timestamp()
        except ValueError:
            raise FunctionError(400, "InvalidTimeStamp.Format", "The date is not well formatted.") from None
        if abs(stamp - self._world.now()) > limit("signature_seconds"):
            raise FunctionError(400, "InvalidTimeStamp.Expired", "The date is too far from the server's.")


def to_sign(request: Request) -> str:
    """Return what version 1.0 signs: method, four headers, every x-acs- header, path and query, not encoded."""
    own = {name: value for name, value in request.headers.items() if name.startswith("x-acs-")}
    lines = "".join(f"{name}:{own[name]}\n" for name in sorted(own))
    pairs = "&".join(f"{name}={value}" if value else name for name, value in sorted(request.query.items()))
    head = "\n".join((request.method, *(request.headers.get(name, "") for name in _SIGNED)))
    return f"{head}\n{lines}{request.path}{f'?{pairs}' if pairs else ''}"
