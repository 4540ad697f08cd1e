"""The address plan: which switch gets which part of the VPC. Pure arithmetic, no cloud."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """What a switch is for. The order is the order in the plan: a new tier goes last."""

    APP = "app"
    DATA = "data"
    EDGE = "edge"


ZONES_OF_A_TIER = 4  # three in use and one spare, so that a quarter of the VPC is one tier
QUARTER_BITS = 2


@dataclass(frozen=True, slots=True)
class Subnet:
    """One switch to be: its tier, its zone and its addresses."""

    tier: Tier
    zone: str
    cidr: ipaddress.IPv4Network


def tier_range(vpc: ipaddress.IPv4Network, tier: Tier) -> ipaddress.IPv4Network:
    """Return the quarter of the VPC that belongs to `tier`: what rules between tiers are written against."""
    return list(vpc.subnets(QUARTER_BITS))[list(Tier).index(tier)]


def plan_subnets(vpc: ipaddress.IPv4Network, zones: Sequence[str]) -> tuple[Subnet, ...]:
    """Return one subnet for each tier and zone: sixteenths of the VPC, tier by tier, in the order of `zones`.

    A subnet depends only on its tier and on its zone's position, so nothing moves when a tier is added.
    Raises `ValueError` for more zones than a tier has room for.
    """
    if len(zones) > ZONES_OF_A_TIER:
        raise ValueError(f"{len(zones)} zones; a tier has room for {ZONES_OF_A_TIER}")
    return tuple(
        Subnet(tier, zone, block)
        for tier in Tier
        for zone, block in zip(zones, tier_range(vpc, tier).subnets(QUARTER_BITS), strict=False)
    )
