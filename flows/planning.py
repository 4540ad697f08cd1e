"""Makes the plan of an org out of its ledger: the delta, the tests that were asked for, and the risks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from flows.bundle import Bundle
from flows.drift_org import shipped_components
from flows.ledger import Ledger
from flows.objectstore import ObjectStore
from flows.plan import Plan, make_plan
from flows.relatedtests import Wanted, choose
from flows.risks import Before, compared, risks_of
from kit.problems import Refused
from orgs.editions import OrgKind
from orgs.federation import Org


def plan_for(org: Org, bundle: Bundle, ledger: Ledger, releases: ObjectStore, wanted: Wanted = Wanted.USUAL) -> Plan:
    """Return what `org` needs in order to hold `bundle`: the same plan whoever makes it, as long as the ledger is."""
    shipped, production = ledger.state_of(org.name), org.kind is OrgKind.PRODUCTION
    plan = make_plan(bundle, shipped, org=org.name, production=production)
    plan = replace(plan, tests=choose(wanted, plan, bundle.components, production=production))
    before: Before = {}
    if keys := compared(plan):
        with suppress(Refused):  # a bundle that the bucket lost: the risks say that nobody knows
            before, _ = shipped_components({key: shipped[key] for key in keys}, ledger, org.name, releases)
    return replace(plan, risks=risks_of(plan, bundle, before))
