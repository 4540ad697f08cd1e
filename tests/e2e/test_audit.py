"""Storage and audit alone, under the real engine and the real provider, and Pulumi's own state in the state bucket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulators.testing import Running, running
from infra.watch import watch
from toolchain.pins import cache_root

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
STACK = "audited"

PROGRAM = """\
import json

import pulumi

from infra.audit import Audit
from infra.settings import read_settings
from infra.storage import Storage

with open("settings.json", encoding="utf-8") as file:
    settings = read_settings(json.load(file), {})
storage = Storage("storage", settings)
audit = Audit("audit", settings, settings.audit, storage)
pulumi.export("trail", audit.trail)
pulumi.export("trail_bucket", audit.trail_bucket)
pulumi.export("log_project", audit.log_project)
pulumi.export("state_url", storage.state_url)
"""
SETTINGS = {
    "alicloud:region": "cn-shanghai",
    "alicloud:accountType": "Domestic",
    "alicloud:accountId": "1234567890123456",
    "sfoa:company": "acme",
    "sfoa:environment": "test",
    "sfoa:network": json.dumps({"cidr": "10.0.0.0/16", "zones": ["cn-shanghai-b", "cn-shanghai-f", "cn-shanghai-g"]}),
    "sfoa:storage": json.dumps(
        {
            "ledger_retention_days": 1,
            "ledger_locked": False,
            "force_destroy": True,
            "state": True,
            "inventory": "Daily",
            "replica": {"region": "cn-beijing"},
        }
    ),
    "sfoa:audit": json.dumps(
        {
            "trail_retention_days": 1,
            "trail_locked": False,
            "contacts": [{"name": "on-call", "mail": "on-call@example.com"}],
        }
    ),
}
CONFIG = "config:\n  alicloud:region: cn-shanghai\n  alicloud:accountType: Domestic\n"


@dataclass(frozen=True)
class Ground:
    """A Pulumi project of storage and audit alone, and the emulators that it talks to."""

    root: Path
    clouds: Running

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
            ["pulumi", *arguments, "--non-interactive"],
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


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The stack, up."""
    root = tmp_path_factory.mktemp("audited")
    (root / "Pulumi.yaml").write_text("name: audited\nruntime: python\n", encoding="utf-8")
    (root / f"Pulumi.{STACK}.yaml").write_text(CONFIG, encoding="utf-8")
    (root / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (root / "settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    with running(root / "home") as clouds:
        (root / "home" / "pulumi-state").mkdir()
        made = Ground(root, clouds)
        made.pulumi("stack", "init", STACK)
        made.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
        yield made


def test_audit_comes_up_with_storage_alone(ground: Ground) -> None:
    outputs = json.loads(ground.pulumi("stack", "output", "--json", "--stack", STACK))
    (trail,) = ground.kept("alicloud.trail")
    assert (trail["id"], trail["Status"], trail["EventRW"]) == (outputs["trail"], "Enable", "All")
    assert trail["OssBucketName"] == outputs["trail_bucket"]
    assert trail["SlsProjectArn"] == f"acs:log:cn-shanghai:1234567890123456:project/{outputs['log_project']}"
    stores = {store["logstoreName"]: store for store in ground.kept("sls.logstore")}
    assert {name: store["ttl"] for name, store in stores.items()} == {"network": 365, "integration": 365}
    assert all(store["index"]["line"]["chn"] for store in stores.values())
    rules = {rule["identifier"] for rule in ground.kept("alicloud.config_rule")}
    assert rules == {rule.identifier for rule in watch().rules}
    told = {
        rule["targets"]["ContactParameters"][0]["ContactGroupName"] for rule in ground.kept("alicloud.cms_event_rule")
    }
    assert told == {group["id"] for group in ground.kept("alicloud.cms_contact_group")}


def test_buckets_are_copied_to_the_second_region_and_listed(ground: Ground) -> None:
    buckets = ground.kept("oss.bucket")
    copied = {
        bucket["name"]: bucket["config"]["replication"] for bucket in buckets if "replication" in bucket["config"]
    }
    copies = {bucket["name"] for bucket in buckets if bucket["region"] == "cn-beijing" and "logs" not in bucket["name"]}
    assert len(copied) == len(copies) == 4
    assert all(sum(name in rule for rule in copied.values()) == 1 for name in copies)
    assert {bucket["name"] for bucket in buckets if "inventory/all" in bucket["config"]} == copied.keys()


def test_a_second_look_finds_nothing_to_change(ground: Ground) -> None:
    ground.pulumi("preview", "--expect-no-changes", "--stack", STACK)
    ground.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", STACK)


def test_pulumi_keeps_its_state_in_the_state_bucket(ground: Ground, tmp_path: Path) -> None:
    """`pulumi login` with the output's address, against the hosts at which OSS speaks S3."""
    url = json.loads(ground.pulumi("stack", "output", "--json", "--stack", STACK))["state_url"]
    bucket = url.removeprefix("s3://").partition("?")[0]
    program = "import pulumi\n\npulumi.export('greeting', 'kept in OSS')\n"
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n", encoding="utf-8")
    (tmp_path / "__main__.py").write_text(program, encoding="utf-8")
    small = Ground(tmp_path, ground.clouds)
    small.pulumi("login", url, PULUMI_BACKEND_URL=url)
    small.pulumi("stack", "init", "kept", PULUMI_BACKEND_URL=url)
    small.pulumi("up", "--yes", "--skip-preview", "--stack", "kept", PULUMI_BACKEND_URL=url)
    (row,) = json.loads(small.pulumi("stack", "ls", "--json", PULUMI_BACKEND_URL=url))
    assert (row["name"], row["resourceCount"]) == ("kept", 1)
    assert json.loads(small.pulumi("stack", "output", "--json", "--stack", "kept", PULUMI_BACKEND_URL=url)) == {
        "greeting": "kept in OSS"
    }
    small.pulumi("destroy", "--yes", "--skip-preview", "--stack", "kept", "--remove", PULUMI_BACKEND_URL=url)
    assert json.loads(small.pulumi("stack", "ls", "--json", PULUMI_BACKEND_URL=url)) == []
    assert ground.clouds.store.all("oss.object", f"{bucket}/")


def test_destroy_leaves_nothing(ground: Ground) -> None:
    """The last test of the file. Cloud Config's recorder stays, as the provider says: it has no end."""
    ground.pulumi("destroy", "--yes", "--skip-preview", "--stack", STACK)
    resources = json.loads(ground.pulumi("stack", "export", "--stack", STACK))["deployment"].get("resources", [])
    assert resources == []
    left = {kind for kind in ground.clouds.store.kinds() if kind.startswith(("alicloud.", "sls.", "oss."))}
    assert left <= {"alicloud.client_token", "alicloud.config_recorder", "alicloud.kms_key"}, left
