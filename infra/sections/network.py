"""The section `sfoa:network`."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from infra.rules import EgressBandwidth, EgressIps, Port, SourceRange, VpcCidr, Zones
from infra.sections.base import Section
from infra.sections.link import Link

Three = Annotated[tuple[str, ...], Field(min_length=3, max_length=3)]
VpcId = Annotated[str, StringConstraints(pattern=r"^vpc-[a-z0-9]+$")]
NatGatewayId = Annotated[str, StringConstraints(pattern=r"^ngw-[a-z0-9]+$")]
Ipv6AddressId = Annotated[str, StringConstraints(pattern=r"^ipv6-[a-z0-9]+$")]
ZoneName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")
]
RecordHost = Annotated[str, StringConstraints(pattern=r"^(@|\*|(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)$")]
LogName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$")]


class AdoptedSwitches(Section):
    """`vswitch_ids`: for each tier, its switches in the order of `zones`; a tier that isn't named is made."""

    app: Three | None = Field(None, description="Switches of the app tier")
    data: Three | None = Field(None, description="Switches of the data tier; their network ACL stays yours")
    edge: Three | None = Field(None, description="Switches of the edge tier")


class Adopt(Section):
    """`adopt`: what stands already. It is used as it is, and `pulumi destroy` leaves it."""

    vpc_id: VpcId = Field(description="VPC to stand in; `cidr` is then the free part of it that switches are made in")
    vswitch_ids: AdoptedSwitches = Field(
        default_factory=lambda: AdoptedSwitches(app=None, data=None, edge=None), description="Switches to use, by tier"
    )
    nat_gateway_id: NatGatewayId | None = Field(
        None, description="Internet NAT gateway to leave by; the pool's addresses are bound to it"
    )


class FlowLogs(Section):
    """`flow_logs`: who talked to whom, kept in a log store."""

    project: LogName | None = Field(None, description="SLS project that stands already; that of the audit when absent")
    store: LogName = Field("network", description="Log store of the project")


class Record(Section):
    """A name of the private zone."""

    host: RecordHost = Field(description="Name below the zone; @ is the zone itself")
    type: Literal["A", "AAAA", "CNAME", "TXT"] = Field("A", description="Type of the record")
    value: Annotated[str, Field(min_length=1)] = Field(description="Address, name or text")
    ttl: int = Field(60, ge=5, le=86400, description="Seconds for which an answer may be kept")


class Ipv6Settings(Section):
    """`ipv6`: IPv6 of the app and the edge tier. Nothing gets in by it, and only what `egress` names gets out."""

    egress: tuple[Ipv6AddressId, ...] = Field(
        (), description="IPv6 addresses in the VPC that may call out; nobody can call them"
    )
    egress_bandwidth_mbps: int = Field(20, ge=1, le=5000, description="Peak bandwidth of each of them, in Mbit/s")


class PrivateZoneSettings(Section):
    """`private_zone`: names that are known in the VPC alone."""

    name: ZoneName = Field(description="Name of the zone, such as acme.internal")
    records: tuple[Record, ...] = Field((), description="Names in it")


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
    adopt: Adopt | None = Field(None, description="A VPC that stands already; only what is missing in it is made")
    ipv6: Ipv6Settings | None = Field(
        None, description="IPv6 besides; none unless set. The VPC and its switches keep it once they have it"
    )
    flow_logs: FlowLogs | None = Field(None, description="Flow logs of the VPC; none unless set")
    private_zone: PrivateZoneSettings | None = Field(None, description="Private DNS zone; none unless set")
    link: Link | None = Field(None, description="Ways to headquarters and on-premises; none unless set")

    @field_validator("ipv6", mode="after")
    @classmethod
    def _of_a_vpc_that_is_made(cls, ipv6: Ipv6Settings | None, info: ValidationInfo) -> Ipv6Settings | None:
        if ipv6 and info.data.get("adopt"):
            raise PydanticCustomError(
                "setting",
                "{what}",
                {
                    "what": "IPv6 in a VPC that is adopted",
                    "rule": "what is adopted is never changed, and its IPv6 blocks are its owner's to share out",
                    "fix": "remove sfoa:network.ipv6, and let the owner of the VPC see to IPv6",
                },
            )
        return ipv6

    @field_validator("link", mode="after")
    @classmethod
    def _to_ranges_of_the_others(cls, link: Link | None, info: ValidationInfo) -> Link | None:
        own = info.data.get("cidr")
        mixed = [
            each for each in (link.ipsec.remote_ranges if link and link.ipsec else ()) if own and overlap(each, own)
        ]
        if mixed:
            raise PydanticCustomError(
                "setting",
                "{what}",
                {
                    "what": f"ipsec.remote_ranges: {', '.join(mixed)} overlaps {own}",
                    "rule": "two sides of a tunnel share no address",
                    "fix": "name the ranges of the other side, and choose sfoa:network.cidr apart from them",
                },
            )
        return link


def overlap(one: str, other: str) -> bool:
    """Return whether two IPv4 ranges share an address."""
    return IPv4Network(one).overlaps(IPv4Network(other))
