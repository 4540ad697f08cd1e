from __future__ import annotations

import ipaddress
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.limits import limits
from infra.subnets import Tier, plan_subnets, tier_range

ZONES = ("cn-shanghai-b", "cn-shanghai-f", "cn-shanghai-g")


@st.composite
def vpcs(draw: st.DrawFn) -> ipaddress.IPv4Network:
    """Every range that settings let through."""
    prefix = draw(st.integers(limits().vpc.prefix.least, limits().vpc.prefix.most))
    span = draw(st.sampled_from([s for s in limits().vpc.private_ranges if s.prefixlen <= prefix]))
    position = draw(st.integers(0, 2 ** (prefix - span.prefixlen) - 1))
    return ipaddress.IPv4Network((int(span.network_address) + position * 2 ** (32 - prefix), prefix))


@given(vpcs())
def test_subnets_lie_in_the_vpc_and_never_overlap(vpc: ipaddress.IPv4Network) -> None:
    cidrs = [subnet.cidr for subnet in plan_subnets(vpc, ZONES)]
    assert len(cidrs) == 9
    assert all(cidr.subnet_of(vpc) for cidr in cidrs)
    assert not any(one.overlaps(other) for one, other in combinations(cidrs, 2))


@given(vpcs())
def test_a_tier_s_range_holds_all_of_its_switches_and_no_other(vpc: ipaddress.IPv4Network) -> None:
    for subnet in plan_subnets(vpc, ZONES):
        assert [tier for tier in Tier if subnet.cidr.subnet_of(tier_range(vpc, tier))] == [subnet.tier]


@given(vpcs(), st.sampled_from(["cn-shanghai-l", "cn-shanghai-m"]))
def test_a_fourth_zone_moves_no_switch(vpc: ipaddress.IPv4Network, fourth: str) -> None:
    assert set(plan_subnets(vpc, ZONES)) < set(plan_subnets(vpc, (*ZONES, fourth)))


@given(vpcs())
def test_every_switch_has_room_for_a_hundred_machines(vpc: ipaddress.IPv4Network) -> None:
    assert all(subnet.cidr.num_addresses >= 256 for subnet in plan_subnets(vpc, ZONES))


def test_the_plan_of_the_local_stack_is_the_one_that_people_read_in_the_console() -> None:
    plan = plan_subnets(ipaddress.IPv4Network("10.20.0.0/16"), ZONES)
    assert [(s.tier.value, s.zone[-1], str(s.cidr)) for s in plan[2:5]] == [
        ("app", "g", "10.20.32.0/20"),
        ("data", "b", "10.20.64.0/20"),
        ("data", "f", "10.20.80.0/20"),
    ]


def test_more_zones_than_a_tier_has_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match="5 zones"):
        plan_subnets(ipaddress.IPv4Network("10.20.0.0/16"), [f"cn-shanghai-{letter}" for letter in "abcde"])
