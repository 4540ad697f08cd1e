"""Data out of the orgs, kept in the mainland: by API gateway onto an event bus, and so to a bucket of extracts."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_alicloud as ali

from infra.buckets import Buckets, expiring
from infra.network import Network
from infra.sections.integration import Events
from infra.serverless import AREA, NETWORK_POLICY, Serverless
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
    host: pulumi.Output[str]
    """The gateway's own."""


def make_events(make: Serverless, wanted: Events, network: Network, storage: Storage) -> EventWays:
    """Return the ways of events: the orgs' by API gateway, which asks for an app, onto the bus; the bus's to OSS."""
    settings = make.settings
    buckets = Buckets(make.parent, make.prefix, settings, storage.kms_key_id)
    bucket = buckets.make("extracts", [expiring(wanted.retention_days)])
    buckets.log("extracts", bucket, storage.logs)
    bus = ali.eventbridge.EventBus(
        f"{make.prefix}-changes",
        event_bus_name=settings.labels.plain(AREA, "changes"),
        description="Change events of the orgs and of what belongs to them",
        opts=make.kept,
    )
    function = _function(make, bucket, bus, network, storage)
    _keep(make, bus, function)
    name: pulumi.Output[str] = bus.event_bus_name
    host = _api(make, function)
    return EventWays(name, bucket.id, host.apply(lambda own: f"https://{own}{PATH}"), host)


def _function(
    make: Serverless, bucket: ali.oss.Bucket, bus: ali.eventbridge.EventBus, network: Network, storage: Storage
) -> ali.fc.V3Function:
    settings = make.settings
    account, region = settings.account_id, settings.region
    rights = pulumi.Output.all(bucket.id, storage.kms_key_id, bus.event_bus_name).apply(
        lambda made: [
            allow(["oss:PutObject", "oss:GetObject"], f"acs:oss:*:{account}:{made[0]}/events/*"),
            allow(["oss:ListObjects", "oss:GetBucketInfo"], f"acs:oss:*:{account}:{made[0]}"),
            allow(["kms:GenerateDataKey", "kms:Decrypt"], f"acs:kms:{region}:{account}:key/{made[1]}"),
            allow(["eventbridge:PutEvents"], f"acs:eventbridge:{region}:{account}:eventbus/{made[2]}"),
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
        make.role("events", "fc.aliyuncs.com", rights, [NETWORK_POLICY]),
        {"EXTRACTS": MOUNT, "BUS": bus.event_bus_name, "BUS_HOST": f"{account}.eventbridge.{region}.aliyuncs.com"},
        timeout=TIMEOUT_SECONDS,
        # The bus's endpoint in a VPC has no TLS, so the function leaves by the gateway, for one in the same region.
        vpc_config=make.inside(network),
        oss_mount_config=ali.fc.V3FunctionOssMountConfigArgs(mount_points=[mount]),
    )


def _keep(make: Serverless, bus: ali.eventbridge.EventBus, function: ali.fc.V3Function) -> None:
    """Have every event of the bus kept by the function."""
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
    host: pulumi.Output[str] = group.sub_domain
    return host
