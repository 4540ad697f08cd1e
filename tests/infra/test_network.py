from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest


@pytest.fixture(scope="module")
def network(stand: Any) -> Any:
    return stand("example-production")


def test_nine_switches_fill_three_tiers_in_three_zones(network: Any) -> None:
    switches = network.of("Switch").values()
    tiers_and_zones = {(s.name.split("-")[1], s.inputs["zoneId"]) for s in switches}
    assert len(switches) == len(tiers_and_zones) == 9
    vpc = ipaddress.IPv4Network("10.40.0.0/16")
    assert all(ipaddress.IPv4Network(s.inputs["cidrBlock"]).subnet_of(vpc) for s in switches)


def test_only_the_app_tier_has_a_way_out_and_it_is_the_whole_pool(network: Any) -> None:
    entries = network.of("SnatEntry").values()
    assert {e.inputs["sourceVswitchId"] for e in entries} == {f"network-app-cn-shanghai-{zone}-id" for zone in "efg"}
    pool = "203.0.113.1,203.0.113.2,203.0.113.3,203.0.113.4"
    assert {e.inputs["snatIp"] for e in entries} == {pool}
    assert len(network.of("EipAssociation")) == 4


def test_what_the_service_fills_in_cannot_replace_a_binding_of_an_address_that_orgs_trust(network: Any) -> None:
    ignored = {binding.ignored for binding in network.of("EipAssociation").values()}
    assert ignored == {("privateIpAddress", "vpcId")}


def test_a_binding_goes_before_the_one_that_replaces_it_since_an_address_has_one_gateway(network: Any) -> None:
    assert all(binding.deleted_first for binding in network.of("EipAssociation").values())


def test_one_enhanced_gateway_stands_in_the_edge_tier(network: Any) -> None:
    (gateway,) = network.of("NatGateway").values()
    assert gateway.inputs["natType"] == "Enhanced"
    assert gateway.inputs["vswitchId"] == "network-edge-cn-shanghai-e-id"


def test_a_larger_pool_only_adds_addresses(stand: Any) -> None:
    def pool(egress_ips: int) -> dict[str, Any]:
        network = {
            "cidr": "10.20.0.0/16",
            "zones": [f"cn-shanghai-{zone}" for zone in "bfg"],
            "egress_ips": egress_ips,
        }
        return {
            r.urn: r.inputs for r in stand("local", {"sfoa:network": json.dumps(network)}).of("EipAddress").values()
        }

    small, large = pool(2), pool(5)
    assert len(large) == 5
    assert small == {urn: large[urn] for urn in small}


def test_no_security_group_is_open_to_the_world(network: Any) -> None:
    rules = network.of("SecurityGroupRule").values()
    assert all(rule.inputs.get("cidrIp") != "0.0.0.0/0" for rule in rules)
    assert all(rule.inputs["type"] == "ingress" and rule.inputs["ipProtocol"] == "tcp" for rule in rules)
    groups = network.of("SecurityGroup").values()
    assert {group.inputs["innerAccessPolicy"] for group in groups} == {"Drop"}


def test_each_tier_is_reached_only_from_the_one_before_it(network: Any) -> None:
    ways = {
        (
            r.inputs["securityGroupId"],
            r.inputs.get("sourceSecurityGroupId") or r.inputs["cidrIp"],
            r.inputs["portRange"],
        )
        for r in network.of("SecurityGroupRule").values()
    }
    assert ways == {
        ("network-edge-id", "203.0.113.0/24", "443/443"),
        ("network-app-id", "network-edge-id", "443/443"),
        ("network-data-id", "network-app-id", "3306/3306"),
        ("network-data-id", "network-app-id", "6379/6379"),
    }


def test_a_stack_that_names_no_sources_opens_the_edge_to_no_one(stand: Any) -> None:
    assert not [r for r in stand("local").of("SecurityGroupRule").values() if "cidrIp" in r.inputs]


def test_the_data_tier_drops_what_no_rule_lets_through(network: Any) -> None:
    (acl,) = network.of("NetworkAcl").values()
    ingress, egress = acl.inputs["ingressAclEntries"], acl.inputs["egressAclEntries"]
    assert [(e["policy"], e["sourceCidrIp"], e["port"]) for e in ingress] == [
        ("accept", "10.40.0.0/18", "3306/3306"),
        ("accept", "10.40.0.0/18", "6379/6379"),
        ("accept", "10.40.64.0/18", "-1/-1"),
        ("drop", "0.0.0.0/0", "-1/-1"),
    ]
    assert (egress[-1]["policy"], egress[-1]["destinationCidrIp"]) == ("drop", "0.0.0.0/0")


def test_the_acl_is_attached_to_every_data_switch_and_to_no_other(network: Any) -> None:
    attached = {a.inputs["resourceId"] for a in network.of("VpcNetworkAclAttachment").values()}
    assert attached == {f"network-data-cn-shanghai-{zone}-id" for zone in "efg"}
