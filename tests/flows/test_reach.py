"""Which orgs a change reaches: told from what each gets, and handed to CI as a matrix."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.bundle import Bundle
from flows.commands.matrix import matrix
from flows.reach import SHARED, Source, facts_of, reached
from orgs.editions import Edition
from orgs.federation import Federation, load_federation
from tests.flows.release_support import apex, bundle_of, bundles, custom_field, state_of
from tests.landed import own_federation

FEDERATION = load_federation()
ORGS = [org.name for org in FEDERATION.orgs]
CHINA = [org.name for org in FEDERATION.orgs if org.edition is Edition.ALIBABA]
PLAIN = bundle_of(apex("A"), custom_field("Case", "B__c", "B"))
PACKAGES = {"packageDirectories": [{"path": "metadata/core", "default": True}], "sourceApiVersion": "62.0"}


def source(
    bundles: dict[str, Bundle] | None = None, files: dict[str, bytes] | None = None, federation: Federation = FEDERATION
) -> Source:
    return Source(federation, {**dict.fromkeys(ORGS, PLAIN), **(bundles or {})}, files or {})


def names(now: Source, before: Source | None) -> list[str]:
    return [each.org.name for each in reached(now, before)]


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(ORGS), bundles), st.dictionaries(st.sampled_from(ORGS), bundles))
def test_an_org_is_reached_when_and_only_when_it_gets_something_else(
    now: dict[str, Bundle], before: dict[str, Bundle]
) -> None:
    one, other = source(now), source(before)
    found = reached(one, other)
    differ = {name for name in ORGS if state_of(one.bundles[name]) != state_of(other.bundles[name])}
    assert {each.org.name for each in found} == differ
    assert [each.org.ring for each in found] == sorted(each.org.ring for each in found)
    for each in found:
        new, old = (state_of(side.bundles[each.org.name]) for side in (one, other))
        assert {*each.created, *each.changed, *each.deleted} == {key for key, _ in new.items() ^ old.items()}


def test_the_reason_names_the_components_and_how_many_more_there_are() -> None:
    more = bundle_of(apex("A", "{ int a; }"), *(apex(f"N{number}") for number in range(5)))
    (found,) = reached(source({"china-uat": more}), source())
    assert found.reason == (
        "creates ApexClass:N0, ApexClass:N1, ApexClass:N2 and 2 more; changes ApexClass:A; "
        "deletes CustomField:Case.B__c"
    )


def test_without_anything_to_compare_with_all_orgs_are_reached() -> None:
    assert sorted(names(source(), None)) == sorted(ORGS)


@pytest.mark.parametrize(
    ("file", "orgs"),
    [
        *((file, ORGS) for file in SHARED),
        ("orgs/access.yml", CHINA),  # what is rendered from it goes to China orgs
        (facts_of(FEDERATION.org("china-uat")), ["china-uat"]),
        ("README.md", []),
    ],
)
def test_a_file_that_bundles_do_not_show_reaches_the_orgs_that_it_is_about(file: str, orgs: list[str]) -> None:
    assert sorted(names(source(files={file: b"new"}), source(files={file: b"old"}))) == sorted(orgs)


def test_an_org_is_reached_when_its_entry_differs_and_when_it_is_new() -> None:
    first, *others = FEDERATION.orgs
    moved = FEDERATION.model_copy(update={"orgs": (first.model_copy(update={"ring": 3}), *others)})
    assert names(source(federation=moved), source()) == [first.name]
    fewer = FEDERATION.model_copy(update={"orgs": tuple(others)})
    assert [each.reason for each in reached(source(), source(federation=fewer))] == ["is new to the federation"]
    assert names(source(federation=fewer), source()) == []


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=T", "-c", "user.email=t@example.invalid", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def tab(root: Path, layer: str, name: str, label: str) -> None:
    file = root / "metadata" / layer / "tabs" / f"{name}.tab-meta.xml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'<CustomTab xmlns="http://soap.sforce.com/2006/04/metadata"><label>{label}</label></CustomTab>\n')


def run(*arguments: str) -> Result:
    return CliRunner().invoke(matrix, arguments)


def include(*arguments: str) -> list[dict[str, Any]]:
    done = run(*arguments, "--format", "github")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("\n") == 1
    found: list[dict[str, Any]] = json.loads(done.stdout)["include"]
    return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project below the top of a repository, on a branch that main has left behind since."""
    root = tmp_path / "crm"
    tab(root, "core", "A__c", "A")
    tab(root, "china", "B__c", "B")
    (root / "sfdx-project.json").write_text(json.dumps(PACKAGES))
    own_federation(root)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=First")
    git(tmp_path, "branch", "work")
    tab(root, "core", "A__c", "Changed on main")
    git(tmp_path, "commit", "--quiet", "--all", "--message=Second")
    git(tmp_path, "switch", "--quiet", "work")
    monkeypatch.chdir(root)
    return root


def test_a_change_of_the_china_layer_reaches_china_orgs_whatever_came_to_main_meanwhile(project: Path) -> None:
    tab(project, "china", "B__c", "Changed")
    git(project, "commit", "--quiet", "--all", "--message=Change")
    found = include("--changed-since", "main")
    assert sorted(each["org"] for each in found) == sorted(CHINA)
    assert {each["reason"] for each in found} == {"changes CustomTab:B__c"}
    assert git(project, "status", "--porcelain") == ""


def test_a_change_that_reaches_no_org_gives_an_empty_matrix_and_a_child_pipeline_that_has_a_job(project: Path) -> None:
    (project / "README.md").write_text("new\n")
    assert include("--changed-since", "main") == []
    child = json.loads(run("--changed-since", "main", "--format", "gitlab").stdout)
    assert child == {"nothing to do": {"script": ["echo 'The change reaches no org.'"]}}


def test_who_mends_what_did_not_compose_has_it_validated_everywhere(project: Path) -> None:
    file = project / "metadata" / "core" / "tabs" / "A__c.tab-meta.xml"
    good = file.read_text()
    file.write_text("<CustomTab>")
    git(project, "commit", "--quiet", "--all", "--message=Break")
    broken = run("--changed-since", "HEAD~1")
    assert broken.exit_code == 1
    assert "A__c.tab-meta.xml:1" in broken.stderr
    file.write_text(good)
    found = include("--changed-since", "HEAD")
    assert len(found) == len(ORGS)
    assert "can't be composed" in found[0]["reason"]


def test_a_clone_without_the_history_is_told_to_fetch_it(project: Path) -> None:
    git(project, "checkout", "--quiet", "--orphan", "alone")
    git(project, "commit", "--quiet", "--message=Alone")
    done = run("--changed-since", "main")
    assert done.exit_code == 1
    assert "fetch-depth: 0" in done.stderr


def test_two_forms_at_once_are_wrong_usage(project: Path) -> None:
    assert run("--json", "--format", "github").exit_code == 2
