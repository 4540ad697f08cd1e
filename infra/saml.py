"""SAML metadata of an identity provider, parsed to what an org must know of it. Works without an engine.

Source: "Metadata for the OASIS Security Assertion Markup Language (SAML) V2.0", OASIS, 2005-03-15.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from infra.outputs import SamlProvider

NAMES = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}
BINDINGS = ("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")
"""How a Salesforce org sends its requests, the preferred one first."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A signing certificate: its PEM text and the time until which it is valid."""

    pem: str
    until: datetime


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """What metadata says. `certificates` are those that sign, the first to end first; there is at least one."""

    issuer: str
    sso_url: str
    logout_url: str | None
    certificates: tuple[Certificate, ...]

    def valid(self, now: datetime) -> tuple[Certificate, ...]:
        """Return the certificates that have not ended."""
        return tuple(item for item in self.certificates if item.until > now)

    def contract(self, now: datetime) -> SamlProvider:
        """Return what the stack exports: the certificate that is used now, and the one that follows it.

        Raises `ValueError` when no certificate is valid any more, or what is no https URL stands for one.
        """
        valid = self.valid(now)
        if not valid:
            raise ValueError(f"the last signing certificate ended on {self.certificates[-1].until:%Y-%m-%d}")
        return SamlProvider(
            issuer=self.issuer,
            sso_url=self.sso_url,
            logout_url=self.logout_url,
            certificate=valid[0].pem,
            next_certificate=valid[1].pem if len(valid) > 1 else None,
        )


def parse_metadata(text: str) -> IdentityProvider:
    """Return the identity provider that metadata describes. Raises `ValueError` that says what is wrong with it."""
    try:
        root = etree.fromstring(text.strip().encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from None
    issuer = root.get("entityID")
    if root.tag != f"{{{NAMES['md']}}}EntityDescriptor" or not issuer:
        raise ValueError("not an md:EntityDescriptor with an entityID")
    provider = root.find("md:IDPSSODescriptor", NAMES)
    if provider is None:
        raise ValueError("no md:IDPSSODescriptor: this describes no identity provider")
    sso_url = _location(provider, "SingleSignOnService")
    if sso_url is None:
        raise ValueError("no md:SingleSignOnService by HTTP-Redirect or HTTP-POST")
    certificates = _certificates(provider)
    if not certificates:
        raise ValueError("no signing certificate")
    return IdentityProvider(issuer, sso_url, _location(provider, "SingleLogoutService"), certificates)


def _location(provider: etree._Element, service: str) -> str | None:
    places = {item.get("Binding"): item.get("Location") for item in provider.findall(f"md:{service}", NAMES)}
    return next((place for binding in BINDINGS if (place := places.get(binding))), None)


def _certificates(provider: etree._Element) -> tuple[Certificate, ...]:
    found: dict[str, Certificate] = {}
    for key in provider.findall("md:KeyDescriptor", NAMES):
        if key.get("use") == "encryption":
            continue
        for item in key.findall(".//ds:X509Certificate", NAMES):
            try:
                certificate = x509.load_der_x509_certificate(base64.b64decode(item.text or ""))
            except ValueError as error:
                raise ValueError(f"a signing certificate can't be read: {error}") from None
            pem = certificate.public_bytes(Encoding.PEM).decode()
            found[pem] = Certificate(pem, certificate.not_valid_after_utc.astimezone(UTC))
    return tuple(sorted(found.values(), key=lambda item: item.until))
