"""Trusted network access: the landing zone's egress addresses and the offices' ranges, merged with what the org has.

A deploy of `networkAccess` replaces the org's whole list, and an empty one deletes it (Metadata API reference v67,
SecuritySettings). So whatever the org has and the kit didn't put there goes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from flows.components import Component, ComponentKey
from flows.render.elements import Value, root_of
from flows.xmltext import NAMESPACE, child_text
from infra.outputs import LandingZoneOutputs
from orgs.access import OrgAccess

SECURITY = ComponentKey("Settings", "Security")
PATH = "settings/Security.settings"
MARK = "[sfoa-kit] "
"""How the description of a range begins that the kit put into an org: only such a range does it ever take out."""


@dataclass(frozen=True, slots=True, order=True)
class IpRange:
    """Addresses that an org trusts, first and last included, as the org writes them."""

    start: str
    end: str
    description: str = ""

    @property
    def ours(self) -> bool:
        """Whether the kit put it there."""
        return self.description.startswith(MARK)

    @property
    def bounds(self) -> tuple[str, str]:
        """What tells it from others: an org has no two ranges of the same bounds."""
        return self.start, self.end

    def holds(self, address: str) -> bool:
        """Return whether an IPv4 address lies in it."""
        try:
            return IPv4Address(self.start) <= IPv4Address(address) <= IPv4Address(self.end)
        except AddressValueError:
            return False

    def __str__(self) -> str:
        span = self.start if self.start == self.end else f"{self.start} – {self.end}"
        return f"{span} {self.description}".strip()


@dataclass(frozen=True, slots=True)
class Merged:
    """What the list comes to. `added` and `removed` are ours, `kept` is what the org has of others."""

    ranges: tuple[IpRange, ...]
    added: tuple[IpRange, ...]
    removed: tuple[IpRange, ...]
    kept: tuple[IpRange, ...]


def wanted(outputs: LandingZoneOutputs, access: OrgAccess) -> tuple[IpRange, ...]:
    """Return the ranges that the kit wants an org to trust, by address."""
    egress = [IpRange(ip, ip, f"{MARK}egress of stack {outputs.stack}") for ip in outputs.network_egress_ips]
    offices = [IpRange(str(each.start), str(each.end), MARK + each.name) for each in access.office_ranges]
    return _by_address({each.bounds: each for each in (*offices, *egress)}.values())


def merge(wanted: Iterable[IpRange], held: Iterable[IpRange]) -> Merged:
    """Return `wanted` and of `held`, what the org has, all that isn't ours.

    Where somebody else put in the very range that is wanted, theirs stays: it outlives our wish for it.
    """
    held = tuple(held)
    foreign = {each.bounds: each for each in held if not each.ours}
    before = {each.bounds: each for each in held if each.ours}
    ours = {each.bounds: each for each in wanted if each.bounds not in foreign}
    return Merged(
        ranges=_by_address([*ours.values(), *foreign.values()]),
        added=_by_address(each for bounds, each in ours.items() if bounds not in before),
        removed=_by_address(each for bounds, each in before.items() if bounds not in {**ours, **foreign}),
        kept=_by_address(foreign.values()),
    )


def ranges_of(component: Component | None) -> tuple[IpRange, ...]:
    """Return the trusted ranges that security settings hold; of no component, none."""
    root = root_of(component) if component else None
    if root is None:
        return ()
    return tuple(
        IpRange(*(child_text(each, name).strip() for name in ("start", "end", "description")))
        for each in root.iterfind(f"{{{NAMESPACE}}}networkAccess/{{{NAMESPACE}}}ipRanges")
    )


def as_elements(ranges: Sequence[IpRange]) -> list[tuple[str, Value]]:
    """Return the ranges as elements of security settings."""
    rows: list[tuple[str, Value]] = []
    for each in ranges:
        about = [("description", each.description)] if each.description else []
        rows.append(("ipRanges", [*about, ("end", each.end), ("start", each.start)]))
    return [("networkAccess", rows)] if rows else []


def dropped(wanted: Component | None, now: Component | None) -> tuple[IpRange, ...]:
    """Return the ranges of others that an org has `now` and would lose to `wanted`, where either holds any of ours."""
    have, want = ranges_of(now), ranges_of(wanted)
    if not want and wanted is not None and not _says_access(wanted):
        return ()  # a deploy that doesn't speak of the list leaves it alone
    if not any(each.ours for each in (*have, *want)):
        return ()
    left = {each.bounds for each in want}
    return tuple(each for each in have if not each.ours and each.bounds not in left)


def diff_lines(merged: Merged) -> list[str]:
    """Return for people what becomes of the org's trusted ranges, a line each; nothing when all stays."""
    if not (merged.added or merged.removed):
        return []
    rows = (("+", merged.added), ("-", merged.removed), ("=", merged.kept))
    return [f"{sign} {each}" for sign, ranges in rows for each in ranges]


def _says_access(component: Component) -> bool:
    root = root_of(component)
    return root is not None and root.find(f"{{{NAMESPACE}}}networkAccess") is not None


def _by_address(ranges: Iterable[IpRange]) -> tuple[IpRange, ...]:
    return tuple(sorted(ranges, key=lambda each: (_number(each.start), _number(each.end), each)))


def _number(address: str) -> int:
    try:
        return int(IPv4Address(address))
    except AddressValueError:
        return -1  # an IPv6 address of somebody else's: it is kept as it is written
