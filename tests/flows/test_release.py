"""One file for all orgs: what is read is what was built, and whatever was changed in between is refused by name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import compose, release
from flows.archive import zip_bytes, zip_files
from flows.bundle import build_bundle
from flows.components import Component, ComponentKey, Fragment, MdapiFile, Patch, Run
from flows.compose import compose_for
from flows.provenance import Provenance, look
from flows.release import (
    BOM,
    COMPONENTS,
    MANIFEST,
    Release,
    build_release,
    compose_release,
    parse_release,
    read_release,
    release_bytes,
    write_release,
)
from kit.problems import Place, Refused
from orgs.federation import Federation, load_federation
from tests.flows.release_support import bundles

ROOT = Path(__file__).parents[2]
HERE = Provenance("acme", "c" * 40, "2026-11-22T05:00:00+00:00", (), {"sfoa-kit": "1"})
Change = Callable[[dict[str, bytes]], None]


@pytest.fixture(scope="module")
def federation() -> Federation:
    return load_federation()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample, in a repository of its own."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "metadata", root / "metadata")
    shutil.copy(ROOT / "sfdx-project.json", root)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Sample")
    return root


@pytest.fixture(scope="module")
def built(project: Path, federation: Federation) -> Release:
    return compose_release(federation, project)


def git(root: Path, *arguments: str) -> None:
    command = ["git", "-C", str(root), "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def altered(data: bytes, change: Change) -> bytes:
    files = zip_files(data)
    change(files)
    return zip_bytes(files)


def refusals(data: bytes, digest: str = "") -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        parse_release(data, "r.zip", digest)
    return [(problem.what, str(problem.place)) for problem in refused.value.problems]


def test_each_org_gets_what_is_composed_for_it_alone(built: Release, project: Path, federation: Federation) -> None:
    assert set(built.bundles) == {org.name for org in federation.orgs}
    for org in federation.orgs:
        assert built.for_org(org.name) == compose_for(federation, org, project)


def test_every_layer_is_converted_once(project: Path, federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    real, converted = compose.read_layers, []

    def counted(project: Any, names: Any) -> Any:
        converted.extend(names)
        return real(project, names)

    monkeypatch.setattr(release, "read_layers", counted)
    compose_release(federation, project)
    assert sorted(converted) == sorted({name for org in federation.orgs for name in org.overlays})


def test_what_is_written_is_read_back(built: Release, tmp_path: Path) -> None:
    write_release(built, tmp_path / "out" / "r.zip")
    assert read_release(tmp_path / "out" / "r.zip", built.digest) == built


def test_what_orgs_share_is_there_once(built: Release) -> None:
    held = [data for path, data in built.files.items() if path.startswith("content/")]
    assert len(held) == len(set(held))
    table = json.loads(built.files[COMPONENTS])
    assert len(table) < sum(len(bundle.components) for bundle in built.bundles.values()) / 3


def test_the_same_commit_gives_the_same_bytes_wherever_it_lies_and_whenever_it_is_built(
    built: Release, project: Path, federation: Federation, tmp_path: Path
) -> None:
    clone = tmp_path / "elsewhere"
    git(tmp_path, "clone", "--quiet", str(project), str(clone))
    (clone / "build.log").write_text("not what a release is built from")
    for path in (clone / "metadata").rglob("*"):
        os.utime(path, (1, 1))
    assert release_bytes(compose_release(federation, clone)) == release_bytes(built)


def test_the_commit_the_tree_and_the_tools_are_told(built: Release, project: Path, tmp_path: Path) -> None:
    assert (built.provenance.tree, len(built.provenance.commit)) == ("clean", 40)
    assert built.provenance.tools["lxml"]
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(project), str(clone))
    (clone / "metadata" / "core" / "ä new.txt").write_text("not committed")
    found = look("acme", clone, ["metadata"])
    assert (found.tree, found.changed) == ("dirty", ("metadata/core/ä new.txt",))
    assert look("acme", clone, ["sfdx-project.json"]).tree == "clean"


def test_without_git_a_release_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert look("acme", tmp_path, ["."]).tree == "unversioned"


def test_a_repository_that_git_cannot_read_is_refused_with_its_words(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".git" / "config").write_text("[core\n")
    with pytest.raises(Refused, match="bad config"):
        look("acme", tmp_path, ["."])


def test_the_list_is_valid_cyclonedx_and_names_type_hash_layer_and_orgs(built: Release) -> None:
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(built.bom.decode())
    assert fault is None, fault
    data = json.loads(built.bom)
    assert data["metadata"]["timestamp"] == built.provenance.committed
    assert {tool["name"] for tool in data["metadata"]["tools"]["components"]} == set(built.provenance.tools)
    key, component = next(
        (key, one) for key, one in built.for_org("china-uat").components.items() if one.layer == "orgs/china-uat"
    )
    (listed,) = [
        item
        for item in data["components"]
        if (item["group"], item["name"]) == key and item["hashes"][0]["content"] == component.digest
    ]
    assert {(one["name"], one["value"]) for one in listed["properties"]} == {
        ("sfoa:layer", "orgs/china-uat"),
        ("sfoa:org", "china-uat"),
    }


def test_an_org_that_the_release_does_not_know_is_refused_with_the_nearest(built: Release) -> None:
    with pytest.raises(Refused, match="holds nothing for china-uta") as refused:
        built.for_org("china-uta")
    assert "china-uat" in refused.value.problems[0].fix


def test_what_is_wrong_in_a_shared_layer_is_said_once_and_with_what_is_wrong_elsewhere(
    project: Path, federation: Federation, tmp_path: Path
) -> None:
    shutil.copytree(project / "metadata", tmp_path / "metadata")
    shutil.copy(project / "sfdx-project.json", tmp_path)
    for layer, name in (("china", "No1"), ("orgs/global-uat", "No2")):
        text = f"remove:\n  - {{component: 'CustomTab:{name}', reason: gone}}\n"
        (tmp_path / "metadata" / layer / "remove.yml").write_text(text)
    with pytest.raises(Refused) as refused:
        compose_release(federation, tmp_path)
    assert sorted(problem.what.split()[0] for problem in refused.value.problems) == ["CustomTab:No1", "CustomTab:No2"]


def test_altered_added_and_missing_content_is_told_together(built: Release) -> None:
    first, second, *_ = [path for path in sorted(built.files) if path.startswith("content/")]

    def change(files: dict[str, bytes]) -> None:
        files[first] += b" "
        del files[second]
        files["content/evil"] = b""

    assert refusals(altered(release_bytes(built), change)) == [
        ("a file in the bundle was altered", f"r.zip!{first}"),
        ("a file is missing in the bundle", f"r.zip!{second}"),
        ("a file was added to the bundle", "r.zip!content/evil"),
    ]


def test_a_manifest_that_says_something_else_is_refused(built: Release) -> None:
    def change(files: dict[str, bytes]) -> None:
        files[MANIFEST] = files[MANIFEST].replace(b'"tree":"clean"', b'"tree":"dirty"')

    assert refusals(altered(release_bytes(built), change)) == [("the manifest was altered", f"r.zip!{MANIFEST}")]


def rewritten(files: dict[str, bytes], change: Change) -> dict[str, bytes]:
    """Change files, and make the manifest fit them as somebody would who knows the format."""
    change(files)
    body = json.loads(files.pop(MANIFEST))
    del body["digest"]
    body["files"] = {path: release._sha256(data) for path, data in files.items()}
    digest = release._sha256(release._canonical(body))
    return {**files, MANIFEST: release._manifest(body, digest)}


def swap_first_two(files: dict[str, bytes]) -> None:
    """Let the first two classes change places in what they hold."""
    table = json.loads(files[COMPONENTS])
    one, other, *_ = [entry for entry in table if entry["key"][0] == "ApexClass"]
    first, second = one["files"][0], other["files"][0]
    first["content"], second["content"] = second["content"], first["content"]
    files[COMPONENTS] = release._canonical(table)


def test_a_swapped_component_is_refused_for_each_org_that_would_get_it(built: Release) -> None:
    found = refusals(zip_bytes(rewritten(zip_files(release_bytes(built)), swap_first_two)))
    assert [place for _, place in found] == [f"r.zip!orgs/{org}.json" for org in sorted(built.bundles)]
    assert all("would get other components" in what for what, _ in found)


def test_an_index_that_gives_an_org_another_component_is_refused_for_that_org(built: Release) -> None:
    def change(files: dict[str, bytes]) -> None:
        files["orgs/china-uat.json"] = files["orgs/global-uat.json"]

    ((what, place),) = refusals(zip_bytes(rewritten(zip_files(release_bytes(built)), change)))
    assert what.startswith("china-uat would get other components")
    assert place == "r.zip!orgs/china-uat.json"


def test_a_whole_other_release_is_refused_by_who_knows_the_digest(built: Release) -> None:
    other = build_release(built.bundles, replace(built.provenance, commit="d" * 40))
    assert parse_release(release_bytes(other), "r.zip").digest == other.digest
    ((what, _),) = refusals(release_bytes(other), built.digest)
    assert other.digest in what


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files.update({COMPONENTS: b"{}"}),
        lambda files: files.update({COMPONENTS: b"[{}]"}),
        lambda files: files.update({"orgs/china-uat.json": b"[99999]"}),
        lambda files: files.pop(BOM),
        lambda files: files.update({MANIFEST: b"[]"}),
        lambda files: files.update({MANIFEST: b"{"}),
        lambda files: files.update({MANIFEST: files[MANIFEST].replace(b'"format":1', b'"format":2')}),
    ],
)
def test_what_no_release_holds_is_refused_and_is_no_fault_of_the_kit(built: Release, change: Change) -> None:
    files = zip_files(release_bytes(built))
    change(files)
    if files[MANIFEST].startswith(b'{"api_version"') and b'"format":1' in files[MANIFEST]:
        files = rewritten(files, lambda _files: None)
    assert refusals(zip_bytes(files))


# Random releases of a few small bundles; their provenance stays the same.
federations = st.dictionaries(st.sampled_from(["cn", "global", "uat"]), bundles, min_size=1)
places = st.builds(Place, st.sampled_from(["a.xml", "b/c.xml"]), st.integers(0, 9))
runs = st.lists(st.builds(Run, st.integers(1, 9), st.none() | places), max_size=2).map(tuple)
names = st.sampled_from(["A", "ä B", "C/D", "账户"])
keys = st.builds(ComponentKey, st.sampled_from(["CustomTab", "CustomField"]), names)
whole = st.builds(MdapiFile, names, st.binary(max_size=9), runs)
parts = st.builds(Fragment, names, names, names, st.binary(max_size=9), runs)
about = {
    "key": keys,
    "digest": st.sampled_from(["0" * 64, "1" * 64]),
    "layer": st.sampled_from(["core", "china"]),
    "source": places,
    "parent": st.none() | keys,
    "patches": st.lists(st.builds(Patch, st.just("china"), places), max_size=2).map(tuple),
}
odd = st.one_of(
    st.builds(Component, **about, files=st.lists(whole, min_size=1, max_size=2).map(tuple)),
    st.builds(Component, **about, fragment=parts),
)
odd_bundles = st.lists(odd, max_size=6, unique_by=lambda each: each.key).map(lambda many: build_bundle(many, "62.0"))


@settings(max_examples=40, deadline=None)
@given(made=st.dictionaries(names.filter(lambda name: "/" not in name), odd_bundles, min_size=1))
def test_any_release_is_read_back_as_it_was(made: Mapping[str, Any]) -> None:
    release = build_release(made, HERE)
    assert parse_release(release_bytes(release), "r.zip", release.digest) == release


@settings(max_examples=100, deadline=None)
@given(made=federations, data=st.data())
def test_a_release_with_any_flipped_byte_is_refused_or_still_the_same(
    made: Mapping[str, Any], data: st.DataObject
) -> None:
    release = build_release(made, HERE)
    whole = bytearray(release_bytes(release))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(Refused):
        assert parse_release(bytes(whole), "r.zip") == release
