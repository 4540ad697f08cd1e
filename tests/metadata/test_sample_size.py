"""The sample is large enough to show something, well-formed, and laid out as Salesforce's tools expect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from flows.compose import compose_for
from orgs.federation import load_federation

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    file for file in (ROOT / "metadata").rglob("*") if file.is_file() and "main/default" in file.as_posix()
)


@pytest.mark.parametrize("org", [org.name for org in load_federation().orgs])
def test_every_org_gets_at_least_150_components_of_20_types(org: str) -> None:
    components = compose_for(load_federation(), org, ROOT).components
    assert len(components) >= 150
    assert len({key.type for key in components}) >= 20


def test_each_org_s_own_folder_changes_its_bundle() -> None:
    federation = load_federation()
    folders = [folder.name for folder in (ROOT / "metadata" / "orgs").iterdir()]
    assert folders
    for name in folders:
        layers = {component.layer for component in compose_for(federation, name, ROOT).components.values()}
        assert f"orgs/{name}" in layers


def test_every_xml_file_is_well_formed_and_in_salesforce_s_namespace() -> None:
    files = [file for file in SOURCES if file.name.endswith("-meta.xml")]
    assert len(files) > 200
    for file in files:
        root = etree.parse(file).getroot()
        assert etree.QName(root).namespace == "http://soap.sforce.com/2006/04/metadata", file


def test_the_project_file_lists_every_layer_and_nothing_else() -> None:
    project = json.loads((ROOT / "sfdx-project.json").read_text(encoding="utf-8"))
    listed = {entry["path"] for entry in project["packageDirectories"]}
    folders = {"metadata/core", "metadata/china"}
    folders |= {f"metadata/orgs/{folder.name}" for folder in (ROOT / "metadata" / "orgs").iterdir()}
    assert listed == folders
    names = {org.name for org in load_federation().orgs}
    assert {folder.rpartition("/")[2] for folder in listed if "/orgs/" in folder} <= names


def test_code_of_all_files_is_written_for_the_api_version_of_the_federation() -> None:
    federation = load_federation()
    project = json.loads((ROOT / "sfdx-project.json").read_text(encoding="utf-8"))
    assert project["sourceApiVersion"] == federation.api_version
    for file in SOURCES:
        if file.name.endswith("-meta.xml"):
            for version in etree.parse(file).getroot().findall("{*}apiVersion"):
                assert version.text == federation.api_version, file
