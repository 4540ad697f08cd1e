"""Each optional part of the landing zone alone: the project's own program under the real engine.

The stacks come up side by side in one emulated account, each with a company's name of its own, and wait together.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from emulators.testing import running
from infra.outputs import parse_outputs
from tests.e2e.ground import SETTINGS, Ground
from tests.e2e.released import ROOT

pytestmark = pytest.mark.e2e

PARTS: dict[str, dict[str, Any]] = {
    "audit": {
        "trail_retention_days": 1,
        "trail_locked": False,
        "contacts": [{"name": "on-call", "mail": "on-call@example.com"}],
    },
    "console": {"password_policy": {}},
    "identity": {"provider": "eiam", "orgs": ["china-uat"]},
    "integration": {"origins": ["https://portal.acme.example"], "events": {}},
}
COMPONENTS = {
    "audit": "sfoa:audit:Audit",
    "console": "sfoa:identity:Console",
    "identity": "sfoa:identity:Identity",
    "integration": "sfoa:integration:Integration",
}
KEYS = {
    "audit": "audit_trail",
    "console": "identity_roles",
    "identity": "identity_saml",
    "integration": "integration_endpoints",
}
"""A key of the contract that only this part fills."""

# That each may be missing among all the others, mocks show; one such stack shows that the engine agrees.
STACKS = {f"only{part}": {part} for part in PARTS} | {"noidentity": PARTS.keys() - {"identity"}}


@dataclass(frozen=True)
class Landed:
    """What one stack became: its outputs, and the types in its state."""

    outputs: dict[str, Any]
    types: set[str]


def land(ground: Ground) -> Landed:
    """Bring a stack up, look at it again, and return what it became."""
    stack = ground.stack
    ground.configure(config(stack, STACKS[stack]))
    ground.init()
    ground.up()
    if len(STACKS[stack]) > 1:  # that nothing is left to change after one part alone is shown by the tests of each
        ground.pulumi("preview", "--expect-no-changes")
    state = ground.resources()
    outputs = next(row["outputs"] for row in state if row["type"] == "pulumi:pulumi:Stack")
    return Landed(outputs, {row["type"] for row in state})


def config(company: str, on: set[str]) -> dict[str, Any]:
    """Return the config of a stack with these parts; flow logs need the audit's store."""
    network = SETTINGS["sfoa:network"] | {"egress_ips": 1} | ({"flow_logs": {}} if "audit" in on else {})
    own = {"sfoa:company": company, "sfoa:environment": "local", "sfoa:network": network}
    return {**SETTINGS, **own, **{f"sfoa:{part}": PARTS[part] for part in PARTS if part in on}}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Landed]]]:
    """All stacks, brought up at the same time."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "infra").mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    shutil.copy(ROOT / "infra" / "__main__.py", folder / "infra")
    with running(tmp_path_factory.mktemp("clouds")) as clouds, ThreadPoolExecutor(len(STACKS)) as pool:
        (clouds.emulators.home / "pulumi-state").mkdir()
        yield {stack: pool.submit(land, Ground(folder, clouds, stack)) for stack in STACKS}


@pytest.mark.parametrize("stack", STACKS)
def test_a_part_comes_up_and_the_contract_says_what_is_absent(landed: dict[str, Future[Landed]], stack: str) -> None:
    on, found = STACKS[stack], landed[stack].result()
    assert sorted(parse_outputs(found.outputs, stack).absent) == sorted(PARTS.keys() - on)
    assert {part for part, key in KEYS.items() if found.outputs.get(key)} == on
    assert {part for part, type_ in COMPONENTS.items() if type_ in found.types} == on
