"""Converting directly gives, byte for byte, the package of the components that the bundle is made of."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from flows import direct, parallel
from flows.convert import convert
from flows.direct import package_of
from flows.package import assemble
from flows.source.project import read_project
from kit.problems import Refused
from tests.flows.source_samples import container, every_type, write, xml

SFOA = Path(sys.executable).with_name("sfoa")
LABELS = "<labels><fullName>{0}</fullName><value>{0}</value></labels>"
# Two package directories share an object and the labels; a field is written as Salesforce's tools don't write one.
SPREAD = {
    "sfdx-project.json": json.dumps(
        {"packageDirectories": [{"path": "app"}, {"path": "own"}], "sourceApiVersion": "64.0"}
    ),
    "app/README.md": "no metadata",
    "app/objects/O__c/O__c.object-meta.xml": container("CustomObject", "", "<label>O</label>"),
    "app/objects/O__c/fields/B__c.field-meta.xml": xml("CustomField", fullName="B__c", label="B &amp; b"),
    "own/objects/O__c/fields/A__c.field-meta.xml": "<CustomField><fullName>A__c</fullName></CustomField>",
    "own/objects/O__c/fields/C__c.field-meta.xml": xml("CustomField", fullName="C__c", label="中文"),
    "app/labels/CustomLabels.labels-meta.xml": container("CustomLabels", LABELS.format("B")),
    "own/labels/CustomLabels.labels-meta.xml": container("CustomLabels", LABELS.format("A")),
    "own/classes/A.cls": "public class A {}",
    "own/classes/A.cls-meta.xml": xml("ApexClass", apiVersion="64.0"),
}


def by_components(root: Path) -> bytes:
    project = read_project(root)
    result = convert(project, project.package_directories, "source")
    assert result.problems == ()
    return assemble(result.components, project.api_version).zip


@pytest.mark.parametrize("processes", [1, 3])
def test_files_of_several_directories_and_processes_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    root = write(tmp_path, SPREAD)
    monkeypatch.setattr(parallel, "processors", lambda: processes)
    monkeypatch.setattr(direct, "_WORTH_SHARING", 0)
    expected = by_components(root)
    monkeypatch.setattr(direct, "_of_components", None)  # nothing of it is so unusual that it is done the other way
    package = package_of(read_project(root))
    assert package.zip == expected
    assert package.skipped == ("app/README.md",)
    assert package.names == {
        "ApexClass": ["A"],
        "CustomField": ["O__c.A__c", "O__c.B__c", "O__c.C__c"],
        "CustomLabel": ["A", "B"],
        "CustomObject": ["O__c"],
    }


@pytest.mark.parametrize("processes", [1, 3])
def test_every_kind_of_type_is_converted_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    root = write(tmp_path, every_type())
    expected = by_components(root)
    monkeypatch.setattr(parallel, "processors", lambda: processes)
    monkeypatch.setattr(direct, "_WORTH_SHARING", 0)
    monkeypatch.setattr(direct, "_of_components", None)  # no component is torn apart
    assert package_of(read_project(root)).zip == expected


def test_an_object_of_nothing_but_fields_and_one_of_more_are_taken_apart_alike(tmp_path: Path) -> None:
    fields = [f"<fields><fullName>{name}__c</fullName><label>{name}</label></fields>" for name in ("Z", "中", "A")]
    files = {
        "app/objects/P__c/P__c.object-meta.xml": container("CustomObject", *fields),
        "app/objects/Q__c/Q__c.object-meta.xml": container("CustomObject", "<label>Q</label>", *fields),
    }
    root = write(tmp_path, {**SPREAD, **files})
    assert package_of(read_project(root)).zip == by_components(root)


def test_a_file_of_more_than_one_reading_is_read_whole(tmp_path: Path) -> None:
    long = xml("CustomField", fullName="L__c", description="long " * 20_000)
    root = write(tmp_path, {**SPREAD, "app/objects/O__c/fields/L__c.field-meta.xml": long})
    assert package_of(read_project(root)).zip == by_components(root)


@pytest.mark.parametrize(
    "wrong",
    [
        {"app/objects/O__c/fields/D__c.field-meta.xml": xml("CustomField", fullName="D__c").replace("</", "<", 1)},
        {"own/objects/O__c/fields/B__c.field-meta.xml": SPREAD["app/objects/O__c/fields/B__c.field-meta.xml"]},
        {"app/objects/O__c/fields/E__c.field-meta.xml": xml("CustomField", fullName="F__c")},
        {"app/classes/D.novelty-meta.xml": xml("Novelty"), "app/tabs/T.tab-meta.xml": "<!DOCTYPE a><CustomTab/>"},
        {"own/classes/A.cls-meta.xml": '<ApexClass xmlns="other"><apiVersion>64.0</apiVersion></ApexClass>'},
        {"own/labels/CustomLabels.labels-meta.xml": container("CustomLabels", "<labels><fullName/></labels>")},
        {"own/labels/CustomLabels.labels-meta.xml": container("CustomLabels", "<labels><value>C</value></labels>")},
        {"own/labels/CustomLabels.labels-meta.xml": container("CustomLabels", LABELS.format("B"))},
        {"app/objects/O__c/fields/D__c.field-meta.xml": f"{xml('CustomField', fullName='D__c'):65536}<more/>"},
    ],
    ids=[
        "malformed",
        "doubled",
        "misnamed",
        "two problems",
        "relative namespace",
        "empty name",
        "nameless",
        "doubled label",
        "more than a document, behind the first reading",
    ],
)
def test_what_is_wrong_is_told_as_a_bundle_would(tmp_path: Path, wrong: dict[str, str]) -> None:
    project = read_project(write(tmp_path, {**SPREAD, **wrong}))
    problems = convert(project, project.package_directories, "source").problems
    assert len(problems) >= len(wrong)
    with pytest.raises(Refused) as refused:
        package_of(project)
    assert refused.value.problems == problems


def test_the_command_writes_the_package_and_counts_what_it_names(tmp_path: Path) -> None:
    root = write(tmp_path / "project", SPREAD)
    command = [str(SFOA), "convert", "--source", str(root), "--out", str(tmp_path / "new" / "package.zip")]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "components: 7, types: 4, API version: 64.0" in said.stdout
    assert "README.md" in said.stderr
    with zipfile.ZipFile(tmp_path / "new" / "package.zip") as archive:
        assert "package.xml" in archive.namelist()
    answer = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["result"]["types"]["CustomField"] == 3
