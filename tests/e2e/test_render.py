"""The landing zone's outputs become metadata of a China org: single sign-on, trusted ranges, endpoints."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from flows.metadata_api import MetadataApi
from flows.render.network import MARK
from flows.tokens import mint
from orgs.federation import load_federation
from tests.e2e.released import Project
from tests.landed import OUTPUTS

pytestmark = pytest.mark.e2e

HAND = "198.51.100.7"
PARTS = {
    "network_egress_ips": ["47.100.0.1", "47.100.0.2"],
    "integration_endpoints": {"events": "https://events.acme-cn.example/orgs"},
    "integration_origins": ["https://portal.acme-cn.example"],
    "integration_callbacks": {"wecom": "https://callback.acme-cn.example/wecom"},
}


def certificate(name: str) -> str:
    """Return a certificate of an identity provider that is valid for a year from now, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def hand_over(project: Project, **changes: object) -> None:
    """Write the stack's outputs anew, as `pulumi up` followed by `pulumi stack output` would."""
    (project.root / "outputs.json").write_text(json.dumps({**OUTPUTS, **PARTS, **changes}))


def provider(*certificates: str) -> dict[str, object]:
    """Return the output of an identity provider with its certificate, and the next one if there is one."""
    names = ("certificate", "next_certificate")
    about = {"issuer": "https://idp.acme-cn.example/saml", "sso_url": "https://idp.acme-cn.example/sso"}
    return {"identity_saml": {"china-uat": about | dict(zip(names, certificates, strict=False))}}


def trusted(files: dict[str, bytes]) -> dict[str, str]:
    """Return the trusted ranges of retrieved security settings: description by first address."""
    root = etree.fromstring(files["settings/Security.settings"])
    return {each.findtext("{*}start", ""): each.findtext("{*}description", "") for each in root.iter("{*}ipRanges")}


def by_hand(project: Project, address: str) -> None:
    """Trust another address, as an administrator does in setup: beside all that the org trusts already."""
    now = project.retrieved("Settings:Security")["settings/Security.settings"].decode()
    entry = f"<ipRanges><description>by hand</description><end>{address}</end><start>{address}</start></ipRanges>"
    manifest = (
        '<Package xmlns="http://soap.sforce.com/2006/04/metadata"><types><members>Security</members>'
        "<name>Settings</name></types><version>62.0</version></Package>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("package.xml", manifest)
        archive.writestr("settings/Security.settings", now.replace("</networkAccess>", f"{entry}</networkAccess>"))
    api = MetadataApi(mint(load_federation().org("china-uat")), "62.0")
    result = api.wait(api.deploy(packed.getvalue(), None, check_only=False), lambda _: None, 60)
    assert result.success


def test_outputs_become_metadata_and_only_ours_is_ever_taken_out(project: Project) -> None:
    one, two = certificate("one"), certificate("two")
    hand_over(project, **provider(one))
    said = project.promote()
    assert f"+ 47.100.0.1 {MARK}" in said
    files = project.retrieved(
        "Settings:Security", "SamlSsoConfig", "NamedCredential", "ExternalCredential", "RemoteSiteSetting"
    )
    (saml,) = [data for path, data in files.items() if path.endswith(".samlssoconfig")]
    root = etree.fromstring(saml)
    assert root.findtext("{*}samlEntityId") == "https://acme-cn--uat.sandbox.my.sfcrmproducts.cn"
    assert base64.b64decode(root.findtext("{*}validationCert", "")) in base64.b64decode("".join(one.splitlines()[1:-1]))
    assert b"<enableSamlLogin>true" in files["settings/Security.settings"]
    assert b"https://events.acme-cn.example/orgs" in files["namedCredentials/Sfoa_events.namedCredential"]
    assert b"<sessionTimeout>TwoHours" in files["settings/Security.settings"]  # what metadata/ says stands
    assert trusted(files).keys() == {"47.100.0.1", "47.100.0.2", "203.0.113.0"}
    assert project.plan() == ([], [], [])

    by_hand(project, HAND)
    assert project.plan() == ([], [], [])
    hand_over(project, **{**provider(one, two), "network_egress_ips": ["47.100.0.1"]})
    said = project.promote()
    assert f"- 47.100.0.2 {MARK}" in said
    assert f"= {HAND} by hand" in said
    files = project.retrieved("Settings:Security", "SamlSsoConfig")
    assert trusted(files).keys() == {"47.100.0.1", "203.0.113.0", HAND}
    configs = {path for path in files if path.endswith(".samlssoconfig")}
    assert len(configs) == 2

    hand_over(project, **{**provider(two), "network_egress_ips": ["47.100.0.1"]})
    project.promote()
    left = {path for path in project.retrieved("SamlSsoConfig") if path.endswith(".samlssoconfig")}
    assert len(left) == 1
    assert left < configs
