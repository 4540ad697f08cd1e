"""A private DNS zone: names that are known in the VPC alone."""

from __future__ import annotations

import pulumi
import pulumi_alicloud as ali

from infra.sections.network import PrivateZoneSettings
from infra.settings import Settings


class PrivateZone(pulumi.ComponentResource):
    """The zone, its binding to the VPC, and its records; a record's name in the state comes from what it says."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        wanted: PrivateZoneSettings,
        vpc_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:network:PrivateZone", name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=settings.production)
        zone = ali.pvtz.Zone(name, zone_name=wanted.name, tags=settings.all_tags, opts=kept)
        for record in wanted.records:
            ali.pvtz.ZoneRecord(
                f"{name}-{record.host}-{record.type.lower()}-{record.value}",
                zone_id=zone.id,
                rr=record.host,
                type=record.type,
                value=record.value,
                ttl=record.ttl,
                opts=kept,
            )
        ali.pvtz.ZoneAttachment(name, zone_id=zone.id, vpc_ids=[vpc_id], opts=kept)
        self.register_outputs({"zone": wanted.name})
