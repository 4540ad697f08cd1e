"""Data out of the orgs, kept inside the mainland: by API gateway and by an event bus into the bucket of extracts."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_alicloud as ali

from infra.buckets import Buckets, expiring
from infra.sections.integration import Events
from infra.serverless import AREA, Serverless
from infra.servicerole import allow
from infra.storage import Storage

MOUNT = "/mnt/extracts"
STAGE = "RELEASE"
PATH = "/events"
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class EventWays:
    """Where events come in, and where they are kept."""

    bus: pulumi.Output[str]
    bucket: pulumi.Output[str]
    endpoint: pulumi.Output[str]


def make_events(make: Serverless, wanted: Events, storage: Storage) -> EventWays:
    """Return the ways of events: the orgs' by API gateway, which asks for an app, the account's own by a bus."""
    settings = make.settings
    buckets = Buckets(make.parent, make.prefix, settings, storage.kms_key_id)
    bucket = buckets.make("extracts", [expiring(wanted.retention_days)])
    buckets.log("extracts", bucket, storage.logs)
    function = _function(make, bucket, storage)
    return EventWays(_bus(make, function), bucket.id, _api(make, function))


def _function(make: Serverless, bucket: ali.oss.Bucket, storage: Storage) -> ali.fc.V3Function:
    settings = make.settings
    account, region = settings.account_id, settings.region
    rights = pulumi.Output.all(bucket.id, storage.kms_key_id).apply(
        lambda made: [
            allow(["oss:PutObject", "oss:GetObject"], f"acs:oss:*:{account}:{made[0]}/events/*"),
            allow(["oss:ListObjects", "oss:GetBucketInfo"], f"acs:oss:*:{account}:{made[0]}"),
            allow(["kms:GenerateDataKey", "kms:Decrypt"], f"acs:kms:{region}:{account}:key/{made[1]}"),
            *make.logging(),
        ]
    )
    mount = ali.fc.V3FunctionOssMountConfigMountPointArgs(
        bucket_name=bucket.id,
        bucket_path="/",
        endpoint=f"https://oss-{region}-internal.aliyuncs.com",
        mount_dir=MOUNT,
        read_only=False,
    )
    return make.function(
        "events",
        make.role("events", "fc.aliyuncs.com", rights),
        {"EXTRACTS": MOUNT},
        timeout=TIMEOUT_SECONDS,
        oss_mount_config=ali.fc.V3FunctionOssMountConfigArgs(mount_points=[mount]),
    )


def _bus(make: Serverless, function: ali.fc.V3Function) -> pulumi.Output[str]:
    bus = ali.eventbridge.EventBus(
        f"{make.prefix}-changes",
        event_bus_name=make.settings.labels.plain(AREA, "changes"),
        description="Change events of the orgs and of what belongs to them",
        opts=make.kept,
    )
    ali.eventbridge.Rule(
        f"{make.prefix}-keep",
        event_bus_name=bus.event_bus_name,
        rule_name="keep",
        description="Keeps every event in the bucket of extracts",
        filter_pattern="{}",
        targets=[
            ali.eventbridge.RuleTargetArgs(
                target_id="keep",
                type="acs.fc.function",
                endpoint=function.function_arn,
                push_retry_strategy="EXPONENTIAL_DECAY_RETRY",
                param_lists=[
                    ali.eventbridge.RuleTargetParamListArgs(
                        resource_key="functionName", form="CONSTANT", value=function.function_name
                    ),
                    ali.eventbridge.RuleTargetParamListArgs(resource_key="Qualifier", form="CONSTANT", value="LATEST"),
                    ali.eventbridge.RuleTargetParamListArgs(resource_key="Body", form="ORIGINAL"),
                ],
            )
        ],
        opts=make.kept,
    )
    name: pulumi.Output[str] = bus.event_bus_name
    return name


def _api(make: Serverless, function: ali.fc.V3Function) -> pulumi.Output[str]:
    settings = make.settings
    invoke = function.function_arn.apply(lambda arn: [allow(["fc:InvokeFunction"], arn)])
    role = make.role("gateway", "apigateway.aliyuncs.com", invoke)
    group = ali.apigateway.Group(
        f"{make.prefix}-gateway",
        name=settings.labels.api(AREA, "gateway"),
        description="What the orgs call",
        opts=make.kept,
    )
    api = ali.apigateway.Api(
        f"{make.prefix}-events",
        group_id=group.id,
        name=settings.labels.api(AREA, "events"),
        description="Takes change events of the orgs",
        auth_type="APP",
        force_nonce_check=True,
        stage_names=[STAGE],
        request_config=ali.apigateway.ApiRequestConfigArgs(
            protocol="HTTPS", method="POST", path=PATH, mode="PASSTHROUGH", body_format="STREAM"
        ),
        service_type="FunctionCompute",
        fc_service_config=ali.apigateway.ApiFcServiceConfigArgs(
            region=settings.region,
            function_version="3.0",
            function_type="FCEvent",
            function_name=function.function_name,
            qualifier="LATEST",
            arn_role=role.arn,
            timeout=TIMEOUT_SECONDS * 1000,
        ),
        opts=make.kept,
    )
    app = ali.apigateway.App(
        f"{make.prefix}-orgs",
        name=settings.labels.app(),
        description="The orgs, as callers",
        tags=settings.all_tags,
        opts=make.kept,
    )
    ali.apigateway.AppAttachment(
        f"{make.prefix}-orgs",
        api_id=api.api_id,
        group_id=group.id,
        app_id=app.id,
        stage_name=STAGE,
        opts=make.kept,
    )
    url: pulumi.Output[str] = group.sub_domain.apply(lambda host: f"https://{host}{PATH}")
    return url
