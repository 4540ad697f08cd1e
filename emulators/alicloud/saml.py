"""SAML responses as STS takes them: signed by a certificate of the provider's metadata, for Alibaba Cloud, in time.

Sources: help.aliyun.com, RAM, "SAML response for role-based SSO"; OASIS, SAML 2.0 core, 5.4 (one enveloped signature,
exclusive canonicalization); W3C, XML Signature.
"""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from emulators.alicloud.errors import ApiError

NAMES = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
}
AUDIENCE = "urn:alibaba:cloudcomputing"
ROLE = "https://www.aliyun.com/SAML-Role/Attributes/Role"
SESSION = "https://www.aliyun.com/SAML-Role/Attributes/RoleSessionName"
_CONFIRMED = "a:Subject/a:SubjectConfirmation/a:SubjectConfirmationData"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"


@dataclass(frozen=True)
class Assertion:
    """What an assertion says. `roles` are pairs: ARN of a role, ARN of the provider that may grant it."""

    issuer: str
    subject: str
    subject_type: str
    recipient: str
    session: str
    roles: tuple[tuple[str, str], ...]


def verified(metadata: str, response: str, now: float) -> Assertion:
    """Return what a SAML response says, once the provider of `metadata` is proven to have signed it (both Base64).

    Raises `ApiError` AuthenticationFail.SAMLAssertion.Invalid.
    """
    try:
        described, root = _parsed(metadata), _parsed(response)
        assertion = _signed_assertion(root, _certificates(described))
        _check(assertion, described.get("entityID", ""), now)
        return _read(assertion)
    except (ValueError, etree.XMLSyntaxError) as error:
        raise ApiError("AuthenticationFail.SAMLAssertion.Invalid", why=str(error)) from None


def _parsed(text: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(base64.b64decode(text, validate=True), parser)


def _certificates(metadata: etree._Element) -> list[x509.Certificate]:
    keys = [key for key in metadata.iterfind(".//md:KeyDescriptor", NAMES) if key.get("use") != "encryption"]
    found = [item for key in keys for item in key.iterfind(".//ds:X509Certificate", NAMES)]
    return [x509.load_der_x509_certificate(base64.b64decode(item.text or "")) for item in found]


def _signed_assertion(root: etree._Element, certificates: list[x509.Certificate]) -> etree._Element:
    """Return the one assertion, which must itself be what is signed, or stand in the response that is."""
    assertions = root.findall("a:Assertion", NAMES)
    if len(assertions) != 1 or len(root.findall(".//a:Assertion", NAMES)) != 1:
        raise ValueError("not one assertion in a response")
    for element in (root, assertions[0]):
        if element.find("ds:Signature", NAMES) is not None:
            _check_signature(element, certificates)
            return assertions[0]
    raise ValueError("neither the response nor its assertion is signed")


def _check_signature(element: etree._Element, certificates: list[x509.Certificate]) -> None:
    signature = element.find("ds:Signature", NAMES)
    assert signature is not None
    info = signature.find("ds:SignedInfo", NAMES)
    references = signature.findall("ds:SignedInfo/ds:Reference", NAMES)
    if info is None or len(references) != 1 or references[0].get("URI") != f"#{element.get('ID')}":
        raise ValueError("the signature isn't about what it stands in")
    used = {item.get("Algorithm") for item in signature.iterfind(".//*[@Algorithm]")}
    if not {_RSA_SHA256, _SHA256} <= used:
        raise ValueError("the emulators check rsa-sha256 over sha256 alone")
    plain = copy.deepcopy(element)
    enveloped = plain.find("ds:Signature", NAMES)
    assert enveloped is not None
    plain.remove(enveloped)
    digest = base64.b64encode(hashlib.sha256(canonical(plain)).digest()).decode()
    if references[0].findtext("ds:DigestValue", "", NAMES).strip() != digest:
        raise ValueError("it was changed after it was signed")
    value = base64.b64decode(signature.findtext("ds:SignatureValue", "", NAMES))
    if not any(_signed_by(certificate, value, canonical(info)) for certificate in certificates):
        raise ValueError("no certificate of the provider's metadata signed it")


def canonical(element: etree._Element) -> bytes:
    """Return an element in exclusive canonical form, without comments."""
    text: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    return text


def _signed_by(certificate: x509.Certificate, signature: bytes, text: bytes) -> bool:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _check(assertion: etree._Element, issuer: str, now: float) -> None:
    if assertion.findtext("a:Issuer", "", NAMES).strip() != issuer:
        raise ValueError("it isn't of the provider that the metadata describes")
    audiences = [item.text for item in assertion.iterfind("a:Conditions/a:AudienceRestriction/a:Audience", NAMES)]
    if AUDIENCE not in audiences:
        raise ValueError(f"it isn't for {AUDIENCE}")
    for path in ("a:Conditions", _CONFIRMED):
        bounds = assertion.find(path, NAMES)
        if bounds is None or _seconds(bounds.get("NotOnOrAfter", "")) <= now:
            raise ValueError("it has ended")
        if "NotBefore" in bounds.attrib and _seconds(bounds.get("NotBefore", "")) > now:
            raise ValueError("it hasn't begun")


def _read(assertion: etree._Element) -> Assertion:
    subject, confirmed = assertion.find("a:Subject/a:NameID", NAMES), assertion.find(_CONFIRMED, NAMES)
    session = next(_values(assertion, SESSION), "")
    if subject is None or confirmed is None or not session:
        raise ValueError("it lacks a subject, its confirmation, or a session name")
    pairs = [tuple(part.strip() for part in value.split(",")) for value in _values(assertion, ROLE)]
    return Assertion(
        assertion.findtext("a:Issuer", "", NAMES).strip(),
        subject.text or "",
        subject.get("Format", "").rpartition(":")[2],
        confirmed.get("Recipient", ""),
        session,
        tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2),
    )


def _values(assertion: etree._Element, name: str) -> Iterator[str]:
    for attribute in assertion.findall("a:AttributeStatement/a:Attribute", NAMES):
        if attribute.get("Name") == name:
            yield from (value.text or "" for value in attribute.findall("a:AttributeValue", NAMES))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()
