"""Location: which host serves a product in a region."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.tables import table

_location = product("Location")


@_location("DescribeEndpoints")
def describe_endpoints(call: Call) -> Answer:
    region, code = call.need("Id"), call.need("ServiceCode")
    pattern = table("hosts")["endpoints"].get(code.lower())
    if pattern is None or region not in table("regions")["regions"]:
        # Clients take a 404 for "use your built-in table".
        raise ApiError("InvalidServiceCode.NotFound", service=code, region=region)
    endpoint = {
        "Endpoint": pattern.format(region=region),
        "Id": region,
        "Namespace": "",
        "Protocols": {"Protocols": ["HTTPS"]},
        "SerivceCode": code,  # the service spells it so
        "Type": "openAPI",
    }
    return {"Endpoints": {"Endpoint": [endpoint]}, "Success": True}
