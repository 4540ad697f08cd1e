"""What a component needs and names: required elements, and other components that must exist."""

from __future__ import annotations

import pytest
from tests.emulators.salesforce.metadata.metadata_support import FLOW, EmulatedOrg, apex, layout, manifest, one, text_field, with_store, xml

from tests.emulated_org import cites


@cites("deploy answers", "knowledge")
def test_a_layout_with_an_absent_field_is_told_with_its_line(sandbox: EmulatedOrg) -> None:
    """A layout that names an absent field fails with the file, the line and the field's full name."""
    with_store(sandbox, "Area__c")
    path = "layouts/Store__c-L.layout"
    files = {"package.xml": manifest({"Layout": ["Store__c-L"]}), path: layout("Area__c")}
    assert sandbox.problems(files) == []
    problem = "In field: field - no CustomField named Store__c.Nope__c found"
    assert sandbox.problems(files | {path: layout("Nope__c")}) == [f"{path}:5 Layout Store__c-L: {problem}"]


METADATA_VALUE = (
    '<label>R</label><values xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<field>{}</field><value xsi:nil="true"/></values>'
)


@cites("deploy answers", "knowledge")
@pytest.mark.parametrize(
    ("kind", "name", "path", "good", "bad", "problem"),
    [
        (
            "PermissionSet", "P", "permissionsets/P.permissionset",
            "<label>P</label><fieldPermissions><editable>true</editable><field>Store__c.Area__c</field></fieldPermissions>",
            "<label>P</label><fieldPermissions><editable>true</editable><field>Store__c.No__c</field></fieldPermissions>",
            "In field: field - no CustomField named Store__c.No__c found",
        ),
        (
            "PermissionSet", "P", "permissionsets/P.permissionset",
            "<label>P</label><objectPermissions><object>Store__c</object></objectPermissions>",
            "<label>P</label><objectPermissions><object>Stor__c</object></objectPermissions>",
            "In field: object - no CustomObject named Stor__c found",
        ),
        (
            "PermissionSet", "P", "permissionsets/P.permissionset",
            "<label>P</label>",
            "<label>P</label><classAccesses><apexClass>Nope</apexClass></classAccesses>",
            "In field: apexClass - no ApexClass named Nope found",
        ),
        (
            "CustomTab", "Store__c", "tabs/Store__c.tab",
            "<customObject>true</customObject><motif>Custom1: Heart</motif>",
            "<page>NoPage</page><motif>Custom1: Heart</motif>",
            "In field: page - no ApexPage named NoPage found",
        ),
        (
            "CustomApplication", "Service", "applications/Service.app",
            "<label>S</label><tabs>standard-Account</tabs>",
            "<label>S</label><tabs>Nope</tabs>",
            "In field: tab - no CustomTab named Nope found",
        ),
        (
            "Flow", "F", "flows/F.flow",
            FLOW.format("<filters><field>Area__c</field></filters><object>Store__c</object>"),
            FLOW.format("<filters><field>No__c</field></filters><object>Store__c</object>"),
            "In field: field - no CustomField named Store__c.No__c found",
        ),
        (
            "Flow", "F", "flows/F.flow",
            FLOW.format("<object>Account</object>"),
            FLOW.format("<object>Acount</object>"),
            "In field: object - no CustomObject named Acount found",
        ),
        (
            "Queue", "Q", "queues/Q.queue",
            "<name>Q</name><queueSobject><sobjectType>Case</sobjectType></queueSobject>",
            "<name>Q</name><queueSobject><sobjectType>Cases__c</sobjectType></queueSobject>",
            "In field: sobjectType - no CustomObject named Cases__c found",
        ),
    ],
)  # fmt: skip
def test_what_a_component_names_must_exist(
    sandbox: EmulatedOrg, kind: str, name: str, path: str, good: str, bad: str, problem: str
) -> None:
    """What permission sets, tabs, apps, flows and queues name must exist, in the org or in the same deploy."""
    with_store(sandbox, "Area__c")
    assert sandbox.problems(one(kind, name, path, good)) == []
    (found,) = sandbox.problems(one(kind, name, path, bad))
    assert found.endswith(f"{kind} {name}: {problem}")


@cites("deploy answers", "knowledge")
@pytest.mark.parametrize(
    ("child", "inner", "problem"),
    [
        (
            "CustomField:Store__c.Home__c",
            "<fields><fullName>Home__c</fullName><label>H</label><referenceTo>Hom__c</referenceTo><type>Lookup</type></fields>",
            "referenceTo value of 'Hom__c' does not resolve to a valid sObject type",
        ),
        (
            "CustomField:Store__c.Twice__c",
            ("<fields><fullName>Twice__c</fullName><formula>No__c * 2 + LEN('Area__c')</formula><label>T</label>"
            "<type>Number</type></fields>"),
            "Field No__c does not exist. Check spelling.",
        ),
        (
            "ValidationRule:Store__c.Rule",
            ("<validationRules><fullName>Rule</fullName><active>true</active>"
            "<errorConditionFormula>ISBLANK( No__c ) &amp;&amp; ISBLANK(Area__c)</errorConditionFormula>"
            "<errorMessage>m</errorMessage></validationRules>"),
            "Field No__c does not exist. Check spelling.",
        ),
        (
            "RecordType:Store__c.Main",
            ("<recordTypes><fullName>Main</fullName><active>true</active><label>M</label>"
            "<picklistValues><picklist>Kind__c</picklist><values><fullName>Big</fullName></values><values><fullName>Huge</fullName></values></picklistValues></recordTypes>"),
            "Picklist value: Huge in picklist: Kind__c not found",
        ),
        (
            "RecordType:Store__c.Main",
            "<recordTypes><fullName>Main</fullName><active>true</active><businessProcess>Nope</businessProcess><label>M</label></recordTypes>",
            "In field: businessProcess - no BusinessProcess named Store__c.Nope found",
        ),
        (
            "ListView:Store__c.All",
            "<listViews><fullName>All</fullName><columns>NAME</columns><columns>No__c</columns><filterScope>Everything</filterScope><label>All</label></listViews>",
            "Could not resolve list view column: No__c",
        ),
        (
            "CustomField:Store__c.Size__c",
            "<fields><fullName>Size__c</fullName><label>S</label><type>Number</type><precision>18</precision></fields>",
            "Required field is missing: scale",
        ),
    ],
)  # fmt: skip
def test_what_a_child_of_an_object_names_must_exist(sandbox: EmulatedOrg, child: str, inner: str, problem: str) -> None:
    """Lookup targets, formulas, rules, record types and list views of an object name what exists."""
    picklist = (
        "<fields><fullName>Kind__c</fullName><label>K</label><type>Picklist</type><valueSet><valueSetDefinition>"
        "<value><fullName>Big</fullName><default>false</default></value></valueSetDefinition></valueSet></fields>"
    )
    with_store(sandbox, "Area__c", extra=picklist)
    kind, _, name = child.partition(":")
    files = one(kind, name, "objects/Store__c.object", inner, "CustomObject")
    assert sandbox.problems(files) == [f"objects/Store__c.object:3 {kind} {name}: {problem}"]


@cites("knowledge")
def test_a_custom_metadata_record_needs_its_type_and_field(sandbox: EmulatedOrg) -> None:
    record = one("CustomMetadata", "Rule.R", "customMetadata/Rule.R.md", METADATA_VALUE.format("Limit__c"))
    assert [p.rpartition(": ")[2] for p in sandbox.problems(record)] == [
        "fullName - no CustomObject named Rule__mdt found",
        "field - no CustomField named Rule__mdt.Limit__c found",
    ]
    kind = {
        "package.xml": manifest({"CustomObject": ["Rule__mdt"], "CustomMetadata": ["Rule.R"]}),
        "objects/Rule__mdt.object": xml(
            "CustomObject", "<label>Rule</label><pluralLabel>Rules</pluralLabel>" + text_field("Limit__c")
        ),
        "customMetadata/Rule.R.md": record["customMetadata/Rule.R.md"],
    }
    assert sandbox.problems(kind) == []


@cites("deploy answers", "knowledge")
def test_a_trigger_and_a_web_component_name_what_they_need(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"ApexTrigger": ["T"], "LightningComponentBundle": ["tile"]}),
        "triggers/T.trigger": "trigger T on Stor__c (before insert) { }",
        "triggers/T.trigger-meta.xml": xml("ApexTrigger", "<apiVersion>64.0</apiVersion>"),
        "lwc/tile/tile.js": "import a from '@salesforce/apex/Nope.get';\nimport l from '@salesforce/label/c.Gone';",
        "lwc/tile/tile.js-meta.xml": xml("LightningComponentBundle", "<apiVersion>64.0</apiVersion>"),
    }
    assert sorted(sandbox.problems(files)) == [
        "lwc/tile/tile.js:1 LightningComponentBundle tile: Unable to find Apex action class referenced as 'Nope'.",
        "lwc/tile/tile.js:2 LightningComponentBundle tile: No custom label found with name: Gone",
        "triggers/T.trigger:1 ApexTrigger T: Invalid SObject type name: Stor__c",
    ]


@cites("deploy answers", "knowledge")
def test_all_problems_of_a_deploy_come_together(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"Layout": ["Account-L", "Case-L"], "Queue": ["Q"], "ApexClass": ["Gone"]}),
        "layouts/Account-L.layout": layout("A__c"),
        "layouts/Case-L.layout": layout("B__c"),
        "queues/Q.queue": xml("Queue", "<email>a@b.example</email>"),
    }
    assert len(sandbox.problems(files)) == 4
