from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.outputs import LandingZoneOutputs
from infra.outputspage import FILE, OFF, component_of, page
from infra.settings import json_schema


def test_the_page_of_the_outputs_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run `python -m infra.outputspage`"


def test_every_key_of_the_contract_has_its_row() -> None:
    rows = [line.split("|")[1].strip() for line in page().partition("## A provider")[0].splitlines() if "| `" in line]
    assert rows == [f"`{key}`" for key in LandingZoneOutputs.model_fields]


def test_every_key_that_may_be_absent_names_the_setting_that_turns_it_off() -> None:
    optional = {key for key, field in LandingZoneOutputs.model_fields.items() if not field.is_required()}
    assert set(OFF) == optional - {"absent"}


def test_a_key_comes_from_the_component_that_the_page_names(stand: Any) -> None:
    for part in ("identity", "console", "integration"):
        lost = set(stand("local").contract) - set(stand("local", {f"sfoa:{part}": "null"}).contract)
        assert lost, part
        assert {component_of(key) for key in lost} == {part}
        assert {OFF[key].split(".")[0] for key in lost} == {f"sfoa:{part}"}


ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("stack", ["local", "example-production"])
def test_a_shipped_stack_file_is_what_editors_check_it_by(stack: str) -> None:
    data = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    data = json.loads(json.dumps(data, default=str))
    assert [error.message for error in Draft202012Validator(json_schema()).iter_errors(data)] == []
