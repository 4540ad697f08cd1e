"""The network: a VPC over three zones with one fixed set of addresses towards the orgs."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pulumi
import pulumi_alicloud as ali

from infra.ipv6 import Ipv6, of_switch, of_vpc
from infra.link import Link
from infra.privatezone import PrivateZone
from infra.settings import Settings
from infra.subnets import Tier, plan_subnets, tier_range

AREA = "network"
ANYWHERE = "0.0.0.0/0"
EVERY_PORT = "-1/-1"
ANSWERS = "1024/65535"  # what clients take for their own end of a connection: an ACL keeps no state
HTTPS = "443/443"

Rule = tuple[str, str, pulumi.Input[str], str]
"""Policy, protocol, range and ports of an entry of a network ACL."""

_ENTRIES: dict[str, tuple[Callable[..., Any], str]] = {
    "ingress": (ali.vpc.NetworkAclIngressAclEntryArgs, "source_cidr_ip"),
    "egress": (ali.vpc.NetworkAclEgressAclEntryArgs, "destination_cidr_ip"),
}

# What the service fills in for a binding to a gateway, and the provider would replace the binding to empty again.
SEEN_BY_THE_PROVIDER = ["private_ip_address", "vpc_id"]


class Network(pulumi.ComponentResource):
    """VPC, three tiers of switches, NAT with a pool of egress addresses, and least rules between the tiers.

    Traffic leaves from the app tier alone, by the pool. The data tier is reached from the app tier on the
    configured ports and reaches nothing but itself. What `network.adopt` names is used as it stands: it is read,
    never changed, and `pulumi destroy` leaves it. `adopted` holds its ids.
    """

    vpc_id: pulumi.Output[str]
    app_vswitch_ids: pulumi.Output[Sequence[str]]
    egress_ips: pulumi.Output[Sequence[str]]
    security_group_ids: pulumi.Output[dict[str, str]]
    private_zone: str | None
    tunnels: pulumi.Output[list[str]] | None
    adopted: tuple[str, ...]

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sfoa:network:Network", name, None, opts)
        self._prefix = name
        self._settings = settings
        self._range = ipaddress.IPv4Network(settings.network.cidr)
        self._standing = settings.network.adopt
        self.adopted = tuple(self._named())
        self._vpc = self._network()
        switches = self._switches()
        if self._adopted_switches(Tier.DATA) is None:
            self._data_acl(switches)
        groups = self._security_groups()
        self.vpc_id = self._vpc.id
        self.app_vswitch_ids = pulumi.Output.all(*(switch.id for switch in switches[Tier.APP]))
        self.egress_ips = self._egress(switches[Tier.EDGE][0], switches[Tier.APP])
        self.security_group_ids = pulumi.Output.all(**{tier.value: group.id for tier, group in groups.items()})
        self.private_zone = settings.network.private_zone.name if settings.network.private_zone else None
        if settings.network.private_zone:
            PrivateZone(f"{name}-zone", settings, settings.network.private_zone, self.vpc_id, self._child())
        if settings.network.ipv6:
            Ipv6(f"{name}-ipv6", settings, settings.network.ipv6, self.vpc_id, self._child())
        self.tunnels = None
        if wanted := settings.network.link:
            link = Link(f"{name}-link", settings, wanted, self.vpc_id, switches[Tier.APP], self._child())
            self.tunnels = link.tunnels
        if self.adopted:
            pulumi.log.info(f"adopted, not made: {', '.join(self.adopted)}; what is missing is made", self)
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "app_vswitch_ids": self.app_vswitch_ids,
                "egress_ips": self.egress_ips,
                "security_group_ids": self.security_group_ids,
                "adopted": list(self.adopted),
            }
        )

    def _named(self) -> Iterable[str]:
        """Return the ids of all that the config adopts."""
        if self._standing is None:
            return
        yield self._standing.vpc_id
        for tier in Tier:
            yield from self._adopted_switches(tier) or ()
        if self._standing.nat_gateway_id:
            yield self._standing.nat_gateway_id

    def _adopted_switches(self, tier: Tier) -> tuple[str, ...] | None:
        ids: tuple[str, ...] | None = getattr(self._standing.vswitch_ids, tier.value) if self._standing else None
        return ids

    def _network(self) -> ali.vpc.Network:
        if self._standing:
            return ali.vpc.Network.get(f"{self._prefix}-adopted-vpc", self._standing.vpc_id, opts=self._child())
        return ali.vpc.Network(
            f"{self._prefix}-vpc",
            vpc_name=self._label("vpc"),
            cidr_block=self._settings.network.cidr,
            tags=self._settings.all_tags,
            opts=self._kept(),
            **of_vpc(self._settings.network.ipv6),
        )

    def _switches(self) -> dict[Tier, list[ali.vpc.Switch]]:
        switches: dict[Tier, list[ali.vpc.Switch]] = {tier: [] for tier in Tier}
        for subnet in plan_subnets(self._range, self._settings.network.zones):
            part = f"{subnet.tier}-{subnet.zone}"
            standing = self._adopted_switches(subnet.tier)
            if standing:
                ident = standing[len(switches[subnet.tier])]
                found = ali.vpc.Switch.get(f"{self._prefix}-adopted-{part}", ident, opts=self._child())
                switches[subnet.tier].append(found)
                continue
            switch = ali.vpc.Switch(
                f"{self._prefix}-{part}",
                vpc_id=self._vpc.id,
                zone_id=subnet.zone,
                cidr_block=str(subnet.cidr),
                vswitch_name=self._label(part),
                tags=self._settings.all_tags,
                opts=self._kept(),
                **of_switch(self._settings.network.ipv6, subnet, self._range),
            )
            switches[subnet.tier].append(switch)
        return switches

    def _gateway(self, home: ali.vpc.Switch) -> ali.vpc.NatGateway:
        if self._standing and self._standing.nat_gateway_id:
            ident = self._standing.nat_gateway_id
            return ali.vpc.NatGateway.get(f"{self._prefix}-adopted-nat", ident, opts=self._child())
        return ali.vpc.NatGateway(
            f"{self._prefix}-nat",
            vpc_id=self._vpc.id,
            vswitch_id=home.id,
            nat_gateway_name=self._label("nat"),
            nat_type="Enhanced",
            network_type="internet",
            payment_type="PayAsYouGo",
            internet_charge_type="PayByLcu",
            eip_bind_mode="MULTI_BINDED",
            deletion_protection=self._settings.production,
            tags=self._settings.all_tags,
            opts=self._kept(),
        )

    def _egress(self, home: ali.vpc.Switch, leaving: Sequence[ali.vpc.Switch]) -> pulumi.Output[Sequence[str]]:
        gateway = self._gateway(home)
        addresses = [self._address(number) for number in range(1, self._settings.network.egress_ips + 1)]
        bindings = [
            ali.ecs.EipAssociation(
                f"{self._prefix}-egress-{number}",
                allocation_id=address.id,
                instance_id=gateway.id,
                instance_type="Nat",
                opts=pulumi.ResourceOptions.merge(
                    self._kept(ignore_changes=SEEN_BY_THE_PROVIDER),
                    # An address is bound to one gateway at a time: the new binding waits for the old one to go.
                    pulumi.ResourceOptions(delete_before_replace=True),
                ),
            )
            for number, address in enumerate(addresses, 1)
        ]
        ips: pulumi.Output[Sequence[str]] = pulumi.Output.all(*(address.ip_address for address in addresses))
        for zone, switch in zip(self._settings.network.zones, leaving, strict=True):
            ali.vpc.SnatEntry(
                f"{self._prefix}-snat-{zone}",
                snat_table_id=gateway.snat_table_ids,
                source_vswitch_id=switch.id,
                snat_ip=ips.apply(",".join),
                snat_entry_name=self._label(f"snat-{zone}"),
                opts=self._kept(depends_on=bindings),  # the gateway takes only addresses bound to it
            )
        return ips

    def _address(self, number: int) -> ali.ecs.EipAddress:
        return ali.ecs.EipAddress(
            f"{self._prefix}-egress-{number}",
            address_name=self._label(f"egress-{number}"),
            bandwidth=str(self._settings.network.egress_bandwidth_mbps),
            internet_charge_type="PayByTraffic",
            payment_type="PayAsYouGo",
            isp="BGP",
            deletion_protection=self._settings.production,
            tags=self._settings.all_tags,
            opts=self._kept(),
        )

    def _security_groups(self) -> dict[Tier, ali.ecs.SecurityGroup]:
        groups = {
            tier: ali.ecs.SecurityGroup(
                f"{self._prefix}-{tier}",
                vpc_id=self._vpc.id,
                security_group_name=self._settings.labels.security_group(AREA, tier.value),
                security_group_type="normal",
                inner_access_policy="Drop",
                tags=self._settings.all_tags,
                opts=self._child(),
            )
            for tier in Tier
        }
        for source in self._settings.network.edge_sources:
            self._ingress(f"edge-{source.replace('/', '-')}", groups[Tier.EDGE], HTTPS, {"cidr_ip": source})
        from_edge = {"source_security_group_id": groups[Tier.EDGE].id}
        self._ingress("app-https", groups[Tier.APP], HTTPS, from_edge)
        from_app = {"source_security_group_id": groups[Tier.APP].id}
        for port in self._settings.network.data_ports:
            self._ingress(f"data-{port}", groups[Tier.DATA], f"{port}/{port}", from_app)
        return groups

    def _ingress(
        self, part: str, group: ali.ecs.SecurityGroup, ports: str, source: dict[str, pulumi.Input[str]]
    ) -> None:
        ali.ecs.SecurityGroupRule(
            f"{self._prefix}-{part}",
            security_group_id=group.id,
            type="ingress",
            ip_protocol="tcp",
            port_range=ports,
            nic_type="intranet",
            policy="accept",
            priority=1,
            opts=self._child(),
            **source,
        )

    def _data_acl(self, switches: dict[Tier, list[ali.vpc.Switch]]) -> None:
        app, (data,) = self._ranges(Tier.APP, switches), self._ranges(Tier.DATA, switches)
        ports = [f"{port}/{port}" for port in self._settings.network.data_ports]
        within: Rule = ("accept", "all", data, EVERY_PORT)
        nothing_else: Rule = ("drop", "all", ANYWHERE, EVERY_PORT)
        asked: list[Rule] = [("accept", "tcp", block, port) for block in app for port in ports]
        answered: list[Rule] = [("accept", "tcp", block, ANSWERS) for block in app]
        acl = ali.vpc.NetworkAcl(
            f"{self._prefix}-data",
            vpc_id=self._vpc.id,
            network_acl_name=self._label("data"),
            ingress_acl_entries=_entries("ingress", [*asked, within, nothing_else]),
            egress_acl_entries=_entries("egress", [*answered, within, nothing_else]),
            tags=self._settings.all_tags,
            opts=self._child(),
        )
        for zone, switch in zip(self._settings.network.zones, switches[Tier.DATA], strict=True):
            ali.vpc.VpcNetworkAclAttachment(
                f"{self._prefix}-data-{zone}",
                network_acl_id=acl.id,
                resource_id=switch.id,
                resource_type="VSwitch",
                opts=self._child(),
            )

    def _ranges(self, tier: Tier, switches: dict[Tier, list[ali.vpc.Switch]]) -> list[pulumi.Input[str]]:
        """Return what rules about a tier are written against: its quarter, or where it is adopted its switches."""
        if self._adopted_switches(tier):
            return [switch.cidr_block for switch in switches[tier]]
        return [str(tier_range(self._range, tier))]

    def _label(self, part: str) -> str:
        return self._settings.labels.vpc(AREA, part)

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _kept(
        self, *, depends_on: Sequence[pulumi.Resource] = (), ignore_changes: Sequence[str] = ()
    ) -> pulumi.ResourceOptions:
        """Return the options of what orgs and machines rely on: the addresses and the way out by them."""
        return pulumi.ResourceOptions(
            parent=self,
            protect=self._settings.production,
            depends_on=list(depends_on),
            ignore_changes=list(ignore_changes),
        )


def _entries(direction: str, rules: Sequence[Rule]) -> list[Any]:
    """Return the entries of a network ACL for one direction, in the order of the rules."""
    entry, address = _ENTRIES[direction]
    return [
        entry(
            network_acl_entry_name=f"{direction}-{position}",
            policy=policy,
            protocol=protocol,
            port=port,
            entry_type="custom",
            ip_version="IPV4",
            **{address: cidr},
        )
        for position, (policy, protocol, cidr, port) in enumerate(rules, 1)
    ]
