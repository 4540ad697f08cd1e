"""What a plan may lose or open is said before anybody approves it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from flows.bundle import Bundle
from flows.components import Component, ComponentKey, Fragment, MdapiFile
from flows.metadata_types import metadata_types
from flows.plan import Plan, Severity, make_plan, plan_from_json
from flows.planfile import read_plan, refuse_if_other, write_plan
from flows.risks import RULES, compared, risks_of
from kit.problems import Place, Refused
from kit.yamlfile import read_yaml
from tests.flows.release_support import apex, bundle_of, custom_field, state_of

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


def metadata(kind: str, name: str, inner: str) -> Component:
    """Return a component that is a file of its own."""
    data = f'<?xml version="1.0"?><{kind} xmlns="{NAMESPACE}">{inner}</{kind}>'.encode()
    about = metadata_types().by_name[kind]
    file = MdapiFile(f"{about.directory}/{name}.{about.suffix}", data)
    return Component(ComponentKey(kind, name), hashlib.sha256(data).hexdigest(), "core", Place(name, 1), files=(file,))


def field(inner: str) -> Component:
    """Return the field Case.X__c with these elements."""
    made = custom_field("Case", "X__c", "x")
    assert made.fragment
    xml = f"<fields><fullName>X__c</fullName>{inner}</fields>".encode()
    fragment = Fragment(made.fragment.path, made.fragment.root, made.fragment.tag, xml)
    return replace(made, digest=hashlib.sha256(xml).hexdigest(), fragment=fragment)


def rule(kind: str, inner: str) -> Component:
    """Return a sharing rule of Case."""
    xml = f"<sharingRules><fullName>R</fullName>{inner}</sharingRules>".encode()
    fragment = Fragment("sharingRules/Case.sharingRules", "SharingRules", "sharingRules", xml)
    parent = ComponentKey("SharingRules", "Case")
    key = ComponentKey(kind, "Case.R")
    return Component(key, hashlib.sha256(xml).hexdigest(), "core", Place("r", 1), parent=parent, fragment=fragment)


def planned(new: Bundle, old: Bundle) -> Plan:
    plan = make_plan(new, state_of(old), org="china-uat", production=False)
    return replace(plan, risks=risks_of(plan, new, {key: old.components[key] for key in compared(plan)}))


def risks(new: Component | None, old: Component | None) -> list[tuple[str, str]]:
    """Return id and words of the risks of going from `old` to `new`."""
    plan = planned(*(bundle_of(*([each] if each else [])) for each in (new, old)))
    return [(risk.id, risk.what) for risk in plan.risks]


PICKLIST = "<type>Picklist</type><valueSet><valueSetDefinition>{}</valueSetDefinition></valueSet>"
A, B, OFF = (
    f"<value><fullName>{name}</fullName>{more}</value>"
    for name, more in (("A", ""), ("B", ""), ("B", "<isActive>false</isActive>"))
)
GRANT = "<userPermissions><enabled>{}</enabled><name>{}</name></userPermissions>"
FIELD = "<fieldPermissions><editable>{}</editable><field>Case.X__c</field><readable>true</readable></fieldPermissions>"
RECORDS = "<objectPermissions><allowRead>true</allowRead><object>Case</object><{0}>true</{0}></objectPermissions>"
SET = "PermissionSet"


@pytest.mark.parametrize(
    ("new", "old", "found", "said"),
    [
        (None, field("<type>Text</type>"), "deleted", "its value is deleted in every record"),
        (field("<type>Number</type>"), field("<type>Text</type>"), "field-type", "from Text to Number"),
        (field("<length>20</length>"), field("<length>80</length>"), "field-shorter", "length goes from 80 down to 20"),
        (field("<required>true</required>"), field("<required>false</required>"), "field-required", "becomes required"),
        (field(PICKLIST.format(A)), field(PICKLIST.format(A + B)), "picklist-value", "the values B are removed"),
        (field(PICKLIST.format(A + OFF)), field(PICKLIST.format(A + B)), "picklist-value", "the values B are removed"),
        (
            metadata("GlobalValueSet", "G", "<customValue><fullName>A</fullName></customValue>"),
            metadata("GlobalValueSet", "G", "<customValue><fullName>Z</fullName></customValue>"),
            "picklist-value",
            "the values Z are removed",
        ),
        (
            metadata(SET, "P", GRANT.format("true", "ModifyAllData")),
            metadata(SET, "P", GRANT.format("false", "ModifyAllData")),
            "system-permission",
            "ModifyAllData",
        ),
        (metadata(SET, "P", GRANT.format("true", "AuthorApex")), None, "system-permission", "AuthorApex"),
        (metadata(SET, "P", RECORDS.format("modifyAllRecords")), None, "system-permission", "Case (modifyAllRecords)"),
        (
            metadata(SET, "P", FIELD.format("true")),
            metadata(SET, "P", FIELD.format("false")),
            "permission",
            "Case.X__c (editable)",
        ),
        (
            metadata("PermissionSetGroup", "P", "<permissionSets>S</permissionSets>"),
            metadata("PermissionSetGroup", "P", "<label>l</label>"),
            "permission",
            "it permits more: S",
        ),
        (
            metadata("CustomObject", "V__c", "<sharingModel>ReadWrite</sharingModel>"),
            metadata("CustomObject", "V__c", "<sharingModel>Private</sharingModel>"),
            "sharing-model",
            "sharingModel opens from Private to ReadWrite",
        ),
        (rule("SharingOwnerRule", "<sharedTo><role>CEO</role></sharedTo>"), None, "sharing-rule", "records with CEO"),
        (rule("SharingGuestRule", ""), None, "guest-sharing", "guests, who need no login"),
        (metadata("Flow", "F", "<status>Active</status>"), None, "flow-activated", "runs for everyone at once"),
        (
            metadata("Flow", "F", "<status>Obsolete</status>"),
            metadata("Flow", "F", "<status>Active</status>"),
            "flow-deactivated",
            "is Obsolete after",
        ),
    ],
)  # fmt: skip
def test_a_risk_is_seen(new: Component | None, old: Component | None, found: str, said: str) -> None:
    [(check, words)] = risks(new, old)
    assert check == found
    assert said in words


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (field("<type>Text</type><label>new</label>"), field("<type>Text</type><label>old</label>")),
        (field("<length>80</length>"), field("<length>20</length>")),
        (field("<type>Text</type>"), None),
        (field("<required>false</required>"), field("<required>true</required>")),
        (field(PICKLIST.format(A + B)), field(PICKLIST.format(A))),
        (metadata(SET, "P", FIELD.format("false")), metadata(SET, "P", FIELD.format("true"))),
        (
            metadata("CustomObject", "V__c", "<sharingModel>Private</sharingModel>"),
            metadata("CustomObject", "V__c", "<sharingModel>Read</sharingModel>"),
        ),
        (metadata("Flow", "F", "<status>Draft</status>"), None),
        (apex("A", "{ }"), apex("A")),
        (None, apex("A")),
    ],
)
def test_what_widens_or_narrows_harmlessly_is_no_risk(new: Component | None, old: Component | None) -> None:
    assert risks(new, old) == []


def test_an_object_s_risk_stands_for_its_fields_that_go_with_it() -> None:
    own = metadata("CustomObject", "V__c", "<label>V</label>")
    old = bundle_of(own, custom_field("V__c", "X__c", "x"), custom_field("Case", "X__c", "x"))
    assert [risk.component for risk in planned(bundle_of(), old).risks] == [
        "CustomField:Case.X__c",
        "CustomObject:V__c",
    ]


def test_what_nobody_can_compare_is_said_to_be_unknown() -> None:
    new, old = (bundle_of(field(f"<length>{size}</length>")) for size in (1, 2))
    plan = make_plan(new, state_of(old), org="china-uat", production=False)
    assert [risk.id for risk in risks_of(plan, new, {})] == ["unknown"]


def test_the_worst_comes_first() -> None:
    old = bundle_of(metadata("Layout", "Case-L", "<x/>"), metadata("Queue", "Q", "<x/>"), field(""))
    assert [risk.severity for risk in planned(bundle_of(), old).risks] == list(Severity)


def test_every_text_is_there_in_both_languages_and_every_type_is_one() -> None:
    table = read_yaml(RULES).data
    known = {*metadata_types().by_name, *metadata_types().container_of}
    assert table["deleted"].keys() <= known
    for entry in (*table["deleted"].values(), *table["checks"].values()):
        Severity(entry["severity"])
        assert entry["what"].isascii()
        assert not entry["zh"].isascii()


def test_risks_are_part_of_what_is_approved(tmp_path: Path) -> None:
    plan = planned(bundle_of(), bundle_of(field("")))
    bare = replace(plan, risks=())
    assert plan.digest != bare.digest
    assert plan_from_json(json.loads(json.dumps(plan.as_json()))) == plan
    with pytest.raises(Refused, match=r"other risks now; gone: CustomField:Case.X__c \(deleted\)"):
        refuse_if_other(plan, bare)
    file = tmp_path / "plan.json"
    write_plan(plan, file, {"minutes": 1.0})
    assert read_plan(file) == plan
    file.write_text(file.read_text().replace('"severity": "high"', '"severity": "low"'))
    with pytest.raises(Refused, match="was altered after it was made"):
        read_plan(file)
