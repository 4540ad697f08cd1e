"""One deploy whose components name, entry by entry, what the org lacks: each entry is told, and nothing else."""

from __future__ import annotations

from functools import reduce

from metadata_support import CUSTOM_OBJECT, EmulatedOrg, apex, layout, manifest, text_field, with_store, xml

from tests.emulated_org import cites

# What is named, by component and entry: `element/element: type and name of what is absent`.
_GRANTS = {
    "applicationVisibilities/application": "CustomApplication NoApp",
    "classAccesses/apexClass": "ApexClass NoClass",
    "customMetadataTypeAccesses/name": "CustomObject No__mdt",
    "customPermissions/name": "CustomPermission NoPermission",
    "customSettingAccesses/name": "CustomObject NoSetting__c",
    "fieldPermissions/field": "CustomField Store__c.No__c",
    "flowAccesses/flow": "Flow NoFlow",
    "objectPermissions/object": "CustomObject No__c",
    "pageAccesses/apexPage": "ApexPage NoPage",
    "recordTypeVisibilities/recordType": "RecordType Store__c.NoType",
}
ABSENT = {
    "PermissionSet P": {**_GRANTS, "tabSettings/tab": "CustomTab NoTab"},
    "Profile Sales": {
        **_GRANTS,
        "tabVisibilities/tab": "CustomTab NoTab",
        "layoutAssignments/layout": "Layout Store__c-No Layout",
        "layoutAssignments/recordType": "RecordType Store__c.NoType",
    },
    "PermissionSetGroup G": {
        "permissionSets": "PermissionSet NoSet",
        "mutingPermissionSets": "MutingPermissionSet NoMuting",
    },
    "Layout Store__c-L": {
        "layoutSections/layoutColumns/layoutItems/field": "CustomField Store__c.No__c",
        "layoutSections/layoutColumns/layoutItems/page": "ApexPage NoPage",
        "customButtons": "WebLink Store__c.NoButton",
        "relatedLists/relatedList": "CustomField No__c.Store__c",
        "quickActionList/quickActionListItems/quickActionName": "QuickAction Store__c.NoAction",
    },
    "RecordType Store__c.City": {
        "businessProcess": "BusinessProcess Store__c.NoProcess",
        "compactLayoutAssignment": "CompactLayout Store__c.NoLayout",
        "picklistValues/picklist": "CustomField Store__c.No__c",
    },
    "CustomField Store__c.Kind__c": {
        "valueSet/valueSetName": "GlobalValueSet NoSet",
        "valueSet/controllingField": "CustomField Store__c.No__c",
        "lookupFilter/filterItems/field": "CustomField Store__c.No__c",
    },
    "Flow F": {
        "start/object": "CustomObject No__c",
        "recordLookups/object": "CustomObject No__c",
        "recordCreates/object": "CustomObject No__c",
        "recordUpdates/object": "CustomObject No__c",
        "recordDeletes/object": "CustomObject No__c",
        "variables/objectType": "CustomObject No__c",
        "subflows/flowName": "Flow NoFlow",
        "actionCalls:apex/actionName": "ApexClass NoClass",
        "actionCalls:emailAlert/actionName": "WorkflowAlert Store__c.NoAlert",
    },
    "CustomApplication App": {"tabs": "CustomTab NoTab", "utilityBar": "FlexiPage NoBar"},
    "QuickAction Store__c.Open": {
        "targetObject": "CustomObject No__c",
        "lightningWebComponent": "LightningComponentBundle noBundle",
        "flowDefinition": "Flow NoFlow",
        "page": "ApexPage NoPage",
    },
}
_FILES = {
    "PermissionSet P": "permissionsets/P.permissionset",
    "Profile Sales": "profiles/Sales.profile",
    "PermissionSetGroup G": "permissionsetgroups/G.permissionsetgroup",
    "Layout Store__c-L": "layouts/Store__c-L.layout",
    "Flow F": "flows/F.flow",
    "CustomApplication App": "applications/App.app",
    "QuickAction Store__c.Open": "quickActions/Store__c.Open.quickAction",
}
_LABEL = "<label>L</label>"
_OTHERWISE = {
    "Layout Store__c-L": "",
    "RecordType Store__c.City": f"<fullName>City</fullName><active>true</active>{_LABEL}",
    "CustomField Store__c.Kind__c": f"<fullName>Kind__c</fullName>{_LABEL}<type>Picklist</type>",
    "QuickAction Store__c.Open": "<type>Create</type>",
}
# How a message calls an element, where it isn't by its name.
_CALLED = {"quickActionName": "QuickAction", "tabs": "tab"}


def entry(path: str, value: str) -> str:
    """Return an element with a value at a path; `element:kind` is an action of a kind."""
    *above, own = path.split("/")

    def within(inner: str, name: str) -> str:
        name, _, kind = name.partition(":")
        return f"<{name}>{f'<actionType>{kind}</actionType>' if kind else ''}{inner}</{name}>"

    return reduce(within, reversed(above), f"<{own}>{value}</{own}>")


def named(kind: str, name: str, path: str) -> str:
    """Return how a component writes the name of another."""
    own = path in ("customButtons", "businessProcess", "compactLayoutAssignment") or path.endswith(
        ("picklist", "layoutItems/field", "controllingField")
    )
    return name.partition(".")[2] if own else name


def inner_of(component: str) -> str:
    parts = [entry(path, named(*absent.split(" ", 1), path)) for path, absent in ABSENT[component].items()]
    return _OTHERWISE.get(component, _LABEL) + "".join(parts)


@cites("deploy answers", "knowledge")
def test_each_entry_that_names_what_the_org_lacks_is_told(sandbox: EmulatedOrg) -> None:
    """Permission entries, layouts, record types, lookups, flows, apps and actions: each absent thing that they name is
    told by itself, with the element that names it."""
    with_store(sandbox)
    children = (
        f"<recordTypes>{inner_of('RecordType Store__c.City')}</recordTypes>"
        f"<fields>{inner_of('CustomField Store__c.Kind__c')}</fields>"
    )
    types: dict[str, list[str]] = {"CustomObject": ["Store__c"]}
    files: dict[str, str | bytes] = {"objects/Store__c.object": xml("CustomObject", CUSTOM_OBJECT + children)}
    for component, path in _FILES.items():
        kind, name = component.split(" ", 1)
        types.setdefault(kind, []).append(name)
        files[path] = xml(kind, inner_of(component))
    told = sorted(problem.partition(" ")[2] for problem in sandbox.problems({"package.xml": manifest(types), **files}))
    expected = sorted(
        f"{component}: In field: {_CALLED.get(path.rpartition('/')[2], path.rpartition('/')[2])} - "
        f"no {absent.split(' ', 1)[0]} named {absent.split(' ', 1)[1]} found"
        for component, entries in ABSENT.items()
        for path, absent in entries.items()
    )
    assert told == expected


@cites("deploy answers", "knowledge")
def test_the_fields_that_a_flow_reads_and_writes_must_exist(sandbox: EmulatedOrg) -> None:
    """The fields by which a flow's elements filter, sort, read and write must exist on the object of the element."""
    with_store(sandbox, "Area__c")
    spots = {
        "start": ["filters/field"],
        "recordLookups": ["filters/field", "queriedFields", "sortField", "outputAssignments/field"],
        "recordCreates": ["inputAssignments/field"],
        "recordUpdates": ["filters/field", "inputAssignments/field"],
        "recordDeletes": ["filters/field"],
    }
    for name, expected in (("Area__c", 0), ("No__c", sum(map(len, spots.values())))):
        inner = "".join(
            f"<{element}><object>Store__c</object>{''.join(entry(path, name) for path in paths)}</{element}>"
            for element, paths in spots.items()
        )
        files = {"package.xml": manifest({"Flow": ["F"]}), "flows/F.flow": xml("Flow", _LABEL + inner)}
        found = sandbox.problems(files)
        assert len(found) == expected
        assert all("no CustomField named Store__c.No__c found" in problem for problem in found)


@cites("knowledge")
def test_what_comes_in_the_same_deploy_is_there_and_names_are_found_whatever_their_case(sandbox: EmulatedOrg) -> None:
    grants = "<classAccesses><apexClass>hello</apexClass></classAccesses>"
    files = {
        "package.xml": manifest(
            {"CustomObject": ["Store__c"], "Layout": ["Store__c-L"], "PermissionSet": ["P"], "ApexClass": ["Hello"]}
        ),
        "objects/Store__c.object": xml("CustomObject", CUSTOM_OBJECT + text_field("Area__c")),
        "layouts/Store__c-L.layout": layout("AREA__C"),
        "permissionsets/P.permissionset": xml("PermissionSet", _LABEL + grants),
        **apex("Hello"),
    }
    assert sandbox.problems(files) == []
