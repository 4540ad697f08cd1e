"""The console's identity with storage alone, under the real engine and provider: who gets in, and what they may."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest
from alibabacloud_sts20150401 import models as sts
from alibabacloud_sts20150401.client import Client
from alibabacloud_tea_openapi.models import Config

from emulators.alicloud import oidc
from emulators.alicloud.permissions import allows
from emulators.testing import Running, running
from flows.ledger import Event, Ledger, Record
from flows.lock import OrgLock
from flows.objectstore import Buckets
from flows.ossbucket import OssBucket, connect
from infra.outputs import LandingZoneOutputs, parse_outputs
from kit.problems import Refused
from tests.federated import FINGERPRINT, Idp, encoded
from tests.landed import OUTPUTS
from toolchain.pins import cache_root

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
STACK = "console"
ACCOUNT = "1234567890123456"
MAIN = "repo:acme/crm:ref:refs/heads/main"

PROGRAM = """\
import json

import pulumi

from infra.console import Console
from infra.settings import read_settings
from infra.storage import Storage

with open("settings.json", encoding="utf-8") as file:
    settings = read_settings(json.load(file), {})
storage = Storage("storage", settings)
console = Console("console", settings, settings.console, storage)
pulumi.export("identity_roles", console.roles)
for part in ("releases", "ledger", "backups", "logs"):
    pulumi.export(f"storage_{part}_bucket", getattr(storage, part))
"""
CI = [
    {"name": "release", "host": "github", "repository": "acme/crm", "branch": "main", "fingerprints": [FINGERPRINT]},
    {"name": "up", "host": "gitlab", "repository": "acme/it/crm", "branch": "release/*", "fingerprints": [FINGERPRINT]}
    | {"rights": "platform"},
]
CONSOLE: dict[str, Any] = {
    "password_policy": {},
    "security_preference": {"login_networks": ["203.0.113.0/24"]},
    "cloud_sso": {
        "directory": "acme-crm",
        "groups": ["auditors"],
        "access": [{"name": "read", "policies": ["ReadOnlyAccess"], "session_minutes": 30}],
    },
    "ci": CI,
}
SETTINGS = {
    "alicloud:region": "cn-shanghai",
    "alicloud:accountType": "Domestic",
    "alicloud:accountId": ACCOUNT,
    "sfoa:company": "acme",
    "sfoa:environment": "test",
    "sfoa:network": json.dumps({"cidr": "10.0.0.0/16", "zones": ["cn-shanghai-b", "cn-shanghai-f", "cn-shanghai-g"]}),
    "sfoa:storage": json.dumps({"ledger_retention_days": 1, "ledger_locked": False, "force_destroy": True}),
}


@dataclass
class Ground:
    """A Pulumi project of storage and the console's identity, and the emulators that it talks to."""

    root: Path
    clouds: Running
    idp: Idp
    roles: dict[str, str] = field(default_factory=dict)
    contract: LandingZoneOutputs | None = None

    def settle(self, **changes: Any) -> None:
        """Write the settings, with changes to the console's."""
        section = CONSOLE | {"saml": self.idp.metadata()} | changes
        text = json.dumps(SETTINGS | {"sfoa:console": json.dumps(section)})
        (self.root / "settings.json").write_text(text, encoding="utf-8")

    def pulumi(self, *arguments: str, **environ: str) -> str:
        """Run the engine, which has to succeed, and return what it printed."""
        environment = {
            **os.environ,
            **self.clouds.environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.root),
            "SFOA_TOOLCHAIN_CACHE": str(cache_root()),
            "PYTHONPATH": str(ROOT),
            "CI": "true",
            **environ,
        }
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--stack", STACK],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def kept(self, kind: str) -> list[dict[str, Any]]:
        """Return what the emulated cloud holds of a kind."""
        return [document for _, document in self.clouds.store.all(kind)]

    def document(self, rights: str) -> dict[str, Any]:
        """Return the policy of a role's own statements, as RAM holds it."""
        policy = self.clouds.store.get("alicloud.ram_policy", f"acme-test-console-{rights}")
        assert policy is not None
        found: dict[str, Any] = json.loads(policy["versions"][policy["default"]]["document"])
        return found

    def sts(self) -> Client:
        """Return the official client, which holds no AccessKey."""
        return Client(Config(region_id="cn-shanghai", ca=str(self.clouds.ca_file)))

    def job(self, subject: str, role: str = "ci-release", issuer: str = "") -> Any:
        """Return the keys that a job of CI gets for its token."""
        issuer = issuer or self.idp.issuer
        provider = next(item for item in self.kept("alicloud.oidc_provider") if item["IssuerUrl"] == issuer)
        asked = sts.AssumeRoleWithOIDCRequest(
            role_arn=self.roles[role],
            oidcprovider_arn=provider["Arn"],
            oidctoken=self.idp.token(subject, iss=issuer),
            role_session_name="job",
        )
        return self.sts().assume_role_with_oidc(asked).body.credentials


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The stack, up; clients of this process go to its cloud."""
    root = tmp_path_factory.mktemp("console")
    (root / "Pulumi.yaml").write_text("name: console\nruntime: python\n", encoding="utf-8")
    (root / f"Pulumi.{STACK}.yaml").write_text(
        "config:\n  alicloud:region: cn-shanghai\n  alicloud:accountType: Domestic\n", encoding="utf-8"
    )
    (root / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    with running(root / "home") as clouds, pytest.MonkeyPatch.context() as patch:
        (root / "home" / "pulumi-state").mkdir()
        for name, value in clouds.environment.items():
            patch.setenv(name, value)
        made = Ground(root, clouds, Idp(time.time()))
        for issuer in (made.idp.issuer, "https://gitlab.com"):
            oidc.publish(clouds.store, issuer, [made.idp.jwk()], FINGERPRINT)
        made.settle()
        made.pulumi("stack", "init")
        made.pulumi("up", "--yes", "--skip-preview")
        outputs = json.loads(made.pulumi("stack", "output", "--json"))
        made.contract, made.roles = parse_outputs(OUTPUTS | outputs, STACK), outputs["identity_roles"]
        yield made


def buckets(ground: Ground, keys: Any, patch: pytest.MonkeyPatch) -> Buckets:
    """Return the release engine's buckets, opened by temporary keys."""
    for name in ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    patch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.access_key_id)
    patch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys.access_key_secret)
    patch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", keys.security_token)
    assert ground.contract is not None
    return connect(ground.contract)


def test_roles_providers_and_account_settings_stand(ground: Ground) -> None:
    assert set(ground.roles) == {"platform", "release-runner", "auditor", "support", "ci-release", "ci-up"}
    assert ground.roles["ci-release"] == f"acs:ram::{ACCOUNT}:role/acme-test-console-ci-release"
    settings = ground.clouds.store.get
    preference = settings("alicloud.account_settings", "security_preference") or {}
    assert (preference["MFAOperationForLogin"], preference["AllowUserToManageAccessKeys"]) == ("mandatory", False)
    assert (settings("alicloud.account_settings", "password_policy") or {})["MinimumPasswordLength"] == 14
    (directory,) = ground.kept("alicloud.sso_directory")
    assert directory["settings"]["MFAAuthenticationStatus"] == "Enabled"
    (access,) = ground.kept("alicloud.sso_access")
    assert [policy["PermissionPolicyName"] for policy in access["policies"]] == ["ReadOnlyAccess"]
    assert not ground.kept("alicloud.ram_user")


def test_the_job_of_the_branch_does_what_a_release_does_and_nothing_else(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = buckets(ground, ground.job(MAIN), monkeypatch)
    ledger = Ledger.of(opened)
    with OrgLock("china-uat", opened.releases).beating() as holder:
        first = ledger.append("china-uat", Record(Event.STARTED, "run", "0" * 64, "1" * 64, holder=holder))
    assert [entry.digest for entry in ledger.entries("china-uat")] == [first.digest]
    opened.backups.put("snapshots/1", b"snapshot")
    assert (opened.backups.get("snapshots/1"), opened.releases.head("absent")) == (b"snapshot", None)
    assert isinstance(opened.ledger, OssBucket)
    client, key = opened.ledger._client, opened.ledger.list("orgs/")[0]
    with pytest.raises(oss.exceptions.OperationError, match="AccessDenied"):
        client.delete_object(oss.DeleteObjectRequest(bucket=opened.ledger.name, key=key))
    with pytest.raises(Refused, match="FileImmutable"):
        opened.ledger.put(key, b"{}")
    assert ground.contract is not None
    with pytest.raises(Refused, match="AccessDenied"):
        OssBucket(ground.contract.storage_logs_bucket, client).list()


@pytest.mark.parametrize(
    "subject",
    ["repo:acme/crm:ref:refs/heads/feature", "repo:acme/website:ref:refs/heads/main", "repo:acme/crm:pull_request"],
)
def test_the_job_of_another_branch_or_repository_gets_no_keys(ground: Ground, subject: str) -> None:
    with pytest.raises(Exception, match="NoPermission"):
        ground.job(subject)


def test_people_sign_on_by_saml_and_audit_without_touching(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    (provider,) = ground.kept("alicloud.saml_provider")
    role = ground.roles["auditor"]
    asked = sts.AssumeRoleWithSAMLRequest(
        role_arn=role,
        samlprovider_arn=provider["Arn"],
        samlassertion=encoded(ground.idp.response(role, provider["Arn"])),
    )
    keys = ground.sts().assume_role_with_saml(asked).body.credentials
    opened = buckets(ground, keys, monkeypatch)
    assert opened.ledger.list() is not None
    for forbidden in (lambda: opened.backups.get("snapshots/1"), lambda: opened.releases.put("x", b"")):
        with pytest.raises(Refused, match="AccessDenied"):
            forbidden()


def test_a_second_look_finds_nothing_to_change(ground: Ground) -> None:
    ground.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_the_platform_role_by_a_token_of_ci_brings_the_next_change(ground: Ground) -> None:
    """OSS enforces the role's policy; the rest is compared with it, action by action."""
    subject = "project_path:acme/it/crm:ref_type:branch:ref:release/7"
    keys = ground.job(subject, "ci-up", "https://gitlab.com")
    ground.settle(ci=[CI[0], CI[1] | {"branch": "main"}])
    began = len(ground.clouds.emulators.log.tail(10**6))
    ground.pulumi(
        "up",
        "--yes",
        "--refresh",
        "--skip-preview",
        **dict.fromkeys(("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY"), keys.access_key_id),
        **dict.fromkeys(("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECRET_KEY"), keys.access_key_secret),
        **dict.fromkeys(("ALIBABA_CLOUD_SECURITY_TOKEN", "ALICLOUD_SECURITY_TOKEN"), keys.security_token),
    )
    entries = ground.clouds.emulators.log.tail(10**6)
    assert [entry for entry in entries[began:] if entry["status"] == 403] == []
    asked = {
        (found[1], entry["action"])
        for entry in entries
        if (found := re.match(r"(ram|ims|kms|cloudsso)\.", entry["host"])) and entry["action"]
    }
    assert ("ram", "UpdateRole") in asked
    some = [f"acs:ram:*:{ACCOUNT}:{kind}/acme-test-console-x" for kind in ("role", "policy")]
    some += [f"acs:kms:cn-shanghai:{ACCOUNT}:key/key-1"]
    document = ground.document("platform")
    refused = [
        f"{product}:{action}"
        for product, action in sorted(asked)
        if not any(allows([document], f"{product}:{action}", resource, {}) for resource in some)
    ]
    assert refused == []
    with pytest.raises(Exception, match="NoPermission"):
        ground.job(subject, "ci-up", "https://gitlab.com")


def test_destroy_leaves_the_security_preference_alone(ground: Ground) -> None:
    """The last test of the file. The provider doesn't take the preference back: a slip must not turn MFA off."""
    ground.pulumi("destroy", "--yes", "--skip-preview")
    left = {kind for kind in ground.clouds.store.kinds() if kind.startswith(("alicloud.", "oss."))}
    kept = {"alicloud.client_token", "alicloud.kms_key", "alicloud.access_key", "alicloud.account_settings"}
    assert left <= kept, left
    assert [ident for ident, _ in ground.clouds.store.all("alicloud.account_settings")] == ["security_preference"]
