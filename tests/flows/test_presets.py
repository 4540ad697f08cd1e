from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.components import Component, ComponentKey
from flows.compose import compose_project
from flows.convert import convert
from flows.metadata_types import metadata_types
from flows.package import assemble
from flows.presets import laid_out_by, presets
from flows.source.project import read_project
from flows.unconvert import homes_in, to_source
from flows.yamljson import json_of_yaml, yaml_of_json
from kit.problems import Refused
from tests.flows.source_samples import NAMESPACE, container, write, xml

SET = container(
    "PermissionSet",
    "<classAccesses><apexClass>B</apexClass></classAccesses>",
    "<fieldPermissions><field>Account.Tier__c</field></fieldPermissions>",
    "<label>Agent</label>",
)
LABELS = container("CustomLabels", "<labels><fullName>A</fullName></labels>", "<labels><fullName>B</fullName></labels>")
ALERTS = container("Workflow", "<alerts><fullName>Mail</fullName></alerts>", "<rules><fullName>R</fullName></rules>")
RULES = container("SharingRules", "<sharingOwnerRules><fullName>Team</fullName></sharingOwnerRules>")
SERVICE = container("ExternalServiceRegistration", "<label>Rates</label>", '<schema>{"openapi": "3.0.1"}</schema>')
PACKAGE = {
    "permissionsets/Agent.permissionset": SET,
    "labels/CustomLabels.labels": LABELS,
    "workflows/Case.workflow": ALERTS,
    "sharingRules/Case.sharingRules": RULES,
    "externalServiceRegistrations/Rates.externalServiceRegistration": SERVICE,
}


def settings(*names: str, **others: object) -> str:
    data = {"packageDirectories": [{"path": "app"}], "sourceApiVersion": "64.0", "sourceBehaviorOptions": list(names)}
    return json.dumps({**data, **others}, indent=1)


def laid_out(root: Path, *names: str) -> Path:
    """Write a project with what PACKAGE comes to by these presets, and return its folder."""
    write(root, {"app/README.md": ""}, project=settings(*names))
    package = {path: text.encode() for path, text in PACKAGE.items()}
    source = to_source(package, types=read_project(root).types)
    return write(root, {f"app/{path}": data for path, data in source.items()}, project=settings(*names))


def components(root: Path) -> dict[ComponentKey, Component]:
    result = convert(read_project(root), ["app"], "core")
    assert result.problems == ()
    return {component.key: component for component in result.components}


def files_of(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*-meta.xml")} | {
        path.relative_to(root).as_posix() for path in root.rglob("*.yaml")
    }


def told(root: Path) -> list[str]:
    with pytest.raises(Refused) as refused:
        compose_project(read_project(root))
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize("preset", sorted(presets()))
def test_a_preset_changes_where_components_lie_and_not_what_they_are(preset: str, tmp_path: Path) -> None:
    usual, other = components(laid_out(tmp_path / "a")), components(laid_out(tmp_path / "b", preset))
    assert usual.keys() == other.keys()
    changed = {key.type for key in usual if usual[key].digest != other[key].digest}
    # A schema goes through YAML and comes back as other text of the same value.
    assert changed <= ({"ExternalServiceRegistration"} if "External" in preset else set())
    assert files_of(tmp_path / "a") != files_of(tmp_path / "b")


def test_every_line_of_what_is_put_together_leads_to_the_file_that_it_is_from(tmp_path: Path) -> None:
    root = laid_out(tmp_path, "decomposePermissionSetBeta2", "decomposeExternalServiceRegistrationBeta")
    path, schema = (
        "permissionsets/Agent.permissionset",
        "externalServiceRegistrations/Rates.externalServiceRegistration",
    )
    package = assemble(components(root).values(), "64.0")
    lines = package.files[path].decode().splitlines()
    seen = {}
    for number, line in enumerate(lines, 1):
        place = package.lines.source(path, number)
        if place:
            there = (root / place.file).read_text().splitlines()[place.line - 1]
            assert there.strip() == line.strip()
            seen[place.file.rpartition("/")[2]] = line
    assert len(seen) == 3, seen
    assert any('"openapi"' in line for line in package.files[schema].decode().splitlines())


def test_elements_of_one_name_stand_together_wherever_they_are_from(tmp_path: Path) -> None:
    """The Metadata API refuses an element that comes again after another: "duplicated at this location"."""
    folder = "app/permissionsets/Agent"
    part = container("PermissionSet", "<classAccesses><apexClass>A</apexClass></classAccesses>")
    files = {f"{folder}/Agent.permissionset-meta.xml": SET, f"{folder}/Agent.classAccess-meta.xml": part}
    root = write(tmp_path, files, project=settings("decomposePermissionSetBeta2"))
    (component,) = components(root).values()
    names = [line.strip().split(">")[0] for line in component.files[0].data.decode().splitlines() if "classAcc" in line]
    assert names == ["<classAccesses", "<classAccesses"]
    inside = component.files[0].data.decode()
    assert inside.index("<apexClass>A") < inside.index("<fieldPermissions")


def test_what_comes_home_is_laid_beside_what_is_there(tmp_path: Path) -> None:
    root = laid_out(tmp_path, "decomposePermissionSetBeta2", "decomposeCustomLabelsBeta2")
    moved = root / "app/service"
    moved.mkdir()
    (root / "app/main/default/permissionsets").rename(moved / "permissionsets")
    (root / "app/main/default/labels").rename(moved / "labels")
    project = read_project(root)
    package = {path: text.encode() for path, text in PACKAGE.items()}
    source = to_source(package, homes_in(project, "app"), project.types)
    assert {path for path in source if path.startswith("service/")} == {
        "service/labels/A.label-meta.xml",
        "service/labels/B.label-meta.xml",
        "service/permissionsets/Agent/Agent.classAccess-meta.xml",
        "service/permissionsets/Agent/Agent.permissionset-meta.xml",
        "service/permissionsets/Agent/objectSettings/Account.objectSettings-meta.xml",
    }


def test_a_preset_that_is_unknown_or_disagrees_with_another_is_refused_with_its_line(tmp_path: Path) -> None:
    names = ("decomposeWorkflowBeta", "decomposeWorkflowsBeta", "decomposePermissionSetBeta")
    project = settings(*names, registryPresets=["decomposePermissionSetBeta2"])
    unknown, twice = told(write(tmp_path, {"app/README.md": ""}, project=project))
    assert "sfdx-project.json:10: sourceBehaviorOptions: there is no preset decomposeWorkflowsBeta" in unknown
    assert "did you mean decomposeWorkflowBeta?" in unknown
    assert "sfdx-project.json:11:" in twice
    assert "both say where PermissionSet lies" in twice


def test_the_table_of_a_project_without_presets_is_salesforce_s() -> None:
    assert laid_out_by([]) is metadata_types()


NOVELTY = {
    "id": "novelty",
    "name": "Novelty",
    "directoryName": "novelties",
    "suffix": "novelty",
    "strategies": {"adapter": "matchingContentFile"},
}


def customized(**customizations: object) -> str:
    data = {"packageDirectories": [{"path": "app"}], "registryCustomizations": customizations}
    return json.dumps(data, indent="\t")


def test_a_type_of_the_project_s_own_registry_goes_into_the_package_and_comes_home(tmp_path: Path) -> None:
    files = {"app/novelties/A.novelty": "{}", "app/novelties/A.novelty-meta.xml": xml("Novelty", label="A")}
    project = customized(types={"novelty": NOVELTY}, suffixes={"novelty": "novelty"})
    root = write(tmp_path, files, project=project)
    package = assemble(components(root).values(), "64.0").files
    assert package.keys() == {"novelties/A.novelty", "novelties/A.novelty-meta.xml", "package.xml"}
    assert "<name>Novelty</name>" in package["package.xml"].decode()
    home = to_source(package, types=read_project(root).types)
    assert {f"app/{path.removeprefix('main/default/')}" for path in home} == files.keys()


@pytest.mark.parametrize(
    ("customizations", "line", "what"),
    [
        (
            {"types": {"novelty": {**NOVELTY, "colour": 1}}, "suffixes": {"novelty": "novelty"}},
            17,
            "colour is no field",
        ),
        ({"types": {"novelty": {**NOVELTY, "id": "new"}}, "suffixes": {"novelty": "novelty"}}, 10, "has the id new"),
        ({"types": {"novelty": {"id": "novelty"}}}, 9, "novelty has no name"),
        ({"types": {"novelty": NOVELTY}}, 13, "suffixes don't lead from novelty"),
        (
            {"types": {"novelty": {**NOVELTY, "directoryName": "../up"}}, "suffixes": {"novelty": "novelty"}},
            12,
            "../up",
        ),
        (
            {"types": {"novelty": {**NOVELTY, "strategies": {"adapter": "magic"}}}, "suffixes": {"novelty": "novelty"}},
            15,
            "the adapter magic is not known",
        ),
        (
            {"types": {"novelty": {**NOVELTY, "folderType": "gone"}}, "suffixes": {"novelty": "novelty"}},
            17,
            "folderType is gone",
        ),
        ({"suffixes": {"cls": ""}}, 9, "the suffix cls leads to nothing"),
        ({"suffixes": {"cls": "flow"}}, 9, "the suffix cls leads to flow"),
        ({"strictDirectoryNames": {"novelties": "gone"}}, 9, "novelties leads to gone"),
        ({"shapes": {}}, 8, "shapes is no part of a registry"),
        ({"types": []}, 0, ""),
        ({"types": {"novelty": 1}}, 9, "novelty is no object"),
        ({"types": [1]}, 8, "types is no object"),
        (
            {
                "types": {
                    "workflow": {"name": "Workflow", "directoryName": "workflows", "children": {"types": {"a": {}}}}
                }
            },
            14,
            "a has no name",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_customization_that_the_table_cannot_hold_is_refused_by_name_with_its_line(
    customizations: dict[str, object], line: int, what: str, tmp_path: Path
) -> None:
    root = write(tmp_path, {"app/README.md": ""}, project=customized(**customizations))
    if not line:
        assert read_project(root).types is metadata_types()
        return
    problems = told(root)
    assert any(f"sfdx-project.json:{line}: registryCustomizations: " in each and what in each for each in problems), (
        problems
    )


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(
        st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")
    ),
    lambda inside: st.lists(inside, max_size=3)
    | st.dictionaries(st.text("ab1 .:-#?&*!|>'\"%@`~yesnul中", min_size=1, max_size=8), inside, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(value=_json)
def test_json_through_yaml_is_the_same_value(value: object) -> None:
    written = json.loads(json_of_yaml(yaml_of_json(json.dumps(value))))
    assert written == value


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\na: 2", 2), ("a: [", 1), ("a: 1\n---\nb: 2", 2), ("? [a]\n: b", 1), ("a: !!python/name:x 1", 1)],
)
def test_yaml_that_is_no_json_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        json_of_yaml(text)
    assert getattr(caught.value, "line", 0) == line


def test_yaml_is_read_by_version_1_2() -> None:
    text = "on: yes\ntime: 12:30\nday: 2020-01-01\nold: 0777\nnew: 0o17\nhalf: .5\n200: ok\n? ~\n: none\n"
    assert json.loads(json_of_yaml(text)) == {
        "on": "yes", "time": "12:30", "day": "2020-01-01", "old": 777, "new": 15, "half": 0.5, "200": "ok", "": "none"
    }  # fmt: skip


def test_keys_that_are_numbers_go_first_as_in_javascript() -> None:
    text = "default: 1\n404: 2\n'200': 3\n'007': 4\n4294967295: 5\n"
    assert list(json.loads(json_of_yaml(text))) == ["200", "404", "default", "007", "4294967295"]
    assert yaml_of_json('{"b": 1, "200": 2.0}') == "'200': 2\nb: 1\n"


def test_the_namespace_is_left_out_where_salesforce_s_tool_leaves_it_out(tmp_path: Path) -> None:
    root = laid_out(tmp_path, "decomposePermissionSetBeta2", "decomposeCustomLabelsBeta2")
    without = {path.name for path in (root / "app").rglob("*-meta.xml") if NAMESPACE not in path.read_text()}
    assert without == {
        "A.label-meta.xml", "B.label-meta.xml", "Agent.classAccess-meta.xml", "Account.objectSettings-meta.xml"
    }  # fmt: skip
