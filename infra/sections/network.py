"""The section `sfoa:network`."""

from __future__ import annotations

from pydantic import Field

from infra.rules import EgressBandwidth, EgressIps, Port, SourceRange, VpcCidr, Zones
from infra.sections.base import Section


class NetworkSettings(Section):
    """`sfoa:network`."""

    cidr: VpcCidr = Field(description="Private IPv4 range of the VPC, /16 to /20; it can't be changed later")
    zones: Zones = Field(
        description="Three zones of the region; the first one holds the NAT gateway; their order can't be changed later"
    )
    egress_ips: EgressIps = Field(
        2, description="Public addresses in the egress pool, which the orgs trust; grow it, don't shrink it"
    )
    egress_bandwidth_mbps: EgressBandwidth = Field(20, description="Peak bandwidth of each egress address, in Mbit/s")
    edge_sources: tuple[SourceRange, ...] = Field(
        (), description="Ranges that may reach the edge tier by HTTPS; none unless named"
    )
    data_ports: tuple[Port, ...] = Field(
        (3306, 6379), description="TCP ports on which the app tier reaches the data tier"
    )
