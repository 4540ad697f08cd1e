"""What stands, on one screen: the cloud by component, the orgs and their releases, and what to type next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.ledger import Entry, Ledger

COMPONENT = "sfoa:"
"""Type tokens of the kit's own components begin like this."""


@dataclass(frozen=True, slots=True)
class Area:
    """A component of the landing zone: its type's last part ("Network") and how many resources it holds, by type."""

    name: str
    resources: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many resources it holds."""
        return sum(self.resources.values())


@dataclass(frozen=True, slots=True)
class OrgLine:
    """An org, and the newest entry that the ledger has of how a run ended, if any."""

    org: str
    entry: Entry | None


def areas_of(export: str) -> list[Area]:
    """Return the components of a stack, from what `pulumi stack export` prints, largest first.

    A resource counts for the nearest component of the kit above it.
    """
    resources: list[dict[str, Any]] = (json.loads(export).get("deployment") or {}).get("resources") or []
    parents = {each["urn"]: (each["type"], each.get("parent", "")) for each in resources}
    found: dict[str, Counter[str]] = {}
    for each in resources:
        if not each.get("custom") or each["type"].startswith("pulumi:"):
            continue
        area = _area(each.get("parent", ""), parents)
        found.setdefault(area, Counter())[_short(each["type"])] += 1
    areas = [Area(name, dict(counted.most_common())) for name, counted in found.items()]
    return sorted(areas, key=lambda area: (-area.total, area.name))


def lines_of(ledger: Ledger, orgs: list[str]) -> list[OrgLine]:
    """Return how the last run over each org ended."""
    return [OrgLine(org, _ended(ledger, org)) for org in orgs]


def _ended(ledger: Ledger, org: str) -> Entry | None:
    last = ledger.last(org)
    if last is None or not last.record.event.is_open:
        return last
    return next((entry for entry in reversed(ledger.entries(org)) if not entry.record.event.is_open), last)


def _area(urn: str, parents: Mapping[str, tuple[str, str]]) -> str:
    while urn:
        kind, urn = parents.get(urn, ("", ""))
        if kind.startswith(COMPONENT):
            return _short(kind)
    return "Stack"


def _short(kind: str) -> str:
    return kind.rpartition(":")[2]
