"""What somebody changes by hand in an org after a promote is what `sfoa drift` shows, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from flows.components import Component, ComponentKey
from tests.e2e.hands import by_hand, edited, shipped
from tests.e2e.released import Project
from tests.test_json_schemas import validator

pytestmark = pytest.mark.e2e

ORG = "china-uat"
FIELD = ComponentKey("CustomField", "Site_Visit__c.Findings__c")
PERMISSIONS = ComponentKey("PermissionSet", "China_Service_Agent")
GRANT = (
    b"<apexClass>CreditCode</apexClass>\n        <enabled>true</enabled>",
    b"<apexClass>CreditCode</apexClass>\n        <enabled>false</enabled>",
)


def renamed(component: Component, name: str) -> Component:
    """Return a field like the given one, of another name."""
    container, _, old = component.key.full_name.partition(".")
    other = edited(component, f"<fullName>{old}</fullName>".encode(), f"<fullName>{name}</fullName>".encode())
    return replace(other, key=ComponentKey(component.key.type, f"{container}.{name}"))


def drift(project: Project, *options: str, status: int) -> Any:
    done = project.run("sfoa", "drift", "--org", ORG, *options)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout) if options else done.stdout


def line_of(project: Project, result: Any) -> str:
    """Return the line of the source that a SARIF result points at."""
    physical = result["locations"][0]["physicalLocation"]
    lines = (project.root / physical["artifactLocation"]["uri"]).read_text().splitlines()
    return str(lines[physical["region"]["startLine"] - 1]).strip()


def test_only_what_was_changed_by_hand_is_drift_and_what_was_added_is_unmanaged(project: Project) -> None:
    project.promote()
    clean = drift(project, "--json", status=0)["result"]
    assert (clean["drifted"], clean["unmanaged"]) == ([], [])
    assert clean["checked"] > 200

    field = shipped(project, FIELD)
    by_hand(
        project,
        edited(field, b"<label>", b"<label>My "),
        edited(shipped(project, PERMISSIONS), *GRANT),
        renamed(field, "By_Hand__c"),
    )
    answer = drift(project, "--json", status=1)
    validator("drift").validate(answer)
    elements = {
        each["component"]: [found["path"] for found in each["elements"]] for each in answer["result"]["drifted"]
    }
    assert elements == {str(FIELD): ["label"], str(PERMISSIONS): ["classAccesses[CreditCode]/enabled"]}
    assert [each["component"] for each in answer["result"]["unmanaged"]] == ["CustomField:Site_Visit__c.By_Hand__c"]
    assert len(answer["problems"]) == 2

    results = drift(project, "--format", "sarif", status=1)["runs"][0]["results"]
    assert [line_of(project, result) for result in results[:2]] == [
        "<label>Findings</label>",
        "<enabled>true</enabled>",
    ]
    assert [result["ruleId"] for result in results] == ["drift/changed", "drift/changed", "drift/unmanaged"]

    words = drift(project, status=1)
    assert "label: 'Findings' was shipped, 'My Findings' found" in words
    assert "unmanaged, never shipped: 1" in words


def test_what_somebody_deleted_is_missing(project: Project) -> None:
    project.promote()
    rule = ComponentKey("ValidationRule", "Site_Visit__c.End_After_Start")
    by_hand(project, deleted=(rule,))
    [missing] = drift(project, "--json", status=1)["result"]["drifted"]
    assert (missing["component"], missing["what"]) == (str(rule), "missing")
    assert missing["file"].endswith("End_After_Start.validationRule-meta.xml")


def test_an_org_that_never_received_anything_has_nothing_to_drift_from(project: Project) -> None:
    assert "nothing was ever promoted" in drift(project, status=0)
