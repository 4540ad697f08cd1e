"""Flow logs, PrivateZone, and what links a VPC to others: CEN, transit routers, attachments."""

from __future__ import annotations

import pytest

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal

ABROAD = "ap-southeast-1"


@pytest.fixture
def cen(cloud: Cloud) -> str:
    ident: str = cloud("cbn", "CreateCen", Name="backbone", Tag__1__Key="team", Tag__1__Value="net")["CenId"]
    cloud.wait()
    return ident


@pytest.fixture
def router(cloud: Cloud, cen: str) -> str:
    ident: str = cloud("cbn", "CreateTransitRouter", CenId=cen, RegionId="cn-shanghai")["TransitRouterId"]
    cloud.wait()
    return ident


@pytest.fixture
def zone(cloud: Cloud) -> str:
    ident: str = cloud("pvtz", "AddZone", ZoneName="acme.internal")["ZoneId"]
    return ident


def flow_log(cloud: Cloud, vpc: str, **more: str) -> str:
    sent = {"ResourceType": "VPC", "ResourceId": vpc, "TrafficType": "All", "ProjectName": "logs", **more}
    ident: str = cloud("vpc", "CreateFlowLog", LogStoreName="flow", **sent)["FlowLogId"]
    return ident


def states(cloud: Cloud, log: str) -> list[str]:
    shown = cloud("vpc", "DescribeFlowLogs", FlowLogId=log)["FlowLogs"]["FlowLog"]
    return [row["Status"] for row in shown]


def test_a_flow_log_comes_up_is_stopped_started_and_deleted(cloud: Cloud, vpc: str) -> None:
    log = flow_log(cloud, vpc)
    assert states(cloud, log) == ["Activating"]
    with pytest.raises(Refusal, match=r"IncorrectStatus\.flowlog"):
        cloud("vpc", "DeleteFlowLog", FlowLogId=log)
    cloud.wait()
    cloud("vpc", "DeactiveFlowLog", FlowLogId=log)
    assert states(cloud, log) == ["Inactive"]
    cloud("vpc", "ActiveFlowLog", FlowLogId=log)
    cloud("vpc", "ModifyFlowLogAttribute", FlowLogId=log, AggregationInterval=1)
    (shown,) = cloud("vpc", "DescribeFlowLogs", ResourceId=vpc)["FlowLogs"]["FlowLog"]
    assert (shown["Status"], shown["AggregationInterval"], shown["ProjectName"]) == ("Active", 1, "logs")
    cloud("vpc", "DeleteFlowLog", FlowLogId=log)
    assert states(cloud, log) == []


def test_one_kind_of_traffic_of_a_resource_is_logged_once(cloud: Cloud, vpc: str) -> None:
    flow_log(cloud, vpc)
    with pytest.raises(Refusal, match=r"Conflict\.FlowLog"):
        flow_log(cloud, vpc)
    with pytest.raises(Refusal, match=r"InvalidVpcId\.NotFound"):
        flow_log(cloud, "vpc-none")


def test_a_private_zone_is_bound_to_vpcs_and_can_not_be_deleted_before_it_is_free(
    cloud: Cloud, vpc: str, zone: str
) -> None:
    with pytest.raises(Refusal, match=r"ZoneVpc\.NotExists\.VpcId"):
        cloud("pvtz", "BindZoneVpc", ZoneId=zone, Vpcs__1__VpcId=vpc, Vpcs__1__RegionId="cn-beijing")
    cloud("pvtz", "BindZoneVpc", ZoneId=zone, Vpcs__1__VpcId=vpc, Vpcs__1__RegionId="cn-shanghai")
    (bound,) = cloud("pvtz", "DescribeZoneInfo", ZoneId=zone)["BindVpcs"]["Vpc"]
    assert (bound["VpcId"], bound["VpcName"]) == (vpc, "main")
    with pytest.raises(Refusal, match=r"Zone\.VpcExists"):
        cloud("pvtz", "DeleteZone", ZoneId=zone)
    cloud("pvtz", "BindZoneVpc", ZoneId=zone)
    cloud("pvtz", "DeleteZone", ZoneId=zone)
    with pytest.raises(Refusal, match=r"Zone\.NotExists"):
        cloud("pvtz", "DescribeZoneInfo", ZoneId=zone)


def test_records_are_added_changed_and_deleted(cloud: Cloud, zone: str) -> None:
    sent = {"ZoneId": zone, "Rr": "db", "Type": "A", "Value": "10.0.0.9"}
    record = cloud("pvtz", "AddZoneRecord", **sent)["RecordId"]
    with pytest.raises(Refusal, match=r"Record\.Conflict"):
        cloud("pvtz", "AddZoneRecord", **sent)
    with pytest.raises(Refusal, match=r"Record\.Conflict"):
        cloud("pvtz", "AddZoneRecord", ZoneId=zone, Rr="db", Type="CNAME", Value="db.example")
    cloud("pvtz", "UpdateZoneRecord", RecordId=record, Rr="db", Type="A", Value="10.0.0.8", Ttl=300)
    cloud("pvtz", "SetZoneRecordStatus", RecordId=record, Status="DISABLE")
    cloud("pvtz", "UpdateRecordRemark", RecordId=record, Remark="main database")
    (shown,) = cloud("pvtz", "DescribeZoneRecords", ZoneId=zone)["Records"]["Record"]
    assert {key: shown[key] for key in ("Rr", "Value", "Ttl", "Status", "Remark")} == {
        "Rr": "db",
        "Value": "10.0.0.8",
        "Ttl": 300,
        "Status": "DISABLE",
        "Remark": "main database",
    }
    cloud("pvtz", "DeleteZoneRecord", RecordId=record)
    assert cloud("pvtz", "DescribeZoneInfo", ZoneId=zone)["RecordCount"] == 0


def test_a_zone_keeps_tags(cloud: Cloud, zone: str) -> None:
    target = {"ResourceType": "ZONE", "ResourceId__1": zone}
    cloud("pvtz", "TagResources", **target, Tag__1__Key="team", Tag__1__Value="net")
    (row,) = cloud("pvtz", "ListTagResources", **target)["TagResources"]
    assert (row["TagKey"], row["TagValue"]) == ("team", "net")
    cloud("pvtz", "UnTagResources", **target, TagKey__1="team")
    assert cloud("pvtz", "ListTagResources", **target)["TagResources"] == []


def test_a_cen_is_found_by_its_id_and_holds_one_router_a_region(cloud: Cloud, cen: str, router: str) -> None:
    (shown,) = cloud("cbn", "DescribeCens", Filter__1__Key="CenId", Filter__1__Value__1=cen)["Cens"]["Cen"]
    assert (shown["Status"], shown["Name"], shown["Tags"]["Tag"]) == (
        "Active",
        "backbone",
        [{"Key": "team", "Value": "net"}],
    )
    with pytest.raises(Refusal, match=r"InvalidOperation\.TransitRouterExist"):
        cloud("cbn", "CreateTransitRouter", CenId=cen, RegionId="cn-shanghai")
    with pytest.raises(Refusal, match=r"InvalidOperation\.CenInstanceStatus.*" + router):
        cloud("cbn", "DeleteCen", CenId=cen)
    cloud("cbn", "DeleteTransitRouter", TransitRouterId=router)
    cloud("cbn", "DeleteCen", CenId=cen)
    assert cloud("cbn", "DescribeCens", Filter__1__Key="CenId", Filter__1__Value__1=cen)["Cens"]["Cen"] == []


def test_an_attached_vpc_holds_its_router_and_can_not_be_deleted(
    cloud: Cloud, router: str, vpc: str, vswitch: str
) -> None:
    mapping = {"ZoneMappings__1__ZoneId": "cn-shanghai-l", "ZoneMappings__1__VSwitchId": vswitch}
    made = cloud("cbn", "CreateTransitRouterVpcAttachment", TransitRouterId=router, VpcId=vpc, **mapping)
    ident = made["TransitRouterAttachmentId"]

    def shown() -> dict[str, str]:
        rows = cloud("cbn", "ListTransitRouterVpcAttachments", TransitRouterAttachmentId=ident)
        (row,) = rows["TransitRouterAttachments"]
        return {"Status": row["Status"], "Name": row["TransitRouterAttachmentName"]}

    assert shown()["Status"] == "Attaching"
    with pytest.raises(Refusal, match=r"IncorrectStatus\.Status"):
        cloud("cbn", "DeleteTransitRouterVpcAttachment", TransitRouterAttachmentId=ident)
    cloud.wait()
    cloud(
        "cbn",
        "UpdateTransitRouterVpcAttachmentAttribute",
        TransitRouterAttachmentId=ident,
        TransitRouterAttachmentName="renamed",
    )
    cloud.wait()
    assert shown() == {"Status": "Attached", "Name": "renamed"}
    with pytest.raises(Refusal, match=r"InvalidOperation\.AttachedChildInstanceExist"):
        cloud("cbn", "DeleteTransitRouter", TransitRouterId=router)
    cloud("vpc", "DeleteVSwitch", VSwitchId=vswitch)
    with pytest.raises(Refusal, match=r"DependencyViolation.*" + ident):
        cloud("vpc", "DeleteVpc", VpcId=vpc)
    cloud("cbn", "DeleteTransitRouterVpcAttachment", TransitRouterAttachmentId=ident)
    cloud("vpc", "DeleteVpc", VpcId=vpc)


def test_routers_of_two_regions_of_one_cen_are_peered_with_a_bandwidth(cloud: Cloud, cen: str, router: str) -> None:
    other = cloud("cbn", "CreateTransitRouter", CenId=cen, RegionId=ABROAD)["TransitRouterId"]
    cloud.wait()
    sent = {"TransitRouterId": router, "PeerTransitRouterId": other, "PeerTransitRouterRegionId": ABROAD}
    with pytest.raises(Refusal, match=r"IllegalParam\.Region"):
        cloud("cbn", "CreateTransitRouterPeerAttachment", **{**sent, "PeerTransitRouterRegionId": "cn-beijing"})
    cloud("cbn", "CreateTransitRouterPeerAttachment", **sent, Bandwidth=10, BandwidthType="DataTransfer")
    cloud.wait()
    (row,) = cloud("cbn", "ListTransitRouterPeerAttachments", TransitRouterId=router)["TransitRouterAttachments"]
    assert (row["Status"], row["Bandwidth"], row["PeerTransitRouterRegionId"]) == ("Attached", 10, ABROAD)
    with pytest.raises(Refusal, match=r"AttachedChildInstanceExist"):
        cloud("cbn", "DeleteTransitRouter", TransitRouterId=other)


@pytest.mark.parametrize("kind", ["Vbr", "Vpn"])
def test_the_ways_to_the_premises_hang_on_the_router_by_their_ids(
    cloud: Cloud, router: str, kind: str, connection: str
) -> None:
    what = {"Vbr": "vbr-1", "Vpn": connection}[kind]
    created = cloud("cbn", f"CreateTransitRouter{kind}Attachment", TransitRouterId=router, **{f"{kind}Id": what})[
        "TransitRouterAttachmentId"
    ]
    cloud.wait()
    listing = f"ListTransitRouter{kind}Attachments"
    (row,) = cloud("cbn", listing, TransitRouterAttachmentId=created)["TransitRouterAttachments"]
    assert (row["Status"], row[f"{kind}Id"]) == ("Attached", what)
    cloud("cbn", f"DeleteTransitRouter{kind}Attachment", TransitRouterAttachmentId=created)
    assert cloud("cbn", listing, TransitRouterId=router)["TransitRouterAttachments"] == []


def test_an_attachment_looks_routes_up_in_one_table_and_makes_its_own_known_there(cloud: Cloud, router: str) -> None:
    table = cloud("cbn", "CreateTransitRouterRouteTable", TransitRouterId=router)["TransitRouterRouteTableId"]
    made = cloud("cbn", "CreateTransitRouterVbrAttachment", TransitRouterId=router, VbrId="vbr-1")
    both = {
        "TransitRouterAttachmentId": made["TransitRouterAttachmentId"],
        "TransitRouterRouteTableId": table,
    }
    with pytest.raises(Refusal, match=r"IncorrectStatus\.Status"):
        cloud("cbn", "AssociateTransitRouterAttachmentWithRouteTable", **both)
    cloud.wait()
    cloud("cbn", "AssociateTransitRouterAttachmentWithRouteTable", **both)
    cloud("cbn", "EnableTransitRouterRouteTablePropagation", **both)
    with pytest.raises(Refusal, match=r"InvalidOperation\.ChildInstanceExist"):
        cloud("cbn", "AssociateTransitRouterAttachmentWithRouteTable", **both)
    cloud.wait()
    for action, answer in (
        ("Associations", "TransitRouterAssociations"),
        ("Propagations", "TransitRouterPropagations"),
    ):
        (row,) = cloud("cbn", f"ListTransitRouterRouteTable{action}", **both)[answer]
        assert row["Status"] == "Active"
    with pytest.raises(Refusal, match=r"IncorrectStatus\.Status"):
        cloud("cbn", "DeleteTransitRouterRouteTable", TransitRouterRouteTableId=table)
    with pytest.raises(Refusal, match=r"IncorrectStatus\.Status"):
        cloud("cbn", "DeleteTransitRouterVbrAttachment", TransitRouterAttachmentId=both["TransitRouterAttachmentId"])
    cloud("cbn", "DissociateTransitRouterAttachmentFromRouteTable", **both)
    cloud("cbn", "DisableTransitRouterRouteTablePropagation", **both)
    cloud("cbn", "DeleteTransitRouterRouteTable", TransitRouterRouteTableId=table)
    assert cloud("cbn", "ListTransitRouterRouteTables", TransitRouterId=router)["TransitRouterRouteTables"] == []
