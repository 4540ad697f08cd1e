"""Identity alone under the real engine: IDaaS EIAM by the dynamic providers, and an identity provider of one's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from alibabacloud_eiam20211201 import models as eiam
from alibabacloud_eiam20211201.client import Client
from alibabacloud_tea_openapi.models import Config

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.faults import Fault, FaultKind
from emulators.testing import Running, running
from tests.e2e import vault
from tests.e2e.released import BIN, ROOT
from tests.infra.test_identity import metadata
from toolchain.pins import cache_root

pytestmark = pytest.mark.e2e

PROGRAM = """
import pulumi
from infra.identity import Identity
from infra.stack import stack_settings

settings = stack_settings()
identity = Identity("identity", settings, settings.identity)
pulumi.export("provider", identity.provider)
pulumi.export("saml", identity.saml)
"""
COMMON = {
    "alicloud:region": "cn-shanghai",
    "alicloud:accountType": "Domestic",
    "sfoa:company": "acme",
    "sfoa:network": {"cidr": "10.0.0.0/16", "zones": [f"cn-shanghai-{zone}" for zone in "bfg"]},
    "sfoa:storage": {"ledger_retention_days": 1, "ledger_locked": False},
}
# A stack's name is its environment: names in the cloud follow from it.
EIAM, KILLED, EXTERNAL = "test", "uat", "staging"
LEFT = "acme-uat-identity-china-preview"
TOKEN = "scim-token-that-nobody-may-read"
PATIENCE = 60


@dataclass(frozen=True)
class Ground:
    """A project with identity alone in it, and the emulated cloud."""

    folder: Path
    clouds: Running

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.clouds.environment,
            **vault.environment(),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SFOA_TOOLCHAIN_CACHE": str(cache_root()),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of the engine, at the head of a process group of its own."""
        return subprocess.Popen(
            [str(BIN / "pulumi"), *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        """Run a command of the engine, which has to succeed or to fail, and return what it said."""
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=300)
        assert (process.returncode != 0) == fails, f"{arguments}\n{said[-6000:]}"
        return said

    def up(self, stack: str, *more: str) -> str:
        """Run `pulumi up`."""
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", stack, *more)

    def configure(self, stack: str, **identity: Any) -> None:
        """Write a stack's config; what the engine added to its file stays."""
        file = self.folder / f"Pulumi.{stack}.yaml"
        kept = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
        values = COMMON | {"sfoa:environment": stack, "sfoa:identity": identity}
        file.write_text(json.dumps(kept | {"config": kept.get("config", {}) | values}), encoding="utf-8")

    def init(self, stack: str) -> None:
        """Make a stack."""
        self.pulumi("stack", "init", stack, "--secrets-provider", vault.ADDRESS)

    def outputs(self, stack: str) -> dict[str, Any]:
        """Return a stack's outputs."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--stack", stack))
        return outputs

    def kept(self, kind: str, **fields: str) -> list[dict[str, Any]]:
        """Return what the emulated cloud holds of a kind of EIAM."""
        documents = (document for _, document in self.clouds.store.all(f"alicloud.eiam_{kind}"))
        return [made for made in documents if all(made[name] == value for name, value in fields.items())]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The project, and a cloud with nothing in it."""
    folder = tmp_path_factory.mktemp("identity")
    (folder / "Pulumi.yaml").write_text("name: identity\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    with running(tmp_path_factory.mktemp("clouds")) as clouds:
        (clouds.emulators.home / "pulumi-state").mkdir()
        made = Ground(folder, clouds)
        yield made


@pytest.fixture(scope="module")
def client(ground: Ground) -> Client:
    """The official SDK, as people of the company use it."""
    proxy, ca = ground.clouds.environment["HTTPS_PROXY"], str(ground.clouds.ca_file)
    keys = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
    return Client(Config(region_id="cn-shanghai", ca=ca, https_proxy=proxy, **keys))


@pytest.fixture(scope="module")
def stack(ground: Ground) -> str:
    """A stack with IDaaS EIAM for two orgs, up; one of them is provisioned."""
    ground.init(EIAM)
    ground.pulumi("config", "set", "--path", "--secret", "sfoa:scim_tokens.china-uat", TOKEN, "--stack", EIAM)
    ground.configure(EIAM, provider="eiam", orgs=["china-uat", "china-production"])
    ground.up(EIAM)
    return EIAM


def test_an_instance_an_application_for_each_org_and_the_second_factor_come_up(ground: Ground, stack: str) -> None:
    (instance,) = ground.kept("instance")
    applications = {made["ApplicationName"]: made for made in ground.kept("application")}
    assert set(applications) == {"acme-test-identity-china-uat", "acme-test-identity-china-production"}
    sandbox = applications["acme-test-identity-china-uat"]
    assert sandbox["sso"]["SpEntityId"] == "https://acme-cn--uat.sandbox.my.sfcrmproducts.cn"
    assert sandbox["provisioning"]["ScimBaseUrl"].endswith("sfcrmproducts.cn/services/scim/v2/")
    assert sandbox["provisioning"]["AuthnConfiguration"]["AuthnParam"]["AccessToken"] == TOKEN
    assert sandbox["provisioning_status"] == "enabled"
    (policy,) = ground.kept("policy")
    assert (policy["Status"], policy["DecisionConfig"]["MfaType"]) == ("enabled", "mfa_required")
    assert policy["ConditionsConfig"]["Users"] == {"IncludeOrganizationalUnits": [instance["root"]]}

    outputs = ground.outputs(stack)
    assert outputs["provider"] == "eiam"
    issuers = {org: saml["issuer"] for org, saml in outputs["saml"].items()}
    assert issuers["china-uat"].endswith(f"{sandbox['id']}/saml2/meta")
    assert len(set(issuers.values())) == 2
    assert all(saml["certificate"].startswith("-----BEGIN") for saml in outputs["saml"].values())


def test_the_provisioning_token_is_nowhere_in_the_state(ground: Ground, stack: str) -> None:
    files = [file for file in ground.clouds.emulators.home.glob("pulumi-state/**/*") if file.is_file()]
    assert any("ScimTarget" in file.read_text(encoding="utf-8") for file in files)
    assert not [file for file in files if TOKEN in file.read_text(encoding="utf-8")]


def test_a_second_look_finds_nothing_to_change(ground: Ground, stack: str) -> None:
    ground.pulumi("preview", "--refresh", "--expect-no-changes", "--stack", stack)


def test_the_second_factor_is_changed_in_place_and_switched_on_again_where_someone_switched_it_off(
    ground: Ground, client: Client, stack: str
) -> None:
    (before,) = ground.kept("policy")
    where = {"instance_id": before["InstanceId"], "conditional_access_policy_id": before["id"]}
    client.disable_conditional_access_policy(eiam.DisableConditionalAccessPolicyRequest(**where))
    mfa = {"methods": ["ia_webauthn"], "interval_seconds": 900}
    ground.configure(EIAM, provider="eiam", orgs=["china-uat", "china-production"], mfa=mfa)
    said = ground.up(stack, "--refresh")
    assert "1 updated" in said
    assert "replaced" not in said
    (after,) = ground.kept("policy")
    assert (after["id"], after["Status"]) == (before["id"], "enabled")
    assert after["DecisionConfig"]["MfaAuthenticationMethods"] == ["ia_webauthn"]
    assert after["DecisionConfig"]["MfaAuthenticationIntervalSeconds"] == 900


@pytest.fixture(scope="module")
def theirs(ground: Ground, client: Client, stack: str) -> str:
    """An application that people of the company made, in the instance of the stack."""
    (instance,) = ground.kept("instance")
    request = eiam.CreateApplicationRequest(
        instance_id=instance["id"],
        application_name="Salesforce east",
        application_source_type="urn:idaas:app:source:standard",
        sso_type="saml2",
    )
    ident: str = client.create_application(request).body.application_id
    return ident


@pytest.fixture(scope="module")
def killed(ground: Ground, theirs: str) -> dict[str, Any]:
    """A stack that uses what stands already: the other's instance, an application. Its first `up` was killed while it
    made an application for another org: that application, as it was then."""
    (instance,) = ground.kept("instance")
    ground.init(KILLED)
    orgs = ["china-preview", "china-east"]
    ground.configure(KILLED, provider="eiam", orgs=orgs, instance=instance["id"], adopt={"china-east": theirs})
    late = Fault("eiam.*", FaultKind.LATE, action="CreateApplication", seconds=PATIENCE)
    ground.clouds.emulators.faults.add(late)
    engine = ground.start("up", "--yes", "--skip-preview", "--stack", KILLED)
    until = time.monotonic() + PATIENCE
    while not ground.kept("application", ApplicationName=LEFT):
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(engine.pid, signal.SIGKILL)
    engine.communicate()
    kill_session(engine.pid)
    (left,) = ground.kept("application", ApplicationName=LEFT)
    ground.pulumi("cancel", "--yes", KILLED)
    ground.up(KILLED)
    return left


def kill_session(leader: int) -> None:
    """Kill what a dead leader left: the engine puts the hosts of its plugins into process groups of their own."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            _, _, _, session, *_ = stat.read_text().rpartition(")")[2].split()
            if int(session) == leader:
                os.kill(int(stat.parent.name), signal.SIGKILL)


def test_an_engine_killed_during_create_leaves_one_application_and_not_two(
    ground: Ground, killed: dict[str, Any]
) -> None:
    assert killed["sso"] == {}, "the engine was killed before it could go on"
    (made,) = ground.kept("application", ApplicationName=LEFT)
    assert (made["id"], made["sso_status"]) == (killed["id"], "enabled")
    assert made["sso"]["SpEntityId"] == "https://acme-cn--preview.sandbox.my.sfcrmproducts.cn"
    assert made["id"] in ground.outputs(KILLED)["saml"]["china-preview"]["issuer"]


def test_an_application_that_stands_is_adopted_and_no_second_one_made(
    ground: Ground, killed: dict[str, Any], theirs: str
) -> None:
    entity = "https://acme-cn--east.sandbox.my.sfcrmproducts.cn"
    assert [made["id"] for made in ground.kept("application") if made["sso"]["SpEntityId"] == entity] == [theirs]
    assert len(ground.kept("application")) == 4


def test_destroy_leaves_what_was_adopted_and_nothing_else(
    ground: Ground, client: Client, killed: dict[str, Any], theirs: str
) -> None:
    ground.pulumi("destroy", "--yes", "--skip-preview", "--stack", KILLED)
    assert ground.kept("application", ApplicationName=LEFT) == []
    (kept,) = ground.kept("application", id=theirs)
    assert (kept["Status"], kept["sso_status"]) == ("enabled", "enabled")

    where = {"instance_id": kept["InstanceId"], "application_id": theirs}
    client.disable_application(eiam.DisableApplicationRequest(**where))
    client.delete_application(eiam.DeleteApplicationRequest(**where))
    ground.pulumi("destroy", "--yes", "--skip-preview", "--stack", EIAM)
    assert [ground.kept(kind) for kind in ("application", "policy", "instance")] == [[], [], []]
    assert not ground.clouds.store.all("idaas.certificate")


def test_the_provider_that_a_company_has_comes_up_by_its_metadata_until_its_certificate_ends(ground: Ground) -> None:
    ground.configure(EXTERNAL, provider="external", metadata="idp.xml", orgs=["china-uat"])
    (ground.folder / "idp.xml").write_text(metadata(10), encoding="utf-8")
    ground.init(EXTERNAL)
    assert "ends on" in ground.up(EXTERNAL)
    outputs = ground.outputs(EXTERNAL)
    assert outputs["saml"]["china-uat"]["sso_url"] == "https://idp.example.cn/sso"
    (ground.folder / "idp.xml").write_text(metadata(-1), encoding="utf-8")
    assert "ended on" in ground.pulumi("preview", "--stack", EXTERNAL, fails=True)
