"""VPC: regions and zones."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.tables import table

_vpc = product("Vpc")


def zone_ids(region: str) -> list[str]:
    """Return the zones of a region."""
    return [f"{region}-{letter}" for letter in table("regions")["regions"][region]["zones"]]


@_vpc("DescribeRegions")
def describe_regions(_: Call) -> Answer:
    regions = table("regions")["regions"]
    rows = [
        {"RegionId": region, "LocalName": data["name"], "RegionEndpoint": f"vpc.{region}.aliyuncs.com"}
        for region, data in regions.items()
    ]
    return {"Regions": {"Region": rows}}


@_vpc("DescribeZones")
def describe_zones(call: Call) -> Answer:
    rows = [{"ZoneId": zone, "LocalName": zone, "ZoneType": "AvailabilityZone"} for zone in zone_ids(call.region)]
    return {"Zones": {"Zone": rows}}


@_vpc("ListEnhanhcedNatGatewayAvailableZones")  # the service spells it so
def list_nat_gateway_zones(call: Call) -> Answer:
    return {"Zones": [{"ZoneId": zone, "LocalName": zone} for zone in zone_ids(call.region)]}
