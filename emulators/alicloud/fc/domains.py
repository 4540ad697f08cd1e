"""Custom domains. That the name is an alias of FC's host isn't asked of any DNS."""

from __future__ import annotations

import re
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.fc.desk import DOMAIN, FUNCTION, Desk
from emulators.alicloud.fc.errors import FunctionError, missing, wrong
from emulators.store import Document

_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def create(desk: Desk, _: dict[str, str]) -> Any:
    """Answer CreateCustomDomain."""
    sent = desk.body()
    name = str(sent.get("domainName", ""))
    if not _NAME.fullmatch(name):
        raise wrong("domainName is no host name")
    if desk.find(DOMAIN, name):
        raise FunctionError(409, "DomainNameAlreadyExists", f"domain name {name!r} exists already")
    made = {
        "protocol": "HTTP",
        **sent,
        "accountId": ACCOUNT_ID,
        "apiVersion": "2023-03-30",
        "createdTime": desk.stamp,
        "lastModifiedTime": desk.stamp,
        "subdomainCount": "1",
    }
    return _shown(desk.save(DOMAIN, name, _checked(desk, made)))


def show(desk: Desk, named: dict[str, str]) -> Any:
    """Answer GetCustomDomain."""
    return _shown(_domain(desk, named["domain"]))


def update(desk: Desk, named: dict[str, str]) -> Any:
    """Answer UpdateCustomDomain."""
    changed = _domain(desk, named["domain"]) | desk.body() | {"lastModifiedTime": desk.stamp}
    return _shown(desk.save(DOMAIN, named["domain"], _checked(desk, changed)))


def delete(desk: Desk, named: dict[str, str]) -> None:
    """Answer DeleteCustomDomain."""
    _domain(desk, named["domain"])
    desk.delete(DOMAIN, named["domain"])


def _domain(desk: Desk, name: str) -> Document:
    found = desk.find(DOMAIN, name)
    if found is None:
        raise missing("DomainName", name)
    return found


def _checked(desk: Desk, domain: Document) -> Document:
    """Return a domain whose routes lead to functions, and whose certificate and key belong together."""
    for route in (domain.get("routeConfig") or {}).get("routes") or []:
        if desk.find(FUNCTION, str(route.get("functionName"))) is None:
            raise missing("Function", str(route.get("functionName")))
    given = domain.get("certConfig") or {}
    if "HTTPS" in domain["protocol"]:
        try:
            certificate = x509.load_pem_x509_certificate(str(given.get("certificate")).encode())
            key = load_pem_private_key(str(given.get("privateKey")).encode(), None)
        except ValueError:
            raise wrong("certConfig has no PEM certificate with its private key") from None
        if certificate.public_key() != key.public_key():
            raise wrong("the private key is not the certificate's")
    return domain


def _shown(domain: Document) -> Document:
    """Return what FC shows: never the private key."""
    given = domain.get("certConfig") or {}
    return domain | {"certConfig": {key: value for key, value in given.items() if key != "privateKey"}}
