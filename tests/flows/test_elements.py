from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from flows.elements import How, compare, tables
from flows.metadata_types import metadata_types
from flows.xmltext import parse


def element(inner: str) -> etree._Element:
    return parse(f"<Root>\n{inner}\n</Root>".encode()).root


def differences(kind: str, shipped: str, found: str, names: frozenset[str] | None = None) -> list[tuple[str, ...]]:
    return [
        (each.path, each.how.value, each.shipped, each.found)
        for each in compare(element(shipped), element(found), kind, names)
    ]


def grant(field: str, editable: str, readable: str = "true") -> str:
    inner = f"<editable>{editable}</editable><field>{field}</field><readable>{readable}</readable>"
    return f"<fieldPermissions>{inner}</fieldPermissions>"


def test_an_entry_is_matched_by_its_type_s_key_wherever_it_stands() -> None:
    shipped = grant("A.X__c", "true") + grant("A.Y__c", "false")
    found = grant("A.Y__c", "true") + grant("A.X__c", "true")
    path = "fieldPermissions[A.Y__c]/editable"
    assert differences("PermissionSet", shipped, found) == [(path, "changed", "false", "true")]


def test_a_permission_that_was_granted_or_taken_away_is_one_difference() -> None:
    text = "editable: true, field: A.X__c, readable: true"
    path = "fieldPermissions[A.X__c]"
    assert differences("PermissionSet", "", grant("A.X__c", "true")) == [(path, "added", "", text)]
    assert differences("PermissionSet", grant("A.X__c", "true"), "") == [(path, "missing", text, "")]


def test_a_permission_that_grants_nothing_is_as_good_as_none() -> None:
    assert differences("PermissionSet", grant("A.X__c", "false", "false"), "") == []
    assert differences("PermissionSet", "", grant("A.X__c", "false", "false")) == []


def value(name: str, label: str = "") -> str:
    return f"<value><fullName>{name}</fullName><default>false</default><label>{label or name}</label></value>"


def definition(*values: str) -> str:
    return f"<valueSet><valueSetDefinition>{''.join(values)}</valueSetDefinition></valueSet>"


def test_picklist_values_are_matched_by_full_name_and_their_order_counts() -> None:
    path = "valueSet/valueSetDefinition/value"
    shipped = definition(value("A"), value("B"), value("C"))
    relabelled = definition(value("A"), value("B", "Bee"), value("C"))
    assert differences("CustomField", shipped, relabelled) == [(f"{path}[B]/label", "changed", "B", "Bee")]
    swapped = definition(value("B"), value("A"), value("C"))
    assert differences("CustomField", shipped, swapped) == [(path, "moved", "A, B, C", "B, A, C")]
    less = definition(value("A"), value("C"))
    assert [each[:2] for each in differences("CustomField", shipped, less)] == [(f"{path}[B]", "missing")]


def section(label: str, *fields: str) -> str:
    items = "".join(f"<layoutItems><behavior>Edit</behavior><field>{name}</field></layoutItems>" for name in fields)
    return (
        f"<layoutSections><label>{label}</label><layoutColumns>{items}</layoutColumns><layoutColumns/></layoutSections>"
    )


def test_a_layout_item_is_found_by_its_field_in_its_section_and_column() -> None:
    shipped = section("One", "A", "B") + section("Two", "C")
    found = section("One", "A", "B", "D") + section("Two", "C")
    path = "layoutSections[One]/layoutColumns[#1]/layoutItems[D]"
    assert differences("Layout", shipped, found) == [(path, "added", "", "behavior: Edit, field: D")]


def test_a_record_type_s_values_are_matched_by_picklist_and_name() -> None:
    def of(*names: str) -> str:
        values = "".join(f"<values><fullName>{name}</fullName><default>false</default></values>" for name in names)
        return f"<picklistValues><picklist>Origin</picklist>{values}</picklistValues>"

    [only] = differences("RecordType", of("Web", "Phone"), of("Web"))
    assert only[:2] == ("picklistValues[Origin]/values[Phone]", "missing")


def test_elements_without_a_key_are_told_by_position_but_for_those_that_are_the_same() -> None:
    shipped = "<x><a>1</a></x><x><a>2</a></x><x><a>3</a></x>"
    assert differences("ApexPage", shipped, "<x><a>3</a></x><x><a>1</a></x><x><a>9</a></x>") == [
        ("x[#2]/a", "changed", "2", "9")
    ]
    assert [each[:2] for each in differences("ApexPage", shipped, "<x><a>1</a></x><x><a>3</a></x>")] == [
        ("x[#2]", "missing")
    ]


def test_a_key_that_stands_twice_is_numbered() -> None:
    twice = section("One", "A") + section("One", "B")
    changed = section("One", "A") + section("One", "C")
    paths = [each[0] for each in differences("Layout", twice, changed)]
    assert paths == [
        "layoutSections[One #2]/layoutColumns[#1]/layoutItems[B]",
        "layoutSections[One #2]/layoutColumns[#1]/layoutItems[C]",
    ]


def test_a_repeated_text_is_told_by_itself() -> None:
    shipped, found = "<tabs>A</tabs><tabs>B</tabs>", "<tabs>B</tabs><tabs>C</tabs>"
    assert [each[:2] for each in differences("CustomApplication", shipped, found)] == [
        ("tabs[A]", "missing"),
        ("tabs[C]", "added"),
    ]


@pytest.mark.parametrize(
    ("kind", "shipped", "found"),
    [
        ("CustomField", "", "<externalId>false</externalId>"),
        ("CustomField", "<required>false</required>", ""),
        ("CustomField", "<label> A\r\n</label>", "<label>A</label>"),
        ("CustomObject", "", "<deploymentStatus>Deployed</deploymentStatus>"),
        ("CustomObject", "", "<actionOverrides><actionName>View</actionName><type>Default</type></actionOverrides>"),
        ("Settings", "<enableX>true</enableX>", "<enableX>true</enableX><enableY>true</enableY>"),
        ("Profile", "", "<fullName>Admin</fullName>"),
        ("AuthProvider", "<consumerSecret>a</consumerSecret>", "<consumerSecret>masked</consumerSecret>"),
        ("CustomObjectTranslation", "", "<fields><label></label><name>X__c</name></fields>"),
    ],
)
def test_what_salesforce_rewrites_is_no_difference(kind: str, shipped: str, found: str) -> None:
    assert differences(kind, shipped, found) == []


@pytest.mark.parametrize(
    ("kind", "shipped", "found"),
    [
        ("CustomField", "", "<externalId>true</externalId>"),
        ("CustomField", "<required>true</required>", "<required>false</required>"),
        ("CustomObject", "", "<deploymentStatus>InDevelopment</deploymentStatus>"),
        ("CustomObject", "", "<actionOverrides><actionName>View</actionName><type>Flexipage</type></actionOverrides>"),
        ("Settings", "<enableX>true</enableX>", "<enableY>true</enableY>"),
        ("CustomObjectTranslation", "", "<fields><label>甲</label><name>X__c</name></fields>"),
    ],
)
def test_what_somebody_changed_is_not_taken_for_a_rewrite(kind: str, shipped: str, found: str) -> None:
    assert differences(kind, shipped, found) != []


def test_of_a_profile_only_the_entries_about_what_was_retrieved_are_missed() -> None:
    shipped = grant("A.X__c", "true") + grant("A.Y__c", "true")
    [only] = differences("Profile", shipped, "", frozenset({"A.Y__c"}))
    assert only[:2] == ("fieldPermissions[A.Y__c]", "missing")
    assert len(differences("PermissionSet", shipped, "", frozenset({"A.Y__c"}))) == 2


def test_of_a_profile_of_which_only_login_ranges_are_shipped_all_else_is_the_org_s_own() -> None:
    login = "<loginIpRanges><endAddress>%s</endAddress><startAddress>47.100.0.1</startAddress></loginIpRanges>"
    rights = "<custom>false</custom><userPermissions><enabled>true</enabled><name>RunReports</name></userPermissions>"
    ours = login % "47.100.0.1"
    assert differences("Profile", ours, ours + rights) == []
    assert differences("Profile", ours, login % "47.100.0.9" + rights) != []
    assert differences("Profile", ours, rights) != []
    assert differences("Profile", ours + grant("A.X__c", "true"), ours + grant("A.X__c", "true") + rights) != []


def test_a_difference_says_the_line_of_what_was_shipped() -> None:
    shipped = "<a>1</a>\n<b>2</b>\n<c>\n<d>3</d>\n</c>"
    found = compare(element(shipped), element("<a>1</a><b>9</b><c><d>9</d></c><e>5</e>"), "ApexPage")
    assert [(each.path, each.how, each.line) for each in found] == [
        ("b", How.CHANGED, 3),
        ("c/d", How.CHANGED, 5),
        ("e", How.ADDED, 1),
    ]


def test_every_type_in_the_tables_is_one_of_salesforce_s() -> None:
    types = metadata_types()
    known = {*types.by_name, *types.container_of}
    rules = (*tables().absent, *tables().never, *tables().empty_entries, *tables().cut_to_retrieve)
    named = {*tables().keys, *tables().ordered, *(kind for rule in rules for kind in rule.types)}
    assert named - known == set()


trees = st.recursive(
    st.tuples(st.sampled_from(["label", "name", "fullName", "sorted"]), st.sampled_from(["", "x", "false", "true"])),
    lambda inner: st.tuples(st.sampled_from(["value", "layoutItems", "fields", "x"]), st.lists(inner, max_size=4)),
    max_leaves=20,
)
kinds = st.sampled_from(["CustomField", "Layout", "Flow", "PermissionSet", "ApexPage"])


def written(tree: tuple[str, object]) -> str:
    name, content = tree
    inner = content if isinstance(content, str) else "".join(map(written, content))  # type: ignore[call-overload]
    return f"<{name}>{inner}</{name}>"


@given(kinds, st.lists(trees, max_size=5))
def test_nothing_differs_from_itself(kind: str, content: list[tuple[str, object]]) -> None:
    text = "".join(map(written, content))
    assert differences(kind, text, text) == []


@given(kinds, st.lists(trees, max_size=5), st.sampled_from(["label", "sorted"]), st.data())
def test_a_changed_text_is_always_found(
    kind: str, content: list[tuple[str, object]], name: str, data: st.DataObject
) -> None:
    entry = "<customEntry><fullName>E</fullName><{0}>{1}</{0}></customEntry>"
    at = data.draw(st.integers(0, len(content)))
    shipped, found = (
        "".join([*map(written, content[:at]), entry.format(name, text), *map(written, content[at:])])
        for text in ("before", "after")
    )
    path = f"customEntry[E]/{name}"
    assert differences(kind, shipped, found) == [(path, "changed", "before", "after")]
