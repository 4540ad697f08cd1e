"""The rules that single settings keep, each with its reason and its fix; types that the settings model is made of."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, NoReturn, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from infra.limits import Span, limits
from kit.spoken import nearest

Item = TypeVar("Item")
MANAGED_BY = {"managed-by": "pulumi", "part-of": "sfoa"}
OWN_KEYS = frozenset({*MANAGED_BY, "company", "environment", "far-end", "legal-basis"})


@dataclass(frozen=True, slots=True)
class Context:
    """What rules of nested settings need to know of their neighbours. `region` is empty when it is not valid."""

    region: str
    production: bool


def _wrong(what: str, rule: str, fix: str) -> NoReturn:
    raise PydanticCustomError("setting", "{what}", {"what": what, "rule": rule, "fix": fix})


def _context(info: ValidationInfo) -> Context:
    if not isinstance(info.context, Context):
        raise TypeError("settings are parsed by read_settings alone: without its context rules would be skipped")
    return info.context


def _mainland(region: str) -> str:
    known = limits().regions.mainland
    if region not in known:
        _wrong(
            "not a region of the Chinese mainland",
            "what serves an org of the China edition stays on the mainland",
            f"use one of {', '.join(sorted(known))}{nearest(region, known)}",
        )
    return region


def _second_region(region: str, info: ValidationInfo) -> str:
    if _mainland(region) == _context(info).region:
        _wrong(
            "the stack's own region",
            "a second copy outlives the region of the first",
            f"use another of {', '.join(sorted(limits().regions.mainland))}",
        )
    return region


def _vpc_cidr(cidr: str) -> str:
    spans, prefix = limits().vpc.private_ranges, limits().vpc.prefix
    rule = f"a private range ({', '.join(map(str, spans))}) with a prefix of /{prefix.least} to /{prefix.most}"
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        return _wrong(f"not an IPv4 range: {error}", rule, "write its first address and prefix: 10.20.0.0/16")
    if not any(network.subnet_of(span) for span in spans):
        _wrong("not a private range", rule, "choose one that no network that you will connect to uses")
    if network.prefixlen not in prefix:
        _wrong(
            f"/{network.prefixlen} is not between /{prefix.least} and /{prefix.most}",
            rule,
            "choose a prefix that leaves room for three tiers in three zones",
        )
    return cidr


def _source_range(cidr: str) -> str:
    rule = "ingress is opened to named IPv4 ranges, never to the whole internet"
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        return _wrong(f"not an IPv4 range: {error}", rule, "write its first address and prefix: 203.0.113.0/24")
    if network.prefixlen < 8:
        _wrong("open to too much of the internet", rule, "name the ranges that have to come in, /8 at the widest")
    return cidr


def _zone_of_region(zone: str, info: ValidationInfo) -> str:
    region = _context(info).region
    if region and not re.fullmatch(f"{re.escape(region)}-[a-z]", zone):
        _wrong(
            "not a zone of the stack's region",
            f"zones of {region} are called {region}-a and so on",
            f"choose a zone of {region}",
        )
    return zone


def _distinct(zones: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(zones)) != len(zones):
        _wrong("a zone stands twice", "three distinct zones, so that one may fail", "name three zones")
    return zones


def _in_production(info: ValidationInfo, wrong: bool, what: str, rule: str, fix: str) -> None:
    if wrong and _context(info).production:
        _wrong(what, rule, fix)


def _locked_in_production(locked: bool, info: ValidationInfo) -> bool:
    _in_production(
        info,
        not locked,
        "the ledger of production is not locked",
        "a release ledger that can be rewritten proves nothing",
        "set ledger_locked: true (this can't be taken back)",
    )
    return locked


def _kept_in_production(force_destroy: bool, info: ValidationInfo) -> bool:
    _in_production(
        info,
        force_destroy,
        "buckets of production would be emptied by `pulumi destroy`",
        "production data is never deleted along with its bucket",
        "remove force_destroy",
    )
    return force_destroy


def _trail_locked_in_production(locked: bool, info: ValidationInfo) -> bool:
    _in_production(
        info,
        not locked,
        "the trail of production is not locked",
        "a trail that an administrator can delete proves nothing against one",
        "set trail_locked: true (this can't be taken back)",
    )
    return locked


def _told_in_production(contacts: tuple[Item, ...], info: ValidationInfo) -> tuple[Item, ...]:
    _in_production(
        info,
        not contacts,
        "nobody is told of alarms in production",
        "network operators detect and record security events: Cybersecurity Law Art. 23(3), in force 2026-01-01",
        "name at least one contact",
    )
    return contacts


def _ledger_days(days: int, info: ValidationInfo) -> int:
    least = limits().logs.days.least
    _in_production(
        info,
        days < least,
        f"shorter than {least} days",
        f"what was done to production is kept as long as logs are: {limits().logs.source}",
        f"set at least {least}",
    )
    return days


def _tags(tags: dict[str, str]) -> dict[str, str]:
    rules = limits().tags
    room = rules.count - len(OWN_KEYS)
    rule = (
        f"at most {room} tags of your own, keys of 1 to {rules.key_length} and values of up to {rules.value_length} "
        f"characters, no key that begins with {', '.join(rules.reserved_prefixes)} or that the kit sets itself"
    )
    if len(tags) > room:
        _wrong(f"{len(tags)} tags", rule, "remove some")
    for key, value in tags.items():
        reserved = key.lower().startswith(rules.reserved_prefixes) or key in OWN_KEYS
        if reserved or not 1 <= len(key) <= rules.key_length or len(value) > rules.value_length:
            _wrong(f"tag {key!r} is not allowed", rule, "rename, shorten or remove it")
    return tags


def _within(span: Span, source: str) -> tuple[AfterValidator, WithJsonSchema]:
    def check(number: int) -> int:
        if number not in span:
            _wrong(
                f"not from {span.least} to {span.most}",
                f"from {span.least} to {span.most}: {source}",
                f"set a number from {span.least} to {span.most}",
            )
        return number

    schema = {"type": "integer", "minimum": span.least, "maximum": span.most}
    return AfterValidator(check), WithJsonSchema(schema)


AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{5,20}$")]
Company = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,15}$")]
Region = Annotated[
    str,
    AfterValidator(_mainland),
    WithJsonSchema({"type": "string", "enum": sorted(limits().regions.mainland)}),
]
SecondRegion = Annotated[
    str,
    AfterValidator(_second_region),
    WithJsonSchema({"type": "string", "enum": sorted(limits().regions.mainland)}),
]
OwnTags = Annotated[dict[str, str], AfterValidator(_tags)]

VpcCidr = Annotated[str, AfterValidator(_vpc_cidr)]
SourceRange = Annotated[str, AfterValidator(_source_range)]
Zone = Annotated[str, AfterValidator(_zone_of_region)]
Zones = Annotated[tuple[Zone, Zone, Zone], AfterValidator(_distinct)]
Port = Annotated[int, Field(ge=1, le=65535)]
EgressIps = Annotated[int, *_within(limits().eip.pool, limits().eip.source)]
EgressBandwidth = Annotated[int, *_within(limits().eip.bandwidth_mbps, limits().eip.source)]

KeptDays = Annotated[int, Field(ge=1, le=3650)]
LogsDays = Annotated[int, *_within(limits().logs.days, limits().logs.source)]
LedgerDays = Annotated[int, *_within(limits().worm.days, limits().worm.source), AfterValidator(_ledger_days)]
LedgerLocked = Annotated[bool, AfterValidator(_locked_in_production)]
ForceDestroy = Annotated[bool, AfterValidator(_kept_in_production)]
TrailDays = Annotated[
    int,
    *_within(limits().worm.days, limits().worm.source),
    AfterValidator(_ledger_days),
]
TrailLocked = Annotated[bool, AfterValidator(_trail_locked_in_production)]
MailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=254)]
Contacts = Annotated[tuple[Item, ...], AfterValidator(_told_in_production)]
KeyRotationDays = Annotated[int, *_within(limits().key_rotation.days, limits().key_rotation.source)]
VpcId = Annotated[str, StringConstraints(pattern=r"^vpc-[a-z0-9]+$")]
KmsInstanceId = Annotated[str, StringConstraints(pattern=r"^kst-[a-z0-9]+$")]
