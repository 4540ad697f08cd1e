"""The kit's conversion against Salesforce's own, both ways. Differences that are meant: docs/decisions/008."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests/flows"))

from comparing import MANIFEST, differences, members  # noqa: E402
from salesforce_converter import NotAvailable, SalesforceConverter, files_below, start  # noqa: E402
from source_samples import PROJECT, container, write, xml  # noqa: E402
from synthetic import (  # noqa: E402
    NOT_THEIRS,
    PACKAGES_REFUSED_BY_THE_KIT_ALONE,
    REFUSED,
    REFUSED_BY_THE_KIT_ALONE,
    REFUSED_PACKAGES,
    Files,
    one_of_each,
    projects,
)

from flows.convert import convert  # noqa: E402
from flows.metadata_types import metadata_types  # noqa: E402
from flows.package import assemble  # noqa: E402
from flows.source.project import read_project  # noqa: E402
from flows.source.resolve import NOT_YET  # noqa: E402
from flows.unconvert import to_source  # noqa: E402
from kit.problems import Refused  # noqa: E402

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.fixture(scope="module")
def salesforce() -> Iterator[SalesforceConverter]:
    try:
        converter = start()
    except NotAvailable as why:
        pytest.skip(f"not run, Salesforce's converter can't be had here: {why}")
    yield converter
    converter.close()


def compare(salesforce: SalesforceConverter, root: Path, directories: Sequence[str], work: Path) -> set[str]:
    """Convert a project both ways with both, assert that only what is meant differs, and return the types compared."""
    result = convert(read_project(root), directories, "core")
    assert result.problems == ()
    ours = assemble(result.components, "64.0").files
    packages = [root.resolve() / directory for directory in directories]
    answer = salesforce.convert("metadata", packages, work / "package")
    assert answer.error == ""
    theirs = files_below(work / "package")
    only_theirs = members(theirs[MANIFEST]) - members(ours[MANIFEST])
    assert {entry for entry in only_theirs if not is_named_by_its_children(entry, ours)} == set()
    assert members(ours[MANIFEST]) - members(theirs[MANIFEST]) == set()
    assert differences(without_manifest(ours), without_manifest(theirs)) == []

    write(work / "source", {}, project=PROJECT.replace('"app"', '"."'))
    answer = salesforce.convert("source", [work / "package"], work / "source")
    assert answer.error == ""
    source = {path: data for path, data in files_below(work / "source").items() if path != "sfdx-project.json"}
    mine = to_source(theirs)
    empty = {path for path in source.keys() - mine.keys() if is_empty_object(path, source[path])}
    assert differences(mine, {path: data for path, data in source.items() if path not in empty}) == []
    return {component.key.type for component in result.components}


def without_manifest(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {path: data for path, data in files.items() if path != MANIFEST}


def is_named_by_its_children(entry: tuple[str, str], ours: Mapping[str, bytes]) -> bool:
    """Decision 008: the kit names each label, not also CustomLabels, of which nothing is left without them."""
    kind, name = metadata_types().by_name[entry[0]], entry[1]
    children = {child.name for child in kind.splittable.values()}
    of_it = {full for child, full in members(ours[MANIFEST]) if child in children}
    return not kind.is_decomposed and any(kind.fixed_name or full.startswith(f"{name}.") for full in of_it)


def is_empty_object(path: str, data: bytes) -> bool:
    """Decision 008: an object of which the package only has fields gets no empty file of its own."""
    return path.endswith(".object-meta.xml") and len(etree.fromstring(data)) == 0


@pytest.mark.parametrize("layer", ["core", "china", "orgs/china-uat"])
def test_the_sample_is_converted_as_by_salesforce(salesforce: SalesforceConverter, layer: str, tmp_path: Path) -> None:
    assert compare(salesforce, ROOT, [f"metadata/{layer}"], tmp_path)


def test_each_type_of_the_table_is_converted_as_by_salesforce(
    salesforce: SalesforceConverter, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    types = compare(salesforce, write(tmp_path / "project", one_of_each()), ["app"], tmp_path)
    by_hand = {kind.name for kind in metadata_types().by_name.values() if kind.adapter in NOT_YET or kind.alias_for}
    containers = {kind.name for kind in metadata_types().by_name.values() if kind.splittable}
    assert metadata_types().by_name.keys() - types - by_hand - containers == NOT_THEIRS
    record_property("types compared", len(types))


@given(files=projects())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_project_is_converted_as_by_salesforce(salesforce: SalesforceConverter, files: Files) -> None:
    with TemporaryDirectory() as folder:
        assert compare(salesforce, write(Path(folder) / "project", files), ["app"], Path(folder))


@pytest.mark.parametrize("what", [*REFUSED, *REFUSED_BY_THE_KIT_ALONE])
def test_a_project_that_salesforce_refuses_is_refused(
    salesforce: SalesforceConverter, what: str, tmp_path: Path
) -> None:
    root = write(tmp_path / "project", {**REFUSED, **REFUSED_BY_THE_KIT_ALONE}[what])
    error = salesforce.convert("metadata", [root / "app"], tmp_path / "package").error
    assert bool(error) == (what in REFUSED)
    assert convert(read_project(root), ["app"], "core").problems


@pytest.mark.parametrize("what", [*REFUSED_PACKAGES, *PACKAGES_REFUSED_BY_THE_KIT_ALONE])
def test_a_package_that_salesforce_refuses_is_refused(
    salesforce: SalesforceConverter, what: str, tmp_path: Path
) -> None:
    package = write(tmp_path / "package", {**REFUSED_PACKAGES, **PACKAGES_REFUSED_BY_THE_KIT_ALONE}[what])
    (package / "sfdx-project.json").unlink()
    write(tmp_path / "source", {}, project=PROJECT.replace('"app"', '"."'))
    error = salesforce.convert("source", [package], tmp_path / "source").error
    assert bool(error) == (what in REFUSED_PACKAGES)
    with pytest.raises(Refused):
        to_source(files_below(package))


def test_what_salesforce_cannot_read_of_its_own_is_converted(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: AccessControlPolicy."""
    files = {"app/accessControlPolicies/A.policy": "{}"}
    files["app/accessControlPolicies/A.policy-meta.xml"] = xml("AccessControlPolicy", label="A")
    root = write(tmp_path / "project", files)
    assert "Expected source files" in salesforce.convert("metadata", [root / "app"], tmp_path / "package").error
    assert convert(read_project(root), ["app"], "core").problems == ()


def test_tests_of_components_stay_out_without_being_ignored(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: `__tests__`."""
    files = {"app/lwc/a/a.js": "1", "app/lwc/a/a.js-meta.xml": xml("LightningComponentBundle", apiVersion="64.0")}
    root = write(tmp_path / "project", {**files, "app/lwc/a/__tests__/a.test.js": "1"})
    ours = assemble(convert(read_project(root), ["app"], "core").components, "64.0").files
    assert not salesforce.convert("metadata", [root / "app"], tmp_path / "package").error
    assert differences(ours, files_below(tmp_path / "package")) == ["only theirs: lwc/a/__tests__/a.test.js"]


def test_a_prefix_that_a_field_uses_is_declared_in_its_file(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: `xsi:nil`."""
    field = '<fields><fullName>A__c</fullName><defaultValue xsi:nil="true"/></fields>'
    text = container("CustomObject", field, "<label>O</label>").replace("<CustomObject ", f"<CustomObject {XSI} ")
    package = write(tmp_path / "package", {"objects/O__c.object": text})
    (package / "sfdx-project.json").unlink()
    write(tmp_path / "source", {}, project=PROJECT.replace('"app"', '"."'))
    assert not salesforce.convert("source", [package], tmp_path / "source").error
    path = "main/default/objects/O__c/fields/A__c.field-meta.xml"
    assert XSI in to_source(files_below(package))[path].decode()
    assert XSI not in files_below(tmp_path / "source")[path].decode()


def test_white_space_at_the_ends_of_a_value_is_kept(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: the library trims values."""
    text = xml("CustomField", fullName="A__c", description=" why ")
    root = write(tmp_path / "project", {"app/objects/O__c/fields/A__c.field-meta.xml": text})
    ours = assemble(convert(read_project(root), ["app"], "core").components, "64.0").files
    assert not salesforce.convert("metadata", [root / "app"], tmp_path / "package").error
    theirs = files_below(tmp_path / "package")
    assert b"<description> why </description>" in ours["objects/O__c.object"]
    assert b"<description>why</description>" in theirs["objects/O__c.object"]
