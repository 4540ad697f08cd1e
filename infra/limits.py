"""Reads `limits.yml`: the dated table of what the cloud and the law allow."""

from __future__ import annotations

import datetime
import functools
import ipaddress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from kit.yamlfile import parse_model, read_yaml


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(_Frozen):
    """Whole numbers from `least` to `most`, both allowed."""

    least: int
    most: int

    def __contains__(self, number: int) -> bool:
        return self.least <= number <= self.most


class Regions(_Frozen):
    """Region id → Chinese name, for the regions of the Chinese mainland."""

    source: str
    mainland: dict[str, str]


class Vpc(_Frozen):
    """`prefix` is the length of the VPC's prefix in bits."""

    source: str
    private_ranges: tuple[ipaddress.IPv4Network, ...]
    prefix: Span


class Eip(_Frozen):
    """`pool` counts the addresses of one NAT gateway."""

    source: str
    pool: Span
    bandwidth_mbps: Span


class KeyShape(_Frozen):
    """Lengths are in characters."""

    source: str
    length: Span


class Ipsec(_Frozen):
    """`inside` holds the /30 of each tunnel, but for those `taken`; `never_public` are ranges that no device has."""

    source: str
    inside: ipaddress.IPv4Network
    taken: tuple[ipaddress.IPv4Network, ...]
    never_public: tuple[ipaddress.IPv4Network, ...]
    key: KeyShape


class Days(_Frozen):
    """A span of time in days."""

    source: str
    days: Span


class Tags(_Frozen):
    """Lengths are in characters."""

    source: str
    count: int
    key_length: int
    value_length: int
    reserved_prefixes: tuple[str, ...]


class Administering(_Frozen):
    """`policies` are those of Alibaba Cloud's own whose holder can become administrator."""

    source: str
    policies: frozenset[str]


class Names(_Frozen):
    """The longest name, in characters, that each service takes."""

    source: str
    vpc: int
    security_group: int
    bucket: int
    kms_alias: int
    log_project: int
    log_record: int
    trail: int
    config_rule: int
    api: int
    api_app: int


class Limits(_Frozen):
    """The whole table. `as_of` is the day on which it was last compared with its sources."""

    as_of: datetime.date
    regions: Regions
    vpc: Vpc
    eip: Eip
    ipsec: Ipsec
    worm: Days
    logs: Days
    key_rotation: Days
    tags: Tags
    administering: Administering
    names: Names


@functools.cache
def limits() -> Limits:
    """Return the table that ships with the kit."""
    return parse_model(Limits, read_yaml(Path(__file__).with_name("limits.yml")))
