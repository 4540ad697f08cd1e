"""Billing: only what clients ask to learn on which site (domestic or international) an account is."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call

_billing = product("BssOpenApi")


@_billing("QueryAvailableInstances")
def query_available_instances(call: Call) -> Answer:
    # The emulated account has bought no subscription; what it pays by use is never listed here.
    data = {
        "InstanceList": [],
        "PageNum": call.number("PageNum", 1, low=1),
        "PageSize": call.number("PageSize", 20, low=1),
        "TotalCount": 0,
    }
    return {"Code": "Success", "Message": "Successful!", "Success": True, "Data": data}
