"""The real `cci` installs what cumulusci.yml depends on before a release: once, and into the ledger."""

from __future__ import annotations

import pytest
import requests

from emulators.testing import Running
from flows.planfile import read_plan
from tests.e2e.released import Project, replace_in
from tests.test_json_schemas import validator

pytestmark = pytest.mark.e2e

DEPENDENCIES = """source_format: sfdx
    dependencies:
        - namespace: parts
          version: "1.2"
        - version_id: 04t000000000007AAA
"""
PACKAGES = [
    {"namespace": "parts", "name": "Parts", "version": "1.2", "version_id": "04t000000000001AAA"},
    {"namespace": "visits", "name": "Visits", "version": "3.1", "version_id": "04t000000000007AAA"},
]


def test_a_dependency_is_installed_once_and_the_ledger_shows_it(project: Project, empty: Running) -> None:
    certificate = empty.emulators.home / "runner" / "runner.crt"
    world = project.data("sfoa", "federation", "world", "--certificate", str(certificate))
    for org in world["orgs"]:
        org["packages"] = PACKAGES
    requests.post(f"http://127.0.0.1:{empty.port}/seed", json=world, timeout=60).raise_for_status()
    replace_in(project.root / "cumulusci.yml", "source_format: sfdx\n", DEPENDENCIES)
    file = project.root / "plan.json"
    planned = project.ok("cci", "task", "run", "plan", "--org", "china-uat", "--out", str(file))
    assert "install parts 1.2" in planned
    assert "install 04t000000000007AAA" in planned
    looked = project.data("sfoa", "plan", "--org", "china-uat", "--json")
    validator("plan").validate(looked)
    assert looked["result"]["digest"] == read_plan(file).digest, "sfoa plan knows packages as cci does"
    assert looked["result"]["lacking"] == ["install parts 1.2", "install 04t000000000007AAA"]
    promoted = project.promote()
    assert "installed parts 1.2" in promoted
    [entry] = project.data("sfoa", "ledger", "show", "--org", "china-uat", "--json")["result"]
    assert [(each["version"], each["state"]) for each in entry["record"]["packages"]] == [
        ("1.2", "installed"),
        ("04t000000000007AAA", "installed"),
    ]
    assert "nothing to do" in project.promote()
    assert project.data("sfoa", "ledger", "show", "--org", "china-uat", "--json")["result"] == [entry]
