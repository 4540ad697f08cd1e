"""What channels and sign-on need in an org and no metadata type says: people do it, and record it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flows.bundle import Bundle
from flows.gates.facts import Facts
from flows.gates.finding import Finding, unknown
from orgs.checklist import FILE, Topic, standings
from orgs.federation import Federation, Org


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Ask for each open item of the channels that the org declares, and of its sign-on."""
    if facts.checklist is None:
        return
    for one in standings(facts.checklist, org, today):
        if one.open:
            item = one.item
            fact, zh = f"{item.id} ({item.title} / {item.zh})", f"{item.id}({item.zh})"
            rule = "K45" if item.topic is Topic.SIGN_ON else "K24"
            where = f"orgs/{FILE} (done); sfoa checklist --org {org.name}"
            yield unknown(rule, f"org:{org.name}", None, fact, where, zh)
