"""What an org gets of a release, as far as that is known without asking it: for those who look and change nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from flows.bundle import Bundle
from flows.features import Excluded, excludes, without_missing
from flows.gates.facts import OrgFacts, facts_file, read_org_facts
from flows.render.layer import with_rendered
from flows.substitute import substituted
from infra.outputs import LandingZoneOutputs
from orgs.access import FILE as ACCESS_FILE
from orgs.access import load_access
from orgs.federation import Federation, Org


def fitted(
    bundle: Bundle, org: Org, federation: Federation, root: Path, today: date, stated: Path | None = None
) -> tuple[Bundle, tuple[Excluded, ...]]:
    """Return an org's bundle without what its edition lacks on that day, and what was left out. `stated` is a file of
    facts about the org; by default the project's own counts. Raises `Refused`."""
    if not excludes(org, federation):
        return bundle, ()
    file = facts_file(root, org.name, stated)
    known = read_org_facts(file) if file else OrgFacts.model_validate({})
    return without_missing(bundle, org, federation, today, known.features, known.marketplace_packages)


def rendered(bundle: Bundle, org: Org, federation: Federation, root: Path, outputs: LandingZoneOutputs) -> Bundle:
    """Return the bundle with the landing zone's values in it, and what is rendered from them on top. What the org has
    of others is not in it. Raises `Refused`."""
    access = load_access(root / "orgs" / ACCESS_FILE, federation)
    return with_rendered(substituted(bundle, outputs), org, federation, outputs, access).bundle
