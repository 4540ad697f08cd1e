"""IPv6 of the network: the gateway, and what lets named addresses call out without being called."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

import pulumi
import pulumi_alicloud as ali

from infra.sections.network import Ipv6Settings
from infra.settings import Settings
from infra.subnets import Subnet, Tier

AREA = "ipv6"
TIERS = (Tier.APP, Tier.EDGE)
"""The tiers with IPv6. The data tier has none, so that nothing reaches it or leaves it past its IPv4 rules."""


def of_vpc(wanted: Ipv6Settings | None) -> Mapping[str, bool]:
    """Return the arguments that a VPC takes for IPv6."""
    return {"enable_ipv6": True} if wanted else {}


def of_switch(wanted: Ipv6Settings | None, subnet: Subnet, vpc: IPv4Network) -> Mapping[str, int | bool]:
    """Return the arguments that a switch takes for IPv6: it has the place in the VPC's block that it has in IPv4."""
    if wanted is None or subnet.tier not in TIERS:
        return {}
    before = int(subnet.cidr.network_address) - int(vpc.network_address)
    return {"enable_ipv6": True, "ipv6_cidr_block_mask": before // subnet.cidr.num_addresses}


class Ipv6(pulumi.ComponentResource):
    """An IPv6 gateway. An address has no way to the internet or from it until it has bandwidth there; each one that
    the config names gets it, with a rule by which connections begin inside alone."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        wanted: Ipv6Settings,
        vpc_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:network:Ipv6", name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=settings.production)
        gateway = ali.vpc.Ipv6Gateway(
            name,
            vpc_id=vpc_id,
            ipv6_gateway_name=settings.labels.vpc(AREA, "gateway"),
            tags=settings.all_tags,
            opts=kept,
        )
        for address in wanted.egress:
            bandwidth = ali.vpc.Ipv6InternetBandwidth(
                f"{name}-{address}",
                ipv6_gateway_id=gateway.id,
                ipv6_address_id=address,
                bandwidth=wanted.egress_bandwidth_mbps,
                internet_charge_type="PayByTraffic",
                opts=kept,
            )
            ali.vpc.Ipv6EgressRule(
                f"{name}-{address}",
                ipv6_gateway_id=gateway.id,
                instance_id=address,
                instance_type="Ipv6Address",
                ipv6_egress_rule_name=settings.labels.vpc(AREA, address),
                opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[bandwidth])),
            )
        self.register_outputs({"gateway_id": gateway.id})
