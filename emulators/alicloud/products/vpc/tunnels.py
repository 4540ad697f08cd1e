"""IPsec connections that are bound to no gateway, in dual-tunnel mode, and the devices at their other ends.

No packet is ever encrypted: the tunnels stand as ordered, never negotiated.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import CUSTOMER_GATEWAY, TRANSIT_ATTACHMENT, VPN_CONNECTION
from emulators.alicloud.resources import change, listed, page, shown, tag_list, tagged
from emulators.store import Document

_vpc = product("Vpc")
_MILLISECONDS = 1000
_BOTH = ("1", "2")
_IKE = ("IkeVersion", "IkeMode", "IkeEncAlg", "IkeAuthAlg", "IkePfs", "IkeLifetime", "LocalId", "RemoteId", "Psk")
_IPSEC = ("IpsecEncAlg", "IpsecAuthAlg", "IpsecPfs", "IpsecLifetime")
_BGP = ("LocalAsn", "LocalBgpIp", "TunnelCidr")


@_vpc("CreateCustomerGateway")
def create_customer_gateway(call: Call) -> Answer:
    address = call.need("IpAddress")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        raise ApiError("InvalidParameter", name="IpAddress", rule="an IPv4 address") from None
    asn: dict[str, Any] = {"Asn": call.number("Asn", 0, low=1, high=4294967295)} if call.has("Asn") else {}
    made = CUSTOMER_GATEWAY.create(
        call,
        call.tags(),
        IpAddress=address,
        Name=call.get("Name"),
        Description=call.get("Description"),
        CreateTime=int(call.now * _MILLISECONDS),
        **asn,
    )
    return {"CustomerGatewayId": made["id"], "IpAddress": address, "Name": made["Name"]}


@_vpc("DescribeCustomerGateway")
def describe_customer_gateway(call: Call) -> Answer:
    return _device(CUSTOMER_GATEWAY.named(call, "CustomerGatewayId"))


@_vpc("DescribeCustomerGateways")
def describe_customer_gateways(call: Call) -> Answer:
    found = listed(call, "CustomerGatewayId", tagged(call, CUSTOMER_GATEWAY.all(call)))
    rows, counts = page(call, [_device(made) for made in found])
    return {"CustomerGateways": {"CustomerGateway": rows}, **counts}


@_vpc("ModifyCustomerGatewayAttribute")
def modify_customer_gateway(call: Call) -> Answer:
    made = CUSTOMER_GATEWAY.named(call, "CustomerGatewayId")
    change(call, made, Name="Name", Description="Description")
    CUSTOMER_GATEWAY.save(call, made)
    return _device(made)


@_vpc("DeleteCustomerGateway")
def delete_customer_gateway(call: Call) -> Answer:
    made = CUSTOMER_GATEWAY.named(call, "CustomerGatewayId")
    used = [
        connection["id"]
        for connection in VPN_CONNECTION.all(call)
        if any(tunnel["CustomerGatewayId"] == made["id"] for tunnel in connection["tunnels"])
    ]
    if used:
        raise ApiError("DependencyViolation.VpnConnection", ids=", ".join(used))
    CUSTOMER_GATEWAY.delete(call, made)
    return {}


@_vpc("CreateVpnAttachment")
def create_vpn_attachment(call: Call) -> Answer:
    made = VPN_CONNECTION.create(
        call,
        call.tags(),
        Name=call.get("Name"),
        NetworkType=call.get("NetworkType", "public"),
        LocalSubnet=call.need("LocalSubnet"),
        RemoteSubnet=call.need("RemoteSubnet"),
        EffectImmediately=call.flag("EffectImmediately"),
        EnableTunnelsBgp=call.flag("EnableTunnelsBgp"),
        ResourceGroupId=call.get("ResourceGroupId", "rg-acfmemulator"),
        AttachType="NO_ASSOCIATED",
        CreateTime=int(call.now * _MILLISECONDS),
        tunnels=_tunnels(call),
    )
    number = len(VPN_CONNECTION.all(call))
    for tunnel, place in zip(made["tunnels"], _BOTH, strict=True):
        tunnel |= {"TunnelId": f"tun-{made['id'][4:]}{place}", "InternetIp": f"198.51.100.{number * 2 + int(place)}"}
    VPN_CONNECTION.save(call, made)
    return {"VpnConnectionId": made["id"], "Name": made["Name"], "CreateTime": made["CreateTime"]}


@_vpc("DescribeVpnConnection")
def describe_vpn_connection(call: Call) -> Answer:
    return _connection(call, VPN_CONNECTION.named(call, "VpnConnectionId"))


@_vpc("ModifyVpnAttachmentAttribute")
def modify_vpn_attachment(call: Call) -> Answer:
    made = VPN_CONNECTION.named(call, "VpnConnectionId")
    for name in ("Name", "LocalSubnet", "RemoteSubnet"):
        change(call, made, **{name: name})
    for name in ("EffectImmediately", "EnableTunnelsBgp"):
        if call.has(name):
            made[name] = call.flag(name)
    if call.records("TunnelOptionsSpecification"):
        given = ("TunnelId", "InternetIp")
        pairs = zip(made["tunnels"], _tunnels(call), strict=True)
        made["tunnels"] = [after | {name: before[name] for name in given} for before, after in pairs]
    VPN_CONNECTION.save(call, made)
    return _connection(call, made)


@_vpc("DeleteVpnAttachment")
def delete_vpn_attachment(call: Call) -> Answer:
    made = VPN_CONNECTION.named(call, "VpnConnectionId")
    if attached := TRANSIT_ATTACHMENT.all(call, VpnId=made["id"]):
        raise ApiError("VpnConnection.AttachedToTransitRouter", id=attached[0]["id"])
    VPN_CONNECTION.delete(call, made)
    return {}


def _tunnels(call: Call) -> list[Document]:
    """Return both tunnels of an order, the first one first."""
    rows = sorted(call.records("TunnelOptionsSpecification"), key=lambda row: row.get("TunnelIndex", ""))
    if tuple(row.get("TunnelIndex") for row in rows) != _BOTH:
        raise ApiError("UnsupportedOperation.SingleTunnel")
    return [_tunnel(call, row) for row in rows]


def _tunnel(call: Call, row: dict[str, str]) -> Document:
    gateway = CUSTOMER_GATEWAY.get(call, row.get("CustomerGatewayId", ""))
    ike = {name: row[f"TunnelIkeConfig.{name}"] for name in _IKE if f"TunnelIkeConfig.{name}" in row}
    if " " in ike.get("Psk", "") or not 1 <= len(ike.get("Psk", "x")) <= 100:
        raise ApiError("InvalidParameter", name="Psk", rule="1 to 100 characters without spaces")
    bgp = {name: row[f"TunnelBgpConfig.{name}"] for name in _BGP if f"TunnelBgpConfig.{name}" in row}
    if call.flag("EnableTunnelsBgp") and not (bgp.get("TunnelCidr") and gateway.get("Asn")):
        raise ApiError(
            "InvalidParameter", name="TunnelBgpConfig", rule="TunnelCidr, and a customer gateway with an ASN"
        )
    return {
        "TunnelIndex": int(row["TunnelIndex"]),
        "CustomerGatewayId": gateway["id"],
        "Role": row.get("Role") or "master",
        "EnableDpd": row.get("EnableDpd", "true"),
        "EnableNatTraversal": row.get("EnableNatTraversal", "true"),
        "ZoneNo": f"{call.region}-{'ab'[int(row['TunnelIndex']) - 1]}",
        "State": "active",
        "Status": "ike_sa_not_established",
        "TunnelIkeConfig": ike,
        "TunnelIpsecConfig": {
            name: row[f"TunnelIpsecConfig.{name}"] for name in _IPSEC if f"TunnelIpsecConfig.{name}" in row
        },
        "TunnelBgpConfig": bgp | ({"PeerAsn": str(gateway["Asn"]), "BgpStatus": "false"} if bgp else {}),
    }


def _device(made: Document) -> Answer:
    return shown(made) | {"CustomerGatewayId": made["id"], "Tags": tag_list(made)}


def _connection(call: Call, made: Document) -> Answer:
    attached = TRANSIT_ATTACHMENT.all(call, VpnId=made["id"])
    return shown(made) | {
        "VpnConnectionId": made["id"],
        "AttachType": "CEN" if attached else made["AttachType"],
        "AttachInstanceId": attached[0]["CenId"] if attached else "",
        "State": "attached" if attached else "init",
        "TunnelOptionsSpecification": {"TunnelOptions": made["tunnels"]},
        "Tags": tag_list(made),
    }
