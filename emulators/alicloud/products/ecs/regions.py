"""ECS: regions and zones."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.products.vpc.zones import zone_ids
from emulators.alicloud.tables import table

_ecs = product("Ecs")


@_ecs("DescribeRegions")
def describe_regions(_: Call) -> Answer:
    rows = [
        {
            "RegionId": region,
            "LocalName": data["name"],
            "RegionEndpoint": f"ecs.{region}.aliyuncs.com",
            "Status": "available",
        }
        for region, data in table("regions")["regions"].items()
    ]
    return {"Regions": {"Region": rows}}


@_ecs("DescribeZones")
def describe_zones(call: Call) -> Answer:
    rows = [
        {
            "ZoneId": zone,
            "LocalName": zone,
            "ZoneType": "AvailabilityZone",
            "AvailableResourceCreation": {"ResourceTypes": ["VSwitch"]},
        }
        for zone in zone_ids(call.region)
    ]
    return {"Zones": {"Zone": rows}}
