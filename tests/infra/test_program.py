"""The program as the engine's Python host starts it: `infra/` run by path, config in the environment."""

from __future__ import annotations

import importlib.metadata
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.outputs import LandingZoneOutputs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, recorder: Any) -> Any:
    def start(config: dict[str, str]) -> Any:
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(config))
        monkeypatch.setenv("ALIBABA_CLOUD_ACCOUNT_ID", "1234567890123456")
        exported: dict[str, Any] = {}
        monkeypatch.setattr(pulumi, "export", exported.__setitem__)

        @pulumi.runtime.test  # type: ignore[untyped-decorator]
        def program() -> None:
            runpy.run_path(str(ROOT / "infra"), run_name="__main__")

        program()
        return exported

    return start


def test_the_program_exports_the_contract_s_keys(run: Any, config: Any, recorder: Any) -> None:
    exported = run(config("local"))
    assert set(exported) <= set(LandingZoneOutputs.model_fields)
    assert any(r.type == "alicloud:vpc/network:Network" for r in recorder.registered)


def test_no_module_shadows_a_library() -> None:
    """The engine runs `infra/` by path, so each file of it is found before a library of its name."""
    own = {path.stem for path in (ROOT / "infra").glob("*.py")} - {"__init__", "__main__"}
    others = {name for name in importlib.metadata.packages_distributions() if name != "infra"}
    assert not own & (others | sys.stdlib_module_names)


def test_bad_config_ends_the_program_before_anything_is_registered(run: Any, config: Any, recorder: Any) -> None:
    values = {**config("local"), "sfoa:company": "", "alicloud:region": "eu-central-1"}
    with pytest.raises(pulumi.RunError, match="2 to correct"):
        run(values)
    assert recorder.registered == []
