"""What the federation agreed on: days without releases, the order of rings, and overrides that grow old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from flows.bundle import Bundle
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from kit.yamlfile import read_yaml
from orgs.editions import Edition, OrgKind
from orgs.federation import Federation, Org

CALENDAR_FILE = Path(__file__).with_name("calendar.yml")


@cache
def calendar() -> dict[str, Any]:
    """Return the dated freeze calendar."""
    data: dict[str, Any] = read_yaml(CALENDAR_FILE).data
    return data


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:
    """Judge whether the federation lets this release go to the org on that day."""
    yield from _freeze(org, today)
    yield from _rings(org, federation, facts)
    yield from _deviations(bundle, org, facts, today)


def _freeze(org: Org, today: date) -> Iterator[Finding]:
    if org.edition is not Edition.ALIBABA or org.kind is not OrgKind.PRODUCTION:
        return
    days = calendar()
    if not days["since"] <= today <= days["until"]:
        yield unknown("K50", f"org:{org.name}", None, f"the public holidays around {today}", CALENDAR_FILE.name)
    for freeze in days["freezes"]:
        if freeze["start"] <= today <= freeze["end"]:
            texts = {"title": freeze["title"], "zh": freeze["zh"], "end": freeze["end"]}
            yield finding("K50.freeze", f"org:{org.name}", None, org=org.name, **texts)


def _rings(org: Org, federation: Federation, facts: Facts) -> Iterator[Finding]:
    earlier = [other for other in federation.orgs if other.ring < org.ring]
    if not earlier:
        return
    if facts.org.release is None or facts.org.releases is None:
        fact = "the release, and which orgs have taken it"
        yield unknown("K51", f"org:{org.name}", None, fact, "--facts (release, releases)")
        return
    for other in earlier:
        taken = facts.org.releases.get(other.name)
        if taken is None:
            fact = f"which releases {other.name} has taken"
            yield unknown("K51", f"org:{org.name}", None, fact, "--facts (releases)")
        elif facts.org.release not in taken:
            texts = {"release": facts.org.release, "other": other.name, "ring": other.ring}
            yield finding("K51.skipped-ring", f"org:{org.name}", None, **texts)


def _deviations(bundle: Bundle, org: Org, facts: Facts, today: date) -> Iterator[Finding]:
    if facts.deviations is None:
        yield unknown("K52", f"org:{org.name}", None, "which components override earlier layers", "metadata/")
        return
    for deviation in facts.deviations:
        if deviation.key not in bundle.components:
            continue
        if deviation.since is None:
            fact = f"since when {deviation.layer} overrides it"
            yield unknown("K52", deviation.key, deviation.place, fact, "the history of the repository")
        elif (today - deviation.since).days > calendar()["deviation_days"]:
            texts = {"layer": deviation.layer, "replaces": deviation.replaces, "since": deviation.since}
            yield finding("K52.old-deviation", deviation.key, deviation.place, **texts)
