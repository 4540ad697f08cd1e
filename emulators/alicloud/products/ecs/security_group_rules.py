"""Rules of security groups, inbound and outbound."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import SECURITY_GROUP
from emulators.alicloud.resources import identifier
from emulators.alicloud.tables import limit
from emulators.store import Document

_ecs = product("Ecs")

_PROTOCOLS = ("TCP", "UDP", "ICMP", "ICMPv6", "GRE", "ALL")
_ALL_PORTS = "-1/-1"
_PEERS = ("CidrIp", "GroupId", "PrefixListId")
# What makes two rules one: everything but the description.
_IDENTITY = (
    "Direction",
    "IpProtocol",
    "PortRange",
    "SourcePortRange",
    "NicType",
    "Policy",
    "Priority",
    "SourceCidrIp",
    "Ipv6SourceCidrIp",
    "SourceGroupId",
    "SourcePrefixListId",
    "DestCidrIp",
    "Ipv6DestCidrIp",
    "DestGroupId",
    "DestPrefixListId",
)


@_ecs("AuthorizeSecurityGroup")
def authorize_security_group(call: Call) -> Answer:
    return _authorize(call, "ingress")


@_ecs("AuthorizeSecurityGroupEgress")
def authorize_security_group_egress(call: Call) -> Answer:
    return _authorize(call, "egress")


@_ecs("RevokeSecurityGroup")
def revoke_security_group(call: Call) -> Answer:
    return _revoke(call, "ingress")


@_ecs("RevokeSecurityGroupEgress")
def revoke_security_group_egress(call: Call) -> Answer:
    return _revoke(call, "egress")


@_ecs("ModifySecurityGroupRule")
def modify_security_group_rule(call: Call) -> Answer:
    return _modify(call, "ingress")


@_ecs("ModifySecurityGroupEgressRule")
def modify_security_group_egress_rule(call: Call) -> Answer:
    return _modify(call, "egress")


def _authorize(call: Call, direction: str) -> Answer:
    group = SECURITY_GROUP.named(call, "SecurityGroupId")
    known = {_identity(rule) for rule in group["rules"]}
    for rule in _rules(call, direction):
        # A rule that is there already is no error and no second rule.
        if _identity(rule) not in known:
            known.add(_identity(rule))
            number = call.store.next("alicloud.security_group_rule")
            made = {"SecurityGroupRuleId": f"sgr-uf6{identifier(f'rule {number}')}", "CreateTime": call.stamp}
            group["rules"].append(rule | made)
    if len(group["rules"]) > limit("rules_per_security_group"):
        raise ApiError("AuthorizationLimitExceed", most=limit("rules_per_security_group"))
    SECURITY_GROUP.save(call, group)
    return {}


def _revoke(call: Call, direction: str) -> Answer:
    group = SECURITY_GROUP.named(call, "SecurityGroupId")
    idents = call.strings("SecurityGroupRuleId")
    gone = set() if idents else {_identity(rule) for rule in _rules(call, direction)}
    group["rules"] = [
        rule for rule in group["rules"] if rule["SecurityGroupRuleId"] not in idents and _identity(rule) not in gone
    ]
    SECURITY_GROUP.save(call, group)
    return {}


def _modify(call: Call, direction: str) -> Answer:
    group = SECURITY_GROUP.named(call, "SecurityGroupId")
    ident = call.get("SecurityGroupRuleId")
    if ident:
        found = [rule for rule in group["rules"] if rule["SecurityGroupRuleId"] == ident]
        changed = {**found[0], **call.parameters} if found else {}
    else:
        changed = _rules(call, direction)[0]
        found = [rule for rule in group["rules"] if _identity(rule) == _identity(changed)]
    if not found:
        raise ApiError("InvalidSecurityGroupRule.RuleNotExist", id=ident or "(by its fields)")
    found[0] |= _rule(call, direction, changed)
    SECURITY_GROUP.save(call, group)
    return {}


def _rules(call: Call, direction: str) -> list[Document]:
    """Return the rules of a call: a list `Permissions`, or one rule in the call's own parameters."""
    records = call.records("Permissions") or [dict(call.parameters)]
    return [_rule(call, direction, record) for record in records]


def _rule(call: Call, direction: str, record: Document) -> Document:
    """Return a rule of a record. Raises `ApiError` for what the service refuses."""
    protocol = next((p for p in _PROTOCOLS if p.lower() == record.get("IpProtocol", "").lower()), None)
    if protocol is None:
        raise ApiError("InvalidIpProtocol.ValueNotSupported", rule=", ".join(_PROTOCOLS))
    ports = record.get("PortRange", "")
    if not _good_ports(protocol, ports):
        raise ApiError("InvalidParam.PortRange", value=ports)
    policy = str(record.get("Policy") or "accept").capitalize()
    if policy not in ("Accept", "Drop"):
        raise ApiError("InvalidPolicy.Malformed", value=policy)
    priority = str(record.get("Priority") or "1")
    if not priority.isdecimal() or not 1 <= int(priority) <= 100:
        raise ApiError("InvalidPriority.ValueNotSupported", value=priority)
    return {
        "Direction": direction,
        "IpProtocol": protocol,
        "PortRange": ports,
        "SourcePortRange": record.get("SourcePortRange", ""),
        "NicType": record.get("NicType") or "intranet",
        "Policy": policy,
        "Priority": priority,
        "Description": record.get("Description", ""),
        **_ends(call, direction, record),
    }


def _ends(call: Call, direction: str, record: Document) -> Document:
    """Return both ends of a rule; the far one (the source of inbound traffic) must be given."""
    ends = {}
    for end in ("Source", "Dest"):
        for name in (f"{end}CidrIp", f"Ipv6{end}CidrIp", f"{end}GroupId", f"{end}PrefixListId"):
            ends[name] = record.get(name, "")
        ends[f"{end}GroupOwnerAccount"] = record.get(f"{end}GroupOwnerAccount", "")
        ends[f"{end}CidrIp"] = _block(IPv4Network, ends[f"{end}CidrIp"])
        ends[f"Ipv6{end}CidrIp"] = _block(IPv6Network, ends[f"Ipv6{end}CidrIp"])
        if ident := ends[f"{end}GroupId"]:
            SECURITY_GROUP.get(call, ident)
    far = "Source" if direction == "ingress" else "Dest"
    if not any(ends[name] for name in (*(f"{far}{peer}" for peer in _PEERS), f"Ipv6{far}CidrIp")):
        raise ApiError("MissingParameter", name=f"{far}CidrIp")
    return ends


def _block(kind: type[IPv4Network] | type[IPv6Network], text: str) -> str:
    if not text:
        return ""
    try:
        block = kind(text)
    except ValueError:
        raise ApiError("InvalidParam.SourceIp", value=text) from None
    # A single address is shown without its mask, as it was sent.
    return str(block) if "/" in text else str(block.network_address)


def _good_ports(protocol: str, ports: str) -> bool:
    first, _, last = ports.partition("/")
    if protocol not in ("TCP", "UDP"):
        return ports == _ALL_PORTS
    return first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 65535


def _identity(rule: Document) -> tuple[str, ...]:
    return tuple(rule[name] for name in _IDENTITY)
