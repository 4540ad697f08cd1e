"""OIDC tokens as STS takes them: signed by a key of the issuer, for a client that the provider in RAM names, in time.

The emulators reach no issuer. What its address would answer is published to them: keys, and the fingerprint of the
certificate that it would be answered with. Source: help.aliyun.com, RAM, "Role-based SSO by using OIDC", and OpenID
Connect Core 1.0, 3.1.3.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from emulators.alicloud.errors import ApiError
from emulators.store import Document, Store

ISSUER_KIND = "oidc.issuer"
"""Kind of the store's documents of what issuers publish: `keys` (a JWK set) and `fingerprint` (SHA-1, hexadecimal)."""

_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256")


@dataclass(frozen=True)
class Token:
    """What a token says. Times are in seconds since the epoch."""

    issuer: str
    audience: str
    subject: str
    issued: float
    expires: float


def publish(store: Store, issuer: str, keys: list[dict[str, Any]], fingerprint: str) -> None:
    """Let the emulators find what `issuer` answers: its public keys, as JWKs, behind a certificate."""
    store.put(ISSUER_KIND, issuer, {"keys": keys, "fingerprint": fingerprint})


def verified(store: Store, provider: Document, token: str, now: float) -> Token:
    """Return what a token says, once it is proven to be the issuer's and for a client of `provider` (RAM's).

    Raises `ApiError` AuthenticationFail.….
    """
    claims = _claims(_published(store, provider), provider, token)
    issued, expires = float(claims["iat"]), float(claims["exp"])
    oldest = now - provider["IssuanceLimitTime"] * 3600
    if expires <= now or not oldest <= issued <= now + 60:
        raise ApiError("AuthenticationFail.OIDCToken.Expired")
    audiences = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
    audience = next(name for name in audiences if name in _clients(provider))
    return Token(claims["iss"], audience, claims["sub"], issued, expires)


def _published(store: Store, provider: Document) -> Document:
    issuer = provider["IssuerUrl"]
    published = store.get(ISSUER_KIND, issuer)
    if published is None:
        raise ApiError("AuthenticationFail.IdP.NotReachable", issuer=issuer)
    if published["fingerprint"].lower() not in provider["Fingerprints"].lower().split(","):
        raise ApiError("AuthenticationFail.IdP.Fingerprint", issuer=issuer)
    return published


def _claims(published: Document, provider: Document, token: str) -> dict[str, Any]:
    try:
        ident = jwt.get_unverified_header(token).get("kid")
        keys = {key.get("kid"): key for key in published["keys"]}
        if ident not in keys:
            raise jwt.InvalidKeyError("no key of the issuer has this kid")
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(keys[ident]).key,
            algorithms=list(_ALGORITHMS),
            audience=_clients(provider),
            issuer=provider["IssuerUrl"],
            # Times are checked by the emulated clock.
            options={
                "require": ["iss", "aud", "sub", "iat", "exp"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.PyJWTError as error:
        raise ApiError("AuthenticationFail.OIDCToken.Invalid", why=str(error)) from None
    return claims


def _clients(provider: Document) -> list[str]:
    clients: list[str] = provider["ClientIds"].split(",")
    return clients
