"""What WeChat and WeCom need in an org and no metadata type says: people do it, and record it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flows.bundle import Bundle
from flows.gates.facts import Facts
from flows.gates.finding import Finding, unknown
from orgs.checklist import FILE, standings
from orgs.federation import Federation, Org


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Ask for each open item of the channels that the org declares."""
    if facts.checklist is None:
        return
    for one in standings(facts.checklist, org.name, today):
        if one.open:
            item = one.item
            fact = f"{item.id} ({item.title} / {item.zh})"
            yield unknown("K24", f"org:{org.name}", None, fact, f"orgs/{FILE} (done); sfoa checklist --org {org.name}")
