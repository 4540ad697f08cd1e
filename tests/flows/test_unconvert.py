from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from flows.archive import zip_bytes
from flows.components import ComponentKey
from flows.convert import convert
from flows.package import assemble
from flows.patch import is_patch
from flows.source.project import read_project
from flows.unconvert import homes_in, read_package, to_source
from kit.problems import Refused
from tests.flows.source_samples import NAMESPACE, container, every_type, write, xml

ROOT = Path(__file__).parents[2]
Files = Mapping[str, bytes]


def converted(root: Path, directory: str = "app") -> tuple[Files, dict[ComponentKey, str]]:
    """Return a project's package and its components' digests."""
    result = convert(read_project(root), [directory], "core")
    assert result.problems == ()
    package = assemble(result.components, "64.0")
    return package.files, {component.key: component.digest for component in result.components}


def brought(files: Mapping[str, str | bytes], **homes: str) -> dict[str, str]:
    """Return the source of a package, as text."""
    package = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return {path: data.decode() for path, data in to_source(package, homes).items()}


def refused(files: Mapping[str, str | bytes]) -> list[str]:
    with pytest.raises(Refused) as caught:
        brought(files)
    return [str(problem) for problem in caught.value.problems]


def test_every_kind_of_type_comes_home_and_goes_out_again_as_the_same_components(tmp_path: Path) -> None:
    package, digests = converted(write(tmp_path / "a", every_type()))
    source = to_source(package)
    again, same = converted(write(tmp_path / "b", {f"app/{path}": data for path, data in source.items()}))
    assert same == digests
    assert again["package.xml"] == package["package.xml"]
    assert to_source(again) == source


@pytest.mark.parametrize("layer", ["core", "china"])
def test_the_sample_comes_home_to_the_files_that_it_left_from(layer: str, tmp_path: Path) -> None:
    project, directory = read_project(ROOT), f"metadata/{layer}"
    package, digests = converted(ROOT, directory)
    source = to_source(package, homes_in(project, directory))
    assert source.keys() == {
        file.name.removeprefix(f"{directory}/")
        for file in project.files(directory)
        # An object file without anything in it is not written: it says nothing. A patch is no component.
        if not _is_empty_object(file.path) and not is_patch(file)
    }
    _, again = converted(write(tmp_path, {f"app/{path}": data for path, data in source.items()}))
    assert again == digests


def _is_empty_object(path: str) -> bool:
    return path.endswith(".object-meta.xml") and len(etree.parse(path).getroot()) == 0


def test_a_field_gets_a_file_of_its_own_and_an_object_of_fields_alone_gets_none() -> None:
    formula = "<formula>a &lt; &quot;b&quot;\n  c</formula>"
    field = f"<fields>\n        <fullName>A__c</fullName>\n        {formula}\n    </fields>"
    assert brought({"objects/Account.object": container("CustomObject", field)}) == {
        "main/default/objects/Account/fields/A__c.field-meta.xml": (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<CustomField xmlns="{NAMESPACE}">\n'
            "    <fullName>A__c</fullName>\n    <formula>a &lt; &quot;b&quot;\n  c</formula>\n</CustomField>\n"
        )
    }


def test_a_prefix_that_a_child_uses_is_declared_in_its_file() -> None:
    text = (
        f'<CustomObject xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="urn:x">'
        '<label>O</label><fields><fullName>A__c</fullName><d xsi:nil="true"/></fields></CustomObject>'
    )
    source = brought({"objects/O__c.object": text})
    assert '    <d xsi:nil="true"/>\n' in source["main/default/objects/O__c/fields/A__c.field-meta.xml"]
    assert "xsd" not in "".join(source.values())


def test_a_static_resource_gets_its_content_type_s_extension_or_is_unpacked() -> None:
    def resource(name: str, content_type: str, data: bytes) -> dict[str, str | bytes]:
        meta = xml("StaticResource", contentType=content_type)
        return {f"staticresources/{name}.resource": data, f"staticresources/{name}.resource-meta.xml": meta}

    source = brought(
        resource("a", "text/javascript", b"var a")
        | resource("b", "Text/CSS; charset=UTF-8", b"b{}")
        | resource("c", "nobody/knows", b"c")
        | resource("d", "application/zip", zip_bytes({"css/d.css": b"d{}", "d.js": b"var d"}))
    )
    contents = {path for path in source if not path.endswith("-meta.xml")}
    assert contents == {
        f"main/default/staticresources/{name}" for name in ("a.js", "b.css", "c.bin", "d/css/d.css", "d/d.js")
    }


def test_what_lies_in_a_layer_keeps_its_place_and_new_files_join_their_component(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "app/web/lwc/board/board.js": "1",
        "app/web/lwc/board/board.js-meta.xml": xml("LightningComponentBundle"),
        "app/model/objects/O__c/fields/A__c.field-meta.xml": xml("CustomField", fullName="A__c"),
        "app/logic/A.cls": "class A {}",
        "app/logic/A.cls-meta.xml": xml("ApexClass"),
        "app/files/staticresources/z.zip": zip_bytes({"a.txt": b"a"}),
        "app/files/staticresources/z.resource-meta.xml": xml("StaticResource", contentType="application/zip"),
    }
    root = write(tmp_path, files)
    package = dict(converted(root)[0])
    package["lwc/board/board.css"] = b"b{}"
    package["objects/O__c.object"] = container(
        "CustomObject", "<fields><fullName>A__c</fullName></fields><fields><fullName>B__c</fullName></fields>"
    ).encode()
    package["classes/B.cls"], package["classes/B.cls-meta.xml"] = b"class B {}", xml("ApexClass").encode()
    source = to_source(package, homes_in(read_project(root), "app"))
    old = {path.removeprefix("app/") for path in files}
    assert source.keys() - old == {
        "web/lwc/board/board.css",
        "model/objects/O__c/fields/B__c.field-meta.xml",
        "main/default/classes/B.cls",
        "main/default/classes/B.cls-meta.xml",
    }
    assert old <= source.keys()


def test_a_retrieved_zip_lies_in_a_folder_of_its_own(tmp_path: Path) -> None:
    label = container("CustomLabels", "<labels><fullName>A</fullName></labels>").encode()
    data = zip_bytes({"unpackaged/package.xml": b"<Package/>", "unpackaged/labels/CustomLabels.labels": label})
    assert list(to_source(read_package(data))) == ["main/default/labels/CustomLabels.labels-meta.xml"]
    with pytest.raises(Refused, match="not a zip"):
        read_package(b"no zip")


def test_all_problems_of_a_package_are_told_together() -> None:
    told = refused(
        {
            "package.xml": "<Package/>",
            "novelties/A.novelty": xml("Novelty"),
            "novelties/notes": "text",
            "classes/A.cls": "class A {}",
            "layouts/B.layout": "<Layout>\n<a>\n</Layout>",
            "layouts/../../C.layout": xml("Layout"),
            "objects/D.object": container("CustomObject", "<fields><label>x</label></fields>"),
            "objects/E.object": xml("Layout"),
            "staticresources/f.resource": b"no zip",
            "staticresources/f.resource-meta.xml": xml("StaticResource", contentType="application/zip"),
            "staticresources/g.resource": zip_bytes({"../g": b""}),
            "staticresources/g.resource-meta.xml": xml("StaticResource", contentType="application/zip"),
            "staticresources/h.resource": b"",
            "staticresources/h.resource-meta.xml": xml("StaticResource"),
            "digitalExperiences/site/s/notes.txt": "text",
        }
    )
    first_lines = {line.split("\n")[0] for line in told}
    assert {line.split(": ")[0] for line in first_lines} == {
        "novelties/A.novelty",
        "novelties/notes",
        "classes/A.cls",
        "layouts/B.layout:3",
        "layouts/../../C.layout",
        "objects/D.object:3",
        "objects/E.object:1",
        "staticresources/f.resource",
        "staticresources/g.resource",
        "staticresources/h.resource-meta.xml",
        "digitalExperiences/site/s/notes.txt",
    }
    assert "novelties/A.novelty: metadata type Novelty is not known to the kit" in first_lines


names = st.from_regex(r"[A-Z][a-z]{0,5}__c", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1)


@given(st.dictionaries(names, texts, min_size=1), texts)
def test_any_text_in_an_object_survives_the_way_home_and_out(fields: dict[str, str], label: str) -> None:
    elements = [f"<fields><fullName>{name}</fullName><l>{escape(text)}</l></fields>" for name, text in fields.items()]
    package = {"objects/O__c.object": container("CustomObject", *elements, f"<label>{escape(label)}</label>").encode()}
    with tempfile.TemporaryDirectory() as folder:
        source = {f"app/{path}": data for path, data in to_source(package).items()}
        again, _ = converted(write(Path(folder), source))
    assert to_source(again) == to_source(package)
    with zipfile.ZipFile(io.BytesIO(zip_bytes(again))) as archive:
        assert label in "".join(
            element.text or "" for element in _elements(archive.read("objects/O__c.object"), "label")
        )


def _elements(data: bytes, name: str) -> list[etree._Element]:
    return list(etree.fromstring(data).iter(f"{{{NAMESPACE}}}{name}"))


def test_a_carriage_return_stays_one_in_what_is_taken_apart() -> None:
    """It can only be written as a reference: a bare one is read as the end of a line."""
    field = "<fields><fullName>A__c</fullName><description>a&#13;&#10;b &#160;c</description></fields>"
    source = brought({"objects/O__c.object": container("CustomObject", field)})
    text = source["main/default/objects/O__c/fields/A__c.field-meta.xml"]
    (description,) = etree.fromstring(text.encode()).iterfind(f"{{{NAMESPACE}}}description")
    assert description.text == "a\r\nb \N{NO-BREAK SPACE}c"


def test_labels_of_which_there_are_none_come_home_as_no_file() -> None:
    assert brought({"labels/CustomLabels.labels": container("CustomLabels")}) == {}


def test_what_is_still_to_be_translated_stays_beside_its_element_as_a_comment() -> None:
    """An org returns a label without translation as an element that holds the original in a comment."""
    text = container(
        "CustomObjectTranslation",
        "<fields><label><!-- Tier --></label><name>Tier__c</name></fields>",
        "<quickActions><label><!-- Close it --></label><name>Close</name></quickActions>",
    )
    source = brought({"objectTranslations/A__c-zh_CN.objectTranslation": text})
    folder = "main/default/objectTranslations/A__c-zh_CN"
    assert "    <label><!-- Tier --></label>\n" in source[f"{folder}/Tier__c.fieldTranslation-meta.xml"]
    own = source[f"{folder}/A__c-zh_CN.objectTranslation-meta.xml"]
    assert "        <label><!-- Close it --></label>\n" in own
    assert "Tier" not in own
