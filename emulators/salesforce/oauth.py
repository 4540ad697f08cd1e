"""OAuth at the login hosts and at My Domain: tokens by JWT bearer and refresh, revoke, introspect, userinfo."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

import jwt
from cryptography import x509

from emulators.http import Request, Response
from emulators.salesforce import errors, ids
from emulators.salesforce.apps import admit, app_of
from emulators.salesforce.errors import OAuthError
from emulators.salesforce.orgs import ConnectedApp, OrgRecord, Orgs, OrgUser
from emulators.salesforce.sessions import Sessions
from emulators.service import World

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# How far ahead an assertion may expire: three minutes as Salesforce Help is said to ask, five by a third-party
# guide (knowledgelib.io, excerpt read 2026-11-22); the emulator takes five. Clocks may differ: an assertion that ends
# this very second, as CumulusCI sends it, is still good.
_LONGEST_SECONDS = 5 * 60
_SKEW_SECONDS = 3 * 60
# Salesforce's own CLI writes milliseconds into `exp` (@salesforce/core 9.4.0, `tryJwtAuth`: `exp: Date.now() +
# 300`). That real orgs read them so is inferred from the CLI's being in use: in seconds it would be a date 57,000 years
# ahead.
_MILLISECONDS_FROM = 1e11


class OAuth:
    """The OAuth endpoints of a world."""

    def __init__(self, world: World, orgs: Orgs, sessions: Sessions) -> None:
        self._world, self._now, self._orgs, self._sessions = world, world.now, orgs, sessions

    def handle(self, request: Request) -> Response | None:
        """Answer an OAuth or identity request, or return None when the path is neither."""
        try:
            match request.path.rstrip("/").split("/")[1:]:
                case ["services", "oauth2", "token"]:
                    _only_post(request)
                    return Response.of_json(self._token(request), Cache_Control="no-store")
                case ["services", "oauth2", "revoke"]:
                    return self._revoke(request)
                case ["services", "oauth2", "introspect"]:
                    _only_post(request)
                    return Response.of_json(self._introspect(request))
                case ["services", "oauth2", "userinfo"]:
                    return self._userinfo(request)
                case ["id", org_id, user_id]:
                    return self._identity(request, org_id, user_id)
        except OAuthError as error:
            return error.response()
        return None

    def _token(self, request: Request) -> dict[str, str]:
        match request.form.get("grant_type"):
            case None:
                raise OAuthError("invalid_request", "must supply grant_type")
            case value if value == _JWT_BEARER:
                return self._by_assertion(request)
            case "refresh_token":
                return self._by_refresh_token(request)
        raise OAuthError("unsupported_grant_type", "grant type not supported")

    def _by_assertion(self, request: Request) -> dict[str, str]:
        assertion = request.form.get("assertion", "")
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        client_id, username = str(claims.get("iss", "")), str(claims.get("sub", ""))
        here = self._orgs_at(request.host)
        if not any(org.app(client_id) for org in self._orgs) and not any(self._app(org, client_id) for org in here):
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not any(claims.get("aud") == org.audience for org in here):
            raise OAuthError("invalid_grant", "audience is invalid")
        org = next((org for org in here if org.user(username)), None)
        if org is None:
            # A user of the other edition (or of the other login host): the assertion was not meant for this one.
            elsewhere = any(other.user(username) for other in self._orgs)
            raise OAuthError(
                "invalid_grant", "audience is invalid" if elsewhere else "user hasn't approved this consumer"
            )
        app, user = self._app(org, client_id), org.user(username)
        if app is None or user is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        self._verify(assertion, claims, app)
        admit(self._world, org, app, user)
        return self._grant(org, user, app, "api web")

    def _verify(self, assertion: str, claims: dict[str, Any], app: ConnectedApp) -> None:
        """Check signature and life time of an assertion against the app's certificate."""
        if not app.certificate:
            raise OAuthError("invalid_client", "invalid client credentials")
        try:
            key: Any = x509.load_pem_x509_certificate(app.certificate.encode()).public_key()
            # Audience and expiry are judged here, by Salesforce's rules, not by the library's.
            jwt.decode(assertion, key, algorithms=["RS256"], options={"verify_exp": False, "verify_aud": False})
        except (jwt.PyJWTError, ValueError) as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        try:
            expires = float(claims["exp"])
        except (KeyError, TypeError, ValueError) as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        if expires >= _MILLISECONDS_FROM:
            expires /= 1000
        if not -_SKEW_SECONDS <= expires - self._now() <= _LONGEST_SECONDS + _SKEW_SECONDS:
            raise OAuthError("invalid_grant", "expired authorization code")

    def _by_refresh_token(self, request: Request) -> dict[str, str]:
        grant = self._sessions.find_refresh(request.form.get("refresh_token", ""))
        client_id = request.form.get("client_id", "")
        here = self._orgs_at(request.host)
        if not any(org.app(client_id) for org in here):
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if grant is None or grant["client_id"] != client_id:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        org = next((org for org in here if org.id == grant["org_id"]), None)
        app, user = (org.app(client_id), org.user(grant["username"])) if org else (None, None)
        if org is None or app is None or user is None:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        if app.client_secret and not hmac.compare_digest(
            app.client_secret.encode(), request.form.get("client_secret", "").encode()
        ):
            raise OAuthError("invalid_client", "invalid client credentials")
        issued = str(int(self._now() * 1000))
        answer = self._grant(org, user, app, "refresh_token api web")
        signed = hmac.new(app.client_secret.encode(), (answer["id"] + issued).encode(), hashlib.sha256)
        return answer | {"issued_at": issued, "signature": base64.b64encode(signed.digest()).decode()}

    def _grant(self, org: OrgRecord, user: OrgUser, app: ConnectedApp, scope: str) -> dict[str, str]:
        return {
            "access_token": self._sessions.open(org, user, app.client_id),
            "scope": scope,
            "instance_url": org.instance_url,
            "id": identity_url(org, user.id),
            "token_type": "Bearer",
        }

    def _revoke(self, request: Request) -> Response:
        token = request.form.get("token") or request.query.get("token", "")
        if not self._sessions.revoke(token):
            raise OAuthError("unsupported_token_type", "this token type is not supported")
        return Response(200)

    def _introspect(self, request: Request) -> dict[str, object]:
        client_id = request.form.get("client_id", "")
        if not any(org.app(client_id) for org in self._orgs_at(request.host)):
            raise OAuthError("invalid_client_id", "client identifier invalid", 401)
        session = self._sessions.find(request.form.get("token", ""))
        org = self._orgs.by_id(session.org_id) if session else None
        if session is None or org is None:
            return {"active": False}
        return {
            "active": True,
            "scope": "api web",
            "client_id": client_id,
            "username": session.username,
            "sub": identity_url(org, session.user_id),
            "token_type": "access_token",
            "exp": int(session.expires),
        }

    def _userinfo(self, request: Request) -> Response:
        session = self._sessions.of_request(request)
        org = next((org for org in self._orgs_at(request.host) if session and org.id == session.org_id), None)
        user = org.user(session.username) if org and session else None
        if org is None or user is None:
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/html;charset=UTF-8"})
        return Response.of_json(
            _person(org, user)
            | {
                "sub": identity_url(org, user.id),
                "preferred_username": user.username,
                "name": user.username.partition("@")[0],
                "profile": f"{org.instance_url}/{user.id}",
                "zoneinfo": "Asia/Shanghai" if org.edition == "alibaba" else "America/Los_Angeles",
                "updated_at": _timestamp(self._now()),
            }
        )

    def _identity(self, request: Request, org_id: str, user_id: str) -> Response:
        # Identity URLs: the token may come as a parameter, which is how jsforce sends it.
        in_query = self._sessions.find(request.query.get("oauth_token", ""))
        session = self._sessions.of_request(request) or in_query
        org = self._orgs.by_id(org_id)
        if session is None or org is None or session.org_id != org.id or org not in self._orgs_at(request.host):
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/html;charset=UTF-8"})
        user = next((user for user in org.users if user.id == ids.normal(user_id)), None)
        if user is None:
            return errors.not_found().response()
        return Response.of_json(
            _person(org, user)
            | {
                "id": identity_url(org, user.id),
                "asserted_user": user.id == session.user_id,
                "username": user.username,
                "display_name": user.username.partition("@")[0],
                "status": {"created_date": None, "body": None},
                "is_app_installed": True,
                "last_modified_date": _timestamp(self._now()),
            }
        )

    def _app(self, org: OrgRecord, client_id: str) -> ConnectedApp | None:
        return app_of(self._world, org, client_id)

    def _orgs_at(self, host: str) -> list[OrgRecord]:
        own = self._orgs.by_host(host)
        return [own] if own else self._orgs.by_login_host(host)


def identity_url(org: OrgRecord, user_id: str) -> str:
    """Return the identity URL of a user, at the login host of its org."""
    return f"https://{org.login_host}/id/{org.id}/{user_id}"


def _person(org: OrgRecord, user: OrgUser) -> dict[str, object]:
    data = f"{org.instance_url}/services/data/v{{version}}/"
    return {
        "user_id": user.id,
        "organization_id": org.id,
        "nickname": user.username.partition("@")[0],
        "nick_name": user.username.partition("@")[0],
        "email": user.username,
        "email_verified": True,
        "first_name": None,
        "last_name": user.username.partition("@")[0],
        "urls": {
            "enterprise": f"{org.instance_url}/services/Soap/c/{{version}}/{org.id[:15]}",
            "metadata": f"{org.instance_url}/services/Soap/m/{{version}}/{org.id[:15]}",
            "partner": f"{org.instance_url}/services/Soap/u/{{version}}/{org.id[:15]}",
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "search": f"{data}search/",
            "query": f"{data}query/",
            "tooling_rest": f"{data}tooling/",
            "profile": f"{org.instance_url}/{user.id}",
            "custom_domain": org.instance_url,
        },
        "active": True,
        "user_type": "STANDARD",
        "language": org.language,
        "locale": org.language,
        "utcOffset": 28800000 if org.edition == "alibaba" else -28800000,
    }


def _only_post(request: Request) -> None:
    if request.method != "POST":
        raise OAuthError("invalid_request", "only POST is supported")


def _timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + "Z"
