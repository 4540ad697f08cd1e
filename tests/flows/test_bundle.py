from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.archive import zip_bytes, zip_files
from flows.bundle import INDEX, Bundle, build_bundle, bundle_bytes, parse_bundle, read_bundle, write_bundle
from flows.components import Component, ComponentKey
from flows.compose import compose_project
from flows.source.project import read_project
from kit.problems import Refused
from tests.flows.source_samples import every_type, write


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


def test_other_content_under_the_same_component_digests_gives_another_digest(bundle: Bundle) -> None:
    """Who can write to the bucket can also write the index anew: the digest that the ledger names must still differ."""

    def change(files: dict[str, bytes]) -> None:
        index = json.loads(files[INDEX])
        files["classes/Sample.cls"] = b"class Evil {}\n"
        index["files"]["classes/Sample.cls"] = hashlib.sha256(files["classes/Sample.cls"]).hexdigest()
        files[INDEX] = json.dumps(index).encode()

    with pytest.raises(Refused, match="digest"):
        parse_bundle(altered(bundle_bytes(bundle), change), "b.zip")


def test_how_a_folder_s_zip_was_compressed_does_not_count(bundle: Bundle) -> None:
    kit = bundle.components[ComponentKey("StaticResource", "kit")]
    (packed,) = [file for file in kit.files if file.path.endswith(".resource")]
    stored = packed._replace(data=zip_bytes(zip_files(packed.data), level=0))
    assert stored.data != packed.data
    other = replace(kit, files=tuple(stored if file is packed else file for file in kit.files))
    assert build_bundle([*_without(bundle, kit), other], bundle.api_version).digest == bundle.digest
    evil = packed._replace(data=zip_bytes({**zip_files(packed.data), "b.css": b"evil"}))
    other = replace(kit, files=tuple(evil if file is packed else file for file in kit.files))
    assert build_bundle([*_without(bundle, kit), other], bundle.api_version).digest != bundle.digest


def _without(bundle: Bundle, component: Component) -> list[Component]:
    return [each for each in bundle.components.values() if each.key != component.key]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_zip_with_a_flipped_byte_is_refused_or_reads_the_same(data: st.DataObject) -> None:
    files = {"a.txt": b"a" * 60, "b/c.bin": bytes(range(80))}
    whole = bytearray(zip_bytes(files))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= data.draw(st.integers(1, 255))
    try:
        read = zip_files(bytes(whole))
    except ValueError:
        return
    assert set(read.values()) <= set(files.values())


def test_a_zip_that_holds_a_path_twice_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"2")
    with pytest.raises(ValueError, match="a comes twice"):
        zip_files(buffer.getvalue())


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
