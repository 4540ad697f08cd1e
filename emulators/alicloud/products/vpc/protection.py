"""Deletion protection, which EIPs and NAT gateways share."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.kinds import EIP, NAT_GATEWAY

_vpc = product("Vpc")

_PROTECTED = {"EIP": EIP, "NATGW": NAT_GATEWAY}


@_vpc("DeletionProtection")
def deletion_protection(call: Call) -> Answer:
    kind = _PROTECTED[call.choice("Type", *_PROTECTED)]
    document = kind.named(call, "InstanceId")
    document["DeletionProtection"] = call.flag("ProtectionEnable")
    kind.save(call, document)
    return {}
