from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.components import ComponentKey
from flows.compose import compose_for, compose_project
from flows.source.project import read_project
from kit.problems import Place, Refused
from orgs.federation import load_federation
from tests.flows.source_samples import container, write, xml

PROJECT = json.dumps(
    {"packageDirectories": [{"path": "metadata/core"}, {"path": "metadata/china"}], "sourceApiVersion": "62.0"}
)
CORE = "metadata/core"
CHINA = "metadata/china"
UAT = "metadata/orgs/china-uat"


def labels(**values: str) -> str:
    elements = [f"<labels><fullName>{name}</fullName><value>{text}</value></labels>" for name, text in values.items()]
    return container("CustomLabels", *elements)


def project(root: Path, files: dict[str, str | bytes]) -> Path:
    base: dict[str, str | bytes] = {
        f"{CORE}/tabs/A__c.tab-meta.xml": xml("CustomTab", label="core"),
        f"{CORE}/labels/CustomLabels.labels-meta.xml": labels(Hello="Hello", Bye="Bye"),
        f"{CORE}/objects/O__c/O__c.object-meta.xml": xml("CustomObject", label="O"),
        f"{CORE}/objects/O__c/fields/A__c.field-meta.xml": xml("CustomField", fullName="A__c"),
    }
    return write(root, {**base, **files}, project=PROJECT)


def composed(root: Path, files: dict[str, str | bytes], org: str = "china-uat") -> dict[str, str]:
    bundle = compose_for(load_federation(), org, project(root, files))
    return {str(key): component.layer for key, component in bundle.components.items()}


def test_a_later_layer_s_component_replaces_an_earlier_one_and_remembers_where_it_is_from(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{CHINA}/tabs/A__c.tab-meta.xml": xml("CustomTab", label="china"),
        f"{CHINA}/labels/CustomLabels.labels-meta.xml": labels(Bye="再见"),
        f"{UAT}/labels/CustomLabels.labels-meta.xml": labels(Banner="UAT"),
    }
    root = project(tmp_path, files)
    bundle = compose_for(load_federation(), "china-uat", root)
    assert {str(key): component.layer for key, component in bundle.components.items()} == {
        "CustomField:O__c.A__c": "core",
        "CustomLabel:Banner": "orgs/china-uat",
        "CustomLabel:Bye": "china",
        "CustomLabel:Hello": "core",
        "CustomObject:O__c": "core",
        "CustomTab:A__c": "china",
    }
    label = bundle.components[ComponentKey("CustomLabel", "Bye")]
    assert label.source == Place(f"{CHINA}/labels/CustomLabels.labels-meta.xml", 3)
    assert bundle.api_version == "62.0"


def test_an_org_of_the_global_edition_gets_nothing_of_the_china_overlay(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{CHINA}/tabs/B__c.tab-meta.xml": xml("CustomTab", label="china")}
    assert "CustomTab:B__c" not in composed(tmp_path, files, "global-production")


def test_an_overlay_removes_what_it_names_and_a_container_with_its_children(tmp_path: Path) -> None:
    remove = "remove:\n  - component: CustomObject:O__c\n    reason: not here\n"
    left = composed(tmp_path, {f"{CHINA}/remove.yml": remove})
    assert set(left) == {"CustomLabel:Bye", "CustomLabel:Hello", "CustomTab:A__c"}


def test_removing_what_no_earlier_layer_holds_is_refused_with_line_and_nearest(tmp_path: Path) -> None:
    remove = "remove:\n  - component: CustomTab:A_c\n    reason: a typing error\n"
    with pytest.raises(Refused) as refused:
        composed(tmp_path, {f"{CHINA}/remove.yml": remove})
    (problem,) = refused.value.problems
    assert "CustomTab:A__c" in problem.fix
    assert problem.place is not None
    assert (problem.place.file.endswith("china/remove.yml"), problem.place.line) == (True, 2)


def test_problems_of_all_layers_and_of_their_remove_files_are_told_together(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{CORE}/tabs/B__c.tob-meta.xml": xml("CustomTab"),
        f"{CHINA}/tabs/C__c.tab-meta.xml": "<CustomTab>",
        f"{CHINA}/remove.yml": "remove:\n  - component: no-key\n    reason: x\n",
    }
    with pytest.raises(Refused) as refused:
        composed(tmp_path, files)
    assert len(refused.value.problems) == 3


def test_an_unknown_org_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        composed(tmp_path, {}, "china-uta")


def test_a_project_without_a_core_folder_cannot_be_layered(tmp_path: Path) -> None:
    write(tmp_path, {"app/tabs/A__c.tab-meta.xml": xml("CustomTab")})
    with pytest.raises(Refused, match="no package directory is named core"):
        compose_for(load_federation(), "china-uat", tmp_path)


def test_without_an_org_all_package_directories_are_one_layer_and_a_second_of_a_component_is_refused(
    tmp_path: Path,
) -> None:
    root = project(tmp_path, {f"{CHINA}/tabs/A__c.tab-meta.xml": xml("CustomTab", label="china")})
    with pytest.raises(Refused, match="CustomTab:A__c stands twice"):
        compose_project(read_project(root))
