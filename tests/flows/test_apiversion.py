"""In which API version a release goes to an org that is behind it."""

from __future__ import annotations

import pytest

from flows.apiversion import deploy_version, in_version, type_in_describe
from flows.bundle import build_bundle
from flows.components import Component, ComponentKey, MdapiFile
from kit.problems import Place, Refused
from orgs.federation import load_federation

UAT = load_federation().org("china-uat")
OLD = UAT.model_copy(update={"api_version_floor": "60.0"})


def component(text: str) -> Component:
    key = ComponentKey.parse(text)
    file = MdapiFile(f"{key.type}/{key.full_name}", b"<?xml version='1.0'?><X/>")
    return Component(key, "0" * 64, "core", Place(f"metadata/{key.full_name}.xml", 3), files=(file,))


@pytest.mark.parametrize(
    ("project", "ceiling", "deployed"),
    [("62.0", "67.0", "62.0"), ("62.0", "62.0", "62.0"), ("68.0", "67.0", "67.0"), ("62.0", None, "62.0")],
)
def test_the_lower_of_the_project_s_and_the_org_s_version_is_used(
    project: str, ceiling: str | None, deployed: str
) -> None:
    assert deploy_version(project, ceiling, UAT) == deployed


def test_an_org_below_its_own_floor_is_refused() -> None:
    assert deploy_version("68.0", "60.0", OLD) == "60.0"
    with pytest.raises(Refused, match=r"china-uat answers API versions up to 59\.0 only, below its floor 60\.0"):
        deploy_version("68.0", "59.0", OLD)
    with pytest.raises(Refused, match=r"below its floor 31\.0"):
        deploy_version("62.0", "30.0", UAT)


def test_a_release_whose_types_the_org_knows_goes_in_the_org_s_version() -> None:
    parts = [component(text) for text in ("ApexClass:A", "CustomField:Case.X__c", "ReportFolder:Sales")]
    bundle = build_bundle(parts, "68.0")
    lowered = in_version(bundle, "67.0", {"ApexClass", "CustomObject", "Report"}, "china-uat")
    assert lowered.api_version == "67.0"
    assert lowered.components == bundle.components
    assert lowered.digest != bundle.digest


def test_every_component_of_a_type_that_the_org_does_not_know_is_refused_with_its_place_in_both_languages() -> None:
    bundle = build_bundle([component(text) for text in ("ApexClass:A", "Bot:Helper", "CustomField:Case.X__c")], "68.0")
    with pytest.raises(Refused) as refused:
        in_version(bundle, "67.0", {"ApexClass"}, "china-uat")
    problems = refused.value.problems
    assert [problem.value for problem in problems] == ["Bot:Helper", "CustomField:Case.X__c"]
    assert problems[0].what == "Bot:Helper: china-uat doesn't know the type Bot in API version 67.0"
    assert str(problems[0].place) == "metadata/Helper.xml:3"
    assert "API 版本 67.0" in problems[0].what_zh
    assert "remove.yml" in problems[0].fix_zh


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        ("CustomField", "CustomObject"),
        ("ReportFolder", "Report"),
        ("Layout", "Layout"),
        ("CustomLabel", "CustomLabels"),
    ],
)
def test_a_type_is_looked_for_where_an_org_lists_it(kind: str, listed: str) -> None:
    assert type_in_describe(kind) == listed
