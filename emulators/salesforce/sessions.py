"""Access and refresh tokens. Only their hashes are stored, so that no copy of the store opens an org."""

from __future__ import annotations

import hashlib
import re
import secrets
import string

from emulators.http import Request
from emulators.salesforce.orgs import OrgRecord, OrgUser, Session
from emulators.service import World

# Salesforce's default session timeout, in seconds (from knowledge of "Session Settings"): two hours.
SESSION_SECONDS = 2 * 60 * 60

_ACCESS, _REFRESH = "salesforce.session", "salesforce.refresh"
_ALPHABET = string.ascii_letters + string.digits + "._"
_SOAP_SESSION = re.compile(rb"<(?:\w+:)?sessionId[^>]*>\s*([^<\s]+)\s*</(?:\w+:)?sessionId>")


class Sessions:
    """The tokens of a world."""

    def __init__(self, world: World) -> None:
        self._store, self._now = world.store, world.now

    def open(self, org: OrgRecord, user: OrgUser, client_id: str) -> str:
        """Return a new access token (`00D…!AQ…`) of `user`, good for `SESSION_SECONDS`."""
        token = f"{org.id[:15]}!AQ{_random(94)}"
        self._store.put(
            _ACCESS,
            _hash(token),
            {
                "org_id": org.id,
                "user_id": user.id,
                "username": user.username,
                "client_id": client_id,
                "expires": self._now() + SESSION_SECONDS,
            },
        )
        return token

    def find(self, token: str) -> Session | None:
        """Return the live session of an access token, or None when it is unknown, revoked or expired."""
        document = self._store.get(_ACCESS, _hash(token))
        if document is None or document["expires"] <= self._now():
            return None
        return Session(document["user_id"], document["username"], document["org_id"], document["expires"])

    def of_request(self, request: Request) -> Session | None:
        """Return the session of a request: its Authorization or X-SFDC-Session (Bulk API) header or, in SOAP, its
        SessionHeader."""
        if bulk := request.headers.get("x-sfdc-session"):
            return self.find(bulk.strip())
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() in ("bearer", "oauth") and token:
            return self.find(token.strip())
        in_body = _SOAP_SESSION.search(request.body) if b"sessionId" in request.body[:8192] else None
        return self.find(in_body.group(1).decode("ascii", "replace")) if in_body else None

    def grant_refresh(self, org: OrgRecord, user: OrgUser, client_id: str) -> str:
        """Return a new refresh token (`5Aep861…`) of `user` for one connected app."""
        token = f"5Aep861{_random(80)}"
        document = {"org_id": org.id, "username": user.username, "client_id": client_id}
        self._store.put(_REFRESH, _hash(token), dict(document))
        return token

    def find_refresh(self, token: str) -> dict[str, str] | None:
        """Return {org_id, username, client_id} of a refresh token, or None."""
        return self._store.get(_REFRESH, _hash(token))

    def revoke(self, token: str) -> bool:
        """Forget an access or refresh token; return whether it was known."""
        digest = _hash(token)
        return self._store.delete(_ACCESS, digest) or self._store.delete(_REFRESH, digest)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
