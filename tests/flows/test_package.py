from __future__ import annotations

import io
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from flows.components import Component, ComponentKey
from flows.convert import convert
from flows.metadata_types import metadata_types
from flows.package import assemble, manifest
from flows.source.project import read_project
from kit.problems import Place
from tests.flows.source_samples import NAMESPACE, every_type, write

NS = f"{{{NAMESPACE}}}"


@cache
def sample() -> tuple[dict[ComponentKey, Component], dict[str, list[str]]]:
    """Return the sample's components, and the lines of each of its source files."""
    files = every_type()
    with tempfile.TemporaryDirectory() as folder:
        result = convert(read_project(write(Path(folder), files)), ["app"], "core")
    assert result.problems == ()
    lines = {name: text.splitlines() for name, text in files.items() if isinstance(text, str)}
    return {component.key: component for component in result.components}, lines


def named(data: bytes) -> set[tuple[str, str]]:
    """Return what a manifest names."""
    return {
        (types.findtext(f"{NS}name", ""), member.text or "")
        for types in etree.fromstring(data).iter(f"{NS}types")
        for member in types.iter(f"{NS}members")
    }


def children_in(files: dict[str, bytes]) -> set[ComponentKey]:
    """Return the children that container files hold, read back as an org would."""
    found = set()
    for kind in metadata_types().by_name.values():
        for path, data in files.items():
            if kind.splittable and path.startswith(f"{kind.directory}/") and path.endswith(f".{kind.suffix}"):
                owner = path.removeprefix(f"{kind.directory}/").removesuffix(f".{kind.suffix}")
                for element in etree.fromstring(data):
                    child = kind.splittable.get(etree.QName(element).localname)
                    if child:
                        name = element.findtext(f"{NS}{child.id_element or 'fullName'}", "")
                        found.add(ComponentKey(child.name, name if child.bare_name else f"{owner}.{name}"))
    return found


def test_one_field_goes_without_the_rest_of_its_object() -> None:
    components, _ = sample()
    package = assemble([components[ComponentKey("CustomField", "Ticket__c.Status__c")]], "64.0")
    assert set(package.files) == {"package.xml", "objects/Ticket__c.object"}
    assert named(package.files["package.xml"]) == {("CustomField", "Ticket__c.Status__c")}
    root = etree.fromstring(package.files["objects/Ticket__c.object"])
    assert [etree.QName(element).localname for element in root] == ["fields"]


def test_an_object_goes_with_its_own_content_and_the_children_that_were_chosen() -> None:
    components, _ = sample()
    chosen = [ComponentKey("CustomObject", "Ticket__c"), ComponentKey("ListView", "Ticket__c.All")]
    package = assemble([components[key] for key in chosen], "64.0")
    root = etree.fromstring(package.files["objects/Ticket__c.object"])
    assert [etree.QName(element).localname for element in root] == ["label", "pluralLabel", "listViews"]


def test_the_manifest_sorts_types_and_members_and_names_folders_under_their_content() -> None:
    keys = [
        ComponentKey("ReportFolder", "Sales"),
        ComponentKey("Report", "Sales/Pipeline"),
        ComponentKey("EmailFolder", "Letters"),
        ComponentKey("ApexClass", "B&B"),
        ComponentKey("ApexClass", "A"),
    ]
    text = manifest(keys, "64.0").decode()
    assert named(text.encode()) == {
        ("ApexClass", "A"),
        ("ApexClass", "B&B"),
        ("EmailTemplate", "Letters"),
        ("Report", "Sales/"),
        ("Report", "Sales/Pipeline"),
    }
    assert text.index("<members>A<") < text.index("B&amp;B") < text.index("EmailTemplate") < text.index("Pipeline")
    assert "<version>64.0</version>" in text


def test_deletions_go_into_files_of_their_own() -> None:
    gone = [ComponentKey("CustomField", "Ticket__c.Old__c")]
    package = assemble([], "64.0", destructive_post=gone, destructive_pre=[ComponentKey("ApexClass", "Old")])
    assert named(package.files["destructiveChangesPost.xml"]) == {("CustomField", "Ticket__c.Old__c")}
    assert named(package.files["destructiveChangesPre.xml"]) == {("ApexClass", "Old")}
    assert named(package.files["package.xml"]) == set()
    assert set(assemble([], "64.0").files) == {"package.xml"}


def test_every_line_of_the_package_leads_back_to_the_same_line_of_the_source() -> None:
    components, lines = sample()
    package = assemble(components.values(), "64.0")
    tags = tuple(f"{start}{name}" for name in metadata_types().container_of for start in ("<", "</"))
    checked = 0
    for path, data in package.files.items():
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            place = package.lines.source(path, number)
            if place is None or place.line == 0 or place.file not in lines:
                continue
            inner = line.strip()
            source = lines[place.file][place.line - 1].strip()
            if source.startswith(tags):
                # Here the child is an element of its container, under the element's name.
                assert inner[:1] == "<"
                continue
            assert inner == source, (path, number)
            checked += 1
    assert checked > 250


def test_a_line_of_a_field_leads_to_the_field_s_file_and_a_line_of_a_label_to_its_place_in_the_file_of_all() -> None:
    components, _ = sample()
    package = assemble(components.values(), "64.0")

    def line_of(path: str, text: str) -> int:
        lines = package.files[path].decode().splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    path = "objects/Ticket__c.object"
    where = package.lines.source(path, line_of(path, "Needs_Status label"))
    assert where == Place("app/objects/Ticket__c/validationRules/Needs_Status.validationRule-meta.xml", 4)
    path = "labels/CustomLabels.labels"
    assert package.lines.source(path, line_of(path, "再见")) == Place("app/labels/CustomLabels.labels-meta.xml", 7)
    path = "objectTranslations/Ticket__c-zh_CN.objectTranslation"
    where = package.lines.source(path, line_of(path, "状态"))
    assert where == Place("app/objectTranslations/Ticket__c-zh_CN/Status__c.fieldTranslation-meta.xml", 4)


def test_what_has_no_line_in_the_source_leads_to_the_component_or_to_nothing() -> None:
    components, _ = sample()
    lines = assemble(components.values(), "64.0").lines
    assert lines.source("staticresources/kit.resource", 3) == Place("app/staticresources/kit.resource-meta.xml")
    assert lines.source("labels/CustomLabels.labels", 1) is None
    assert lines.source("package.xml", 3) is None
    assert lines.source("absent.txt", 1) is None


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_package_holds_exactly_the_components_that_were_chosen(data: st.DataObject) -> None:
    components, _ = sample()
    chosen = data.draw(st.lists(st.sampled_from(sorted(components)), unique=True))
    package = assemble([components[key] for key in chosen], "64.0")
    assert len(named(package.files["package.xml"])) == len(chosen)
    assert children_in(dict(package.files)) == {key for key in chosen if components[key].fragment}
    whole = {file.path for key in chosen for file in components[key].files}
    inside = {fragment.path for key in chosen if (fragment := components[key].fragment)}
    assert set(package.files) == {"package.xml"} | whole | inside


@settings(max_examples=30, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_the_same_components_make_the_same_bytes_in_any_order(order: object) -> None:
    components, _ = sample()
    shuffled = list(components.values())
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert assemble(shuffled, "64.0").zip == assemble(components.values(), "64.0").zip


def test_the_zip_holds_the_files_with_one_time_stamp() -> None:
    components, _ = sample()
    package = assemble(components.values(), "64.0")
    with zipfile.ZipFile(io.BytesIO(package.zip)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == dict(package.files)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("folder", ["ReportFolder", "DashboardFolder", "DocumentFolder", "EmailFolder"])
def test_folder_types_are_named_under_their_content_type(folder: str) -> None:
    (name,) = {kind for kind, _ in named(manifest([ComponentKey(folder, "F")], "64.0"))}
    assert metadata_types().by_name[name].folder_type == folder
