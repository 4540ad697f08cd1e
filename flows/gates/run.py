"""All gates over one bundle for one org."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.gates import (
    apex,
    channels,
    classification,
    content,
    crossborder,
    deletions,
    duties,
    edition,
    federationrules,
    identity,
    partners,
    residency,
    safety,
    sessions,
    strategy,
    translations,
)
from flows.gates.facts import Facts
from flows.gates.finding import Finding, Severity
from flows.gates.waivers import apply_waivers
from orgs.federation import Federation, Org
from orgs.freezes import Freezes

GATES = (
    crossborder.gate,
    residency.gate,
    classification.gate,
    duties.gate,
    content.gate,
    edition.gate,
    channels.gate,
    identity.gate,
    sessions.gate,
    safety.gate,
    deletions.gate,
    apex.gate,
    translations.gate,
    federationrules.gate,
    partners.gate,
    strategy.gate,
)
_ORDER = {severity: position for position, severity in enumerate(Severity)}


def run_gates(
    bundle: Bundle,
    org: Org,
    federation: Federation,
    facts: Facts,
    today: date,
    *,
    deletes: Iterable[ComponentKey] | None = None,
    freezes: Freezes | None = None,
) -> tuple[Finding, ...]:
    """Return everything that the gates find, the gravest first; pure: what it judges by is in its arguments.

    `deletes` is what the plan deletes in the org; without a plan, the removals of the overlays stand for it. `freezes`
    is the calendar to judge the day by; None for a run, which asks calendar and rings itself.
    """
    if deletes is not None:
        facts = replace(facts, deletes=tuple(deletes))
    found = [one for gate in GATES for one in gate(bundle, org, federation, facts, today)]
    if freezes is not None:
        found += federationrules.timing(org, federation, freezes, today)
    marked = apply_waivers(found, facts.waivers, federation, org, today)
    return tuple(sorted(marked, key=_rank))


def _rank(one: Finding) -> tuple[bool, int, str, str, str]:
    place = f"{one.place.file}:{one.place.line:06}" if one.place else ""
    return (not one.blocks, _ORDER[one.severity], one.id, one.component, place)
