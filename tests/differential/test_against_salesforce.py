"""The kit's conversion against Salesforce's own, both ways. Differences that are meant: docs/decisions/008."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from flows.convert import convert
from flows.metadata_types import metadata_types
from flows.package import assemble
from flows.source.project import read_project
from flows.unconvert import to_source
from kit.problems import Refused
from tests.clients.node import NotAvailable
from tests.differential.comparing import compare, differences, types_of, without_manifest
from tests.differential.salesforce_converter import SalesforceConverter, files_below
from tests.differential.synthetic import (
    NOT_THEIRS,
    PACKAGES_REFUSED_BY_THE_KIT_ALONE,
    REFUSED,
    REFUSED_BY_THE_KIT_ALONE,
    REFUSED_PACKAGES,
    Files,
    awkward,
    one_of_each,
    projects,
)
from tests.flows.source_samples import PROJECT, container, write, xml

ROOT = Path(__file__).parents[2]

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.fixture(scope="module")
def salesforce() -> Iterator[SalesforceConverter]:
    try:
        converter = SalesforceConverter()
    except NotAvailable as why:
        pytest.skip(f"not run, Salesforce's converter can't be had here: {why}")
    yield converter
    converter.close()


@pytest.mark.parametrize("layer", ["core", "china", "orgs/china-uat"])
def test_the_sample_is_converted_as_by_salesforce(salesforce: SalesforceConverter, layer: str, tmp_path: Path) -> None:
    assert compare(salesforce, ROOT, [f"metadata/{layer}"], tmp_path)


def test_each_type_of_the_table_is_converted_as_by_salesforce(
    salesforce: SalesforceConverter, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    types = types_of(compare(salesforce, write(tmp_path / "project", one_of_each()), ["app"], tmp_path))
    by_hand = {kind.name for kind in metadata_types().by_name.values() if kind.alias_for}
    containers = {kind.name for kind in metadata_types().by_name.values() if kind.splittable}
    assert metadata_types().by_name.keys() - types - by_hand - containers == NOT_THEIRS
    record_property("types compared", len(types))


def test_files_as_people_leave_them_are_converted_as_by_salesforce(
    salesforce: SalesforceConverter, tmp_path: Path
) -> None:
    root = write(tmp_path / "my project 一", awkward(), project="\ufeff" + PROJECT)
    (root / "common/classes").mkdir(parents=True)
    (root / "common/classes/B.cls").write_text("b")
    (root / "common/classes/B.cls-meta.xml").write_text(xml("ApexClass", apiVersion="64.0"))
    (root / "app/classes").symlink_to("../common/classes")
    names = {str(key) for key in compare(salesforce, root, ["app"], tmp_path)}
    assert {"ApexClass:B", "CustomField:O__c.A__c", "CustomTab:A&B", "Report:销售/报 表"} <= names
    assert "CustomTab:Old" not in names


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
    error = salesforce.source(root, ["app"], tmp_path / "package").error
    assert bool(error) == (what in REFUSED)
    assert convert(read_project(root), ["app"], "core").problems


@pytest.mark.parametrize("what", [*REFUSED_PACKAGES, *PACKAGES_REFUSED_BY_THE_KIT_ALONE])
def test_a_package_that_salesforce_refuses_is_refused(
    salesforce: SalesforceConverter, what: str, tmp_path: Path
) -> None:
    package = write(tmp_path / "package", {**REFUSED_PACKAGES, **PACKAGES_REFUSED_BY_THE_KIT_ALONE}[what])
    (package / "sfdx-project.json").unlink()
    write(tmp_path / "source", {}, project=PROJECT.replace('"app"', '"."'))
    error = salesforce.mdapi(tmp_path / "source", package).error
    assert bool(error) == (what in REFUSED_PACKAGES)
    with pytest.raises(Refused):
        to_source(files_below(package))


def test_what_salesforce_cannot_read_of_its_own_is_converted(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: AccessControlPolicy."""
    files = {"app/accessControlPolicies/A.policy": "{}"}
    files["app/accessControlPolicies/A.policy-meta.xml"] = xml("AccessControlPolicy", label="A")
    root = write(tmp_path / "project", files)
    assert "Expected source files" in salesforce.source(root, ["app"], tmp_path / "package").error
    assert convert(read_project(root), ["app"], "core").problems == ()


def test_tests_of_components_stay_out_without_being_ignored(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: `__tests__`."""
    files = {"app/lwc/a/a.js": "1", "app/lwc/a/a.js-meta.xml": xml("LightningComponentBundle", apiVersion="64.0")}
    root = write(tmp_path / "project", {**files, "app/lwc/a/__tests__/a.test.js": "1"})
    ours = assemble(convert(read_project(root), ["app"], "core").components, "64.0").files
    assert not salesforce.source(root, ["app"], tmp_path / "package").error
    assert differences(ours, files_below(tmp_path / "package")) == ["only theirs: lwc/a/__tests__/a.test.js"]


def test_hidden_files_stay_out_without_being_ignored(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: `.DS_Store` and hidden folders."""
    files = {"app/tabs/A.tab-meta.xml": xml("CustomTab"), "app/.old/tabs/B.tab-meta.xml": xml("CustomTab")}
    root = write(tmp_path / "project", files)
    ours = assemble(convert(read_project(root), ["app"], "core").components, "64.0").files
    assert not salesforce.source(root, ["app"], tmp_path / "package").error
    theirs = without_manifest(files_below(tmp_path / "package"))
    assert differences(without_manifest(ours), theirs) == ["only theirs: tabs/B.tab"]


def test_a_prefix_that_a_field_uses_is_declared_in_its_file(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: `xsi:nil`."""
    field = '<fields><fullName>A__c</fullName><defaultValue xsi:nil="true"/></fields>'
    text = container("CustomObject", field, "<label>O</label>").replace("<CustomObject ", f"<CustomObject {XSI} ")
    package = write(tmp_path / "package", {"objects/O__c.object": text})
    (package / "sfdx-project.json").unlink()
    write(tmp_path / "source", {}, project=PROJECT.replace('"app"', '"."'))
    assert not salesforce.mdapi(tmp_path / "source", package).error
    path = "main/default/objects/O__c/fields/A__c.field-meta.xml"
    assert XSI in to_source(files_below(package))[path].decode()
    assert XSI not in files_below(tmp_path / "source")[path].decode()


def test_white_space_at_the_ends_of_a_value_is_kept(salesforce: SalesforceConverter, tmp_path: Path) -> None:
    """Decision 008: the library trims values."""
    text = xml("CustomField", fullName="A__c", description=" why ")
    root = write(tmp_path / "project", {"app/objects/O__c/fields/A__c.field-meta.xml": text})
    ours = assemble(convert(read_project(root), ["app"], "core").components, "64.0").files
    assert not salesforce.source(root, ["app"], tmp_path / "package").error
    theirs = files_below(tmp_path / "package")
    assert b"<description> why </description>" in ours["objects/O__c.object"]
    assert b"<description>why</description>" in theirs["objects/O__c.object"]
