"""Managed packages: installed by the id of a version or by namespace and version, upgraded, never downgraded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from salesforce_world import Caller, Clock

from emulators.salesforce.api import Salesforce
from emulators.salesforce.metadata.deploys import Deploys
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.metadata.retrieves import package_xml, zip_of
from emulators.salesforce.orgs import OrgRecord
from emulators.service import World
from tests.emulated_org import cites

REQUESTS = "/services/data/v64.0/tooling/sobjects/PackageInstallRequest/"
INSTALLED = (
    "SELECT SubscriberPackage.Id, SubscriberPackage.NamespacePrefix, SubscriberPackageVersionId "
    "FROM InstalledSubscriberPackage"
)
OLD, NEW = "04t000000000001AAA", "04t000000000002AAA"


def ask(caller: Caller, version_id: str) -> dict[str, Any]:
    """Ask for a package version as CumulusCI does, and return the request as it ended."""
    body = {"SubscriberPackageVersionKey": version_id, "SecurityType": "FULL", "NameConflictResolution": "Block"}
    ident = json.loads(caller("POST", REQUESTS, body).body)["id"]
    (row,) = caller.records(f"SELECT Errors, Status FROM PackageInstallRequest WHERE Id='{ident}'", "tooling/")
    return row


def versions(caller: Caller) -> list[tuple[str, int, int]]:
    """Return what is installed as CumulusCI reads it: namespace, major and minor number."""
    found = []
    for row in caller.records(INSTALLED, "tooling/"):
        query = f"FROM SubscriberPackageVersion WHERE Id='{row['SubscriberPackageVersionId']}'"
        (version,) = caller.records(f"SELECT Id, MajorVersion, MinorVersion, PatchVersion, IsBeta {query}", "tooling/")
        found.append((row["SubscriberPackage"]["NamespacePrefix"], version["MajorVersion"], version["MinorVersion"]))
    return found


@pytest.fixture
def deploy(world: World, china: OrgRecord, salesforce: Salesforce, caller: Caller, clock: Clock) -> Any:
    """Deploy an InstalledPackage of a version, as CumulusCI's zip does; return how it ended."""

    def deployed(namespace: str, version: str) -> dict[str, Any]:
        xml = f"<InstalledPackage><versionNumber>{version}</versionNumber></InstalledPackage>"
        files = {
            "package.xml": package_xml({"InstalledPackage": [namespace]}, "43.0"),
            f"installedPackages/{namespace}.installedPackage": xml.encode(),
        }
        session = salesforce.sessions.find(caller.token)
        assert session is not None
        deploys = Deploys(world, china)
        job = deploys.submit(session, zip_of(files), DeployOptions(single_package=True))
        for _ in range(2):
            clock.seconds += 10
            deploys.advance()
        return deploys.get(job["id"])

    return deployed


@cites("knowledge")
def test_a_version_is_installed_by_its_id_and_a_newer_one_upgrades_it(caller: Caller) -> None:
    assert ask(caller, OLD)["Status"] == "SUCCESS"
    assert versions(caller) == [("parts", 1, 2)]
    assert ask(caller, NEW)["Status"] == "SUCCESS"
    assert versions(caller) == [("parts", 1, 10)]


@cites("knowledge")
def test_a_version_is_installed_by_namespace_and_number_through_the_metadata_api(caller: Caller, deploy: Any) -> None:
    assert deploy("parts", "1.2")["status"] == "Succeeded"
    assert versions(caller) == [("parts", 1, 2)]


@cites("knowledge")
def test_a_version_that_doesn_t_exist_is_refused_in_the_words_that_cumulusci_waits_for(
    caller: Caller, deploy: Any
) -> None:
    done = deploy("parts", "7.0")
    assert done["status"] == "Failed"
    assert "InstalledPackage version number" in done["result"]["messages"][0]["problem"]
    assert versions(caller) == []


@cites("knowledge")
def test_an_older_version_doesn_t_replace_a_newer_one(caller: Caller, deploy: Any) -> None:
    assert ask(caller, NEW)["Status"] == "SUCCESS"
    assert "newer" in ask(caller, OLD)["Errors"]["errors"][0]["message"]
    assert deploy("parts", "1.2")["status"] == "Failed"
    assert versions(caller) == [("parts", 1, 10)]
