"""The kit's conversion against Salesforce's own for projects that lay types out in other files than usual."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.compose import compose_project
from flows.presets import presets
from flows.source.project import read_project
from flows.unconvert import to_source
from kit.problems import Refused
from tests.clients.node import NotAvailable
from tests.differential.comparing import back_to_source, differences, to_package, without_manifest
from tests.differential.laid_out import CUSTOMIZATIONS, REFUSED, REFUSED_PACKAGES, customized_package, package, settings
from tests.differential.salesforce_converter import SalesforceConverter, files_below
from tests.flows.source_samples import write


@pytest.fixture(scope="module")
def salesforce() -> Iterator[SalesforceConverter]:
    try:
        converter = SalesforceConverter()
    except NotAvailable as why:
        pytest.skip(f"not run, Salesforce's converter can't be had here: {why}")
    yield converter
    converter.close()


@pytest.mark.parametrize("preset", sorted(presets()))
def test_each_preset_lays_its_types_out_as_by_salesforce(
    salesforce: SalesforceConverter, preset: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "before", package())
    (folder / "sfdx-project.json").unlink()
    before, project = files_below(folder), settings(preset)
    ours = back_to_source(salesforce, before, folder, tmp_path / "theirs", project)
    _, package_of_theirs = to_package(salesforce, tmp_path / "theirs", ["."], tmp_path / "again")
    # What the kit lays out is read by Salesforce as its own.
    _, package_of_ours = to_package(
        salesforce, write(tmp_path / "ours", ours, project=project), ["."], tmp_path / "own"
    )
    assert differences(package_of_ours, package_of_theirs) == []
    same = {path: data for path, data in before.items() if not path.startswith("externalServiceRegistrations/")}
    assert set(differences(without_manifest(package_of_ours), before)) <= {
        f"differs: {path}" for path in before.keys() - same.keys()
    }


def test_types_of_a_project_s_own_registry_are_converted_as_by_salesforce(
    salesforce: SalesforceConverter, tmp_path: Path
) -> None:
    folder = write(tmp_path / "before", customized_package())
    (folder / "sfdx-project.json").unlink()
    project = settings(registryCustomizations=CUSTOMIZATIONS)
    back_to_source(salesforce, files_below(folder), folder, tmp_path / "theirs", project)
    compared, package = to_package(salesforce, tmp_path / "theirs", ["."], tmp_path / "again")
    assert differences(without_manifest(package), files_below(folder)) == []
    assert {"Novelty", "Catalog", "CatalogEntry", "PermissionSet"} == {key.type for key in compared}


@pytest.mark.parametrize("what", REFUSED)
def test_a_project_laid_out_in_a_way_that_salesforce_refuses_is_refused(
    salesforce: SalesforceConverter, what: str, tmp_path: Path
) -> None:
    names, files = REFUSED[what]
    root = write(tmp_path / "project", files, project=settings(*names, path="app"))
    assert salesforce.source(root, ["app"], tmp_path / "package").error
    with pytest.raises(Refused):
        compose_project(read_project(root))


@pytest.mark.parametrize("what", REFUSED_PACKAGES)
def test_a_package_that_salesforce_cannot_take_apart_is_refused(
    salesforce: SalesforceConverter, what: str, tmp_path: Path
) -> None:
    names, files = REFUSED_PACKAGES[what]
    package = write(tmp_path / "package", files)
    (package / "sfdx-project.json").unlink()
    root = write(tmp_path / "source", {}, project=settings(*names))
    assert salesforce.mdapi(root, package).error
    with pytest.raises(Refused):
        to_source(files_below(package), types=read_project(root).types)
