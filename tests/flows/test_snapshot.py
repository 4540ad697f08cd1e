from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from flows.apiversion import type_in_describe
from flows.bundle import Bundle, build_bundle, bundle_bytes, parse_bundle
from flows.components import ComponentKey
from flows.compose import compose_for
from flows.convert import convert
from flows.package import lay_out
from flows.snapshot import components_of, of_files, refuse_unattributed
from flows.source.project import read_project
from kit.problems import Refused
from orgs.federation import load_federation
from tests.flows.source_samples import every_type, write

ROOT = Path(__file__).parents[2]
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
CASE = f"""{HEAD}
<CustomObject {NS}>
    <enableFeeds>true</enableFeeds>
    <fields><fullName>A__c</fullName><label>A</label></fields>
    <fields><fullName>B__c</fullName><label>B</label></fields>
    <listViews><fullName>All</fullName></listViews>
</CustomObject>
""".encode()
OBJECT = ComponentKey("CustomObject", "Case")
FIELD_A = ComponentKey("CustomField", "Case.A__c")


@pytest.fixture(scope="module")
def sample() -> Bundle:
    federation = load_federation()
    return compose_for(federation, federation.org("china-uat"), ROOT)


def canonical(data: bytes) -> bytes:
    """Return XML in canonical form without indentation, anything else as it is."""
    if not data.startswith(b"<?xml"):
        return data
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True)
    return etree.tostring(etree.fromstring(data, parser), method="c14n")


def test_all_that_the_sample_ships_is_found_again_in_its_files(sample: Bundle) -> None:
    files = lay_out(sample.components.values()).files
    found = components_of(files, sample.components)
    assert found.keys() == sample.components.keys()
    again = lay_out(found.values()).files
    assert again.keys() == files.keys()
    for path, data in files.items():
        assert canonical(again[path]) == canonical(data), path


def test_every_kind_of_type_is_found_again_in_its_files(tmp_path: Path) -> None:
    components = convert(read_project(write(tmp_path, every_type())), ["app"], "core").components
    files = lay_out(components).files
    found = components_of(files, [component.key for component in components])
    assert list(found) == [component.key for component in components]
    assert lay_out(found.values()).files.keys() == files.keys()


def test_a_snapshot_is_kept_and_read_back_as_a_bundle(sample: Bundle) -> None:
    found = components_of(lay_out(sample.components.values()).files, sample.components)
    snapshot = build_bundle(found.values(), "62.0")
    again = parse_bundle(bundle_bytes(snapshot), "a snapshot")
    assert again.digest == snapshot.digest
    assert components_of(lay_out(again.components.values()).files, again.components).keys() == found.keys()


def test_what_the_org_does_not_have_is_left_out() -> None:
    keys = [FIELD_A, ComponentKey("CustomField", "Case.Gone__c"), ComponentKey("ApexClass", "Gone")]
    assert list(components_of({"objects/Case.object": CASE}, keys)) == [FIELD_A]


def test_an_object_comes_without_its_children_unless_all_of_it_goes() -> None:
    files = {"objects/Case.object": CASE}
    alone = components_of(files, [OBJECT])
    assert list(alone) == [OBJECT]
    assert b"A__c" not in alone[OBJECT].files[0].data
    whole = components_of(files, [OBJECT], whole={OBJECT})
    assert [str(key) for key in whole] == [
        "CustomField:Case.A__c",
        "CustomField:Case.B__c",
        "CustomObject:Case",
        "ListView:Case.All",
    ]


def test_the_digest_of_a_field_is_that_of_its_content_alone() -> None:
    (before,) = components_of({"objects/Case.object": CASE}, [FIELD_A]).values()
    other = CASE.replace(b"<label>B<", b"<label>Other<").replace(b"<fullName>A", b"\n\n   <fullName>A")
    (after,) = components_of({"objects/Case.object": other}, [FIELD_A]).values()
    assert after.digest == before.digest
    (changed,) = components_of({"objects/Case.object": CASE.replace(b">A<", b">C<")}, [FIELD_A]).values()
    assert changed.digest != before.digest


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("ApexClass:A", ["classes/A.cls", "classes/A.cls-meta.xml"]),
        ("LightningComponentBundle:card", ["lwc/card/card.html", "lwc/card/card.js", "lwc/card/card.js-meta.xml"]),
        ("Report:Sales/Pipeline", ["reports/Sales/Pipeline.report"]),
        ("ReportFolder:Sales", ["reports/Sales-meta.xml"]),
        ("StaticResource:logo", ["staticresources/logo.resource", "staticresources/logo.resource-meta.xml"]),
        ("CustomMetadata:Rate.CNY", ["customMetadata/Rate.CNY.md"]),
        ("Layout:Case-Case %28cn%29", ["layouts/Case-Case %28cn%29.layout"]),
        ("Layout:Case-Case (cn)", ["layouts/Case-Case %28cn%29.layout"]),
        ("CustomLabel:Hello", ["labels/CustomLabels.labels"]),
    ],
)
def test_each_component_gets_its_own_files(key: str, paths: list[str]) -> None:
    labels = f"{HEAD}<CustomLabels {NS}><labels><fullName>Hello</fullName></labels></CustomLabels>".encode()
    files = {
        path: labels if path.startswith("labels/") else b"x"
        for path in (
            "classes/A.cls",
            "classes/A.cls-meta.xml",
            "classes/AB.cls",
            "customMetadata/Rate.CNY.md",
            "customMetadata/Rate.USD.md",
            "labels/CustomLabels.labels",
            "layouts/Case-Case %28cn%29.layout",
            "lwc/card/card.html",
            "lwc/card/card.js",
            "lwc/card/card.js-meta.xml",
            "lwc/cards/cards.js",
            "reports/Sales-meta.xml",
            "reports/Sales/Pipeline.report",
            "staticresources/logo.resource",
            "staticresources/logo.resource-meta.xml",
        )
    }
    (component,) = components_of(files, [ComponentKey.parse(key)]).values()
    held = [component.fragment.path] if component.fragment else [file.path for file in component.files]
    assert held == paths


CLASS_FOO = ComponentKey("ApexClass", "Foo")


def test_a_file_that_nobody_asked_for_is_refused_when_something_beside_it_seems_to_be_missing() -> None:
    files = {"classes/foo.cls": b"x", "classes/Bar.cls": b"x", "objects/Case.object": CASE}
    keys = [CLASS_FOO, ComponentKey("ApexClass", "Bar"), FIELD_A]
    found = components_of(files, keys)
    with pytest.raises(Refused, match="uat: ApexClass:Foo seems to be missing") as refused:
        refuse_unattributed(files, keys, found, "uat")
    assert refused.value.problems[0].what.endswith("classes/foo.cls")


@pytest.mark.parametrize(
    ("files", "key"),
    [
        ({"classes/Bar.cls": b"x"}, "ApexClass:Foo"),  # nothing is left over
        ({"objects/Case.object": CASE}, "CustomField:Case.New__c"),  # the object is there, without that field
        ({"objects/Case.object": CASE}, "CustomObject:New__c"),
        ({"reports/Sales-meta.xml": b"x"}, "Report:Sales/New"),  # its folder
    ],
)
def test_what_an_org_does_not_have_is_missing_and_no_more(files: dict[str, bytes], key: str) -> None:
    keys = [ComponentKey.parse(key), ComponentKey("ApexClass", "Bar"), FIELD_A]
    refuse_unattributed(files, keys, components_of(files, keys), "uat")


def test_of_all_that_the_sample_ships_nothing_is_left_over(sample: Bundle) -> None:
    files = lay_out(sample.components.values()).files
    missing = [ComponentKey("ApexClass", "Foo"), ComponentKey("CustomObject", "Foo__c"), ComponentKey("Report", "A/B")]
    keys = [*sample.components, *missing]
    refuse_unattributed(files, keys, components_of(files, keys), "uat")


def test_a_type_of_a_project_s_own_registry_is_refused_by_name_when_nothing_of_it_was_shipped() -> None:
    key = ComponentKey("Novelty", "A")
    with pytest.raises(Refused, match="Novelty is not in the kit's table"):
        components_of({"novelties/A.novelty": b""}, [key])
    with pytest.raises(Refused, match="Novelty is not in the kit's table"):
        refuse_unattributed({"novelties/A.novelty": b""}, [key], [], "china-uat")
    assert type_in_describe("Novelty") == "Novelty"


@pytest.mark.parametrize(
    ("name", "shipped", "held"),
    [
        ("A", ["novelties/A.novelty"], ["novelties/A.novelty"]),
        ("A", ["novelties/A.js", "novelties/A.js-meta.xml"], ["novelties/A.js", "novelties/A.js-meta.xml"]),
        ("F/A", ["novelties/F/A.novelty"], ["novelties/F/A.novelty"]),
        ("A", ["novelties/A/a.js", "novelties/A/b.js"], ["novelties/A/a.js", "novelties/A/c.js"]),  # a bundle changed
        ("A", ["novelties/A.novelty"], []),
    ],
)
def test_what_is_of_a_project_s_own_type_is_found_where_it_was_shipped_to(
    name: str, shipped: list[str], held: list[str]
) -> None:
    key = ComponentKey("Novelty", name)
    models = {key: of_files(key, [(path, b"new") for path in shipped])}
    other = {"novelties/B.novelty": b"x", "novelties/F/B.novelty": b"x", "novelties/AB/a.js": b"x"}
    files = dict.fromkeys(held, b"old") | other
    found = components_of(files, [key], shipped=models)
    assert [file.path for file in found[key].files] == held if held else not found
    only = {path: files[path] for path in held}
    refuse_unattributed(only, [key], found, "china-uat", models)
    if not held:
        with pytest.raises(Refused, match="seems to be missing"):
            refuse_unattributed(files, [key], found, "china-uat", models)
