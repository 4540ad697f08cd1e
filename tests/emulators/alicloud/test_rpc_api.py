"""What all RPC products have in common: dispatch, errors, idempotency, paging, tags."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import emulators.alicloud
from emulators.alicloud.actions import coverage
from emulators.alicloud.api import COVERAGE_KIND, locate
from emulators.alicloud.tables import table
from tests.emulators.alicloud.rpc_cloud import VERSIONS, Cloud, Refusal, host_of

SOURCES = [path for path in Path(emulators.alicloud.__file__).parent.rglob("*.py") if "oss" not in path.parts]


@pytest.mark.parametrize(
    ("host", "product", "region"),
    [
        ("vpc.cn-shanghai.aliyuncs.com", "Vpc", "cn-shanghai"),
        ("vpc.aliyuncs.com", "Vpc", ""),
        ("ecs-cn-hangzhou.aliyuncs.com", "Ecs", "cn-hangzhou"),
        ("location-readonly.aliyuncs.com", "Location", ""),
        ("sts.cn-beijing.aliyuncs.com", "Sts", "cn-beijing"),
        ("kms.ap-southeast-1.aliyuncs.com", "Kms", "ap-southeast-1"),
        ("nlb.cn-shanghai.aliyuncs.com", "nlb", ""),
    ],
)
def test_a_host_says_product_and_region(host: str, product: str, region: str) -> None:
    place = locate(host)
    assert (place.product, place.region) == (product, region)


def test_every_host_under_aliyuncs_com_is_owned_and_no_other(cloud: Cloud) -> None:
    assert cloud.api.owns("nlb.cn-shanghai.aliyuncs.com")
    assert not cloud.api.owns("aliyuncs.com.example.org")
    assert not cloud.api.owns("login.sfcrmproducts.cn")


def test_an_unknown_action_names_itself_and_is_counted(cloud: Cloud) -> None:
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            cloud("vpc", "CreateVpnGateway")
    assert (refused.value.status, refused.value.code) == (404, "InvalidAction.NotFound")
    assert "product Vpc, version 2016-04-28, action CreateVpnGateway" in refused.value.message
    with pytest.raises(Refusal, match="product nlb, version 2020-01-01, action ListListeners"):
        cloud("nlb", "ListListeners")
    rows = [row for _, row in cloud.store.all(COVERAGE_KIND)]
    assert [(row["product"], row["action"], row["calls"]) for row in rows] == [
        ("Vpc", "CreateVpnGateway", 2),
        ("nlb", "ListListeners", 1),
    ]


def test_coverage_lists_what_the_landing_zone_needs() -> None:
    actions = coverage()
    assert ("Vpc", "2016-04-28", "CreateNatGateway") in actions
    assert ("Kms", "2016-01-20", "ScheduleKeyDeletion") in actions
    assert actions == sorted(set(actions))


def test_every_error_code_that_the_code_raises_is_in_the_table() -> None:
    known, seen = table("errors")["errors"], 0
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ApiError" and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    assert code.value in known, f"{path.name}:{node.lineno}"
                    seen += 1
                elif isinstance(code, ast.JoinedStr):
                    pattern = "".join(
                        re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in code.values
                    )
                    assert any(re.fullmatch(pattern, name) for name in known), f"{path.name}:{node.lineno}"
                    seen += 1
    assert seen > 100


def test_dependency_codes_of_the_tables_in_the_code_have_texts() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    used = set(re.findall(r'"(DependencyViolation\.\w+|\w+\.NotFound|EntityNotExist\.\w+)"', text))
    assert len(used) > 25
    assert used <= set(table("errors")["errors"])


def test_no_answer_to_a_wrong_call_is_the_server_s_fault(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every action, called with nothing but an unlucky parameter or none, answers in the products' own shape."""
    names = {locate(host_of(name)).product: name for name in VERSIONS}
    for product, version, action in coverage():
        monkeypatch.setitem(VERSIONS, names[product], version)  # Cloud Config has two
        for sent in ({}, {"PageSize": "x", "ResourceType": "vpc", "Resource": "[}", "Tag": "[1]"}):
            response = cloud.respond(names[product], action, **sent)
            body = json.loads(response.body)
            assert response.status < 500, (product, action)
            assert body["RequestId"]
            assert body.get("Code") != "InvalidAction.NotFound", (product, action)


def test_a_client_token_makes_a_create_happen_once(cloud: Cloud) -> None:
    sent = {"CidrBlock": "10.0.0.0/16", "ClientToken": "once"}
    first, second = cloud("vpc", "CreateVpc", **sent), cloud("vpc", "CreateVpc", **sent)
    assert first["VpcId"] == second["VpcId"]
    assert first["RequestId"] != second["RequestId"]
    assert cloud("vpc", "DescribeVpcs")["TotalCount"] == 1
    with pytest.raises(Refusal, match="IdempotentParameterMismatch"):
        cloud("vpc", "CreateVpc", CidrBlock="10.1.0.0/16", ClientToken="once")


def test_a_client_token_is_forgotten_after_a_day(cloud: Cloud) -> None:
    first = cloud("vpc", "CreateVpc", ClientToken="day")
    cloud.wait(86401)
    assert cloud("vpc", "CreateVpc", ClientToken="day")["VpcId"] != first["VpcId"]


def test_a_call_that_failed_may_be_tried_again_with_its_token(cloud: Cloud) -> None:
    vpc = cloud("vpc", "CreateVpc")["VpcId"]
    sent = {"VpcId": vpc, "CidrBlock": "172.16.0.0/24", "ZoneId": "cn-shanghai-b", "ClientToken": "t"}
    with pytest.raises(Refusal, match="IncorrectVpcStatus"):
        cloud("vpc", "CreateVSwitch", **sent)
    cloud.wait()
    assert cloud("vpc", "CreateVSwitch", **sent)["VSwitchId"]


def test_lists_come_in_pages(cloud: Cloud) -> None:
    made = [cloud("vpc", "CreateVpc", VpcName=f"v{n}")["VpcId"] for n in range(5)]
    pages = [cloud("vpc", "DescribeVpcs", PageSize=2, PageNumber=n) for n in (1, 2, 3, 4)]
    assert [vpc["VpcId"] for page in pages for vpc in page["Vpcs"]["Vpc"]] == made
    assert [(page["TotalCount"], len(page["Vpcs"]["Vpc"])) for page in pages] == [(5, 2), (5, 2), (5, 1), (5, 0)]


def test_ids_and_request_ids_are_the_same_in_every_run() -> None:
    one, two = Cloud(), Cloud()
    assert one("vpc", "CreateVpc") == two("vpc", "CreateVpc")


def test_another_region_sees_none_of_it(cloud: Cloud, vpc: str) -> None:
    assert cloud("vpc", "DescribeVpcs", RegionId="cn-beijing")["TotalCount"] == 0
    with pytest.raises(Refusal, match=r"InvalidVpcId\.NotFound"):
        cloud("vpc", "DescribeVpcAttribute", VpcId=vpc, host="vpc.cn-beijing.aliyuncs.com")
    with pytest.raises(Refusal, match=r"InvalidRegionId\.NotFound"):
        cloud("vpc", "DescribeVpcs", RegionId="cn-atlantis")


def test_tags_are_set_filtered_listed_and_taken_off(cloud: Cloud, vpc: str) -> None:
    tags = {"Tag__1__Key": "team", "Tag__1__Value": "crm", "Tag__2__Key": "env", "Tag__2__Value": "prod"}
    other = cloud("vpc", "CreateVpc", **tags)["VpcId"]
    cloud("vpc", "TagResources", ResourceType="VPC", ResourceId__1=vpc, Tag__1__Key="team", Tag__1__Value="crm")
    wanted = {"Tag__1__Key": "env", "Tag__1__Value": "prod"}
    assert [row["VpcId"] for row in cloud("vpc", "DescribeVpcs", **wanted)["Vpcs"]["Vpc"]] == [other]
    cloud("vpc", "UnTagResources", ResourceType="VPC", ResourceId__1=other, TagKey__1="env")
    answer = cloud("vpc", "ListTagResources", ResourceType="VPC")
    assert "NextToken" not in answer  # clients loop for as long as there is one
    rows = [(row["ResourceId"], row["TagKey"], row["TagValue"]) for row in answer["TagResources"]["TagResource"]]
    assert rows == [(vpc, "team", "crm"), (other, "team", "crm")]


def test_reserved_and_too_many_tags_are_refused(cloud: Cloud) -> None:
    with pytest.raises(Refusal, match=r"InvalidTagKey\.Malformed"):
        cloud("vpc", "CreateVpc", Tag__1__Key="acs:own", Tag__1__Value="x")
    many = {f"Tag__{n}__Key": f"k{n}" for n in range(1, 22)}
    with pytest.raises(Refusal, match=r"NumberExceed\.Tags"):
        cloud("vpc", "CreateVpc", **many)
    assert cloud("vpc", "DescribeVpcs")["TotalCount"] == 0


def test_location_answers_for_emulated_products_and_404_for_others(cloud: Cloud) -> None:
    answer = cloud("location", "DescribeEndpoints", Id="cn-shanghai", ServiceCode="kms")
    assert answer["Endpoints"]["Endpoint"][0]["Endpoint"] == "kms.cn-shanghai.aliyuncs.com"
    with pytest.raises(Refusal) as refused:
        cloud("location", "DescribeEndpoints", Id="cn-shanghai", ServiceCode="nlb")
    assert refused.value.status == 404


def test_a_dry_run_is_refused_and_makes_nothing(cloud: Cloud) -> None:
    with pytest.raises(Refusal, match=r"UnsupportedParameter\.DryRun"):
        cloud("vpc", "CreateVpc", DryRun="true")
    assert cloud("vpc", "DescribeVpcs")["TotalCount"] == 0
