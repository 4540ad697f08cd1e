"""Every name that one file of the sample gives to another leads somewhere, in every org of the federation."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from orgs.federation import Edition, load_federation
from tests.metadata.sampled import ORGS, PREFIX, Sample, labels, path, sample_of, text, texts

LIST_COLUMNS = {"NAME", "CASES.CASE_NUMBER", "CASES.SUBJECT", "ACCOUNT.NAME"}
SUFFIXED = re.compile(r"\b[A-Za-z]\w*?__(?:c|mdt|e)\b")


@pytest.fixture(params=ORGS)
def sample(request: pytest.FixtureRequest) -> Sample:
    return sample_of(str(request.param))


def missing(wanted: list[str], known: set[str]) -> list[str]:
    return sorted(set(wanted) - known)


def test_every_custom_name_in_any_file_is_a_field_or_an_object(sample: Sample) -> None:
    known = {name.rpartition(".")[2] for name in sample.bundle_names("CustomField")}
    known |= sample.bundle_names("CustomObject")
    known |= {f"{name}__c" for name in sample.bundle_names("LightningMessageChannel")}
    known |= {f"{name}__c" for name in sample.bundle_names("ReportType")}
    unknown = {
        (file, name)
        for file, content in sample.text.items()
        if not file.startswith("package")
        for name in SUFFIXED.findall(re.sub(r"\w+__r[.$]", "", content.replace("__c-", "__c ")))
        if name not in known
    }
    assert unknown == set()


def test_lookups_lead_to_objects_and_sums_to_fields(sample: Sample) -> None:
    for name, root in sample.below("objects"):
        for field in root.findall(path("fields")):
            for target in texts(field, "referenceTo"):
                assert sample.has_object(target), (name, target)
            for target in texts(field, "summarizedField") + texts(field, "summaryForeignKey"):
                assert sample.has("CustomField", target), (name, target)
            for target in texts(field, "valueSet/valueSetName"):
                assert sample.has("GlobalValueSet", target), (name, target)


def test_formulas_name_fields_of_their_object(sample: Sample) -> None:
    for name, root in sample.below("objects"):
        formulas = texts(root, "fields/formula") + texts(root, "validationRules/errorConditionFormula")
        for formula in formulas:
            for field in SUFFIXED.findall(formula):
                assert sample.has_field(name, field), (name, field)
            for permission in re.findall(r"\$Permission\.(\w+)", formula):
                assert sample.has("CustomPermission", permission), permission
        for field in texts(root, "validationRules/errorDisplayField"):
            assert sample.has_field(name, field), (name, field)


def test_record_types_offer_values_that_their_picklists_have(sample: Sample) -> None:
    checked = 0
    for name, root in sample.below("objects"):
        for record_type in root.findall(path("recordTypes")):
            for compact in texts(record_type, "compactLayoutAssignment"):
                assert sample.has("CompactLayout", f"{name}.{compact}"), (name, compact)
            for named in texts(record_type, "businessProcess"):
                assert sample.has("BusinessProcess", f"{name}.{named}"), (name, named)
            for group in record_type.findall(path("picklistValues")):
                known = set(sample.picklist(name, text(group, "picklist")))
                assert missing(texts(group, "values/fullName"), known) == []
                checked += 1
        for process in root.findall(path("businessProcesses")):
            assert missing(texts(process, "values/fullName"), set(sample.picklist(name, "Status"))) == []
    assert checked > 5


def test_lists_and_layouts_show_fields_that_exist(sample: Sample) -> None:
    for name, root in sample.below("objects"):
        for column in texts(root, "listViews/columns") + texts(root, "listViews/filters/field"):
            assert column in LIST_COLUMNS or sample.has_field(name, column), (name, column)
        shown = texts(root, "compactLayouts/fields") + texts(root, "fieldSets/displayedFields/field")
        for field in shown:
            assert sample.has_field(name, field), (name, field)
        for compact in texts(root, "compactLayoutAssignment"):
            assert compact == "SYSTEM" or sample.has("CompactLayout", f"{name}.{compact}"), compact
    for name, root in sample.below("layouts"):
        object_name = name.partition("-")[0]
        assert sample.has_object(object_name), name
        for field in texts(root, "layoutSections/layoutColumns/layoutItems/field"):
            assert sample.has_field(object_name, field), (name, field)
        for related in root.findall(path("relatedLists")):
            child, _, lookup = text(related, "relatedList").partition(".")
            assert text(sample.field(child, lookup), "referenceTo") == object_name
            for column in texts(related, "fields"):
                assert column in LIST_COLUMNS or sample.has_field(child, column), (name, column)
        for button in texts(root, "customButtons"):
            assert sample.has("WebLink", f"{object_name}.{button}"), button
        for item in root.findall(path("platformActionList/platformActionListItems")):
            is_standard = text(item, "actionType") == "StandardButton"
            assert is_standard or sample.has("QuickAction", text(item, "actionName"))


def test_a_layout_requires_what_the_object_requires(sample: Sample) -> None:
    for name, root in sample.below("layouts"):
        object_name = name.partition("-")[0]
        for item in root.findall(path("layoutSections/layoutColumns/layoutItems")):
            field = text(item, "field")
            if sample.has("CustomField", f"{object_name}.{field}"):
                element = sample.field(object_name, field)
                required = text(element, "required") == "true" or text(element, "type") == "MasterDetail"
                computed = bool(texts(element, "formula")) or text(element, "type") == "Summary"
                assert (text(item, "behavior") == "Required") == required, (name, field)
                assert not computed or text(item, "behavior") == "Readonly", (name, field)


def test_permission_sets_grant_what_exists_and_what_the_org_lets_them(sample: Sample) -> None:
    targets = {
        "objectPermissions/object": None,
        "classAccesses/apexClass": "ApexClass",
        "pageAccesses/apexPage": "ApexPage",
        "customPermissions/name": "CustomPermission",
        "flowAccesses/flow": "Flow",
        "tabSettings/tab": "CustomTab",
        "recordTypeVisibilities/recordType": "RecordType",
        "applicationVisibilities/application": "CustomApplication",
        "customMetadataTypeAccesses/name": "CustomObject",
        "customSettingAccesses/name": "CustomObject",
    }
    for name, root in sample.below("permissionsets"):
        for steps, kind in targets.items():
            for target in texts(root, steps):
                assert sample.has_object(target) if kind is None else sample.has(kind, target), (name, target)
        granted = set(texts(root, "objectPermissions/object"))
        for grant in root.findall(path("fieldPermissions")):
            object_name, _, field = text(grant, "field").partition(".")
            element = sample.field(object_name, field)
            assert text(element, "required") != "true", f"{name}: {field} is required, so always visible"
            assert text(element, "type") != "MasterDetail", (name, field)
            computed = bool(texts(element, "formula")) or text(element, "type") == "Summary"
            assert not (computed and text(grant, "editable") == "true"), (name, field)
            assert object_name in granted, (name, field)
        for principal in texts(root, "externalCredentialPrincipalAccesses/externalCredentialPrincipal"):
            credential, _, who = principal.partition("-")
            parameters = sample.xml[f"externalCredentials/{credential}.externalCredential"]
            assert who in texts(parameters, "externalCredentialParameters/parameterName")
    for _, root in sample.below("permissionsetgroups"):
        for target in texts(root, "permissionSets"):
            assert sample.has("PermissionSet", target), target


def test_no_permission_set_deletes_without_reading_and_editing(sample: Sample) -> None:
    for name, root in sample.below("permissionsets"):
        for grant in root.findall(path("objectPermissions")):
            assert text(grant, "allowRead") == "true"
            if text(grant, "allowDelete") == "true":
                assert text(grant, "allowEdit") == "true", (name, text(grant, "object"))


def test_queues_groups_rules_and_mails_know_each_other(sample: Sample) -> None:
    for name, root in sample.below("queues"):
        for group in texts(root, "queueMembers/publicGroups/publicGroup"):
            assert sample.has("Group", group), (name, group)
    for _, root in sample.below("assignmentRules"):
        for queue in texts(root, "assignmentRule/ruleEntry/assignedTo"):
            assert sample.has("Queue", queue), queue
        for item in root.findall(path("assignmentRule/ruleEntry/criteriaItems")):
            object_name, _, field = text(item, "field").partition(".")
            known = sample.picklist(object_name, field)
            assert missing(text(item, "value").split(", "), set(known) | set(known.values())) == []
    for _, root in sample.below("customMetadata"):
        values = {text(each, "field"): text(each, "value") for each in root.findall(path("values"))}
        if "Queue__c" in values:
            assert sample.has("Queue", values["Queue__c"])
            assert values["Severity__c"] in sample.picklist("Case", "Severity__c")
    for name, root in sample.below("sharingRules"):
        assert sample.has_object(name)
        steps = ("sharingOwnerRules/sharedTo/group", "sharingOwnerRules/sharedFrom/group")
        for group in [each for step in steps for each in texts(root, step)]:
            assert sample.has("Group", group), group
    for name, root in sample.below("workflows"):
        for template in texts(root, "alerts/template"):
            assert sample.has("EmailTemplate", template), template
        for field in texts(root, "alerts/recipients/field"):
            assert text(sample.field(name, field), "referenceTo") == "User"
    assert sample.has("Queue", text(sample.xml["settings/Case.settings"], "defaultCaseOwner"))


def test_custom_metadata_records_fill_fields_of_their_type(sample: Sample) -> None:
    files = [file for file in sample.xml if file.startswith("customMetadata/")]
    assert len(files) >= 6
    for file in files:
        type_name = file.partition("/")[2].partition(".")[0] + "__mdt"
        for field in texts(sample.xml[file], "values/field"):
            assert sample.has("CustomField", f"{type_name}.{field}"), (file, field)


def test_flows_lead_from_element_to_element_and_to_what_exists(sample: Sample) -> None:
    for name, root in sample.below("flows"):
        elements = {text(each, "name") for each in root if etree.QName(each).localname != "processMetadataValues"}
        elements |= set(texts(root, "screens/fields/name"))
        for target in [each.text or "" for each in root.iter(f"{PREFIX}targetReference")]:
            assert target in elements, (name, target)
        started_by = text(root, "start/object")
        for reference in [each.text or "" for each in root.iter(f"{PREFIX}elementReference")]:
            if reference.startswith("$Record."):
                assert sample.has_field(started_by, reference.removeprefix("$Record.")), (name, reference)
            else:
                assert reference in elements, (name, reference)
        for field in texts(root, "start/filters/field"):
            assert sample.has_field(started_by, field), (name, field)
        for step in ("recordCreates", "recordUpdates"):
            for element in root.findall(path(step)):
                for field in texts(element, "inputAssignments/field") + texts(element, "filters/field"):
                    assert sample.has_field(text(element, "object"), field), (name, field)
        for call in root.findall(path("actionCalls")):
            if text(call, "actionType") == "emailAlert":
                assert sample.has("WorkflowAlert", text(call, "actionName")), name


def test_pages_apps_and_actions_use_components_that_exist(sample: Sample) -> None:
    for name, root in sample.below("flexipages"):
        for component in [each.text or "" for each in root.iter(f"{PREFIX}componentName")]:
            assert ":" in component or sample.has("LightningComponentBundle", component), (name, component)
    for _, root in sample.below("applications"):
        for page in texts(root, "actionOverrides/content"):
            assert sample.has("FlexiPage", page), page
        for tab in texts(root, "tabs"):
            assert tab.startswith("standard-") or sample.has("CustomTab", tab), tab
    for name, _ in sample.below("tabs"):
        assert sample.has("CustomObject", name), name
    for file, root in sample.xml.items():
        if not file.startswith("quickActions/"):
            continue
        target = text(root, "targetObject")
        for field in texts(root, "quickActionLayout/quickActionLayoutColumns/quickActionLayoutItems/field"):
            assert sample.has_field(target, field), (file, field)
        for field in texts(root, "fieldOverrides/field") + texts(root, "targetParentField"):
            assert sample.has_field(target, field), (file, field)
        for kind, steps in (
            ("RecordType", "targetRecordType"),
            ("Flow", "flowDefinition"),
            ("AuraDefinitionBundle", "lightningComponent"),
        ):
            for value in texts(root, steps):
                assert sample.has(kind, value), (file, value)
    for _, root in sample.below("pathAssistants"):
        object_name = text(root, "entityName")
        assert sample.has("RecordType", f"{object_name}.{text(root, 'recordTypeName')}")
        known = set(sample.picklist(object_name, text(root, "fieldName")))
        assert missing(texts(root, "pathAssistantSteps/picklistValueName"), known) == []
        for field in texts(root, "pathAssistantSteps/fieldNames"):
            assert sample.has_field(object_name, field), field


def test_reports_read_columns_of_their_report_type(sample: Sample) -> None:
    columns = set()
    for _, root in sample.below("reportTypes"):
        for column in root.findall(path("sections/columns")):
            columns.add(f"{text(column, 'table')}${text(column, 'field')}")
    reports = [root for file, root in sample.xml.items() if file.endswith(".report")]
    assert reports
    for root in reports:
        assert sample.has("ReportType", text(root, "reportType").removesuffix("__c"))
        used = texts(root, "columns/field") + texts(root, "groupingsDown/field")
        assert missing(used + texts(root, "timeFrameFilter/dateColumn"), columns) == []


def test_code_uses_labels_classes_channels_and_credentials_that_exist(sample: Sample) -> None:
    patterns = {
        "CustomLabel": r"System\.Label\.(\w+)|@salesforce/label/c\.(\w+)|\$Label\.(?:c\.)?(\w+)",
        "ApexClass": r"@salesforce/apex/(\w+)\.\w+",
        "LightningMessageChannel": r"@salesforce/messageChannel/(\w+)__c",
        "NamedCredential": r"callout:(\w+)",
        "StaticResource": r"\$Resource\.(\w+)",
        "CustomField": r"@salesforce/schema/(\w+\.\w+)",
        "ApexPage": r"/apex/(\w+)",
    }
    found = 0
    for file, content in sample.text.items():
        if not file.startswith(("classes/", "triggers/", "lwc/", "aura/", "pages/")):
            continue
        for kind, pattern in patterns.items():
            for match in re.finditer(pattern, content):
                name = next(group for group in match.groups() if group)
                is_module = kind == "ApexPage" and "@salesforce" in content[max(0, match.start() - 12) : match.start()]
                assert is_module or sample.has(kind, name), (file, kind, name)
                found += 1
        for tag in re.findall(r"<c-([a-z-]+)", content):
            bundle = re.sub(r"-(\w)", lambda letter: letter[1].upper(), tag)
            assert sample.has("LightningComponentBundle", bundle), (file, tag)
    assert found > 20


def test_apex_methods_that_components_call_exist_and_are_open_to_them(sample: Sample) -> None:
    calls = {
        match for content in sample.text.values() for match in re.findall(r"@salesforce/apex/(\w+)\.(\w+)", content)
    }
    assert calls
    for class_name, method in calls:
        body = sample.text[f"classes/{class_name}.cls"]
        assert re.search(rf"@AuraEnabled[^{{;]*?\b{method}\(", body), (class_name, method)


def test_every_class_has_a_test_that_names_it_and_every_trigger_its_object(sample: Sample) -> None:
    classes = {name: sample.text[f"classes/{name}.cls"] for name in sample.bundle_names("ApexClass")}
    tests = "".join(body for body in classes.values() if "@IsTest" in body)
    own = [name for name, body in classes.items() if "@IsTest" not in body]
    exercised_through_triggers = {"Automation", "CaseTriggerHandler", "SiteVisits", "PartStock"}
    assert [name for name in own if name not in tests and name not in exercised_through_triggers] == []
    for name in sample.bundle_names("ApexTrigger"):
        body = sample.text[f"triggers/{name}.trigger"]
        target = re.match(r"trigger (\w+) on (\w+) \(", body)
        assert target is not None
        assert target[1] == name
        assert sample.has_object(target[2])


def test_translations_translate_what_exists(sample: Sample) -> None:
    for _, root in sample.below("translations"):
        for kind, step in (("CustomLabel", "customLabels"), ("CustomApplication", "customApplications")):
            for name in texts(root, f"{step}/name"):
                assert sample.has(kind, name), name
        for name in texts(root, "quickActions/name"):
            assert sample.has("QuickAction", name), name
    for name, root in sample.below("objectTranslations"):
        object_name = name.rpartition("-")[0]
        for field in root.findall(path("fields")):
            field_name = text(field, "name")
            assert sample.has_field(object_name, field_name), (name, field_name)
            if texts(field, "picklistValues/masterLabel"):
                known = set(sample.picklist(object_name, field_name).values())
                assert missing(texts(field, "picklistValues/masterLabel"), known) == []
        for record_type in texts(root, "recordTypes/name"):
            assert sample.has("RecordType", f"{object_name}.{record_type}"), record_type
        for rule in texts(root, "validationRules/name"):
            assert sample.has("ValidationRule", f"{object_name}.{rule}"), rule
        for layout in root.findall(path("layouts")):
            sections = sample.xml[f"layouts/{object_name}-{text(layout, 'layout')}.layout"]
            known = set(texts(sections, "layoutSections/label"))
            assert missing(texts(layout, "sections/section"), known) == []
    for name, root in sample.below("globalValueSetTranslations"):
        value_set = sample.xml[f"globalValueSets/{name.rpartition('-')[0]}.globalValueSet"]
        known = set(labels(value_set, "customValue").values())
        assert missing(texts(root, "valueTranslation/masterLabel"), known) == []


def test_named_credentials_have_their_external_credential(sample: Sample) -> None:
    for _, root in sample.below("namedCredentials"):
        for credential in texts(root, "namedCredentialParameters/externalCredential"):
            assert sample.has("ExternalCredential", credential), credential


def test_personal_data_is_classified(sample: Sample) -> None:
    personal = re.compile(r"(Phone|Email|Address|WeChat|WeCom|Signed_By|Contact_Name|Consent|Holder_ID)")
    seen = 0
    for name, root in sample.below("objects"):
        for field in root.findall(path("fields")):
            full_name = text(field, "fullName")
            if personal.search(full_name):
                seen += 1
                assert "PII" in text(field, "complianceGroup").split(";"), (name, full_name)
                assert text(field, "securityClassification") in {"Confidential", "Restricted"}, (name, full_name)
    assert seen >= 5


def test_every_field_object_and_class_says_what_it_is_for(sample: Sample) -> None:
    for name, root in sample.below("objects"):
        undescribed = [text(each, "fullName") for each in root.findall(path("fields")) if not text(each, "description")]
        assert undescribed == [], name


def test_the_china_edition_gets_its_overlay_and_the_global_edition_none_of_it(sample: Sample) -> None:
    org = load_federation().org(sample_org(sample))
    in_china = org.edition is Edition.ALIBABA
    assert sample.has("CustomField", "Contact.WeChat_OpenID__c") is in_china
    assert sample.has("Settings", "Mobile") is not in_china
    assert sample.has("CspTrustedSite", "Google_Maps") is not in_china
    regions = set(sample.picklist("Account", "Service_Region__c"))
    assert ("CN_EAST" in regions) is in_china
    assert ("EMEA" in regions) is not in_china


def test_no_china_org_talks_to_a_host_of_the_global_edition(sample: Sample) -> None:
    if load_federation().org(sample_org(sample)).edition is Edition.ALIBABA:
        wrong = re.compile(r"salesforce\.com|force\.com|googleapis\.com|parts\.acme\.example/(?!part/)")
        hits = [file for file, content in sample.text.items() if wrong.search(content.replace("soap.sforce.com", ""))]
        assert hits == []


def sample_org(sample: Sample) -> str:
    return next(org for org in ORGS if sample_of(org) is sample)
