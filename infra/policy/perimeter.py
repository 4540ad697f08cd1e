"""The perimeter: what the network lets in."""

from __future__ import annotations

from collections.abc import Mapping

from infra.policy.model import Resource, Rules, Severity, Stack

RULES = Rules("NET")
MLPS = "GB/T 22239-2019 (MLPS 2.0), 8.1.3.2 access control at the boundary; from knowledge"
ANYWHERE = ("0.0.0.0/0", "::/0")
MOST_PORTS = 1024


@RULES.add(
    "ecs.SecurityGroupRule",
    title=("A security group lets the whole internet in", "安全组对整个互联网开放"),
    fix=("name the source range, group or prefix list", "请指明来源网段、安全组或前缀列表"),
    source=MLPS,
)
def groups_name_their_sources(resource: Resource, _: Stack) -> str | None:
    if not _lets_in(resource):
        return None
    return resource.when("cidrIp", *ANYWHERE) or resource.when("ipv6CidrIp", *ANYWHERE)


@RULES.add(
    "ecs.SecurityGroupRule",
    title=("A security group opens nearly every port to a range", "安全组对网段开放了几乎所有端口"),
    fix=("open the ports that are needed", "请只开放所需端口"),
    source=MLPS,
)
def groups_name_their_ports(resource: Resource, _: Stack) -> str | None:
    by_range = isinstance(resource.get("cidrIp", resource.get("ipv6CidrIp")), str)
    return f"portRange: {resource.get('portRange')}" if _lets_in(resource) and by_range and _wide(resource) else None


@RULES.add(
    "ecs.SecurityGroup",
    title=("Members of a security group reach each other freely", "安全组内成员可任意互访"),
    fix=("set innerAccessPolicy: Drop", "请设置 innerAccessPolicy: Drop"),
    source=MLPS,
    severity=Severity.ADVISORY,
)
def members_are_apart(resource: Resource, _: Stack) -> str | None:
    return resource.unless("innerAccessPolicy", "Drop")


@RULES.add(
    "vpc.NetworkAcl",
    title=("A network ACL lets everything in", "网络 ACL 允许所有入站流量"),
    fix=("accept named ranges and ports, then drop the rest", "请只允许指定网段和端口，其余拒绝"),
    source=MLPS,
)
def acls_name_their_sources(resource: Resource, _: Stack) -> str | None:
    entries = resource.get("ingressAclEntries")
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, Mapping) or entry.get("policy") != "accept":
            continue
        if entry.get("sourceCidrIp") in ANYWHERE and entry.get("port") in (None, "-1/-1", "1/65535"):
            return f"ingressAclEntries[{position}]: accept {entry['sourceCidrIp']}"
    return None


@RULES.add(
    "ecs.Instance",
    title=("A machine gets a public address of its own", "云服务器分配了独立公网地址"),
    fix=(
        "set internetMaxBandwidthOut: 0; it leaves by the NAT gateway, whose addresses the orgs trust",
        "请设置 internetMaxBandwidthOut: 0，经由组织信任的 NAT 网关出网",
    ),
    source=MLPS,
)
def machines_leave_by_the_gateway(resource: Resource, _: Stack) -> str | None:
    bandwidth = resource.get("internetMaxBandwidthOut", 0)
    return f"internetMaxBandwidthOut: {bandwidth}" if isinstance(bandwidth, int | float) and bandwidth > 0 else None


def _lets_in(rule: Resource) -> bool:
    return (rule.get("type"), rule.get("policy", "accept")) == ("ingress", "accept")


def _wide(rule: Resource) -> bool:
    """Whether a port range ("1/65535", "-1/-1" for all) has more ports than any one service needs."""
    first, _, last = str(rule.get("portRange", "")).partition("/")
    try:
        low, high = int(first), int(last)
    except ValueError:
        return False
    return rule.get("ipProtocol") != "icmp" and (low < 0 or high - low >= MOST_PORTS)
