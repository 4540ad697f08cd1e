"""The kinds of resources, in one place: a delete in one product looks for dependents in another."""

from __future__ import annotations

from emulators.alicloud.resources import Kind

VPC = Kind("vpc", "vpc-uf6", "InvalidVpcId.NotFound")
VSWITCH = Kind("vswitch", "vsw-uf6", "InvalidVswitchID.NotFound")
ROUTE_TABLE = Kind("route_table", "vtb-uf6", "InvalidRouteTableId.NotFound")
ROUTE_ENTRY = Kind("route_entry", "rte-uf6", "InvalidRouteEntry.NotFound")
NAT_GATEWAY = Kind("nat_gateway", "ngw-uf6", "InvalidNatGatewayId.NotFound")
SNAT_ENTRY = Kind("snat_entry", "snat-uf6", "InvalidSnatEntryId.NotFound")
FORWARD_ENTRY = Kind("forward_entry", "fwd-uf6", "InvalidForwardEntryId.NotFound")
EIP = Kind("eip", "eip-uf6", "InvalidAllocationId.NotFound")
NETWORK_ACL = Kind("network_acl", "nacl-uf6", "InvalidNetworkAcl.NotFound")
SECURITY_GROUP = Kind("security_group", "sg-uf6", "InvalidSecurityGroupId.NotFound")
KEY = Kind("kms_key", "key-shh", "Forbidden.KeyNotFound")
SECRET = Kind("kms_secret", "", "Forbidden.ResourceNotFound")
ROLE = Kind("ram_role", "", "EntityNotExist.Role", regional=False)
USER = Kind("ram_user", "", "EntityNotExist.User", regional=False)
GROUP = Kind("ram_group", "", "EntityNotExist.Group", regional=False)
POLICY = Kind("ram_policy", "", "EntityNotExist.Policy", regional=False)

TAGGED = {
    ("Vpc", "VPC"): VPC,
    ("Vpc", "VSWITCH"): VSWITCH,
    ("Vpc", "ROUTETABLE"): ROUTE_TABLE,
    ("Vpc", "EIP"): EIP,
    ("Vpc", "NATGATEWAY"): NAT_GATEWAY,
    ("Vpc", "NETWORKACL"): NETWORK_ACL,
    ("Ecs", "SECURITYGROUP"): SECURITY_GROUP,
    ("Kms", "KEY"): KEY,
    ("Kms", "SECRET"): SECRET,
    ("Ram", "ROLE"): ROLE,
    ("Ram", "USER"): USER,
    ("Ram", "POLICY"): POLICY,
}
"""Kinds that take tags, by product and resource type (upper case)."""
