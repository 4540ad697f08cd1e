"""The landing zone's outputs become metadata of a China org: single sign-on, trusted ranges, endpoints."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from emulators.testing import Running
from flows.lockout import Administrator
from flows.logins import administrators, assertion_accepted, runner_address, runner_addresses
from flows.metadata_api import MetadataApi
from flows.render.network import MARK
from flows.tokens import mint
from orgs.federation import load_federation
from orgs.world import world
from tests.e2e.released import Project, replace_in
from tests.landed import OUTPUTS

pytestmark = pytest.mark.e2e

HAND = "198.51.100.7"
ORG = load_federation().org("china-uat")
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


def body(pem: str) -> str:
    """Return a certificate as metadata has it: without its first and last line, in one."""
    return "".join(pem.splitlines()[1:-1])


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


def logins(files: dict[str, bytes]) -> set[str]:
    """Return the login ranges of the retrieved profile of administrators, each by its first address."""
    root = etree.fromstring(files["profiles/Admin.profile"])
    return {each.findtext("{*}startAddress", "") for each in root.iter("{*}loginIpRanges")}


def restrict_administrators(project: Project) -> None:
    """Let administrators log in from trusted ranges only."""
    replace_in(project.root / "orgs" / "access.yml", "  china-uat:\n", "  china-uat:\n    profiles: {Admin: trusted}\n")


def lack_the_mobile_app(project: Project) -> None:
    """Have the federation leave out what the org's edition lacks, and ship what needs the mobile app."""
    org = "    sandbox: uat\n    instance: CHN3S\n"
    replace_in(project.root / "orgs" / "federation.yml", org, f"{org}    missing_features: exclude\n")
    removed = project.root / "metadata" / "china" / "remove.yml"
    entries = yaml.safe_load(removed.read_text())["remove"]
    left = [each for each in entries if each["component"] != "Settings:Mobile"]
    assert len(left) < len(entries)
    removed.write_text(yaml.safe_dump({"remove": left}))
    (project.root / "orgs" / "facts" / "china-uat.yml").write_text("features: {mobile-app: false}\n")


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
    api = MetadataApi(mint(ORG), "62.0")
    result = api.wait(api.deploy(packed.getvalue(), None, check_only=False), lambda _: None, 60)
    assert result.success


def test_outputs_become_metadata_and_only_ours_is_ever_taken_out(project: Project) -> None:
    one, two = certificate("one"), certificate("two")
    hand_over(project, **provider(one, two))
    restrict_administrators(project)
    lack_the_mobile_app(project)
    replace_in(project.root / "sfdx-project.json", '"sourceApiVersion": "62.0"', '"sourceApiVersion": "68.0"')
    said = " ".join(project.promote().split())
    assert f"trusted ranges: + 47.100.0.1 {MARK}" in said, said
    assert f"login ranges of profile Admin: + 47.100.0.2 {MARK}" in said
    assert "deploying in API version 67.0, not 68.0" in said
    assert "Settings:Mobile: CHN3S lacks Salesforce mobile app" in said
    (done,) = project.data("sfoa", "ledger", "show", "--org", "china-uat", "--json")["result"]
    reason = "left out of the release: CHN3S lacks Salesforce mobile app, and the federation excludes what needs it"
    assert done["record"]["excluded"] == [{"component": "Settings:Mobile", "reason": reason}]
    files = project.retrieved(
        "Settings:Security", "Profile:Admin", "SamlSsoConfig", "NamedCredential", "CustomObject:Sfoa_Callback__e"
    )
    assert logins(files) == {"47.100.0.1", "47.100.0.2", "203.0.113.0"}
    assert b"<userLicense>Salesforce" in files["profiles/Admin.profile"]  # what the org's profile holds stays
    configs = {path: data for path, data in files.items() if path.endswith(".samlssoconfig")}
    roots = [etree.fromstring(data) for data in configs.values()]
    assert {root.findtext("{*}samlEntityId") for root in roots} == {"https://acme-cn--uat.sandbox.my.sfcrmproducts.cn"}
    assert {root.findtext("{*}validationCert") for root in roots} == {body(one), body(two)}
    settings = files["settings/Security.settings"]
    assert b"<enableSamlLogin>true" in settings
    assert b"<sessionTimeout>TwoHours" in settings  # what metadata/ says stands
    assert b"https://events.acme-cn.example/orgs" in files["namedCredentials/Sfoa_events.namedCredential"]
    assert b"Channel__c" in files["objects/Sfoa_Callback__e.object"]
    assert trusted(files).keys() == {"47.100.0.1", "47.100.0.2", "203.0.113.0"}

    by_hand(project, HAND)
    assert project.plan() == ([], [], [])  # what others trust is no change of ours
    hand_over(project, **{**provider(two), "network_egress_ips": ["47.100.0.1"]})
    said = project.promote()
    assert f"- 47.100.0.2 {MARK}" in said
    assert f"= {HAND} by hand" in said
    files = project.retrieved("Settings:Security", "Profile:Admin", "SamlSsoConfig")
    assert trusted(files).keys() == {"47.100.0.1", "203.0.113.0", HAND}
    assert logins(files) == {"47.100.0.1", "203.0.113.0"}
    drifted = project.run("sfoa", "drift", "--org", "china-uat", "--json")
    assert "Profile:Admin" not in drifted.stdout
    (left,) = [path for path in files if path.endswith(".samlssoconfig")]
    assert body(two) in configs[left].decode()


def test_the_guard_asks_the_org_who_gets_in_and_from_where(project: Project, clouds: Running) -> None:
    first, second = (f"break.glass.{number}@acme-cn.example.uat" for number in ("one", "two"))
    runner = ORG.runner.username
    seed_uat(
        clouds,
        users=[
            {"username": runner, "profile": "System Administrator"},
            {"username": first, "profile": "System Administrator", "frozen": True},
            {"username": second, "profile": "Standard User"},
        ],
        logins=[
            login(runner, "2026-11-20T02:00:00.000+0000", "Remote Access 2.0", "203.0.113.9"),
            login(runner, "2026-11-21T02:00:00.000+0000", "Remote Access 2.0", "192.0.2.1"),
            login(second, "2026-11-21T03:00:00.000+0000", "SAML Sfdc Initiated SSO", "203.0.113.9"),
        ],
    )
    api = MetadataApi(mint(ORG), "62.0")
    assert administrators(api, [first, second, "nobody@acme-cn.example"]) == (
        Administrator(first, frozen=True),
        Administrator(second, manages=False),
    )
    assert runner_address(api) == "192.0.2.1"
    assert runner_addresses(api, "Admin") == ("192.0.2.1",)
    assert runner_addresses(api, "Standard") == ()
    assert assertion_accepted(api, "2026-11-21T00:00:00Z") == "2026-11-21T03:00:00.000+0000"
    assert assertion_accepted(api, "2026-11-22T00:00:00Z") is None

    hand_over(project, **provider(certificate("one")))
    restrict_administrators(project)
    done = project.run("cci", "flow", "run", "promote", "--org", "china-uat")
    assert done.returncode == 1
    words = " ".join((done.stdout + done.stderr).split())
    assert "the runner's own address 192.0.2.1 is in none of the ranges" in words
    assert "192.0.2.1 is in none of the login ranges of the profile Admin" in words
    assert f"{first} is frozen" in words
    assert "没有应急管理员能绕过 SSO 登录" in words
    assert trusted(project.retrieved("Settings:Security")) == {}


def login(username: str, at: str, kind: str, address: str) -> dict[str, str]:
    return {"username": username, "at": at, "kind": kind, "address": address}


def seed_uat(clouds: Running, **changes: object) -> None:
    """Seed the orgs again, with other users and logins in one of them."""
    pem = (clouds.emulators.home / "runner" / "runner.crt").read_text()
    orgs = [org | changes if org["name"] == ORG.name else org for org in world(load_federation(), pem)["orgs"]]  # type: ignore[attr-defined]
    requests.post(f"http://127.0.0.1:{clouds.port}/seed", json={"orgs": orgs}, timeout=60).raise_for_status()
