from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.labels import Labels
from infra.settings import read_settings
from infra.watch import watch
from kit.problems import Refused


@pytest.fixture(scope="module")
def audit(stand: Any) -> Any:
    return stand("example-production")


def test_the_trail_records_everything_into_the_retained_bucket_and_the_log_project(audit: Any) -> None:
    (trail,) = audit.of("Trail").values()
    project = audit.of("Project")["audit-logs"].inputs["projectName"]
    assert {key: trail.inputs[key] for key in ("eventRw", "trailRegion", "status")} == {
        "eventRw": "All",
        "trailRegion": "All",
        "status": "Enable",
    }
    assert trail.inputs["ossBucketName"] == audit.of("BucketWorm")["audit-trail"].inputs["bucket"]
    assert trail.inputs["slsProjectArn"] == f"acs:log:cn-shanghai:1234567890123456:project/{project}"


def test_log_stores_keep_what_the_law_asks_and_can_be_searched_in_chinese(audit: Any) -> None:
    stores, indexes = audit.of("Store"), audit.of("StoreIndex")
    assert set(stores) == set(indexes) == {"audit-network", "audit-integration"}
    assert {store.inputs["retentionPeriod"] for store in stores.values()} == {365}
    assert all(index.inputs["fullText"]["includeChinese"] for index in indexes.values())


def test_every_rule_of_the_table_is_asked_of_cloud_config(audit: Any) -> None:
    asked = {rule.inputs["sourceIdentifier"] for rule in audit.of("cfg/rule:Rule").values()}
    assert asked == {rule.identifier for rule in watch().rules}


def test_every_event_of_the_table_is_told_to_the_contacts(audit: Any) -> None:
    (group,) = audit.of("AlarmContactGroup").values()
    rules = audit.of("EventRule").values()
    assert {rule.inputs["eventPattern"]["product"] for rule in rules} == {row.product for row in watch().events}
    assert {rule.inputs["contactParameters"][0]["contactGroupName"] for rule in rules} == {
        group.inputs["alarmContactGroupName"]
    }


def test_every_alert_of_the_table_looks_into_the_trail_s_log_store_and_mails_to_the_contacts(audit: Any) -> None:
    alerts = {alert.name.removeprefix("audit-"): alert.inputs for alert in audit.of("log/alert:Alert").values()}
    assert set(alerts) == {alert.name for alert in watch().alerts}
    assert "root-account" in alerts["root-sign-in"]["queryLists"][0]["query"]
    assert {alert["queryLists"][0]["store"] for alert in alerts.values()} == {
        f"actiontrail_{audit.contract['audit_trail']}"
    }
    records = {record.inputs["resourceName"]: record for record in audit.of("ResourceRecord").values()}
    values = {name: json.loads(record.inputs["value"]) for name, record in records.items()}
    (policy,) = {alert["policyConfiguration"]["actionPolicyId"] for alert in alerts.values()}
    assert policy == values["sls.alert.action_policy"]["action_policy_id"]
    assert (
        f'groups=["{values["sls.common.user_group"]["user_group_id"]}"]'
        in (values["sls.alert.action_policy"]["primary_policy_script"])
    )
    assert values["sls.common.user_group"]["members"] == [values["sls.common.user"]["user_id"]]
    assert values["sls.common.user"]["email"] == ["on-call@example.com"]
    assert all(record.provider.partition("::")[2].count("audit-records") for record in records.values())
    assert audit.of("alicloud")["audit-records"].inputs["region"] == "cn-heyuan"


def test_where_the_company_runs_cloud_config_centrally_the_stack_leaves_it_alone(stand: Any) -> None:
    section = {"trail_retention_days": 1, "trail_locked": False, "config_rules": False}
    standing = stand("local", {"sfoa:audit": json.dumps(section)})
    assert not standing.of("cfg/rule:Rule")
    assert not standing.of("ConfigurationRecorder")
    assert not standing.of("EventRule")  # nobody to tell
    assert not standing.of("log/alert:Alert")


def test_the_contract_names_what_the_audit_made(audit: Any) -> None:
    assert audit.contract["audit_trail"] == "acme-production-trail-actions"
    assert audit.contract["audit_trail_bucket"].startswith("acme-production-trail-")
    assert audit.contract["audit_log_project"].startswith("acme-production-logs-")
    assert "audit" not in audit.contract["absent"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trail_locked": False}, "the trail of production is not locked"),
        ({"trail_retention_days": 30}, "shorter than 184 days"),
        ({"logs_retention_days": 90}, "not from 184 to 3650"),
        ({"contacts": []}, "nobody is told of alarms in production"),
    ],
)
def test_production_refuses_an_audit_that_proves_nothing(
    config: Callable[[str], dict[str, str]], changes: dict[str, Any], said: str
) -> None:
    values = config("example-production")
    section = json.loads(values["sfoa:audit"]) | changes
    with pytest.raises(Refused, match=said):
        read_settings(values | {"sfoa:audit": json.dumps(section)}, {"ALIBABA_CLOUD_ACCOUNT_ID": "1234567890123456"})


def test_names_stay_within_what_sls_and_actiontrail_take() -> None:
    labels = Labels("c" * 16, "development", "1234567890123456")
    assert len(labels.trail("actions" * 5)) <= 36
    assert len(labels.log_project("logs" * 20)) <= 63
    assert len(labels.log_record("audit", "a" * 80)) <= 60
    assert labels.trail("a" * 40) != labels.trail("a" * 41)
