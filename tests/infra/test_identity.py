"""An identity provider of the customer's, by its SAML metadata."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from infra.outputs import parse_outputs
from infra.saml import parse_metadata
from infra.settings import read_settings
from kit.problems import Refused

NOW = datetime.now(UTC)
ACCOUNT = {"ALIBABA_CLOUD_ACCOUNT_ID": "1234567890123456"}


def certificate(days: int) -> str:
    """Return a self-signed certificate (Base64 of its DER) that ends in `days` days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOW - timedelta(days=400))
    made = builder.not_valid_after(NOW + timedelta(days=days)).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


def metadata(*days: int) -> str:
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
        f"{certificate(each)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for each in days
    )
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://idp.example.cn/meta"><md:IDPSSODescriptor>'
        f'{keys}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        'Location="https://idp.example.cn/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )


def section(text: str, *orgs: str) -> dict[str, str]:
    value = {"provider": "external", "metadata": text, "orgs": list(orgs or ("china-uat",))}
    return {"sfoa:identity": json.dumps(value)}


def test_every_org_of_the_stack_gets_the_provider_of_the_metadata(stand: Any) -> None:
    landed = stand("local", section(metadata(100), "china-uat", "china-production"))
    outputs = parse_outputs(landed.contract, "local")
    assert outputs.identity_provider == "external"
    assert set(outputs.identity_saml) == {"china-uat", "china-production"}
    saml = outputs.identity_saml["china-uat"]
    assert (saml.issuer, saml.sso_url) == ("https://idp.example.cn/meta", "https://idp.example.cn/sso")
    assert saml.next_certificate is None
    assert "identity" not in outputs.absent
    assert "Identity" in {resource.type.rpartition(":")[2] for resource in landed.resources}


def test_a_stack_without_identity_says_that_it_is_absent(stand: Any) -> None:
    outputs = parse_outputs(stand("local").contract, "local")
    assert "identity" in outputs.absent
    assert (outputs.identity_provider, outputs.identity_saml) == (None, {})


def test_the_certificate_that_ends_first_is_used_and_the_other_follows() -> None:
    contract = parse_metadata(metadata(300, 20)).contract(NOW)
    ends = x509.load_pem_x509_certificate(contract.certificate.encode()).not_valid_after_utc
    assert ends < NOW + timedelta(days=21)
    assert contract.next_certificate not in (None, contract.certificate)


def test_an_expired_certificate_is_passed_over_while_another_is_valid() -> None:
    assert parse_metadata(metadata(-1, 300)).contract(NOW).next_certificate is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (metadata(-1), "ended on"),
        (metadata(), "no signing certificate"),
        ("<a/>", "EntityDescriptor"),
        ("<a", "not XML"),
        ("missing.xml", "missing.xml"),
        (metadata(9).replace("IDPSSODescriptor", "SPSSODescriptor"), "no identity provider"),
        (metadata(9).replace("HTTP-POST", "SOAP"), "SingleSignOnService"),
        (metadata(9).replace("https://idp.example.cn/sso", "http://idp.example.cn/sso"), "sso_url"),
    ],
)
def test_metadata_that_lets_nobody_in_is_refused_before_anything_is_made(config: Any, text: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        read_settings({**config("local"), **section(text)}, ACCOUNT)
    assert said in str(refused.value)


def test_an_org_of_another_edition_is_refused(config: Any) -> None:
    with pytest.raises(Refused, match="not an org of the alibaba edition"):
        read_settings({**config("local"), **section(metadata(9), "global-production")}, ACCOUNT)


def test_metadata_may_stand_in_a_file_of_the_project(
    config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "infra").mkdir()
    (tmp_path / "idp.xml").write_text(metadata(9), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "infra")
    settings = read_settings({**config("local"), **section("idp.xml")}, ACCOUNT)
    assert settings.identity is not None
    assert settings.identity.metadata.startswith("<md:EntityDescriptor")
