from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_samples import every_type, write

from flows.archive import zip_bytes
from flows.bundle import INDEX, Bundle, build_bundle, bundle_bytes, parse_bundle, read_bundle, write_bundle
from flows.compose import compose_project
from flows.source.project import read_project
from kit.problems import Refused


def built(root: Path, files: dict[str, str | bytes]) -> Bundle:
    return compose_project(read_project(write(root, files)))[0]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return built(tmp_path_factory.mktemp("project"), every_type())


def altered(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    return zip_bytes(files)


def test_what_is_read_back_is_what_was_built(bundle: Bundle, tmp_path: Path) -> None:
    write_bundle(bundle, tmp_path / "out" / "b.zip")
    again = read_bundle(tmp_path / "out" / "b.zip")
    assert again == bundle
    assert list(again.components) == sorted(again.components)


def test_the_bundle_is_itself_a_package_that_any_tool_can_deploy(bundle: Bundle) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle_bytes(bundle))) as archive:
        names = set(archive.namelist())
    assert {"package.xml", "objects/Ticket__c.object", "classes/Sample.cls", INDEX} <= names


def test_the_same_project_makes_the_same_bytes_wherever_it_lies_and_whenever_it_was_written(
    bundle: Bundle, tmp_path: Path
) -> None:
    files = every_type()
    other = write(tmp_path / "elsewhere", dict(reversed(files.items())))
    for path in other.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
            path.chmod(0o700)
    again = compose_project(read_project(other))[0]
    assert again.digest == bundle.digest
    assert bundle_bytes(again) == bundle_bytes(bundle)


def test_the_api_version_counts_for_the_digest(bundle: Bundle) -> None:
    assert build_bundle(bundle.components.values(), "65.0").digest != bundle.digest


def test_a_component_that_comes_twice_is_an_error(bundle: Bundle) -> None:
    component = next(iter(bundle.components.values()))
    with pytest.raises(ValueError, match="twice"):
        build_bundle([component, component], "64.0")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_an_altered_file_is_refused_by_name(bundle: Bundle, data: st.DataObject) -> None:
    original = bundle_bytes(bundle)
    with zipfile.ZipFile(io.BytesIO(original)) as archive:
        path = data.draw(st.sampled_from(sorted(set(archive.namelist()) - {INDEX})))

    def change(files: dict[str, bytes]) -> None:
        files[path] += b" "

    with pytest.raises(Refused) as refused:
        parse_bundle(altered(original, change), "b.zip")
    (problem,) = refused.value.problems
    assert str(problem.place) == f"b.zip!{path}"


def test_missing_and_added_files_are_told_together(bundle: Bundle) -> None:
    def change(files: dict[str, bytes]) -> None:
        del files["classes/Sample.cls"]
        files["classes/Evil.cls"] = b"class Evil {}"

    with pytest.raises(Refused) as refused:
        parse_bundle(altered(bundle_bytes(bundle), change), "b.zip")
    assert [str(problem.place) for problem in refused.value.problems] == [
        "b.zip!classes/Evil.cls",
        "b.zip!classes/Sample.cls",
    ]


def test_an_index_that_names_other_content_is_refused(bundle: Bundle) -> None:
    first = next(iter(bundle.components.values()))

    def change(files: dict[str, bytes]) -> None:
        files[INDEX] = files[INDEX].replace(first.digest.encode(), b"0" * 64)

    with pytest.raises(Refused, match="digest"):
        parse_bundle(altered(bundle_bytes(bundle), change), "b.zip")


@pytest.mark.parametrize(
    "data", [b"", b"no zip", zip_bytes({"a": b"b"}), zip_bytes({INDEX: b"{"}), zip_bytes({INDEX: b"{}"})]
)
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        parse_bundle(data, "b.zip")


def test_an_absent_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot read the bundle"):
        read_bundle(tmp_path / "absent.zip")


def test_a_bundle_that_cannot_be_written_leaves_nothing_behind(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match="cannot write the bundle"):
        write_bundle(bundle, tmp_path / "file" / "b.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
