"""Destructive changes: what may go, what goes with it, and in which order."""

from __future__ import annotations

import pytest
from tests.emulators.salesforce.metadata.metadata_support import FLOW, EmulatedOrg, layout, manifest, one, with_store, xml

from tests.emulated_org import cites


def destroy(types: dict[str, list[str]], when: str = "") -> dict[str, str]:
    listed = manifest(types).replace("<version>64.0</version>", "")
    return {"package.xml": manifest({}), f"destructiveChanges{when}.xml": listed}


@cites("deletion", "knowledge")
def test_a_deleted_field_leaves_layouts_and_permissions_but_not_rules(sandbox: EmulatedOrg) -> None:
    """What a rule or formula uses cannot be deleted; entries of layouts and permissions go with it."""
    rule = (
        "<validationRules><fullName>R</fullName><active>true</active><errorConditionFormula>ISBLANK(Area__c)"
        "</errorConditionFormula><errorMessage>m</errorMessage></validationRules>"
    )
    with_store(sandbox, "Area__c", "Floor__c", extra=rule)
    permissions = (
        "<label>P</label><fieldPermissions><editable>true</editable><field>Store__c.Area__c</field></fieldPermissions>"
    )
    sandbox.deploy(one("PermissionSet", "P", "permissionsets/P.permissionset", permissions))
    sandbox.deploy(
        {"package.xml": manifest({"Layout": ["Store__c-L"]}), "layouts/Store__c-L.layout": layout("Area__c")}
    )
    before = sandbox.snapshot()
    assert sandbox.problems(destroy({"CustomField": ["Store__c.Area__c"]})) == [
        (
            "destructiveChanges.xml:3 CustomField Store__c.Area__c: This custom field is referenced elsewhere in "
            "salesforce.com. Remove the usage and try again. : Validation Rule - Store__c.R."
        )
    ]
    assert sandbox.snapshot() == before
    both = destroy({"CustomField": ["Store__c.Area__c"], "ValidationRule": ["Store__c.R"]})
    assert sandbox.problems(both) == []
    files = sandbox.retrieve({"Layout": ["*"], "PermissionSet": ["P"], "CustomObject": ["Store__c"]})
    assert not [path for path, data in files.items() if b"Area__c" in data]
    assert b"Floor__c" in files["objects/Store__c.object"]


@cites("deletion")
@pytest.mark.parametrize("early", ["Pre", ""])
def test_deletions_before_and_after_the_additions(sandbox: EmulatedOrg, early: str) -> None:
    """destructiveChangesPre.xml is carried out before the additions, as is destructiveChanges.xml;
    destructiveChangesPost.xml after them."""
    old = FLOW.format("<filters><field>Area__c</field></filters><object>Store__c</object>")
    new = FLOW.format("<object>Store__c</object>")
    with_store(sandbox, "Area__c")
    assert sandbox.problems(one("Flow", "F", "flows/F.flow", old)) == []
    change = one("Flow", "F", "flows/F.flow", new)
    listed = {"CustomField": ["Store__c.Area__c"]}
    before = destroy(listed, early) | change
    assert len(sandbox.problems(before)) == 1
    assert sandbox.problems(destroy(listed, "Post") | change) == []
    assert not sandbox.components.get("CustomField", "Store__c.Area__c")


@cites("deleteMetadata", "knowledge")
def test_an_object_takes_its_children_and_layouts_along(sandbox: EmulatedOrg) -> None:
    with_store(sandbox, "Area__c")
    sandbox.deploy(
        {"package.xml": manifest({"Layout": ["Store__c-L"]}), "layouts/Store__c-L.layout": layout("Area__c")}
    )
    assert sandbox.problems(destroy({"CustomObject": ["Store__c"]})) == []
    assert not [key for key in sandbox.snapshot() if "Store__c" in key[1]]


@cites("deploy options", "knowledge")
def test_deleting_what_is_not_there_is_a_warning(sandbox: EmulatedOrg) -> None:
    """Deleting what is not there is a warning: a success with ignoreWarnings, else a failure."""
    files = destroy({"ApexClass": ["Nope"]})
    assert sandbox.deploy(files)["status"] == "Succeeded"
    result = sandbox.deploy(files, ignoreWarnings=False)
    (failure,) = result["details"]["componentFailures"]
    assert (result["status"], failure["problemType"]) == ("Failed", "Warning")
    assert failure["problem"] == "No ApexClass named: Nope found"


@cites("deletion")
def test_standard_components_and_wildcards_are_not_deleted(sandbox: EmulatedOrg) -> None:
    assert len(sandbox.problems(destroy({"CustomObject": ["Account"], "ApexClass": ["*"]}))) == 2
