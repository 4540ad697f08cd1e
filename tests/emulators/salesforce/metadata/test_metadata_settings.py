"""Settings and single sign-on: what a deploy of them replaces, and what it is checked for."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.emulators.salesforce.metadata.metadata_support import EmulatedOrg, manifest, xml

from tests.emulated_org import cites



def security(inner: str) -> dict[str, str]:
    files = {"settings/Security.settings": xml("SecuritySettings", inner)}
    return {"package.xml": manifest({"Settings": ["Security"]}), **files}


def ranges(*starts: str) -> str:
    inner = "".join(
        f"<ipRanges>\n<end>{start}.255</end><start>{start}.0</start>\n</ipRanges>" for start in starts
    )
    return f"<networkAccess>\n{inner}</networkAccess>"


def held(org: EmulatedOrg) -> bytes:
    return org.retrieve({"Settings": ["Security"]})["settings/Security.settings"]


@cites("network access")
def test_the_trusted_ip_ranges_that_come_replace_all_that_the_org_has(sandbox: EmulatedOrg) -> None:
    """The trusted IP ranges that a deploy brings replace all those of the org; to add one, deploy them all."""
    assert sandbox.problems(security(ranges("10.0.0", "10.0.1"))) == []
    assert sandbox.problems(security(ranges("10.0.2"))) == []
    assert held(sandbox).count(b"<ipRanges>") == 1
    assert b"<start>10.0.2.0</start>" in held(sandbox)


@cites("network access")
def test_a_range_that_comes_takes_nothing_of_the_one_that_was_there(sandbox: EmulatedOrg) -> None:
    """Of the ranges that were there nothing stays, not even a description that the new one leaves out."""
    described = ranges("10.0.0").replace("<end>", "<description>office</description><end>")
    assert sandbox.problems(security(described)) == []
    assert sandbox.problems(security(ranges("10.0.2"))) == []
    assert b"office" not in held(sandbox)


@cites("network access")
def test_an_empty_network_access_removes_all_ranges(sandbox: EmulatedOrg) -> None:
    """An empty networkAccess removes all trusted IP ranges."""
    sandbox.deploy(security(ranges("10.0.0")))
    assert sandbox.problems(security("<networkAccess></networkAccess>")) == []
    assert b"<ipRanges>" not in held(sandbox)


@cites("knowledge")
def test_what_a_settings_file_leaves_out_stays_as_it_is(sandbox: EmulatedOrg) -> None:
    """Elements that a settings file leaves out keep the org's values, within groups too."""
    session = "<sessionSettings><forceRelogin>true</forceRelogin><sessionTimeout>TwoHours</sessionTimeout></sessionSettings>"
    sandbox.deploy(security(ranges("10.0.0") + session))
    timeout = "<sessionSettings><sessionTimeout>FourHours</sessionTimeout></sessionSettings>"
    result = sandbox.deploy(security(timeout))
    assert [m["changed"] for m in result["details"]["componentSuccesses"] if m["componentType"]] == [True]
    back = held(sandbox)
    assert b"<start>10.0.0.0</start>" in back
    assert b"<forceRelogin>true</forceRelogin>" in back
    assert b"FourHours" in back
    assert b"TwoHours" not in back


@cites("knowledge")
@pytest.mark.parametrize(("start", "end"), [("10.0.0.9", "10.0.0.1"), ("10.0.0.1", "::1"), ("here", "there")])
def test_a_range_that_is_none_is_told_with_its_line(sandbox: EmulatedOrg, start: str, end: str) -> None:
    """An IP range whose end lies before its start, or that is none, fails the deploy with its line."""
    wrong = f"<networkAccess>\n<ipRanges><end>{end}</end><start>{start}</start></ipRanges></networkAccess>"
    (problem,) = sandbox.problems(security(wrong))
    assert problem.startswith("settings/Security.settings:4 Settings Security: ")
    assert start in problem


def certificate() -> str:
    """Return the base64 of a self-signed certificate."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    now = datetime(2026, 11, 22, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=90))
    der = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return base64.b64encode(der).decode()


GOOD = {
    "identityLocation": "SubjectNameId",
    "identityMapping": "FederationId",
    "issuer": "https://idp.example/saml",
    "name": "Company",
    "samlEntityId": "https://acme.my.sfcrmproducts.cn",
    "samlVersion": "SAML2_0",
}


def sign_on(**changed: str) -> dict[str, str]:
    values = {**GOOD, "validationCert": certificate(), **changed}
    inner = "\n".join(f"<{name}>{value}</{name}>" for name, value in values.items() if value)
    path = "samlssoconfigs/Company.samlssoconfig"
    return {"package.xml": manifest({"SamlSsoConfig": ["Company"]}), path: xml("SamlSsoConfig", inner)}


@cites("saml")
def test_a_single_sign_on_configuration_is_taken(sandbox: EmulatedOrg) -> None:
    """A complete SamlSsoConfig is taken and comes back."""
    assert sandbox.problems(sign_on()) == []
    assert b"FederationId" in sandbox.retrieve({"SamlSsoConfig": ["*"]})["samlssoconfigs/Company.samlssoconfig"]


@cites("saml", "knowledge")
@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"issuer": ""}, "Required field is missing: issuer"),
        ({"validationCert": ""}, "Required field is missing: validationCert"),
        ({"validationCert": "bm90IGEgY2VydA=="}, "validationCert is not a valid X.509 certificate"),
        ({"samlVersion": "SAML3"}, "'SAML3' is not a valid value for samlVersion: it is one of SAML1_1, SAML2_0"),
        (
            {"identityMapping": "Email"},
            "'Email' is not a valid value for identityMapping: it is one of Username, FederationId, UserId",
        ),
        (
            {"identityLocation": "Header"},
            "'Header' is not a valid value for identityLocation: it is one of SubjectNameId, Attribute",
        ),
        (
            {"decryptionCertificate": "Lost"},
            "In field: decryptionCertificate - no Certificate named Lost found",
        ),
        (
            {"requestSigningCertId": "Lost"},
            "In field: requestSigningCertId - no Certificate named Lost found",
        ),
    ],
)
def test_what_is_wrong_with_single_sign_on_is_told(
    sandbox: EmulatedOrg, changed: dict[str, str], problem: str
) -> None:
    """A SamlSsoConfig without a required element, with an unknown value or an absent certificate fails."""
    (found,) = sandbox.problems(sign_on(**changed))
    assert found.partition("Company: ")[2] == problem


@cites("saml")
def test_a_handler_of_new_users_needs_a_class_and_a_user(sandbox: EmulatedOrg) -> None:
    """samlJitHandlerId needs executionUserId, and an Apex class of that name."""
    (found,) = sandbox.problems(sign_on(samlJitHandlerId="Handler"))
    assert "executionUserId" in found
    (found,) = sandbox.problems(sign_on(samlJitHandlerId="Handler", executionUserId="runner@acme.example"))
    assert found.endswith("In field: samlJitHandlerId - no ApexClass named Handler found")
