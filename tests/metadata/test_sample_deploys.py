"""The emulated orgs take the whole sample: each its own bundle, with all its Apex tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.salesforce.metadata.components import OrgComponents
from emulators.salesforce.metadata.deployment import evaluate
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.orgs import Orgs
from emulators.service import World
from emulators.store import Store
from flows.compose import compose_for
from flows.package import assemble
from orgs.federation import load_federation
from orgs.world import world

FEDERATION = load_federation()
PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", [org.name for org in FEDERATION.orgs])
def test_an_empty_org_takes_the_whole_sample(name: str) -> None:
    emulated = World(Store(":memory:"), lambda: 1_790_000_000.0)
    records = Orgs(emulated).seed(world(FEDERATION, "-----BEGIN CERTIFICATE-----"))
    record = next(each for each in records if each.name == name)
    bundle = compose_for(FEDERATION, name, PROJECT)
    package = assemble(bundle.components.values(), bundle.api_version)
    options = DeployOptions(single_package=True, test_level="RunLocalTests")

    outcome = evaluate(record, OrgComponents(emulated.store, record.id), package.zip, options, {})

    assert [(m.file_name, m.full_name, m.problem) for m in outcome.failures] == []
    assert outcome.status(options) == "Succeeded"
    assert outcome.total >= 150
