"""Flow logs of the VPC, into a log store that stands already."""

from __future__ import annotations

import pulumi
import pulumi_alicloud as ali

from infra.settings import Settings

MINUTES = "10"  # traffic is summed up over


def log_flows(
    name: str,
    settings: Settings,
    vpc_id: pulumi.Input[str],
    project: pulumi.Input[str],
    store: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Log all traffic of a VPC, allowed and dropped: network logs, as the Cybersecurity Law has them (Art. 23)."""
    ali.vpc.FlowLog(
        name,
        flow_log_name=settings.labels.vpc("network", "flows"),
        resource_type="VPC",
        resource_id=vpc_id,
        traffic_type="All",
        project_name=project,
        log_store_name=store,
        aggregation_interval=MINUTES,
        tags=settings.all_tags,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=settings.production)),
    )
