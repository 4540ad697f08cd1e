"""What a deploy checks and does. The modules of emulators/salesforce/metadata name their sources."""

from __future__ import annotations

import json

import pytest
from metadata_support import CUSTOM_OBJECT, EmulatedOrg, manifest, text_field, xml, zipped

APEX_META = xml("ApexClass", "<apiVersion>64.0</apiVersion><status>Active</status>")


def apex(name: str, body: str = "") -> dict[str, str]:
    return {
        f"classes/{name}.cls": body or f"public class {name} {{ Integer a = 1; }}",
        f"classes/{name}.cls-meta.xml": APEX_META,
    }


def apex_tests(name: str = "HelloTest", *methods: str) -> dict[str, str]:
    inner = " ".join(f"@isTest static void {method}() {{ }}" for method in methods or ("works",))
    return apex(name, f"@isTest private class {name} {{ {inner} }}")


def store(*fields: str, extra: str = "") -> dict[str, str]:
    return {"objects/Store__c.object": xml("CustomObject", CUSTOM_OBJECT + "".join(map(text_field, fields)) + extra)}


def with_store(org: EmulatedOrg, *fields: str, extra: str = "") -> None:
    files = {"package.xml": manifest({"CustomObject": ["Store__c"]}), **store(*fields, extra=extra)}
    assert org.deploy(files)["status"] == "Succeeded"


def one(kind: str, name: str, path: str, inner: str, root: str = "") -> dict[str, str]:
    return {"package.xml": manifest({kind: [name]}), path: xml(root or kind, inner)}


# --- the course of a deploy -------------------------------------------------------------------------------------


def test_a_deploy_waits_then_works_then_is_done(sandbox: EmulatedOrg) -> None:
    """`checkDeployStatus()`: Pending, InProgress with counts, then Succeeded and `done`."""
    files = {"package.xml": manifest({"ApexClass": [f"C{n}" for n in range(400)]})}
    for n in range(400):
        files |= apex(f"C{n}")
    ident = sandbox.submit(files)
    seen = [sandbox.status(ident)]
    for _ in range(8):
        sandbox.clock.seconds += 0.2
        seen.append(sandbox.status(ident))
    statuses = [each["status"] for each in seen]
    assert [s for n, s in enumerate(statuses) if s not in statuses[:n]] == ["Pending", "InProgress", "Succeeded"]
    under_way = [each["numberComponentsDeployed"] for each in seen if each["status"] == "InProgress"]
    assert under_way == sorted(under_way)
    assert under_way[-1] > under_way[0]
    assert (seen[-1]["numberComponentsDeployed"], seen[-1]["numberComponentsTotal"]) == (400, 400)
    assert all("componentSuccesses" in each["details"] for each in seen)


def test_deploys_to_one_org_are_carried_out_one_after_the_other(sandbox: EmulatedOrg) -> None:
    """`deploy()`: deployments are queued, one at a time runs."""
    first = sandbox.submit({"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")})
    second = sandbox.submit({"package.xml": manifest({"ApexClass": ["B"]}), **apex("B")})
    sandbox.clock.seconds += 0.5
    assert [sandbox.status(i)["status"] for i in (first, second)] == ["InProgress", "Pending"]
    sandbox.clock.seconds += 60
    assert [sandbox.status(i)["status"] for i in (first, second)] == ["Succeeded", "Succeeded"]


def test_a_component_is_created_then_changed_then_left_alone(sandbox: EmulatedOrg) -> None:
    """`DeployMessage`: created and changed say what became of a component; white space is no change."""

    def flags(body: str) -> tuple[bool, bool]:
        result = sandbox.deploy(one("CustomPermission", "Open", "customPermissions/Open.customPermission", body))
        message = next(m for m in result["details"]["componentSuccesses"] if m["componentType"])
        return message["created"], message["changed"]

    assert flags("<label>Open</label>") == (True, True)
    assert flags("\n\n   <label>Open</label>\n") == (False, False)
    assert flags("<label>Opened</label>") == (False, True)


def test_a_validation_changes_nothing(sandbox: EmulatedOrg) -> None:
    """`DeployOptions.checkOnly`."""
    before = sandbox.snapshot()
    files = {"package.xml": manifest({"CustomObject": ["Store__c"]}), **store("Area__c")}
    assert sandbox.deploy(files, checkOnly=True)["status"] == "Succeeded"
    assert sandbox.snapshot() == before


def test_one_error_takes_everything_back(sandbox: EmulatedOrg) -> None:
    """`DeployOptions.rollbackOnError`: true takes back the whole deploy."""
    with_store(sandbox)
    before = sandbox.snapshot()
    files = {
        "package.xml": manifest({"ApexClass": ["Fine"], "Layout": ["Store__c-L"]}),
        **apex("Fine"),
        "layouts/Store__c-L.layout": layout("Gone__c"),
    }
    assert sandbox.deploy(files)["status"] == "Failed"
    assert sandbox.snapshot() == before


def test_a_sandbox_keeps_what_succeeded_when_asked_to(sandbox: EmulatedOrg) -> None:
    """`DeployOptions.rollbackOnError`: false keeps the rest, SucceededPartial; what needs the failed one fails too."""
    files = {
        "package.xml": manifest({"ApexClass": ["Fine"], "CustomObject": ["Store__c"], "Layout": ["Store__c-L"]}),
        **apex("Fine"),
        "objects/Store__c.object": xml("CustomObject", "<label>No name field</label>" + text_field("Area__c")),
        "layouts/Store__c-L.layout": layout("Area__c"),
    }
    result = sandbox.deploy(files, rollbackOnError=False)
    assert result["status"] == "SucceededPartial"
    failed = {m["fullName"]: m["problem"] for m in result["details"]["componentFailures"]}
    assert failed["Store__c.Area__c"] == "Parent entity failed to deploy"
    assert {"Store__c", "Store__c.Area__c", "Store__c-L"} == set(failed)
    assert sandbox.components.get("ApexClass", "Fine")
    assert not sandbox.components.get("CustomField", "Store__c.Area__c")


def test_production_refuses_partial_deploys_and_deploys_without_tests(production: EmulatedOrg) -> None:
    """`DeployOptions`: rollbackOnError must be true for production; NoTestRun is for development environments."""
    files = {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")}
    for options in ({"rollbackOnError": False}, {"testLevel": "NoTestRun"}):
        with pytest.raises(AssertionError, match="INVALID_OPERATION"):
            production.submit(files, **options)


def test_a_deploy_can_be_cancelled_while_it_waits_or_works(sandbox: EmulatedOrg) -> None:
    """`cancelDeploy()`: Canceled at once when pending, Canceling then Canceled when under way."""
    files = {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")}
    waiting = sandbox.submit(files)
    body = sandbox.soap("cancelDeploy", f"<String>{waiting}</String>")
    assert body.findtext(".//{*}done") == "true"
    working = sandbox.submit(files)
    sandbox.clock.seconds += 0.5
    answer = sandbox.rest("PATCH", f"/{working}", b'{"deployResult":{"status":"Canceling"}}')
    assert (answer.status, json.loads(answer.body)["deployResult"]["status"]) == (202, "Canceling")
    sandbox.clock.seconds += 60
    assert [sandbox.status(i)["status"] for i in (waiting, working)] == ["Canceled", "Canceled"]
    assert not sandbox.components.get("ApexClass", "A")
    again = sandbox.rest("PATCH", f"/{working}", b'{"deployResult":{"status":"Canceling"}}')
    assert again.status == 400


# --- the package ------------------------------------------------------------------------------------------------


def test_what_the_manifest_names_must_be_in_the_zip(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({"ApexClass": ["Here", "Gone"]}), **apex("Here")}
    wanted = "An object 'Gone' of type ApexClass was named in package.xml, but was not found in zipped directory"
    assert sandbox.problems(files) == [f"package.xml:3 ApexClass Gone: {wanted}"]
    assert sandbox.deploy(files, allowMissingFiles=True)["status"] == "Succeeded"


def test_what_is_in_the_zip_must_be_named(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({"ApexClass": ["Here"]}), **apex("Here"), **apex("Stowaway")}
    assert sandbox.problems(files) == ["classes/Stowaway.cls:0 ApexClass Stowaway: Not in package.xml"]
    assert sandbox.deploy(files, autoUpdatePackage=True)["status"] == "Succeeded"
    assert sandbox.components.get("ApexClass", "Stowaway")


def test_a_wildcard_names_all_of_a_type(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({"ApexClass": ["*"]}), **apex("A"), **apex("B")}
    assert sandbox.deploy(files)["numberComponentsDeployed"] == 2


def test_one_field_can_be_deployed_without_its_object(sandbox: EmulatedOrg) -> None:
    with_store(sandbox, "Area__c")
    files = {
        "package.xml": manifest({"CustomField": ["Store__c.Floor__c"]}),
        "objects/Store__c.object": xml("CustomObject", text_field("Floor__c")),
    }
    result = sandbox.deploy(files)
    assert (result["status"], result["numberComponentsDeployed"]) == ("Succeeded", 1)
    assert {"Store__c.Area__c", "Store__c.Floor__c"} < set(sandbox.components.names("CustomField"))


def test_a_field_in_the_file_that_nobody_names_is_an_error(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"CustomField": ["Account.A__c"]}),
        "objects/Account.object": xml("CustomObject", text_field("A__c") + text_field("B__c")),
    }
    assert sandbox.problems(files) == ["objects/Account.object:9 CustomField Account.B__c: Not in package.xml"]


def test_an_unknown_type_is_named(sandbox: EmulatedOrg) -> None:
    problem = "package.xml:3  package.xml: Unknown type name 'ApexKlass' specified in package.xml"
    assert sandbox.problems({"package.xml": manifest({"ApexKlass": ["A"]})}) == [problem]


def test_an_unknown_folder_is_named(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({}), "klasses/A.cls": "x"}
    assert sandbox.problems(files) == ["klasses/A.cls:0  klasses/A.cls: Unknown folder type: klasses"]


def test_malformed_xml_is_told_with_its_line(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"CustomPermission": ["P"]}),
        "customPermissions/P.customPermission": "<?xml version='1.0'?>\n<CustomPermission>\n<label>x</labl>\n",
    }
    (problem,) = sandbox.problems(files)
    assert problem.startswith("customPermissions/P.customPermission:3 CustomPermission P: Error parsing file:")


def test_entities_are_not_expanded(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"CustomPermission": ["P"]}),
        "customPermissions/P.customPermission": (
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><CustomPermission><label>&e;</label></CustomPermission>'
        ),
    }
    sandbox.deploy(files)
    held = sandbox.components.get("CustomPermission", "P")
    assert held is None or b"root:" not in sandbox.components.content(held)


@pytest.mark.parametrize("version", ["68.0", "30.0", "", "new"])
def test_an_api_version_that_the_org_lacks_is_refused(sandbox: EmulatedOrg, version: str) -> None:
    (problem,) = sandbox.problems({"package.xml": manifest({}, version)})
    assert "Invalid version specified" in problem


def test_a_class_of_a_later_api_version_is_refused(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")}
    files["classes/A.cls-meta.xml"] = APEX_META.replace("64.0", "99.0")
    wanted = "classes/A.cls:3 ApexClass A: Invalid api version: 99.0 (this org has 67.0)"
    assert sandbox.problems(files) == [wanted]


def test_a_zip_without_manifest_or_no_zip_at_all_fails(sandbox: EmulatedOrg) -> None:
    assert "No package.xml found" in sandbox.problems({"x/package.xml": manifest({})})[0]
    ident = sandbox.submit({"package.xml": "x"})
    body = sandbox.soap(
        "deploy", "<ZipFile>Tm8gemlw</ZipFile><DeployOptions><singlePackage>true</singlePackage></DeployOptions>"
    )
    sandbox.clock.seconds += 60
    result = sandbox.status(body.findtext(".//{*}id") or "")
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "INVALID_ZIP_FILE")
    assert sandbox.status(ident)["status"] == "Failed"


def test_a_directory_of_packages_is_taken_without_single_package(sandbox: EmulatedOrg) -> None:
    """`DeployOptions.singlePackage`: false means that the zip holds directories of packages."""
    files = {
        f"unpackaged/{path}": data
        for path, data in {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")}.items()
    }
    assert sandbox.deploy(files, singlePackage=False)["status"] == "Succeeded"
    assert sandbox.retrieve({"ApexClass": ["A"]})["classes/A.cls"] == apex("A")["classes/A.cls"].encode()


def test_too_many_files_are_refused(sandbox: EmulatedOrg) -> None:
    """Salesforce Developer Limits, "Metadata API limits": 10,000 files."""
    files = {"package.xml": manifest({})} | {f"lwc/x/{n}.js": "" for n in range(10_000)}
    result = sandbox.deploy(files)
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "LIMIT_EXCEEDED")


# --- required elements and references ---------------------------------------------------------------------------


def layout(field: str) -> str:
    items = f"<layoutItems>\n<behavior>Edit</behavior>\n<field>{field}</field>\n</layoutItems>"
    return xml("Layout", f"<layoutSections><layoutColumns>{items}</layoutColumns></layoutSections>")


def test_a_layout_with_an_absent_field_is_told_with_its_line(sandbox: EmulatedOrg) -> None:
    with_store(sandbox, "Area__c")
    path = "layouts/Store__c-L.layout"
    files = {"package.xml": manifest({"Layout": ["Store__c-L"]}), path: layout("Area__c")}
    assert sandbox.problems(files) == []
    problem = "In field: field - no CustomField named Store__c.Nope__c found"
    assert sandbox.problems(files | {path: layout("Nope__c")}) == [f"{path}:5 Layout Store__c-L: {problem}"]


FLOW = "<label>F</label><processType>AutoLaunchedFlow</processType><recordLookups><name>Get</name>{}</recordLookups>"
METADATA_VALUE = (
    '<label>R</label><values xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<field>{}</field><value xsi:nil="true"/></values>'
)


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
    with_store(sandbox, "Area__c")
    assert sandbox.problems(one(kind, name, path, good)) == []
    (found,) = sandbox.problems(one(kind, name, path, bad))
    assert found.endswith(f"{kind} {name}: {problem}")


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
    picklist = (
        "<fields><fullName>Kind__c</fullName><label>K</label><type>Picklist</type><valueSet><valueSetDefinition>"
        "<value><fullName>Big</fullName><default>false</default></value></valueSetDefinition></valueSet></fields>"
    )
    with_store(sandbox, "Area__c", extra=picklist)
    kind, _, name = child.partition(":")
    files = one(kind, name, "objects/Store__c.object", inner, "CustomObject")
    assert sandbox.problems(files) == [f"objects/Store__c.object:3 {kind} {name}: {problem}"]


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


def test_all_problems_of_a_deploy_come_together(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"Layout": ["Account-L", "Case-L"], "Queue": ["Q"], "ApexClass": ["Gone"]}),
        "layouts/Account-L.layout": layout("A__c"),
        "layouts/Case-L.layout": layout("B__c"),
        "queues/Q.queue": xml("Queue", "<email>a@b.example</email>"),
    }
    assert len(sandbox.problems(files)) == 4


# --- destructive changes ----------------------------------------------------------------------------------------


def destroy(types: dict[str, list[str]], when: str = "") -> dict[str, str]:
    listed = manifest(types).replace("<version>64.0</version>", "")
    return {"package.xml": manifest({}), f"destructiveChanges{when}.xml": listed}


def test_a_deleted_field_leaves_layouts_and_permissions_but_not_rules(sandbox: EmulatedOrg) -> None:
    """ "Deleting Components from an Organization": a component in use can't be deleted."""
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


def test_deletions_before_and_after_the_additions(sandbox: EmulatedOrg) -> None:
    """destructiveChangesPost.xml: after the additions, when nothing refers to the component any more."""
    old = FLOW.format("<filters><field>Area__c</field></filters><object>Store__c</object>")
    new = FLOW.format("<object>Store__c</object>")
    with_store(sandbox, "Area__c")
    assert sandbox.problems(one("Flow", "F", "flows/F.flow", old)) == []
    change = one("Flow", "F", "flows/F.flow", new)
    listed = {"CustomField": ["Store__c.Area__c"]}
    before = destroy(listed, "Pre") | change
    assert len(sandbox.problems(before)) == 1
    assert sandbox.problems(destroy(listed, "Post") | change) == []
    assert not sandbox.components.get("CustomField", "Store__c.Area__c")


def test_an_object_takes_its_children_and_layouts_along(sandbox: EmulatedOrg) -> None:
    with_store(sandbox, "Area__c")
    sandbox.deploy(
        {"package.xml": manifest({"Layout": ["Store__c-L"]}), "layouts/Store__c-L.layout": layout("Area__c")}
    )
    assert sandbox.problems(destroy({"CustomObject": ["Store__c"]})) == []
    assert not [key for key in sandbox.snapshot() if "Store__c" in key[1]]


def test_deleting_what_is_not_there_is_a_warning(sandbox: EmulatedOrg) -> None:
    """`DeployOptions.ignoreWarnings`: a warning is a success when ignored, else an error."""
    files = destroy({"ApexClass": ["Nope"]})
    assert sandbox.deploy(files)["status"] == "Succeeded"
    result = sandbox.deploy(files, ignoreWarnings=False)
    (failure,) = result["details"]["componentFailures"]
    assert (result["status"], failure["problemType"]) == ("Failed", "Warning")
    assert failure["problem"] == "No ApexClass named: Nope found"


def test_standard_components_and_wildcards_are_not_deleted(sandbox: EmulatedOrg) -> None:
    assert len(sandbox.problems(destroy({"CustomObject": ["Account"], "ApexClass": ["*"]}))) == 2


# --- tests and quick deploy -------------------------------------------------------------------------------------


def apex_package(*parts: dict[str, str]) -> dict[str, str]:
    files = {path: data for part in parts for path, data in part.items()}
    names = [path[len("classes/") : -len(".cls")] for path in files if path.endswith(".cls")]
    return {"package.xml": manifest({"ApexClass": names}), **files}


def test_production_runs_local_tests_when_apex_comes(production: EmulatedOrg) -> None:
    """ "Running Tests in a Deployment": RunLocalTests is production's default for packages with Apex."""
    result = production.deploy(apex_package(apex("Hello"), apex_tests("HelloTest", "one", "two")))
    assert (result["status"], result["numberTestsTotal"], result["runTestsEnabled"]) == ("Succeeded", 2, True)
    permission = one("CustomPermission", "P", "customPermissions/P.customPermission", "<label>P</label>")
    assert production.deploy(permission)["numberTestsTotal"] == 0


def test_a_declared_failure_fails_the_deploy() -> None:
    """ "Running Tests in a Deployment": a failing test takes the deploy back."""
    table = {
        "HelloTest.two": {"outcome": "fail", "message": "expected 1, got 2", "stack": "Class.HelloTest.two: line 3"}
    }
    org = EmulatedOrg("production", {"apex_tests": table})
    result = org.deploy(apex_package(apex("Hello"), apex_tests("HelloTest", "one", "two")))
    run = result["details"]["runTestResult"]
    assert (result["status"], result["numberTestErrors"], run["numTestsRun"]) == ("Failed", 1, 2)
    (failure,) = run["failures"]
    assert (failure["name"], failure["methodName"], failure["message"]) == ("HelloTest", "two", "expected 1, got 2")
    assert not org.components.get("ApexClass", "Hello")


def test_production_insists_on_three_quarters_of_coverage() -> None:
    """ "Running Tests in a Deployment": 75% overall, or of each class when tests are specified."""
    package = apex_package(apex("Hello"), apex("Other"), apex_tests())
    org = EmulatedOrg("production", {"apex_coverage": {"Hello": 0}})
    result = org.deploy(package)
    assert result["status"] == "Failed"
    assert result["errorMessage"].startswith("Average test coverage across all Apex Classes and Triggers is 50%")
    specified = org.deploy(package, testLevel="RunSpecifiedTests", runTests=["HelloTest"])
    (warned,) = specified["details"]["runTestResult"]["codeCoverageWarnings"]
    assert warned["name"] == "Hello"
    untested = EmulatedOrg("production").deploy(apex_package(apex("Hello")))
    assert (untested["status"], untested["numberTestsTotal"]) == ("Failed", 0)


def test_specified_tests_run_alone_and_must_exist(sandbox: EmulatedOrg) -> None:
    package = apex_package(apex_tests("ATest"), apex_tests("BTest"))
    result = sandbox.deploy(package, testLevel="RunSpecifiedTests", runTests=["BTest"])
    assert [t["name"] for t in result["details"]["runTestResult"]["successes"]] == ["BTest"]
    assert sandbox.problems(package, testLevel="RunSpecifiedTests", runTests=["CTest"])


def test_a_recent_validation_is_deployed_without_its_tests(production: EmulatedOrg) -> None:
    """`deployRecentValidation()` and REST `validatedDeployRequestId`."""
    package = apex_package(apex("Hello"), apex_tests())
    validation = production.submit(package, checkOnly=True, testLevel="RunLocalTests")
    production.clock.seconds += 9 * 24 * 3600
    assert production.status(validation)["status"] == "Succeeded"
    answer = production.rest(
        "POST", "/validatedDeployRequestId", json.dumps({"validatedDeployRequestId": validation}).encode()
    )
    created = json.loads(answer.body)
    assert (answer.status, created["validatedDeployRequestId"]) == (201, validation)
    production.clock.seconds += 60
    result = production.status(created["id"])
    assert (result["status"], result["numberTestsTotal"], result["checkOnly"]) == ("Succeeded", 0, False)
    assert production.components.get("ApexClass", "Hello")


def quick_error(org: EmulatedOrg, ident: str) -> str:
    body = org.soap("deployRecentValidation", f"<validationId>{ident}</validationId>")
    return body.findtext(".//{*}faultstring") or body.findtext(".//{*}result") or ""


def test_a_validation_is_no_good_when_old_untested_failed_or_overtaken(sandbox: EmulatedOrg) -> None:
    """`deployRecentValidation()`: validated within ten days, tests passed, and the org unchanged since."""
    package = apex_package(apex("Hello"), apex_tests())

    def validated(**options: object) -> str:
        ident = sandbox.submit(package, checkOnly=True, **options)
        sandbox.clock.seconds += 60
        assert sandbox.status(ident)["status"] == "Succeeded"
        return ident

    untested = validated(testLevel="NoTestRun")
    assert "ran no tests" in quick_error(sandbox, untested)
    old = validated(testLevel="RunLocalTests")
    sandbox.clock.seconds += 10 * 24 * 3600 + 1
    assert "more than 10 days old" in quick_error(sandbox, old)
    overtaken = validated(testLevel="RunLocalTests")
    plain = sandbox.submit(apex_package(apex("Else")))
    sandbox.clock.seconds += 60
    assert "something else was deployed" in quick_error(sandbox, overtaken)
    assert "not a validation" in quick_error(sandbox, plain)
    assert "no validation" in quick_error(sandbox, "0Af000000000000AAA")
    good = validated(testLevel="RunLocalTests")
    assert quick_error(sandbox, good).startswith("0Af")


def test_a_deploy_over_rest_is_a_multipart_form(sandbox: EmulatedOrg) -> None:
    """`deployRequest`: a JSON part with deployOptions, then the zip."""
    options = json.dumps({"deployOptions": {"rollbackOnError": True, "singlePackage": True, "testLevel": "NoTestRun"}})
    data = zipped(apex_package(apex("Hello")))
    body = (
        b'--b\r\nContent-Disposition: form-data; name="json"\r\nContent-Type: application/json\r\n\r\n'
        + options.encode()
        + b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="d.zip"\r\n'
        + b"Content-Type: application/zip\r\n\r\n"
        + data
        + b"\r\n--b--\r\n"
    )
    answer = sandbox.rest("POST", "", body, "multipart/form-data; boundary=b")
    created = json.loads(answer.body)
    assert answer.status == 201
    assert created["url"].endswith(f"/services/data/v64.0/metadata/deployRequest/{created['id']}")
    sandbox.clock.seconds += 60
    assert sandbox.status(created["id"])["status"] == "Succeeded"
    assert sandbox.rest("GET", "/0Af000000000000AAA").status == 404
