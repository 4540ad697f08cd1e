from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows import doctor, handover, tokens
from flows.commands.doctor import doctor as command
from flows.doctor import Finding, examine

doctor_command = importlib.import_module("flows.commands.doctor")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = (handover.OUTPUTS_FILE, handover.STACK, tokens.KEY, tokens.KEY_FILE, tokens.KEY_COMMAND)
    for name in (*names, "CUMULUSCI_AUTO_DETECT", "CUMULUSCI_REPO_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "registered", lambda: iter([Finding("engine", False, "not here", "build it")]))
    monkeypatch.setattr(doctor_command, "SFOA", "false")
    monkeypatch.chdir(tmp_path)


def test_an_empty_environment_is_told_what_is_missing_and_how_to_get_it() -> None:
    found = {check.name: check for check in examine(orgs=False)}
    assert found["Python"].ok
    missing = [check for check in found.values() if not check.ok]
    assert {"engine", "project", "runner's key", "stack outputs"} <= {check.name for check in missing}
    assert all(check.fix for check in missing)


def test_the_command_ends_with_1_and_prints_each_fix() -> None:
    done = CliRunner().invoke(command, [])
    assert done.exit_code == 1
    assert "✗ engine: not here\n    fix: build it" in done.output


def test_the_same_for_machines() -> None:
    done = CliRunner().invoke(command, ["--json"])
    envelope = json.loads(done.stdout)
    assert envelope["status"] == done.exit_code == 1
    assert {"name": "engine", "ok": False, "detail": "not here", "fix": "build it"} in envelope["problems"]


def test_a_work_tree_is_told_what_cci_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sfdx-project.json").write_text("{}")
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    found = {check.name: check for check in examine(orgs=False)}
    assert "CUMULUSCI_REPO_ROOT" in found["cci project"].fix
    monkeypatch.setenv("CUMULUSCI_AUTO_DETECT", "1")
    monkeypatch.setenv("CUMULUSCI_REPO_ROOT", str(tmp_path))
    assert {check.name: check for check in examine(orgs=False)}["cci project"].ok


def test_where_emulators_run_it_is_their_landing_zone_that_is_asked_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sfoa = tmp_path / "sfoa"
    sfoa.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$2" = status ] || exit 7\n')
    sfoa.chmod(0o755)
    monkeypatch.setattr(doctor_command, "SFOA", str(sfoa))
    assert CliRunner().invoke(command, ["--orgs"]).exit_code == 7
    assert (tmp_path / "asked").read_text().splitlines()[-1] == f"emulators run -- {sfoa} doctor --orgs"
