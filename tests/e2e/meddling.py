"""Changes behind Pulumi's back, by the official SDKs, what people do in the console; run inside the emulators.

Reads the stack's outputs from the JSON file that is named.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import alibabacloud_oss_v2 as oss
from alibabacloud_actiontrail20200706 import models as trails
from alibabacloud_actiontrail20200706.client import Client as TrailClient
from alibabacloud_eiam20211201 import models as eiam
from alibabacloud_eiam20211201.client import Client as EiamClient
from alibabacloud_tea_openapi.models import Config

from infra.account import LiveAccount


def config(region: str) -> Config:
    """Return what any client of the emulated account needs."""
    return Config(
        region_id=region,
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        ca=os.environ["SSL_CERT_FILE"],
        https_proxy=os.environ["HTTPS_PROXY"],
    )


def shut_the_app_tier(outputs: dict[str, Any]) -> None:
    """Take the rule away by which the app tier is reached."""
    region = outputs["region"]
    ask = partial(LiveAccount(region).read, f"ecs.{region}.aliyuncs.com", "2014-05-26")
    where = {"RegionId": region, "SecurityGroupId": outputs["network_security_group_ids"]["app"]}
    found = ask("DescribeSecurityGroupAttribute", **where)["Permissions"]["Permission"]
    (rule,) = (row for row in found if (row["Direction"], row["PortRange"]) == ("ingress", "443/443"))
    said = ("IpProtocol", "PortRange", "SourceCidrIp", "SourceGroupId", "Policy", "NicType", "Priority")
    ask("RevokeSecurityGroup", **where, **{name: str(rule[name]) for name in said if rule.get(name)})


def open_the_ledger(outputs: dict[str, Any]) -> None:
    """Let the ledger's bucket be made public."""
    settings = oss.config.load_default()
    settings.region = outputs["region"]
    settings.credentials_provider = oss.credentials.EnvironmentVariableCredentialsProvider()
    block = oss.PublicAccessBlockConfiguration(block_public_access=False)
    request = oss.PutBucketPublicAccessBlockRequest(
        bucket=outputs["storage_ledger_bucket"], public_access_block_configuration=block
    )
    oss.Client(settings).put_bucket_public_access_block(request)


def stop_the_trail(outputs: dict[str, Any]) -> None:
    """Record no more of what is done in the account."""
    TrailClient(config(outputs["region"])).stop_logging(trails.StopLoggingRequest(name=outputs["audit_trail"]))


def let_in_without_second_factor(outputs: dict[str, Any]) -> None:
    """Switch off the policy that demands it."""
    client = EiamClient(config(outputs["region"]))
    (instance,) = client.list_instances(eiam.ListInstancesRequest()).body.instances
    listed = client.list_conditional_access_policies(
        eiam.ListConditionalAccessPoliciesRequest(instance_id=instance.instance_id)
    )
    (policy,) = listed.body.conditional_access_policies
    where = {"instance_id": instance.instance_id, "conditional_access_policy_id": policy.conditional_access_policy_id}
    client.disable_conditional_access_policy(eiam.DisableConditionalAccessPolicyRequest(**where))


CHANGES = (shut_the_app_tier, open_the_ledger, stop_the_trail, let_in_without_second_factor)

if __name__ == "__main__":
    stack = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for change in CHANGES:
        change(stack)
