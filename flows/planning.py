"""Makes the plan of an org out of its ledger: the delta, the tests that were asked for, and the risks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from flows.bundle import Bundle
from flows.ledger import Ledger
from flows.objectstore import ObjectStore
from flows.plan import Plan, make_plan
from flows.relatedtests import Wanted, choose
from flows.risks import Before, compared, risks_of
from kit.problems import Refused
from orgs.editions import OrgKind
from orgs.federation import Org


def plan_for(
    org: Org,
    bundle: Bundle,
    ledger: Ledger,
    releases: ObjectStore,
    wanted: Wanted = Wanted.USUAL,
    approved: Plan | None = None,
) -> Plan:
    """Return what `org` needs in order to hold `bundle`: the same plan whoever makes it, as long as the ledger is.

    The tests are those that are `wanted`; of an `approved` plan its own, where one of the choices leads to them.
    """
    from flows.drift_org import shipped_components  # loaded here: it knows the org's API, and help needs none

    shipped, production = ledger.state_of(org.name), org.kind is OrgKind.PRODUCTION
    plan = make_plan(bundle, shipped, org=org.name, production=production)
    choices = [wanted, *(Wanted if approved else ())]
    tests = [choose(one, plan, bundle.components, production=production) for one in choices]
    plan = replace(plan, tests=next((each for each in tests if approved and each == approved.tests), tests[0]))
    before: Before = {}
    if keys := compared(plan):
        with suppress(Refused):  # a bundle that the bucket lost: the risks say that nobody knows
            before, _ = shipped_components({key: shipped[key] for key in keys}, ledger, org.name, releases)
    return replace(plan, risks=risks_of(plan, bundle, before))
