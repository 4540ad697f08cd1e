"""Network ACLs: stateless rules at the edge of vSwitches."""

from __future__ import annotations

from ipaddress import IPv4Network

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import NETWORK_ACL, VPC, VSWITCH
from emulators.alicloud.products.vpc.networks import settled
from emulators.alicloud.resources import change, identifier, listed, page, pending, shown, status, tag_list, tagged
from emulators.alicloud.tables import delay, limit
from emulators.store import Document

_vpc = product("Vpc")

_PROTOCOLS = ("icmp", "gre", "tcp", "udp", "all")


@_vpc("CreateNetworkAcl")
def create_network_acl(call: Call) -> Answer:
    vpc = VPC.named(call, "VpcId")
    settled(call, vpc)
    acl = NETWORK_ACL.create(
        call,
        call.tags(),
        VpcId=vpc["id"],
        NetworkAclName=call.get("NetworkAclName"),
        Description=call.get("Description"),
        ingress=[],
        egress=[],
        bindings={},
    )
    return {"NetworkAclId": acl["id"], "NetworkAclAttribute": _view(call, acl)}


@_vpc("DescribeNetworkAclAttributes")
def describe_network_acl_attributes(call: Call) -> Answer:
    return {"NetworkAclAttribute": _view(call, NETWORK_ACL.named(call, "NetworkAclId"))}


@_vpc("DescribeNetworkAcls")
def describe_network_acls(call: Call) -> Answer:
    found = tagged(call, NETWORK_ACL.all(call))
    for parameter, field in (("NetworkAclId", "id"), ("VpcId", "VpcId"), ("NetworkAclName", "NetworkAclName")):
        found = listed(call, parameter, found, field)
    if ident := call.get("ResourceId"):
        found = [acl for acl in found if ident in acl["bindings"]]
    rows, counts = page(call, [_view(call, acl) for acl in found])
    counts["TotalCount"] = str(counts["TotalCount"])  # a string here, and only here
    return {"NetworkAcls": {"NetworkAcl": rows}, **counts}


@_vpc("ModifyNetworkAclAttributes")
def modify_network_acl_attributes(call: Call) -> Answer:
    acl = _usable(call)
    change(call, acl, NetworkAclName="NetworkAclName", Description="Description")
    NETWORK_ACL.save(call, acl)
    return {}


@_vpc("UpdateNetworkAclEntries")
def update_network_acl_entries(call: Call) -> Answer:
    acl = _usable(call)
    if call.flag("UpdateIngressAclEntries"):
        acl["ingress"] = _entries(call, "IngressAclEntries", "SourceCidrIp")
    if call.flag("UpdateEgressAclEntries"):
        acl["egress"] = _entries(call, "EgressAclEntries", "DestinationCidrIp")
    NETWORK_ACL.save(call, acl | {"ready": call.now + delay("network_acl")})
    return {}


@_vpc("CopyNetworkAclEntries")
def copy_network_acl_entries(call: Call) -> Answer:
    acl, source = _usable(call), NETWORK_ACL.named(call, "SourceNetworkAclId")
    NETWORK_ACL.save(call, acl | {"ingress": source["ingress"], "egress": source["egress"]})
    return {}


@_vpc("AssociateNetworkAcl")
def associate_network_acl(call: Call) -> Answer:
    acl, vswitches = _usable(call), _vswitches(call)
    for vswitch in vswitches:
        if vswitch["VpcId"] != acl["VpcId"]:
            raise ApiError("InvalidVSwitch.NotInVpc", vswitch=vswitch["id"], vpc=acl["VpcId"])
        if vswitch["network_acl"] not in ("", acl["id"]):
            raise ApiError("ResourceStatus.Error", id=vswitch["id"])
    for vswitch in vswitches:
        acl["bindings"].setdefault(vswitch["id"], call.now + delay("network_acl"))
        VSWITCH.save(call, vswitch | {"network_acl": acl["id"]})
    NETWORK_ACL.save(call, acl)
    return {}


@_vpc("UnassociateNetworkAcl")
def unassociate_network_acl(call: Call) -> Answer:
    acl, vswitches = _usable(call), _vswitches(call)
    if any(vswitch["network_acl"] != acl["id"] for vswitch in vswitches):
        raise ApiError("InvalidResource.NotBinding")
    for vswitch in vswitches:
        del acl["bindings"][vswitch["id"]]
        VSWITCH.save(call, vswitch | {"network_acl": ""})
    NETWORK_ACL.save(call, acl)
    return {}


@_vpc("DeleteNetworkAcl")
def delete_network_acl(call: Call) -> Answer:
    acl = _usable(call)
    if acl["bindings"]:
        raise ApiError("NetworkAclExistBinding", ids=", ".join(acl["bindings"]))
    NETWORK_ACL.delete(call, acl)
    return {}


def _usable(call: Call) -> Document:
    acl = NETWORK_ACL.named(call, "NetworkAclId")
    if pending(call, acl):
        raise ApiError("IncorrectStatus")
    return acl


def _vswitches(call: Call) -> list[Document]:
    resources = call.records("Resource")
    if not resources:
        raise ApiError("MissingParameter", name="Resource")
    if any(resource.get("ResourceType") != "VSwitch" for resource in resources):
        raise ApiError("InvalidParameter", name="Resource.N.ResourceType", rule="VSwitch")
    return [VSWITCH.get(call, resource.get("ResourceId", "")) for resource in resources]


def _entries(call: Call, parameter: str, peer: str) -> list[Answer]:
    records = call.records(parameter)
    if len(records) > limit("network_acl_entries_per_direction"):
        raise ApiError("QuotaExceeded.NetworkAclEntry", most=limit("network_acl_entries_per_direction"))
    entries: list[Answer] = []
    for record in records:
        protocol, policy = record.get("Protocol", "").lower(), record.get("Policy", "").lower()
        if protocol not in _PROTOCOLS or policy not in ("accept", "drop"):
            rule = f"Protocol one of {', '.join(_PROTOCOLS)}; Policy accept or drop"
            raise ApiError("InvalidParameter", name=parameter, rule=rule)
        try:
            block = str(IPv4Network(record.get(peer, "")))
        except ValueError:
            raise ApiError("InvalidCidrBlock.Malformed", value=record.get(peer, "")) from None
        name = record.get("NetworkAclEntryName", "")
        entries.append(
            {
                "NetworkAclEntryId": f"nae-uf6{identifier(f'{parameter} {len(entries)} {name} {block}')}",
                "NetworkAclEntryName": name,
                "Description": record.get("Description", ""),
                "EntryType": record.get("EntryType") or "custom",
                "IpVersion": record.get("IpVersion") or "IPV4",
                "Policy": policy,
                "Port": record.get("Port", "-1/-1"),
                "Protocol": protocol,
                peer: block,
            }
        )
    return entries


def _view(call: Call, acl: Document) -> Answer:
    bindings = [
        {
            "ResourceId": ident,
            "ResourceType": "VSwitch",
            "Status": "BINDED" if ready <= call.now else "BINDING",
        }
        for ident, ready in acl["bindings"].items()
    ]
    return shown(acl) | {
        "NetworkAclId": acl["id"],
        "RegionId": acl["region"],
        "OwnerId": int(ACCOUNT_ID),
        "Status": status(call, acl, "Modifying"),
        "CreationTime": iso(acl["created"]),
        "IngressAclEntries": {"IngressAclEntry": acl["ingress"]},
        "EgressAclEntries": {"EgressAclEntry": acl["egress"]},
        "Resources": {"Resource": bindings},
        "Tags": tag_list(acl),
    }
