"""ActionTrail through its official SDK, unchanged; Cloud Config and CloudMonitor as the provider calls them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import alibabacloud_oss_v2 as oss
import pytest
from alibabacloud_actiontrail20200706 import models as actiontrail
from alibabacloud_actiontrail20200706.client import Client
from alibabacloud_tea_openapi.models import Config

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.testing import running
from tests.emulators.alicloud.rpc_cloud import VERSIONS, Cloud, Refusal


@pytest.fixture
def trails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with running(tmp_path) as emulators:
        for name, value in emulators.environment.items():
            monkeypatch.setenv(name, value)
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
        config.region = "cn-shanghai"
        oss.Client(config).put_bucket(oss.PutBucketRequest(bucket="acme-trail"))
        keys = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
        yield Client(Config(region_id="cn-shanghai", ca=str(emulators.ca_file), **keys))


def test_the_actiontrail_sdk_makes_starts_stops_and_deletes_a_trail(trails: Client) -> None:
    request = actiontrail.CreateTrailRequest(name="acme-actions", oss_bucket_name="acme-trail", event_rw="All")
    assert trails.create_trail(request).body.name == "acme-actions"
    trails.start_logging(actiontrail.StartLoggingRequest(name="acme-actions"))
    status = actiontrail.GetTrailStatusRequest(name="acme-actions")
    assert trails.get_trail_status(status).body.is_logging
    trails.stop_logging(actiontrail.StopLoggingRequest(name="acme-actions"))
    assert not trails.get_trail_status(status).body.is_logging
    (row,) = trails.describe_trails(actiontrail.DescribeTrailsRequest(name_list="acme-actions")).body.trail_list
    assert (row.oss_bucket_name, row.trail_region, row.status) == ("acme-trail", "All", "Disable")
    trails.delete_trail(actiontrail.DeleteTrailRequest(name="acme-actions"))
    assert not trails.describe_trails(actiontrail.DescribeTrailsRequest()).body.trail_list


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"Name": "acme-actions"}, "NeedDeliveryException"),
        ({"Name": "acme-actions", "OssBucketName": "no-such-bucket"}, "BucketDoesNotExistException"),
        (
            {"Name": "acme-actions", "SlsProjectArn": "acs:log:cn-shanghai:1234567890123456:project/none"},
            "SlsProjectDoesNotExistException",
        ),
        ({"Name": "Trail", "OssBucketName": "no-such-bucket"}, "InvalidTrailNameException"),
    ],
)
def test_a_trail_that_leads_nowhere_is_refused(cloud: Cloud, sent: dict[str, str], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        cloud("actiontrail", "CreateTrail", **sent)
    assert refused.value.code == code
    assert not cloud("actiontrail", "DescribeTrails")["TrailList"]  # what is refused leaves nothing


def config_2019(cloud: Cloud, action: str, monkeypatch: pytest.MonkeyPatch, **sent: str) -> dict[str, object]:
    """Make a call of Cloud Config's older version, which the provider uses for the recorder."""
    with monkeypatch.context() as patch:
        patch.setitem(VERSIONS, "config", "2019-01-08")
        return cloud("config", action, **sent)


def test_rules_of_cloud_config_want_the_recorder_started(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {
        "ConfigRuleName": "root-mfa",
        "SourceOwner": "ALIYUN",
        "SourceIdentifier": "root-mfa-check",
        "RiskLevel": "1",
        "ConfigRuleTriggerTypes": "ScheduledNotification",
        "ResourceTypesScope": "ACS::::Account",
    }
    with pytest.raises(Refusal, match="ConfigurationRecorderNotStarted"):
        cloud("config", "CreateConfigRule", **rule)
    config_2019(cloud, "StartConfigurationRecorder", monkeypatch)
    ident = cloud("config", "CreateConfigRule", **rule)["ConfigRuleId"]
    shown = cloud("config", "GetConfigRule", ConfigRuleId=ident)["ConfigRule"]
    assert shown["Source"]["Identifier"] == "root-mfa-check"
    assert (shown["ConfigRuleState"], shown["Scope"]) == ("ACTIVE", {"ComplianceResourceTypes": ["ACS::::Account"]})
    with pytest.raises(Refusal, match="ConfigRuleExists"):
        cloud("config", "CreateConfigRule", **rule)
    config_2019(cloud, "StopConfigRules", monkeypatch, ConfigRuleIds=ident)
    assert cloud("config", "GetConfigRule", ConfigRuleId=ident)["ConfigRule"]["ConfigRuleState"] == "INACTIVE"
    config_2019(cloud, "DeleteConfigRules", monkeypatch, ConfigRuleIds=ident)
    with pytest.raises(Refusal, match="ConfigRuleNotExists"):
        cloud("config", "GetConfigRule", ConfigRuleId=ident)


def test_an_event_goes_to_a_group_of_contacts_that_is_there(cloud: Cloud) -> None:
    cloud("metrics", "PutContact", ContactName="ops", Describe="on call", Channels__Mail="ops@example.com")
    cloud("metrics", "PutContactGroup", ContactGroupName="all", ContactNames__1="ops")
    (group,) = cloud("metrics", "DescribeContactGroupList")["ContactGroupList"]["ContactGroup"]
    assert group["Contacts"] == {"Contact": ["ops"]}
    pattern = {"EventPattern__1__Product": "eip", "EventPattern__1__LevelList__1": "CRITICAL"}
    cloud("metrics", "PutEventRule", RuleName="eip", **pattern)
    (rule,) = cloud("metrics", "DescribeEventRuleList", NamePrefix="ei")["EventRules"]["EventRule"]
    assert rule["EventPattern"]["LevelList"] == {"LevelList": ["CRITICAL"]}
    target = {"ContactParameters__1__Id": "1", "ContactParameters__1__Level": "3"}
    with pytest.raises(Refusal, match="ContactNotExists"):
        cloud("metrics", "PutEventRuleTargets", RuleName="eip", ContactParameters__1__ContactGroupName="none", **target)
    cloud("metrics", "PutEventRuleTargets", RuleName="eip", ContactParameters__1__ContactGroupName="all", **target)
    shown = cloud("metrics", "DescribeEventRuleTargetList", RuleName="eip")["ContactParameters"]["ContactParameter"]
    assert shown == [{"Id": "1", "Level": "3", "ContactGroupName": "all"}]
    cloud("metrics", "DeleteEventRules", RuleNames__1="eip")
    assert cloud("metrics", "DescribeEventRuleList")["Total"] == 0
