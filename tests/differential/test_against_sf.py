"""The kit's conversion against `sf project convert source|mdapi`, the command that people run.

The command takes seconds to start, so the library is asked about most inputs (`test_against_salesforce`), and the
command about the sample, one component of each type, and a refusal.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.convert import convert
from flows.package import assemble
from flows.source.project import read_project
from tests.clients.node import NotAvailable, locked
from tests.differential.comparing import back_to_source, compare, differences, to_package, types_of, without_manifest
from tests.differential.laid_out import TOGETHER, package, settings
from tests.differential.salesforce_converter import Sf, files_below
from tests.differential.synthetic import REFUSED, one_of_each
from tests.flows.source_samples import container, write, xml

ROOT = Path(__file__).parents[2]

AT_LEAST = 100  # types, issue 7


@pytest.fixture(scope="module")
def sf(tmp_path_factory: pytest.TempPathFactory) -> Sf:
    try:
        return Sf(tmp_path_factory.mktemp("home"))
    except NotAvailable as why:
        pytest.skip(f"not run, the command sf can't be had here: {why}")


def test_the_sample_and_each_type_of_the_table_are_converted_as_by_sf(
    sf: Sf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = files_below(ROOT / "metadata/core/main/default")
    files = {name: content for name, content in one_of_each().items() if name.removeprefix("app/") not in sample}
    files |= {f"core/main/default/{name}": content for name, content in sample.items()}
    compared = compare(sf, write(tmp_path / "project", files), ["core", "app"], tmp_path)
    types = types_of(compared)
    with capsys.disabled():
        print(f"\nsf {locked('@salesforce/cli')}: {len(compared)} components of {len(types)} types compared")
    assert len(types) >= AT_LEAST


def test_projects_whose_presets_lay_types_out_otherwise_are_converted_as_by_sf(
    sf: Sf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "before", package())
    (folder / "sfdx-project.json").unlink()
    back_to_source(sf, files_below(folder), folder, tmp_path / "source", settings(**TOGETHER))
    compared, _ = to_package(sf, tmp_path / "source", ["."], tmp_path / "package")
    names = sum(len(each) for each in TOGETHER.values())
    with capsys.disabled():
        print(f"\n{names} presets together: {len(compared)} components of {len(types_of(compared))} types compared")
    assert {"CustomLabel", "WorkflowAlert", "SharingOwnerRule", "PermissionSet"} <= types_of(compared)


def test_a_project_that_sf_refuses_is_refused_with_the_file(sf: Sf, tmp_path: Path) -> None:
    root = write(tmp_path / "project", REFUSED["an unknown suffix"])
    error = sf.source(root, ["app"], tmp_path / "package").error
    (problem,) = convert(read_project(root), ["app"], "core").problems
    assert "A.novelty-meta.xml" in error
    assert problem.place
    assert problem.place.file.endswith("app/novelties/A.novelty-meta.xml")
    assert "novelty" in problem.what


LABEL = "<labels><fullName>A</fullName><value>old</value></labels>"
# Entries of `replacements`, with what they are about.
REPLACEMENTS = [
    {"filename": "classes/A.cls", "stringToReplace": "a.c", "replaceWithEnv": "SAMPLE_VALUE"},
    {"glob": "classes/*.cls", "regexToReplace": r"v(\d+)$", "replaceWithFile": "new.txt"},
    {"glob": "**/*.{txt,png}", "stringToReplace": "old", "replaceWithEnv": "SAMPLE_VALUE"},
    {"glob": "app/**/*-meta.xml", "stringToReplace": "old", "replaceWithFile": "new.txt"},
    {"glob": "classes/A.cls", "stringToReplace": "gone", "replaceWithEnv": "UNSET", "allowUnsetEnvVariable": True},
    {
        "glob": "classes/A.cls",
        "stringToReplace": "kept",
        "replaceWithEnv": "SAMPLE_VALUE",
        "replaceWhenEnv": [{"env": "SAMPLE_VALUE", "value": "another"}],
    },
]


def test_replacements_and_ignored_files_are_as_by_sf(sf: Sf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_VALUE", "[$&|$1|$$]")
    monkeypatch.delenv("UNSET", raising=False)
    monkeypatch.setenv("SF_APPLY_REPLACEMENTS_ON_CONVERT", "true")  # as `sf project deploy` does
    resource = xml("StaticResource", contentType="application/zip", description="old")
    files: dict[str, str | bytes] = {
        ".forceignore": "*.ignored\n**/tabs/**\n",
        "new.txt": " <$1> \n",
        "project/app/classes/A.cls": "a.c abc gone kept\nv12\nv13",
        "project/app/classes/A.cls-meta.xml": xml("ApexClass", description="old"),
        "project/app/tabs/A.tab-meta.xml": xml("CustomTab"),
        "project/app/labels/CustomLabels.labels-meta.xml": container("CustomLabels", LABEL),
        "project/app/objects/O__c/fields/A__c.field-meta.xml": xml("CustomField", fullName="A__c", description="old"),
        "project/app/staticresources/kit/a.txt": "old\n",
        "project/app/staticresources/kit/a.png": b"old\0",
        "project/app/staticresources/kit/a.ignored": "old",
        "project/app/staticresources/kit.resource-meta.xml": resource,
        "project/own/.forceignore": "B.tab-meta.xml\n",
        "project/own/tabs/A.tab-meta.xml": xml("CustomTab"),
        "project/own/tabs/B.tab-meta.xml": xml("CustomTab"),
        "project/new.txt": " &lt;new&gt; \n",
    }
    write(tmp_path / "above", files)
    directories = ["app", "own"]
    project = {"packageDirectories": [{"path": path} for path in directories], "replacements": REPLACEMENTS}
    root = write(tmp_path / "above/project", {}, project=json.dumps(project))
    result = convert(read_project(root), directories, "core")
    assert result.problems == ()
    assert sf.source(root, directories, tmp_path / "package").error == ""
    ours, theirs = assemble(result.components, "64.0").files, files_below(tmp_path / "package")
    assert differences(without_manifest(ours), without_manifest(theirs)) == []
    assert ours["classes/A.cls"] == b"[a.c|$1|$] abc  kept\nv12\n&lt;new&gt;"
