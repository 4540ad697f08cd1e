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
IPV6_GATEWAY = Kind("ipv6_gateway", "ipv6gw-uf6", "InvalidIpv6GatewayId.NotFound")
IPV6_ADDRESS = Kind("ipv6_address", "ipv6-uf6", "InvalidIpv6AddressId.NotFound")
IPV6_RULE = Kind("ipv6_egress_rule", "ipv6py-uf6", "InvalidIpv6EgressOnlyRuleId.NotFound")
FLOW_LOG = Kind("flow_log", "fl-uf6", "InvalidFlowLogId.NotFound")
CUSTOMER_GATEWAY = Kind("customer_gateway", "cgw-uf6", "InvalidCustomerGatewayInstanceId.NotFound")
VPN_CONNECTION = Kind("vpn_connection", "vco-uf6", "InvalidVpnConnectionInstanceId.NotFound")
PRIVATE_ZONE = Kind("private_zone", "", "Zone.NotExists", regional=False)
PRIVATE_RECORD = Kind("private_record", "", "Record.NotExists", regional=False)
CEN = Kind("cen", "cen-", "ParameterCenInstanceId", regional=False)
TRANSIT_ROUTER = Kind("transit_router", "tr-uf6", "ParameterInstanceId", regional=False)
TRANSIT_TABLE = Kind("transit_table", "vtb-tr", "ParameterInstanceId", regional=False)
TRANSIT_ASSOCIATION = Kind("transit_association", "", "ParameterInstanceId", regional=False)
TRANSIT_PROPAGATION = Kind("transit_propagation", "", "ParameterInstanceId", regional=False)
TRANSIT_ATTACHMENT = Kind("transit_attachment", "tr-attach-", "ParameterInstanceId", regional=False)
SECURITY_GROUP = Kind("security_group", "sg-uf6", "InvalidSecurityGroupId.NotFound")
KEY = Kind("kms_key", "key-shh", "Forbidden.KeyNotFound")
SECRET = Kind("kms_secret", "", "Forbidden.ResourceNotFound")
ROLE = Kind("ram_role", "", "EntityNotExist.Role", regional=False)
USER = Kind("ram_user", "", "EntityNotExist.User", regional=False)
GROUP = Kind("ram_group", "", "EntityNotExist.Group", regional=False)
SAML_PROVIDER = Kind("saml_provider", "", "EntityNotExist.SAMLProvider", regional=False)
OIDC_PROVIDER = Kind("oidc_provider", "", "EntityNotExist.OIDCProvider", regional=False)
EIAM_INSTANCE = Kind("eiam_instance", "idaas_", "EntityNotFound.Instance")
EIAM_APPLICATION = Kind("eiam_application", "app_", "EntityNotFound.Application")
EIAM_CERTIFICATE = "idaas.certificate"
"""Kind of the documents that hold an application's signing certificate, by its id: `der` (Base64)."""
EIAM_POLICY = Kind("eiam_policy", "cap_", "EntityNotFound.ConditionalAccessPolicy")
SSO_DIRECTORY = Kind("sso_directory", "d-", "EntityNotExists.Directory")
SSO_GROUP = Kind("sso_group", "g-", "EntityNotExists.Group")
SSO_ACCESS = Kind("sso_access", "ac-", "EntityNotExists.AccessConfiguration")
SSO_ASSIGNMENT = Kind("sso_assignment", "", "EntityNotExists.AccessAssignment")
SSO_PROVISIONING = Kind("sso_provisioning", "", "EntityNotExists.AccessConfigurationProvisioning")
SSO_TASK = Kind("sso_task", "t-", "EntityNotExists.Task")
POLICY = Kind("ram_policy", "", "EntityNotExist.Policy", regional=False)

TAGGED = {
    ("Vpc", "VPC"): VPC,
    ("Vpc", "VSWITCH"): VSWITCH,
    ("Vpc", "ROUTETABLE"): ROUTE_TABLE,
    ("Vpc", "EIP"): EIP,
    ("Vpc", "NATGATEWAY"): NAT_GATEWAY,
    ("Vpc", "NETWORKACL"): NETWORK_ACL,
    ("Vpc", "FLOWLOG"): FLOW_LOG,
    ("Vpc", "IPV6GATEWAY"): IPV6_GATEWAY,
    ("Vpc", "IPV6ADDRESS"): IPV6_ADDRESS,
    ("Vpc", "CUSTOMERGATEWAY"): CUSTOMER_GATEWAY,
    ("Vpc", "VPNATTACHMENT"): VPN_CONNECTION,
    ("Pvtz", "ZONE"): PRIVATE_ZONE,
    ("Cbn", "CEN"): CEN,
    ("Cbn", "TRANSITROUTER"): TRANSIT_ROUTER,
    ("Cbn", "TRANSITROUTERROUTETABLE"): TRANSIT_TABLE,
    ("Cbn", "TRANSITROUTERVPCATTACHMENT"): TRANSIT_ATTACHMENT,
    ("Cbn", "TRANSITROUTERVPNATTACHMENT"): TRANSIT_ATTACHMENT,
    ("Cbn", "TRANSITROUTERVBRATTACHMENT"): TRANSIT_ATTACHMENT,
    ("Cbn", "TRANSITROUTERPEERATTACHMENT"): TRANSIT_ATTACHMENT,
    ("Ecs", "SECURITYGROUP"): SECURITY_GROUP,
    ("Kms", "KEY"): KEY,
    ("Kms", "SECRET"): SECRET,
    ("Ram", "ROLE"): ROLE,
    ("Ram", "USER"): USER,
    ("Ram", "POLICY"): POLICY,
}
"""Kinds that take tags, by product and resource type (upper case)."""
