"""The org strategy that the company decided on, and whether the federation's orgs and its transfers are so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flows.bundle import Bundle
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from orgs.editions import OrgKind
from orgs.federation import Federation, Org, Strategy

SUBJECT = "federation"
NOTICE_DAYS = 60  # a figure of the kit: time for headquarters to renew a delegation


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge the shape of the federation, and the term of the centre that owns the org."""
    yield from _term(org, federation, today)
    production = [one for one in federation.orgs if one.kind is OrgKind.PRODUCTION]
    if federation.strategy is None:
        yield unknown("K55", SUBJECT, None, "the org strategy", "orgs/federation.yml (strategy)", "组织战略")
    elif federation.strategy is Strategy.SINGLE:
        if len(production) > 1:
            yield finding("K55.several-productions", SUBJECT, None, names=", ".join(one.name for one in production))
    elif federation.strategy is Strategy.HUB:
        yield from _hub(org, production, federation, facts)
    else:
        yield from _federated(production)


def _hub(org: Org, production: list[Org], federation: Federation, facts: Facts) -> Iterator[Finding]:
    hub = next((one for one in production if one.name == federation.hub), None)
    if hub is None:
        yield finding("K55.no-hub", SUBJECT, None, hub=federation.hub or "-")
        return
    for spoke in production:
        if spoke.ring < hub.ring:
            yield finding("K55.spoke-first", f"org:{spoke.name}", None, spoke=spoke.name, hub=hub.name)
    by_name = {one.name: one for one in federation.orgs}
    for at, transfer in enumerate(facts.register.transfers):
        to = by_name.get(transfer.to_org or "")
        if org.name in transfer.from_orgs and org != hub and to in production and to != hub:
            place = facts.register_file.place(("transfers", at))
            yield finding("K55.not-through-hub", f"transfer:{transfer.id}", place, to=to.name, hub=hub.name)


def _federated(production: list[Org]) -> Iterator[Finding]:
    owners: dict[str, Org] = {}
    for one in production:
        other = owners.setdefault(one.coe, one)
        if other.edition is not one.edition:
            yield finding("K55.one-centre", f"org:{one.name}", None, other=other.name, centre=one.coe)


def _term(org: Org, federation: Federation, today: date) -> Iterator[Finding]:
    term = federation.centre(org.coe).term
    if term and term.end < today:
        yield finding("K56.ended", f"centre:{org.coe}", None, until=term.end)
    elif term and (term.end - today).days <= NOTICE_DAYS:
        yield finding("K56.ends", f"centre:{org.coe}", None, until=term.end)
