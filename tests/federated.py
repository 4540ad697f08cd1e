"""An identity provider of the tests: it signs OIDC tokens and SAML responses with keys of its own."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

from emulators.alicloud.saml import AUDIENCE, ROLE, SESSION, canonical

FINGERPRINT = "6938fd4d98bab03faadb97b34396831e3780aea1"
RECIPIENT = "https://signin.aliyun.com/saml-role/sso"
XML = 'xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"'
DSIG = "http://www.w3.org/2000/09/xmldsig#"


class Idp:
    """One key, which signs for OIDC and for SAML. `now` is in seconds since the epoch."""

    def __init__(self, now: float, issuer: str = "https://token.actions.githubusercontent.com") -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.now, self.issuer = now, issuer

    def jwk(self) -> dict[str, Any]:
        """Return the public key as issuers publish it."""
        public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return public | {"kid": "key-1", "use": "sig", "alg": "RS256"}

    def token(self, subject: str, **claims: Any) -> str:
        """Return a signed token of five minutes."""
        said = {"iss": self.issuer, "aud": "sts.aliyuncs.com", "iat": self.now, "exp": self.now + 300, "sub": subject}
        return jwt.encode(said | claims, self.key, algorithm="RS256", headers={"kid": "key-1"})

    def metadata(self) -> str:
        """Return the SAML metadata."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
        start, end = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=100)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(1).not_valid_before(start).not_valid_after(end)
        certificate = builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)
        return (
            '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
            f'xmlns:ds="{DSIG}" entityID="{self.issuer}"><md:IDPSSODescriptor><md:KeyDescriptor use="signing">'
            f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{base64.b64encode(certificate).decode()}"
            "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService "
            'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.cn/sso"/>'
            "</md:IDPSSODescriptor></md:EntityDescriptor>"
        )

    def response(self, role: str, provider: str, *, audience: str = AUDIENCE, seconds: float = 300) -> etree._Element:
        """Return a SAML response whose assertion is signed."""
        ends = datetime.fromtimestamp(self.now + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        response = etree.fromstring(
            f'<p:Response {XML} ID="r1"><a:Assertion ID="a1"><a:Issuer>{self.issuer}</a:Issuer><a:Subject>'
            '<a:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">li</a:NameID>'
            f'<a:SubjectConfirmation><a:SubjectConfirmationData NotOnOrAfter="{ends}" Recipient="{RECIPIENT}"/>'
            f'</a:SubjectConfirmation></a:Subject><a:Conditions NotOnOrAfter="{ends}"><a:AudienceRestriction>'
            f"<a:Audience>{audience}</a:Audience></a:AudienceRestriction></a:Conditions><a:AttributeStatement>"
            f'<a:Attribute Name="{ROLE}"><a:AttributeValue>{role},{provider}</a:AttributeValue></a:Attribute>'
            f'<a:Attribute Name="{SESSION}"><a:AttributeValue>li.lei</a:AttributeValue></a:Attribute>'
            "</a:AttributeStatement></a:Assertion></p:Response>"
        )
        self._sign(response[0])
        return response

    def _sign(self, assertion: etree._Element) -> None:
        digest = base64.b64encode(hashlib.sha256(canonical(copy.deepcopy(assertion))).digest()).decode()
        excluding = "http://www.w3.org/2001/10/xml-exc-c14n#"
        signature = etree.fromstring(
            f'<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{excluding}"/>'
            '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>'
            f'<ds:Reference URI="#a1"><ds:Transforms><ds:Transform Algorithm="{DSIG}enveloped-signature"/>'
            f'<ds:Transform Algorithm="{excluding}"/></ds:Transforms>'
            '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
            f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
            "<ds:SignatureValue/></ds:Signature>"
        )
        assertion.insert(1, signature)
        value = self.key.sign(canonical(signature[0]), padding.PKCS1v15(), hashes.SHA256())
        signature[1].text = base64.b64encode(value).decode()


def encoded(response: etree._Element) -> str:
    """Return a response as it is posted."""
    return base64.b64encode(etree.tostring(response)).decode()
