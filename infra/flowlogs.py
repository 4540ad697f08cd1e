"""Flow logs of the VPC, into a log store that stands already."""

from __future__ import annotations

import pulumi
import pulumi_alicloud as ali

from infra.sections.network import FlowLogs
from infra.settings import Settings


def log_flows(
    name: str, settings: Settings, wanted: FlowLogs, vpc_id: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> None:
    """Log all traffic of a VPC, allowed and dropped, as the Cybersecurity Law (Art. 23) asks of network logs."""
    ali.vpc.FlowLog(
        name,
        flow_log_name=settings.labels.vpc("network", "flows"),
        resource_type="VPC",
        resource_id=vpc_id,
        traffic_type="All",
        project_name=wanted.project,
        log_store_name=wanted.store,
        aggregation_interval=str(wanted.minutes),
        tags=settings.all_tags,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=settings.production)),
    )
