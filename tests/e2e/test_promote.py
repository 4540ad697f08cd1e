"""The real `cci` promotes the sample into emulated orgs; the buckets stand ready, as a landing zone leaves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.released import Project, replace_in

pytestmark = pytest.mark.e2e


def fields(project: Project) -> list[Path]:
    """Return the source files of the core layer's custom fields."""
    return sorted((project.root / "metadata/core").rglob("*.field-meta.xml"))


def test_cci_shows_the_federation_s_orgs_with_no_org_connect(project: Project) -> None:
    listed = project.data("cci", "org", "list", "--json")
    assert {"china-uat", "china-production", "global-production", "china-preview"} <= listed.keys()
    assert listed["china-uat"]["username"].endswith(".uat")


def test_nothing_of_the_orgs_is_stored(project: Project) -> None:
    project.ok("cci", "org", "info", "china-uat")
    stored = [path for path in Path(project.environment["HOME"]).rglob("*.org") if "china" in path.name]
    assert stored == []


def test_a_release_is_promoted_and_a_second_promote_is_a_no_op_that_says_so(project: Project) -> None:
    assert len(project.plan()[0]) >= 150
    assert "created" in project.promote()
    assert "nothing to do" in project.promote()
    assert project.plan() == ([], [], [])
    assert "all as they were written" in project.ok("sfoa", "ledger", "verify")
    assert "succeeded" in project.ok("sfoa", "ledger", "show", "--org", "china-uat")


def test_an_org_of_the_global_edition_takes_the_same_release(project: Project) -> None:
    assert "created" in project.promote("global-uat")


def test_a_changed_field_ships_alone_and_a_retrieve_shows_it(project: Project) -> None:
    project.promote()
    field = next(file for file in fields(project) if "<description>" in file.read_text())
    replace_in(field, "<description>", "<description>Changed by a test. ")
    name = f"{field.parents[1].name}.{field.name.removesuffix('.field-meta.xml')}"
    assert project.plan() == ([], [f"CustomField:{name}"], [])
    project.promote()
    files = project.retrieved(f"CustomField:{name}")
    assert b"Changed by a test. " in b"".join(files.values())
    lacking = ("--types", f"CustomField:Account.Nope__c,CustomField:{name}", "--path", "some")
    done = project.run("cci", "task", "run", "retrieve", "--org", "china-uat", *lacking)
    assert done.returncode == 1
    assert "china-uat has no CustomField:Account.Nope__c" in done.stdout + done.stderr
    assert list((project.root / "some").rglob("*.object"))


def test_a_refused_release_exits_1_names_component_and_line_and_leaves_the_org_as_it_was(project: Project) -> None:
    project.promote()
    before = project.retrieved("CustomObject", "Layout", "ApexClass", "PermissionSet")
    layout = next(iter(sorted((project.root / "metadata/core").rglob("*.layout-meta.xml"))))
    replace_in(layout, "<field>", "<field>NoSuchField__c</field></layoutItems><layoutItems><field>")
    done = project.run("cci", "flow", "run", "promote", "--org", "china-uat")
    assert done.returncode == 1
    words = " ".join((done.stdout + done.stderr).split())
    assert "NoSuchField__c" in words
    line = next(n for n, text in enumerate(layout.read_text().splitlines(), 1) if "NoSuchField__c" in text)
    assert f"{layout.name}:{line}" in words
    assert "Traceback" not in words
    assert project.retrieved("CustomObject", "Layout", "ApexClass", "PermissionSet") == before
    assert "failed" in project.ok("sfoa", "ledger", "show", "--org", "china-uat")


def test_what_the_project_lost_is_destroyed_in_the_org(project: Project) -> None:
    project.promote()
    views = sorted((project.root / "metadata/core").rglob("*.listView-meta.xml"))
    rule = next(iter(sorted((project.root / "metadata/core").rglob("*.validationRule-meta.xml"))))
    gone = [views[0], rule]
    for file in gone:
        file.unlink()
    kinds = {"listViews": "ListView", "validationRules": "ValidationRule"}
    keys = {f"{kinds[file.parent.name]}:{file.parents[1].name}.{file.name.split('.')[0]}" for file in gone}
    creates, changes, deletes = project.plan()
    assert (creates, changes, set(deletes)) == ([], [], keys)
    assert "2 deleted" in project.promote()
    assert project.plan() == ([], [], [])
    held = b"".join(project.retrieved("CustomObject").values())
    assert f"<fullName>{rule.name.split('.')[0]}</fullName>".encode() not in held
