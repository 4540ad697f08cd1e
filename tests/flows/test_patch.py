from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from flows.bundle import bundle_bytes, parse_bundle
from flows.components import Component, ComponentKey, MdapiFile, Patch, Run
from flows.compose import compose, compose_for, read_layers
from flows.explain import Step, explain
from flows.gates.gather import deviations
from flows.package import assemble
from flows.patch import patched as apply_patch
from flows.source.project import read_project
from kit.problems import Place, Refused
from orgs.federation import load_federation
from tests.flows.source_samples import container, write, xml

PROJECT = json.dumps({"packageDirectories": [{"path": "metadata/core"}], "sourceApiVersion": "62.0"})
CORE, CHINA = "metadata/core", "metadata/china"
AGENT = "permissionsets/Agent.permissionset"
KEY = ComponentKey("PermissionSet", "Agent")
FEDERATION = load_federation()


def field(name: str, editable: str, attribute: str = "") -> str:
    inner = f"<editable>{editable}</editable>" if editable else ""
    return f"<fieldPermissions{attribute}>{inner}<field>{name}</field></fieldPermissions>"


BASE = container("PermissionSet", field("A.One__c", "true"), field("A.Two__c", "true"), "<label>Agent</label>")


def composed(root: Path, files: dict[str, str | bytes], base: dict[str, str | bytes] | None = None) -> Path:
    return write(root, {f"{CORE}/{AGENT}-meta.xml": BASE, **(base or {}), **files}, project=PROJECT)


def patched(root: Path, *elements: str) -> Component:
    """Return the permission set as a China org gets it with a patch of these elements."""
    project = composed(root, {f"{CHINA}/{AGENT}-patch.xml": container("PermissionSet", *elements)})
    return compose_for(FEDERATION, "china-uat", project).components[KEY]


def fields_of(component: Component) -> dict[str, str]:
    root = etree.fromstring(component.files[0].data)
    return {
        each.findtext("{*}field", ""): each.findtext("{*}editable", "") for each in root.iterfind("{*}fieldPermissions")
    }


def problem_of(root: Path, files: dict[str, str | bytes]) -> str:
    with pytest.raises(Refused) as refused:
        compose_for(FEDERATION, "china-uat", composed(root, files))
    (problem,) = refused.value.problems
    return str(problem)


def test_a_patch_changes_adds_and_removes_elements_by_key_and_leaves_the_others_alone(tmp_path: Path) -> None:
    component = patched(
        tmp_path, field("A.Two__c", "false"), field("A.New__c", "true"), field("A.One__c", "", ' patch="remove"')
    )
    assert fields_of(component) == {"A.Two__c": "false", "A.New__c": "true"}
    root = etree.fromstring(component.files[0].data)
    assert [etree.QName(child).localname for child in root] == ["fieldPermissions", "fieldPermissions", "label"]
    assert b"patch=" not in component.files[0].data


def test_a_patched_component_remembers_both_layers_and_each_line_its_own_file(tmp_path: Path) -> None:
    component = patched(tmp_path, field("A.Two__c", "false"))
    file = f"{CHINA}/{AGENT}-patch.xml"
    assert (component.layer, component.patches) == ("core", (Patch("china", Place(file)),))
    package = assemble([component], "62.0")
    path = component.files[0].path
    lines = package.files[path].decode().splitlines()
    places = {line.strip(): package.lines.source(path, number) for number, line in enumerate(lines, 1)}
    assert places["<editable>false</editable>"] == Place(file, 3)
    assert places["<label>Agent</label>"] == Place(f"{CORE}/{AGENT}-meta.xml", 5)


def test_a_bundle_with_a_patched_component_is_read_as_it_was_written(tmp_path: Path) -> None:
    label = container("CustomLabels", "<labels>\n<fullName>Hi</fullName><value>Hello</value></labels>")
    change = container("CustomLabels", "<labels><fullName>Hi</fullName><value>你好</value></labels>")
    files: dict[str, str | bytes] = {
        f"{CHINA}/labels/CustomLabels.labels-patch.xml": change,
        f"{CHINA}/{AGENT}-patch.xml": container("PermissionSet", "<label>坐席</label>"),
    }
    root = composed(tmp_path, files, {f"{CORE}/labels/CustomLabels.labels-meta.xml": label})
    bundle = compose_for(FEDERATION, "china-uat", root)
    again = parse_bundle(bundle_bytes(bundle), "b.zip")
    assert again == bundle
    component = bundle.components[ComponentKey("CustomLabel", "Hi")]
    assert component.fragment
    assert "<value>你好</value>" in component.fragment.xml.decode()
    package = assemble([component], "62.0")
    (path,) = [path for path in package.files if path.startswith("labels/")]
    line = 1 + package.files[path].decode()[: package.files[path].decode().index("你好")].count("\n")
    assert package.lines.source(path, line) == Place(f"{CHINA}/labels/CustomLabels.labels-patch.xml", 3)


def test_a_patch_changes_the_digest_only_where_it_changes_something(tmp_path: Path) -> None:
    plain = compose_for(FEDERATION, "global-uat", composed(tmp_path, {})).components[KEY]
    assert patched(tmp_path, field("A.Two__c", "true")).digest == plain.digest
    assert patched(tmp_path, field("A.Two__c", "false")).digest != plain.digest


def test_a_picklist_value_is_added_and_another_renamed_in_a_field(tmp_path: Path) -> None:
    def value(name: str, label: str, attribute: str = "") -> str:
        return f"<value{attribute}><fullName>{name}</fullName><label>{label}</label></value>"

    def picklist(*values: str) -> str:
        inner = f"<valueSet><valueSetDefinition>{''.join(values)}</valueSetDefinition></valueSet>"
        return container("CustomField", "<fullName>Tier__c</fullName>", inner)

    path = "objects/Account/fields/Tier__c.field"
    root = composed(
        tmp_path,
        {f"{CHINA}/{path}-patch.xml": picklist(value("A", "甲"), value("C", "丙"), value("B", "", ' patch="remove"'))},
        {f"{CORE}/{path}-meta.xml": picklist(value("A", "a"), value("B", "b"))},
    )
    component = compose_for(FEDERATION, "china-uat", root).components[ComponentKey("CustomField", "Account.Tier__c")]
    assert component.fragment
    found = etree.fromstring(component.fragment.xml)
    assert [(each.findtext("fullName"), each.findtext("label")) for each in found.iter("value")] == [
        ("A", "甲"),
        ("C", "丙"),
    ]


def test_a_second_of_a_kind_without_key_is_added_only_when_the_patch_says_so(tmp_path: Path) -> None:
    path = "objects/Account/listViews/All.listView"
    base = xml("ListView", fullName="All", columns="NAME", label="All")

    def columns(attribute: str) -> list[str]:
        patch = container("ListView", "<fullName>All</fullName>", f"<columns{attribute}>OWNER</columns>")
        root = composed(tmp_path, {f"{CHINA}/{path}-patch.xml": patch}, {f"{CORE}/{path}-meta.xml": base})
        component = compose_for(FEDERATION, "china-uat", root).components[ComponentKey("ListView", "Account.All")]
        assert component.fragment
        return [each.text or "" for each in etree.fromstring(component.fragment.xml).iter("columns")]

    assert columns("") == ["OWNER"]
    assert columns(' patch="add"') == ["NAME", "OWNER"]


def column(*fields: str) -> str:
    items = (f"<layoutItems><behavior>Edit</behavior><field>{name}</field></layoutItems>" for name in fields)
    return f"<layoutColumns>{''.join(items)}</layoutColumns>"


def section(label: str, *inside: str) -> str:
    return f"<layoutSections><label>{label}</label>{''.join(inside)}</layoutSections>"


def layout_with(root: Path, *columns: str) -> Component:
    """Return a layout of two sections, of two columns each, with a patch of the section B."""
    path = "layouts/O__c-Main.layout"
    base = container("Layout", *(section(label, column("One__c"), column("Two__c")) for label in "AB"))
    patch = container("Layout", section("B", *columns))
    project = composed(root, {f"{CHINA}/{path}-patch.xml": patch}, {f"{CORE}/{path}-meta.xml": base})
    return compose_for(FEDERATION, "china-uat", project).components[ComponentKey("Layout", "O__c-Main")]


def test_columns_of_a_layout_s_section_are_told_apart_by_their_position(tmp_path: Path) -> None:
    layout = etree.fromstring(layout_with(tmp_path, "<layoutColumns/>", column("New__c")).files[0].data)
    columns = [[field.text for field in each.iterfind(".//{*}field")] for each in layout.iter("{*}layoutColumns")]
    assert columns == [["One__c"], ["Two__c"], ["One__c"], ["Two__c", "New__c"]]


def test_one_column_of_two_is_refused_since_nothing_tells_which(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing tells which of the 2 layoutColumns is meant"):
        layout_with(tmp_path, column("New__c"))


def test_nothing_is_removed_from_an_element_that_is_new(tmp_path: Path) -> None:
    inside = '<fieldPermissions><field>A.New__c</field><editable patch="remove"/></fieldPermissions>'
    with pytest.raises(Refused, match="the fieldPermissions is new"):
        patched(tmp_path, inside)


def test_patches_of_several_layers_add_up_and_are_explained(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{CHINA}/{AGENT}-patch.xml": container("PermissionSet", field("A.Two__c", "false")),
        f"metadata/orgs/china-uat/{AGENT}-patch.xml": container("PermissionSet", "<label>UAT</label>"),
    }
    project = read_project(composed(tmp_path, files))
    layers = read_layers(project, FEDERATION.org("china-uat").overlays)
    explanation = explain(layers, KEY, "china-uat")
    assert explanation.winner == compose(layers)[KEY]
    assert [(deed.layer, deed.step) for deed in explanation.deeds] == [
        ("core", Step.BRINGS),
        ("china", Step.PATCHES),
        ("orgs/china-uat", Step.PATCHES),
    ]
    assert [deed.changes[0].difference.path for deed in explanation.deeds[1:]] == [
        "fieldPermissions[A.Two__c]/editable",
        "label",
    ]
    assert [(each.layer, each.replaces) for each in deviations(layers, {})] == [
        ("china", "core"),
        ("orgs/china-uat", "core"),
    ]


def test_a_patch_of_a_component_that_nobody_holds_is_refused_with_the_nearest(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{CHINA}/permissionsets/Agnt.permissionset-patch.xml": container("PermissionSet", "<label>x</label>")
    }
    said = problem_of(tmp_path, files)
    assert f"{CHINA}/permissionsets/Agnt.permissionset-patch.xml: PermissionSet:Agnt is to be patched" in said
    assert "did you mean PermissionSet:Agent?" in said


@pytest.mark.parametrize(
    ("element", "line", "what"),
    [
        (field("A.Oen__c", "", ' patch="remove"'), 4, "did you mean A.One__c?"),
        (field("A.One__c", "true", ' patch="delete"'), 4, 'write patch="remove", patch="add", or leave it out'),
    ],
)
def test_an_element_that_does_not_fit_is_refused_with_its_line(
    tmp_path: Path, element: str, line: int, what: str
) -> None:
    patch = container("PermissionSet", "<label>x</label>", element)
    said = problem_of(tmp_path, {f"{CHINA}/{AGENT}-patch.xml": patch})
    assert f"{AGENT}-patch.xml:{line}: " in said
    assert what in said


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("classes/A.cls-patch.xml", xml("ApexClass", apiVersion="62.0"), "ApexClass can't be patched"),
        ("tabs/A__c.tab-patch.xml", xml("CustomTab", label="x"), "CustomTab:A__c can't be patched"),
        (f"{AGENT}-patch.xml", "<PermissionSet>", "malformed XML"),
    ],
)
def test_what_has_no_elements_with_keys_is_refused(tmp_path: Path, name: str, content: str, what: str) -> None:
    said = problem_of(tmp_path, {f"{CHINA}/{name}": content})
    assert f"{CHINA}/{name}" in said
    assert what in said


def test_a_layer_that_replaces_and_patches_a_component_is_refused(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{CHINA}/{AGENT}-meta.xml": BASE,
        f"{CHINA}/{AGENT}-patch.xml": container("PermissionSet", "<label>x</label>"),
    }
    assert "is patched in the layer that holds the whole of it" in problem_of(tmp_path, files)


NAMES = st.sampled_from([f"A.F{number}__c" for number in range(6)])
GRANTS = st.dictionaries(NAMES, st.sampled_from(["true", "false"]), max_size=6)


def permission_set(layer: str, elements: list[str]) -> Component:
    data = container("PermissionSet", *elements).encode()
    file = MdapiFile("permissionsets/Agent.permissionset", data, (Run(1, Place(f"{layer}.xml", 1)),))
    return Component(KEY, "0" * 64, layer, Place(f"{layer}.xml"), files=(file,))


@given(GRANTS, GRANTS)
def test_what_differs_between_two_permission_sets_as_a_patch_makes_one_of_the_other(
    before: dict[str, str], after: dict[str, str]
) -> None:
    changed = [field(name, value) for name, value in after.items() if before.get(name) != value]
    removed = [field(name, "", ' patch="remove"') for name in before.keys() - after.keys()]
    base = permission_set("core", [field(*grant) for grant in before.items()])
    component, problems = apply_patch(base, permission_set("china", changed + removed))
    assert problems == ()
    assert fields_of(component) == after
