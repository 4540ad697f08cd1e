"""Each optional part of the landing zone alone, and all but one: over network and storage, which are never off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.outputs import parse_outputs

PARTS = ("audit", "console", "identity", "integration")
COMBINED = [{part} for part in PARTS] + [set(PARTS) - {part} for part in PARTS] + [set()]


@pytest.mark.parametrize("on", COMBINED, ids=lambda on: "+".join(sorted(on)) or "none")
def test_a_part_comes_up_without_the_others_and_the_contract_names_what_is_absent(
    stand: Any, config: Any, on: set[str]
) -> None:
    changes = {f"sfoa:{part}": "null" for part in PARTS if part not in on}
    if "audit" not in on:  # flow logs need its store, or one that is named
        network = json.loads(config("local")["sfoa:network"])
        changes["sfoa:network"] = json.dumps(network | {"flow_logs": None})
    landed = stand("local", changes)
    assert set(parse_outputs(landed.contract, "local").absent) == set(PARTS) - on
    components = {"audit": "audit:Audit", "console": "identity:Console", "identity": "identity:Identity"}
    components["integration"] = "integration:Integration"
    made = {part for part, token in components.items() if any(r.type == f"sfoa:{token}" for r in landed.resources)}
    assert made == on
