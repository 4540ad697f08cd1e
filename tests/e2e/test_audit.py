"""Storage and audit alone, under the real engine and the real provider, and Pulumi's own state in the state bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.watch import watch
from tests.e2e.ground import EMPTYING, Ground, beyond_platform, standing_on, write_project

pytestmark = pytest.mark.e2e

PROGRAM = """\
from infra.audit import Audit
from infra.storage import Storage

storage = Storage("storage", settings)
audit = Audit("audit", settings, settings.audit, storage)
pulumi.export("trail", audit.trail)
pulumi.export("trail_bucket", audit.trail_bucket)
pulumi.export("log_project", audit.log_project)
pulumi.export("state_url", storage.state_url)
"""
SECTIONS = {
    "sfoa:storage": {
        "ledger_retention_days": 1,
        "ledger_locked": False,
        "force_destroy": True,
        "state": True,
        "inventory": "Daily",
        "replica": {"region": "cn-beijing"},
    },
    "sfoa:audit": {
        "trail_retention_days": 1,
        "trail_locked": False,
        "contacts": [{"name": "on-call", "mail": "on-call@example.com"}],
    },
}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The stack, up."""
    with standing_on(tmp_path_factory.mktemp("audited"), "audited", PROGRAM) as made:
        made.settle(SECTIONS)
        made.up()
        yield made


def test_audit_comes_up_with_storage_alone(ground: Ground) -> None:
    outputs = ground.outputs()
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


def test_the_owner_s_sign_in_is_looked_for_in_the_trail_s_log_store_and_mailed_to_the_contacts(ground: Ground) -> None:
    outputs, alerts = ground.outputs(), {alert["name"]: alert for alert in ground.kept("sls.job")}
    assert set(alerts) == {alert.name for alert in watch().alerts}
    (asked,) = alerts["root-sign-in"]["configuration"]["queryList"]
    assert (asked["project"], asked["store"]) == (outputs["log_project"], f"actiontrail_{outputs['trail']}")
    assert "root-account" in asked["query"]
    records = {json.loads(place["value"]).get("email", [None])[0] for place in ground.kept("sls.record")}
    assert "on-call@example.com" in records
    policy = alerts["root-sign-in"]["configuration"]["policyConfiguration"]["actionPolicyId"]
    assert ground.clouds.store.get("sls.record", f"sls.alert.action_policy/{policy}")


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
    ground.pulumi("preview", "--expect-no-changes")
    ground.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert beyond_platform(ground.calls) == set()


def test_pulumi_keeps_its_state_in_the_state_bucket(ground: Ground, tmp_path: Path) -> None:
    """`pulumi login` with the output's address, against the hosts at which OSS speaks S3."""
    url = ground.outputs()["state_url"]
    bucket = url.removeprefix("s3://").partition("?")[0]
    write_project(tmp_path, "small", "import pulumi\n\npulumi.export('greeting', 'kept in OSS')\n")
    none, there = Ground(tmp_path, ground.clouds), {"PULUMI_BACKEND_URL": url}
    small = replace(none, stack="kept")
    none.pulumi("login", url, **there)
    small.pulumi("stack", "init", **there)
    small.up(**there)
    (row,) = json.loads(none.pulumi("stack", "ls", "--json", **there))
    assert (row["name"], row["resourceCount"]) == ("kept", 1)
    assert json.loads(small.pulumi("stack", "output", "--json", **there)) == {"greeting": "kept in OSS"}
    small.pulumi("destroy", "--yes", "--skip-preview", "--remove", **there)
    assert json.loads(none.pulumi("stack", "ls", "--json", **there)) == []
    assert ground.clouds.store.all("oss.object", f"{bucket}/")


def test_destroy_leaves_nothing(ground: Ground) -> None:
    """The last test of the file. Cloud Config's recorder stays, as the provider says: it has no end."""
    before = len(ground.calls)
    ground.destroy()
    assert beyond_platform(ground.calls[before:]) <= EMPTYING
    left = ground.kinds("alicloud.", "sls.", "oss.")
    assert left <= {"alicloud.client_token", "alicloud.config_recorder", "alicloud.kms_key"}, left
