"""The section `sfoa:network.link.ipsec`: an IPsec connection to headquarters or on-premises that the kit makes.

Two tunnels always. Their pre-shared keys are no part of it: they stand, encrypted, in `sfoa:tunnel_keys`.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from infra.limits import limits
from infra.sections.base import Section

Tunnel = Literal["first", "second"]
Asn = Annotated[int, Field(ge=1, le=4294967295)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[\w.@:-]{1,100}$")]


def _wrong(what: str, rule: str, fix: str) -> NoReturn:
    raise PydanticCustomError("setting", "{what}", {"what": what, "rule": rule, "fix": fix})


def _network(cidr: str, example: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(cidr)
    except ValueError as error:
        return _wrong(f"not an IPv4 range: {error}", "a range by its first address and prefix", f"write {example}")


def _public(address: str) -> str:
    rule = "the tunnels run over the internet: the other end is the public address of a device"
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        return _wrong("not an IPv4 address", rule, "write 203.0.113.1")
    private = (*limits().vpc.private_ranges, *limits().ipsec.never_public)
    if any(found in span for span in private):
        _wrong("not a public address", rule, "name the address that the device has on the internet")
    return address


def _remote(cidr: str) -> str:
    if _network(cidr, "192.168.0.0/16").prefixlen < 8:
        _wrong(
            "too much of the address space",
            "a tunnel carries the ranges of the other side; the way to the internet is the egress pool's",
            "name the ranges of the other side, /8 at the widest, or use bgp",
        )
    return cidr


def _inside(cidr: str) -> str:
    rule, network = limits().ipsec, _network(cidr, "169.254.10.0/30")
    if network.prefixlen != 30 or not network.subnet_of(rule.inside) or network in rule.taken:
        _wrong(
            "not an inside range of a tunnel",
            f"a /30 in {rule.inside}, none of {', '.join(map(str, rule.taken))}: {rule.source}",
            "write 169.254.10.0/30",
        )
    return cidr


def _key(value: Any) -> Any:
    """Return a pre-shared key; one that the engine hasn't decrypted (a file read without it) isn't known here."""
    if isinstance(value, dict) and set(value) == {"secure"}:
        return ""
    shape = limits().ipsec.key
    wrong = (
        not isinstance(value, str) or len(value) not in shape.length or not value.isascii() or not value.isprintable()
    )
    if wrong or " " in value:
        _wrong(
            "no pre-shared key",
            f"{shape.length.least} to {shape.length.most} printable ASCII characters without spaces: {shape.source}",
            "openssl rand -base64 33 | pulumi config set --path --secret 'sfoa:tunnel_keys.first'",
        )
    return value


Address = Annotated[str, AfterValidator(_public)]
RemoteRange = Annotated[str, AfterValidator(_remote)]
InsideRange = Annotated[str, AfterValidator(_inside)]
Key = Annotated[
    SecretStr,
    BeforeValidator(_key),
    WithJsonSchema({"type": "object", "required": ["secure"], "properties": {"secure": {"type": "string"}}}),
]


class End(Section):
    """`first` and `second`: the other end of a tunnel."""

    address: Address = Field(description="Public address of the device there")
    remote_id: Identifier | None = Field(
        None, description="How the device names itself in IKE; its address when absent"
    )
    asn: Asn | None = Field(None, description="With bgp: the device's AS number")
    inside: InsideRange | None = Field(
        None, description="With bgp: /30 in 169.254.0.0/16; this side has its first address, the device the second"
    )

    @property
    def bgp_address(self) -> str | None:
        """Return this side's address inside the tunnel."""
        return str(ipaddress.IPv4Network(self.inside)[1]) if self.inside else None


class Ipsec(Section):
    """`ipsec`: two tunnels by IKEv2, either with BGP or for named ranges."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(
        description="Country in which the devices stand, by ISO 3166; any but CN crosses the border (HK, MO, TW too)"
    )
    first: End = Field(description="Other end of the first tunnel")
    second: End = Field(description="Other end of the second tunnel; the same device where there is one alone")
    remote_ranges: tuple[RemoteRange, ...] = Field((), description="IPv4 ranges behind the devices; without bgp")
    bgp: bool = Field(False, description="Whether routes are learnt by BGP; then the ends name asn and inside")
    local_asn: Asn = Field(45104, description="With bgp: AS number of this side")

    @property
    def ends(self) -> dict[Tunnel, End]:
        """Return the other ends, by the tunnels' names."""
        return {"first": self.first, "second": self.second}

    @model_validator(mode="after")
    def _has_one_way_of_routing(self) -> Self:
        rule = "routes come by BGP, or are the named ranges: one of the two"
        ends = self.ends.items()
        if self.bgp == bool(self.remote_ranges):
            _wrong(
                "bgp beside remote_ranges" if self.bgp else "neither bgp nor remote_ranges", rule, "keep one of them"
            )
        without = [name for name, end in ends if not (end.asn and end.inside)]
        if self.bgp and without:
            _wrong(
                f"no asn and inside in {', '.join(without)}", "BGP runs in each tunnel", "set asn and inside of both"
            )
        needless = [name for name, end in ends if end.asn or end.inside]
        if not self.bgp and needless:
            _wrong(f"asn or inside in {', '.join(needless)}, and no bgp", rule, "set bgp: true, or remove them")
        if self.bgp and self.first.inside == self.second.inside:
            _wrong("both tunnels have one inside range", "each tunnel has its own", "choose another /30 for the second")
        if self.first.address == self.second.address and self.first.asn != self.second.asn:
            _wrong("one device with two AS numbers", "a device has one", "correct asn of first or second")
        return self
