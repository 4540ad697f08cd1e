"""One deploy whose components name, entry by entry, what the org lacks: each entry is told, and nothing else."""

from __future__ import annotations

from functools import reduce

import pytest
from tests.emulators.salesforce.metadata.metadata_support import CUSTOM_OBJECT, EmulatedOrg, apex, layout, manifest, one, text_field, with_store, xml

from tests.emulated_org import cites

# What is named, by component and entry: `element/element: type and name of what is absent`. `element:child=text` is an
# element with that child beside. Where a component writes less than the whole name, it stands behind a colon.
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
        "layoutSections/layoutColumns/layoutItems/field": "CustomField Store__c.No__c:No__c",
        "layoutSections/layoutColumns/layoutItems/page": "ApexPage NoPage",
        "customButtons": "WebLink Store__c.NoButton:NoButton",
        "relatedLists/relatedList": "CustomField No__c.Store__c",
        "quickActionList/quickActionListItems/quickActionName": "QuickAction Store__c.NoAction",
    },
    "RecordType Store__c.City": {
        "businessProcess": "BusinessProcess Store__c.NoProcess:NoProcess",
        "compactLayoutAssignment": "CompactLayout Store__c.NoLayout:NoLayout",
        "picklistValues/picklist": "CustomField Store__c.No__c:No__c",
    },
    "CustomField Store__c.Kind__c": {
        "valueSet/valueSetName": "GlobalValueSet NoSet",
        "valueSet/controllingField": "CustomField Store__c.No__c:No__c",
        "lookupFilter/filterItems/field": "CustomField Store__c.No__c",
    },
    "Flow F": {
        "start/object": "CustomObject No__c",
        "recordLookups/object": "CustomObject No__c",
        "recordCreates/object": "CustomObject No__c",
        "recordUpdates/object": "CustomObject No__c",
        "recordDeletes/object": "CustomObject No__c",
        "variables/objectType": "CustomObject No__c",
        "dynamicChoiceSets/object": "CustomObject No__c",
        "subflows/flowName": "Flow NoFlow",
        "actionCalls:actionType=apex/actionName": "ApexClass NoClass",
        "actionCalls:actionType=emailAlert/actionName": "WorkflowAlert Store__c.NoAlert",
    },
    "CustomApplication App": {
        "tabs": "CustomTab NoTab",
        "utilityBar": "FlexiPage NoBar",
        "actionOverrides:type=Flexipage/content": "FlexiPage NoPage",
        "profileActionOverrides:type=Flexipage/content": "FlexiPage NoPage",
    },
    "CustomTab Page": {
        "flexiPage": "FlexiPage NoPage",
        "lwcComponent": "LightningComponentBundle noBundle",
        "auraComponent": "AuraDefinitionBundle NoAura",
    },
    "CustomObject Store__c": {
        "compactLayoutAssignment": "CompactLayout Store__c.NoLayout:NoLayout",
        "actionOverrides:type=Flexipage/content": "FlexiPage NoPage",
        "actionOverrides:type=Visualforce/content": "ApexPage NoPage",
        "searchLayouts/customTabListAdditionalFields": "CustomField Store__c.No__c:No__c",
        "searchLayouts/lookupDialogsAdditionalFields": "CustomField Store__c.No__c:No__c",
        "searchLayouts/searchResultsAdditionalFields": "CustomField Store__c.No__c:No__c",
    },
    "CustomField Store__c.Sum__c": {
        "summarizedField": "CustomField No__c.Area__c",
        "summaryForeignKey": "CustomField No__c.Store__c",
    },
    "FieldSet Store__c.Set": {
        "displayedFields/field": "CustomField Store__c.No__c:No__c",
        "availableFields/field": "CustomField Store__c.No__c:No__c",
    },
    "CompactLayout Store__c.Compact": {"fields": "CustomField Store__c.No__c:No__c"},
    "ListView Store__c.All": {"filters/field": "CustomField Store__c.No__c:No__c"},
    "ValidationRule Store__c.Rule": {"errorDisplayField": "CustomField Store__c.No__c:No__c"},
    "FlexiPage Page": {
        "sobjectType": "CustomObject No__c",
        "flexiPageRegions/itemInstances/fieldInstance/fieldItem": "CustomField No__c.Area__c:Record.Area__c",
    },
    "WorkflowFieldUpdate Store__c.Up": {"field": "CustomField Store__c.No__c:No__c"},
    "WorkflowAlert Store__c.Mail": {"template": "EmailTemplate F/NoMail"},
    "WorkflowRule Store__c.Rule": {
        "criteriaItems/field": "CustomField Store__c.No__c",
        "actions:type=FieldUpdate/name": "WorkflowFieldUpdate Store__c.NoUpdate:NoUpdate",
        "actions:type=Alert/name": "WorkflowAlert Store__c.NoAlert:NoAlert",
        "actions:type=Task/name": "WorkflowTask Store__c.NoTask:NoTask",
        "actions:type=OutboundMessage/name": "WorkflowOutboundMessage Store__c.NoMessage:NoMessage",
    },
    "SharingCriteriaRule Store__c.Shared": {
        "criteriaItems/field": "CustomField Store__c.No__c:No__c",
        "sharedTo/role": "Role NoRole",
        "sharedTo/roleAndSubordinates": "Role NoRole",
        "sharedTo/group": "Group NoGroup",
    },
    "AssignmentRule Case.Standard": {
        "ruleEntry:assignedToType=Queue/assignedTo": "Queue NoQueue",
        "ruleEntry/criteriaItems/field": "CustomField Case.No__c",
    },
    "MatchingRule Store__c.Same": {"matchingRuleItems/fieldName": "CustomField Store__c.No__c:No__c"},
    "DuplicateRule Store__c.Twice": {
        "duplicateRuleMatchRules:matchRuleSObjectType=Store__c/matchingRule": "MatchingRule Store__c.NoRule:NoRule"
    },
    "CustomObjectTranslation Store__c-zh_CN": {"fields/name": "CustomField Store__c.No__c:No__c"},
    "Translations zh_CN": {
        "customLabels/name": "CustomLabel NoLabel",
        "customApplications/name": "CustomApplication NoApp",
        "customTabs/name": "CustomTab NoTab",
    },
    "Role R": {"parentRole": "Role NoRole"},
    "ReportType T": {"baseObject": "CustomObject No__c"},
    "PathAssistant Path": {"entityName": "CustomObject No__c"},
    "PlatformEventChannelMember M": {
        "selectedEntity": "CustomObject No__e",
        "eventChannel": "PlatformEventChannel NoChannel",
    },
    "QuickAction Store__c.Open": {
        "targetObject": "CustomObject No__c",
        "quickActionLayout/quickActionLayoutColumns/quickActionLayoutItems/field": "CustomField No__c.Area__c:Area__c",
        "lightningWebComponent": "LightningComponentBundle noBundle",
        "lightningComponent": "AuraDefinitionBundle NoAura",
        "flowDefinition": "Flow NoFlow",
        "page": "ApexPage NoPage",
    },
}
# Where a component stands: the path of its file or, of a part of one, that path and the part's element.
_FILES = {
    "PermissionSet P": "permissionsets/P.permissionset",
    "Profile Sales": "profiles/Sales.profile",
    "PermissionSetGroup G": "permissionsetgroups/G.permissionsetgroup",
    "Layout Store__c-L": "layouts/Store__c-L.layout",
    "Flow F": "flows/F.flow",
    "CustomApplication App": "applications/App.app",
    "CustomTab Page": "tabs/Page.tab",
    "FlexiPage Page": "flexipages/Page.flexipage",
    "QuickAction Store__c.Open": "quickActions/Store__c.Open.quickAction",
    "DuplicateRule Store__c.Twice": "duplicateRules/Store__c.Twice.duplicateRule",
    "CustomObjectTranslation Store__c-zh_CN": "objectTranslations/Store__c-zh_CN.objectTranslation",
    "Translations zh_CN": "translations/zh_CN.translation",
    "Role R": "roles/R.role",
    "ReportType T": "reportTypes/T.reportType",
    "PathAssistant Path": "pathAssistants/Path.pathAssistant",
    "PlatformEventChannelMember M": "platformEventChannelMembers/M.platformEventChannelMember",
    "CustomObject Store__c": "objects/Store__c.object",
}
_PARTS = {
    "CustomObject objects/Store__c.object": {
        "RecordType Store__c.City": "recordTypes",
        "CustomField Store__c.Kind__c": "fields",
        "CustomField Store__c.Sum__c": "fields",
        "FieldSet Store__c.Set": "fieldSets",
        "CompactLayout Store__c.Compact": "compactLayouts",
        "ListView Store__c.All": "listViews",
        "ValidationRule Store__c.Rule": "validationRules",
    },
    "Workflow workflows/Store__c.workflow": {
        "WorkflowFieldUpdate Store__c.Up": "fieldUpdates",
        "WorkflowAlert Store__c.Mail": "alerts",
        "WorkflowRule Store__c.Rule": "rules",
    },
    "SharingRules sharingRules/Store__c.sharingRules": {"SharingCriteriaRule Store__c.Shared": "sharingCriteriaRules"},
    "AssignmentRules assignmentRules/Case.assignmentRules": {"AssignmentRule Case.Standard": "assignmentRule"},
    "MatchingRules matchingRules/Store__c.matchingRule": {"MatchingRule Store__c.Same": "matchingRules"},
}
_LABEL = "<label>L</label>"
# What a component needs beside, where it isn't just a label.
_OTHERWISE = {
    "CustomObject Store__c": CUSTOM_OBJECT,
    "Layout Store__c-L": "",
    "RecordType Store__c.City": f"<active>true</active>{_LABEL}",
    "CustomField Store__c.Kind__c": f"{_LABEL}<type>Picklist</type>",
    "CustomField Store__c.Sum__c": f"{_LABEL}<type>Summary</type>",
    "FieldSet Store__c.Set": f"<description>d</description>{_LABEL}",
    "ListView Store__c.All": f"<filterScope>Everything</filterScope>{_LABEL}",
    "ValidationRule Store__c.Rule": (
        "<active>true</active><errorConditionFormula>false</errorConditionFormula><errorMessage>m</errorMessage>"
    ),
    "QuickAction Store__c.Open": "<type>Create</type>",
    "FlexiPage Page": "<masterLabel>P</masterLabel><type>RecordPage</type>",
    "WorkflowFieldUpdate Store__c.Up": "<name>U</name><operation>Null</operation>",
    "WorkflowAlert Store__c.Mail": "<description>d</description><protected>false</protected><senderType>X</senderType>",
    "WorkflowRule Store__c.Rule": "<active>true</active><triggerType>onCreateOnly</triggerType>",
    "SharingCriteriaRule Store__c.Shared": f"<accessLevel>Read</accessLevel>{_LABEL}",
    "MatchingRule Store__c.Same": f"{_LABEL}<ruleStatus>Active</ruleStatus>",
    "Role R": "<name>R</name>",
    "PathAssistant Path": "<active>true</active><masterLabel>P</masterLabel>",
}
# How a message calls an element, where it isn't by its name.
_CALLED = {"quickActionName": "QuickAction", "tabs": "tab"}


def entry(path: str, value: str) -> str:
    """Return an element with a value at a path."""
    *above, own = path.split("/")

    def within(inner: str, part: str) -> str:
        name, _, beside = part.partition(":")
        child, _, text = beside.partition("=")
        return f"<{name}>{f'<{child}>{text}</{child}>' if child else ''}{inner}</{name}>"

    return reduce(within, reversed(above), f"<{own}>{value}</{own}>")


def inner_of(component: str) -> str:
    written = {path: absent.rpartition(":")[2].rpartition(" ")[2] for path, absent in ABSENT[component].items()}
    written |= {path: "Store__c-No Layout" for path in written if path == "layoutAssignments/layout"}
    return _OTHERWISE.get(component, _LABEL) + "".join(entry(path, value) for path, value in written.items())


def parts_of(container: str) -> str:
    return "".join(
        f"<{tag}><fullName>{part.rpartition('.')[2]}</fullName>{inner_of(part)}</{tag}>"
        for part, tag in _PARTS.get(container, {}).items()
    )


@cites("deploy answers", "knowledge")
def test_each_entry_that_names_what_the_org_lacks_is_told(sandbox: EmulatedOrg) -> None:
    """Permission entries, layouts, record types, lookups, flows, apps and actions: each absent thing that they name is
    told by itself, with the element that names it."""
    with_store(sandbox)
    types: dict[str, list[str]] = {}
    files: dict[str, str | bytes] = {}
    for component, path in _FILES.items():
        kind, name = component.split(" ", 1)
        types.setdefault(kind, []).append(name)
        files[path] = xml(kind, inner_of(component) + parts_of(f"{kind} {path}"))
    for container in _PARTS:
        kind, path = container.split(" ")
        files.setdefault(path, xml(kind, parts_of(container)))
        types.setdefault(kind, [path.rpartition("/")[2].partition(".")[0]])
    told = sorted(problem.partition(" ")[2] for problem in sandbox.problems({"package.xml": manifest(types), **files}))
    expected = sorted(
        f"{component}: In field: {_CALLED.get(path.rpartition('/')[2], path.rpartition('/')[2])} - "
        f"no {absent.partition(':')[0].replace(' ', ' named ', 1)} found"
        for component, entries in ABSENT.items()
        for path, absent in entries.items()
    )
    assert told == expected


@cites("knowledge")
@pytest.mark.parametrize(
    ("kind", "name", "path", "inner"),
    [
        ("Layout", "No__c-L", "layouts/No__c-L.layout", ""),
        ("CustomTab", "No__c", "tabs/No__c.tab", "<customObject>true</customObject>"),
        ("Workflow", "No__c", "workflows/No__c.workflow", ""),
        ("CustomObjectTranslation", "No__c-zh_CN", "objectTranslations/No__c-zh_CN.objectTranslation", ""),
    ],
)
def test_the_object_that_a_component_is_named_after_must_exist(
    kind: str, name: str, path: str, inner: str, sandbox: EmulatedOrg
) -> None:
    (told,) = sandbox.problems(one(kind, name, path, inner))
    assert told.endswith(f"{kind} {name}: In field: fullName - no CustomObject named No__c found")


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
