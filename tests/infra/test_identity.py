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
from infra.sections.identity import ExternalIdentity
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
    outputs = parse_outputs(stand("local", {"sfoa:identity": "null"}).contract, "local")
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
    assert isinstance(settings.identity, ExternalIdentity)
    assert settings.identity.metadata.startswith("<md:EntityDescriptor")


CHINA = ("china-uat", "china-east", "china-preview", "china-staging", "china-production")


def eiam(**more: Any) -> dict[str, str]:
    return {"sfoa:identity": json.dumps({"provider": "eiam", "orgs": ["china-uat", "china-production"], **more})}


def test_idaas_signs_in_to_each_org_at_its_own_address(stand: Any) -> None:
    landed = stand("local")
    outputs = parse_outputs(landed.contract, "local")
    assert (outputs.identity_provider, set(outputs.identity_saml)) == ("eiam", set(CHINA))
    applications = landed.of("SamlApplication")
    assert applications["identity-china-production"].inputs["entity_id"] == "https://acme-cn.my.sfcrmproducts.cn"
    assert {made.inputs["instance_id"] for made in applications.values()} == {"identity-instance-id"}
    assert not any(made.inputs["keep"] or made.protect for made in applications.values())
    (policy,) = landed.of("MfaPolicy").values()
    assert (policy.inputs["enabled"], policy.inputs["groups"]) == (True, [])


def test_production_protects_who_signs_users_in(stand: Any) -> None:
    landed = stand("example-production")
    made = [r for r in landed.resources if ":dynamic/eiam:" in r.type]
    assert {r.type.rpartition(":")[2] for r in made} == {"Instance", "MfaPolicy", "SamlApplication"}
    assert all(r.protect for r in made)


def test_what_a_company_has_is_adopted_and_kept_unless_it_says_otherwise(stand: Any) -> None:
    mfa = {"administrators": ["group_1"]}
    changes = eiam(instance="idaas_1", adopt={"china-uat": "app_1"}, mfa=mfa)
    landed = stand("local", changes)
    assert not any(made.type.endswith("eiam:Instance") for made in landed.resources)
    adopted = landed.of("SamlApplication")["identity-china-uat"].inputs
    assert (adopted["instance_id"], adopted["application_id"], adopted["keep"]) == ("idaas_1", "app_1", True)
    assert landed.of("MfaPolicy")["identity-mfa"].inputs["groups"] == ["group_1"]
    landed = stand("local", eiam(adopt={"china-uat": "app_1"}, delete_adopted=True))
    assert not landed.of("SamlApplication")["identity-china-uat"].inputs["keep"]


def test_a_token_is_a_secret_input_of_its_org_s_provisioning(stand: Any) -> None:
    landed = stand("local", {"sfoa:scim_tokens": json.dumps({"china-uat": "hidden"})})
    (target,) = landed.of("ScimTarget").values()
    assert isinstance(target.inputs["token"], dict), "a secret is wrapped on the wire"
    assert target.inputs["base_url"] == "https://acme-cn--uat.sandbox.my.sfcrmproducts.cn/services/scim/v2/"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (eiam(mfa={"methods": []}), "sfoa:identity.mfa.methods"),
        (eiam(mfa={"methods": ["ia_otp_sms"]}), "sfoa:identity.mfa.methods.0"),
        (eiam(mfa={"interval_seconds": 604_800}), "sfoa:identity.mfa.interval_seconds"),
        (eiam(mfa={"enabled": False}), "sfoa:identity.mfa.enabled: not a setting"),
        (eiam(mfa=None), "sfoa:identity.mfa"),
        (eiam(orgs=["china-uat", "china-uat"]), "an org stands twice"),
        (eiam(adopt={"china-east": "app_1"}), "china-east, which isn't among orgs"),
        (eiam(provider="okta"), "sfoa:identity"),
        (eiam() | {"sfoa:scim_tokens": '{"china-east": "hidden"}'}, "no application of IDaaS EIAM"),
        (section(metadata(9)) | {"sfoa:scim_tokens": '{"china-uat": "hidden"}'}, "no application of IDaaS EIAM"),
        (eiam() | {"sfoa:scim_tokens": '{"china-uat": ""}'}, "an empty token"),
    ],
)
def test_settings_that_can_t_be_are_refused_without_a_secret_in_the_message(
    config: Any, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_settings({**config("local"), **changes}, ACCOUNT)
    text = str(refused.value)
    assert said in text
    assert "identity.eiam" not in text
    assert "hidden" not in text


def test_a_token_s_ciphertext_in_a_stack_s_file_is_taken_where_no_engine_decrypts_it(config: Any) -> None:
    sealed = {"sfoa:scim_tokens": json.dumps({"china-uat": {"secure": "v1:abc"}})}
    settings = read_settings({**config("local"), **sealed}, ACCOUNT)
    assert "v1:abc" not in repr(settings)
