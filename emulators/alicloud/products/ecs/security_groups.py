"""Security groups."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import SECURITY_GROUP, VPC
from emulators.alicloud.products.vpc.networks import settled
from emulators.alicloud.resources import change, listed, page, shown, tag_list, tagged
from emulators.alicloud.tables import limit
from emulators.store import Document

_ecs = product("Ecs")

_GROUP_FIELDS = ("SourceGroupId", "DestGroupId")


@_ecs("CreateSecurityGroup")
def create_security_group(call: Call) -> Answer:
    vpc = VPC.named(call, "VpcId")
    settled(call, vpc)
    kind = call.choice("SecurityGroupType", "normal", "enterprise", default="normal")
    if len(SECURITY_GROUP.all(call)) >= limit("security_groups_per_region"):
        raise ApiError("QuotaExceed.SecurityGroup", most=limit("security_groups_per_region"))
    group = SECURITY_GROUP.create(
        call,
        call.tags(),
        VpcId=vpc["id"],
        SecurityGroupName=call.get("SecurityGroupName"),
        Description=call.get("Description"),
        SecurityGroupType=kind,
        InnerAccessPolicy="Accept" if kind == "normal" else "Drop",
        ResourceGroupId=call.get("ResourceGroupId"),
        rules=[],
    )
    return {"SecurityGroupId": group["id"]}


@_ecs("DescribeSecurityGroups")
def describe_security_groups(call: Call) -> Answer:
    found = tagged(call, SECURITY_GROUP.all(call))
    for parameter, field in (
        ("SecurityGroupId", "id"),
        ("SecurityGroupIds", "id"),
        ("VpcId", "VpcId"),
        ("SecurityGroupName", "SecurityGroupName"),
        ("SecurityGroupType", "SecurityGroupType"),
    ):
        found = listed(call, parameter, found, field)
    rows, counts = page(call, [_row(group) for group in found], most=100)
    return {"SecurityGroups": {"SecurityGroup": rows}, "RegionId": call.region, **counts}


@_ecs("DescribeSecurityGroupAttribute")
def describe_security_group_attribute(call: Call) -> Answer:
    group = SECURITY_GROUP.named(call, "SecurityGroupId")
    direction = call.choice("Direction", "ingress", "egress", "all", default="all")
    nic = call.get("NicType", "intranet")
    rules = [rule for rule in group["rules"] if direction in ("all", rule["Direction"]) and rule["NicType"] == nic]
    return {
        "SecurityGroupId": group["id"],
        "SecurityGroupName": group["SecurityGroupName"],
        "Description": group["Description"],
        "VpcId": group["VpcId"],
        "InnerAccessPolicy": group["InnerAccessPolicy"],
        "RegionId": group["region"],
        "Permissions": {"Permission": rules},
    }


@_ecs("ModifySecurityGroupAttribute")
def modify_security_group_attribute(call: Call) -> Answer:
    group = SECURITY_GROUP.named(call, "SecurityGroupId")
    change(call, group, SecurityGroupName="SecurityGroupName", Description="Description")
    SECURITY_GROUP.save(call, group)
    return {}


@_ecs("ModifySecurityGroupPolicy")
def modify_security_group_policy(call: Call) -> Answer:
    group = SECURITY_GROUP.named(call, "SecurityGroupId")
    policy = call.choice("InnerAccessPolicy", "Accept", "Drop")
    if group["SecurityGroupType"] == "enterprise":
        raise ApiError("InvalidSecurityGroupType.NotSupported", id=group["id"])
    SECURITY_GROUP.save(call, group | {"InnerAccessPolicy": policy})
    return {}


@_ecs("DeleteSecurityGroup")
def delete_security_group(call: Call) -> Answer:
    group = SECURITY_GROUP.named(call, "SecurityGroupId")
    users = [
        other["id"]
        for other in SECURITY_GROUP.all(call)
        if other["id"] != group["id"]
        and any(rule[field] == group["id"] for rule in other["rules"] for field in _GROUP_FIELDS)
    ]
    if users:
        raise ApiError("DependencyViolation", ids=", ".join(users))
    SECURITY_GROUP.delete(call, group)
    return {}


def _row(group: Document) -> Answer:
    return shown(group) | {
        "SecurityGroupId": group["id"],
        "CreationTime": iso(group["created"]),
        "ServiceManaged": False,
        "EcsCount": 0,
        "AvailableInstanceAmount": 6000,
        "Tags": {"Tag": [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tag_list(group)["Tag"]]},
    }
