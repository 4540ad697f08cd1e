"""The console's identity with storage alone, under the real engine and provider: who gets in, and what they may."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest
from alibabacloud_sts20150401 import models as sts
from alibabacloud_sts20150401.client import Client
from alibabacloud_tea_openapi.models import Config

from emulators.alicloud import oidc
from emulators.alicloud.permissions import allows
from flows.ledger import Event, Ledger, Record
from flows.lock import OrgLock
from flows.objectstore import Buckets
from flows.ossbucket import OssBucket, connect
from infra.outputs import LandingZoneOutputs, parse_outputs
from kit.problems import Refused
from tests.e2e.ground import ACCOUNT, Ground, standing_on
from tests.federated import FINGERPRINT, Idp, encoded
from tests.landed import OUTPUTS

pytestmark = pytest.mark.e2e
MAIN = "repo:acme/crm:ref:refs/heads/main"

PROGRAM = """\
from infra.console import Console
from infra.storage import Storage

storage = Storage("storage", settings)
console = Console("console", settings, settings.console, storage)
pulumi.export("identity_roles", console.roles)
for part in ("releases", "ledger", "backups", "logs"):
    pulumi.export(f"storage_{part}_bucket", getattr(storage, part))
"""
CI: list[dict[str, Any]] = [
    {"name": "release", "host": "github", "repository": "acme/crm", "branch": "main", "fingerprints": [FINGERPRINT]},
    {"name": "check", "host": "github", "repository": "acme/crm", "environment": "validate", "rights": "validator"}
    | {"fingerprints": [FINGERPRINT]},
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
        "assignments": [{"group": "auditors", "access": "read", "accounts": [ACCOUNT, "1234567890123457"]}],
    },
    "ci": CI,
}


@dataclass(frozen=True, kw_only=True)
class Console(Ground):
    """The stack of storage and the console's identity, up, and an identity provider that its roles trust."""

    idp: Idp
    roles: dict[str, str]
    contract: LandingZoneOutputs

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


def section(idp: Idp, **changes: Any) -> dict[str, Any]:
    """Return the console's settings, with changes."""
    return {"sfoa:console": CONSOLE | {"saml": idp.metadata()} | changes}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The stack, up; clients of this process go to its cloud."""
    root, idp = tmp_path_factory.mktemp("console"), Idp(time.time())
    with standing_on(root, "console", PROGRAM) as made, pytest.MonkeyPatch.context() as patch:
        for name, value in made.clouds.environment.items():
            patch.setenv(name, value)
        for issuer in (idp.issuer, "https://gitlab.com"):
            oidc.publish(made.clouds.store, issuer, [idp.jwk()], FINGERPRINT)
        made.settle(section(idp))
        made.up()
        outputs = made.outputs()
        contract = parse_outputs(OUTPUTS | outputs, made.stack)
        yield Console(root, made.clouds, made.stack, idp=idp, roles=outputs["identity_roles"], contract=contract)


def buckets(ground: Console, keys: Any, patch: pytest.MonkeyPatch) -> Buckets:
    """Return the release engine's buckets, opened by temporary keys."""
    for name in ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    patch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.access_key_id)
    patch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys.access_key_secret)
    patch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", keys.security_token)
    return connect(ground.contract)


def test_roles_providers_and_account_settings_stand(ground: Console) -> None:
    assert set(ground.roles) == {"platform", "release-runner", "auditor", "support", "ci-release", "ci-check", "ci-up"}
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


def test_a_group_has_its_access_in_each_account(ground: Console) -> None:
    (group,) = ground.kept("alicloud.sso_group")
    assigned = ground.kept("alicloud.sso_assignment")
    assert {(each["PrincipalId"], each["TargetId"]) for each in assigned} == {
        (group["id"], ACCOUNT),
        (group["id"], "1234567890123457"),
    }
    for account in ground.kept("alicloud.sso_provisioning"):
        assert [policy["PermissionPolicyName"] for policy in account["policies"]] == ["ReadOnlyAccess"]


def test_the_job_of_the_branch_does_what_a_release_does_and_nothing_else(
    ground: Console, monkeypatch: pytest.MonkeyPatch
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
    with pytest.raises(Refused, match="AccessDenied"):
        OssBucket(ground.contract.storage_logs_bucket, client).list()


def test_the_job_of_a_merge_request_reads_the_ledger_and_writes_nowhere(
    ground: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = buckets(ground, ground.job("repo:acme/crm:environment:validate", "ci-check"), monkeypatch)
    assert (opened.releases.head("absent"), opened.ledger.list("orgs/absent")) == (None, [])
    for forbidden in (lambda: opened.releases.put("x", b""), lambda: opened.ledger.put("x", b""), opened.backups.list):
        with pytest.raises(Refused, match="AccessDenied"):
            forbidden()


@pytest.mark.parametrize(
    "subject",
    ["repo:acme/crm:ref:refs/heads/feature", "repo:acme/website:ref:refs/heads/main", "repo:acme/crm:pull_request"],
)
def test_the_job_of_another_branch_or_repository_gets_no_keys(ground: Console, subject: str) -> None:
    with pytest.raises(Exception, match="NoPermission"):
        ground.job(subject)


def test_people_sign_on_by_saml_and_audit_without_touching(ground: Console, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_second_look_finds_nothing_to_change(ground: Console) -> None:
    ground.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_the_platform_role_by_a_token_of_ci_brings_the_next_change(ground: Console) -> None:
    """OSS enforces the role's policy; the rest is compared with it, action by action."""
    subject = "project_path:acme/it/crm:ref_type:branch:ref:release/7"
    keys = ground.job(subject, "ci-up", "https://gitlab.com")
    ground.settle(section(ground.idp, ci=[*CI[:-1], CI[-1] | {"branch": "main"}]))
    began = len(ground.clouds.emulators.log.tail(10**6))
    ground.up(
        "--refresh",
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


def test_destroy_leaves_the_security_preference_alone(ground: Console) -> None:
    """The last test of the file. The provider doesn't take the preference back: a slip must not turn MFA off."""
    ground.destroy()
    left = ground.kinds("alicloud.", "oss.")
    kept = {"alicloud.client_token", "alicloud.kms_key", "alicloud.access_key", "alicloud.account_settings"}
    assert left <= kept, left
    assert [ident for ident, _ in ground.clouds.store.all("alicloud.account_settings")] == ["security_preference"]
