"""Managed packages: installed by the id of a version or by namespace and version, upgraded, never downgraded."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from lxml import etree

from emulators.salesforce.api import Salesforce
from emulators.salesforce.metadata.components import Key
from emulators.salesforce.metadata.deploys import Deploys
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.metadata.package import Manifest, Member
from emulators.salesforce.metadata.retrieves import Retrieves, package_xml, zip_of
from emulators.salesforce.orgs import OrgRecord
from emulators.service import World
from tests.emulated_org import cites
from tests.emulators.salesforce.salesforce_world import Caller, Clock

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

    def deployed(
        namespace: str,
        version: str,
        inner: str = "<activateRSS>false</activateRSS>",
        api_version: str = "43.0",
        gone: tuple[str, ...] = (),
        **others: list[str],
    ) -> dict[str, Any]:
        xml = f"<InstalledPackage>{inner}<versionNumber>{version}</versionNumber></InstalledPackage>"
        files = {
            "package.xml": package_xml({"InstalledPackage": [namespace], **others}, api_version),
            f"installedPackages/{namespace}.installedPackage": xml.encode(),
            "customPermissions/P.customPermission": b"<CustomPermission><label>P</label></CustomPermission>",
        }
        if not others:
            del files["customPermissions/P.customPermission"]
        if gone:
            files = {
                "package.xml": package_xml({}, api_version),
                "destructiveChanges.xml": package_xml({"InstalledPackage": gone}, api_version),
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


@cites("installed package")
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


@cites("installed package")
def test_a_newer_version_upgrades_and_a_destructive_change_uninstalls(caller: Caller, deploy: Any) -> None:
    """Deploying a newer version upgrades the package; a destructiveChanges.xml with InstalledPackage uninstalls it."""
    deploy("parts", "1.2")
    assert deploy("parts", "1.10")["status"] == "Succeeded"
    assert versions(caller) == [("parts", 1, 10)]
    assert deploy("", "", gone=("parts",))["status"] == "Succeeded"
    assert versions(caller) == []


@cites("installed package")
def test_a_package_comes_alone_and_says_whether_its_remote_sites_are_active(caller: Caller, deploy: Any) -> None:
    """InstalledPackage is the only type of its manifest; from API version 43.0 it needs activateRSS."""
    done = deploy("parts", "1.2", CustomPermission=["P"])
    assert (done["status"], versions(caller)) == ("Failed", [])
    assert "must be the only metadata type" in done["result"]["messages"][0]["problem"]
    (message,) = deploy("parts", "1.2", inner="")["result"]["messages"]
    assert message["problem"] == "Required field is missing: activateRSS"
    assert deploy("parts", "1.2", inner="", api_version="42.0")["status"] == "Succeeded"


@cites("installed package")
def test_a_retrieve_rewrites_a_package(world: World, china: OrgRecord, deploy: Any) -> None:
    """A retrieved InstalledPackage has a nil activateRSS whatever was deployed, and no password."""
    assert deploy("parts", "1.2", "<activateRSS>true</activateRSS><password>p</password>")["status"] == "Succeeded"
    wanted = Manifest("package.xml", "64.0", (Member(Key("InstalledPackage", "parts"), 0),))
    job = Retrieves(world, china).submit(wanted, single_package=True)
    with zipfile.ZipFile(io.BytesIO(world.store.blob(job["zip"]))) as archive:
        root = etree.fromstring(archive.read("installedPackages/parts.installedPackage"))
    assert [(etree.QName(each).localname, each.text, *each.attrib.values()) for each in root] == [
        ("activateRSS", None, "true"),
        ("versionNumber", "1.2"),
    ]


@cites("installed package", "knowledge")
def test_an_older_version_doesn_t_replace_a_newer_one(caller: Caller, deploy: Any) -> None:
    assert ask(caller, NEW)["Status"] == "SUCCESS"
    assert "newer" in ask(caller, OLD)["Errors"]["errors"][0]["message"]
    assert deploy("parts", "1.2")["status"] == "Failed"
    assert versions(caller) == [("parts", 1, 10)]


def test_salesforce_s_own_cli_finds_what_it_asks_of_a_version_before_it_installs_it(caller: Caller) -> None:
    """`sf package install` (@salesforce/packaging) asks for 28 fields, and reads lists of sites."""
    fields = (
        "AppExchangeDescription, AppExchangeLogoUrl, AppExchangePackageName, AppExchangePublisherName, BuildNumber, "
        "CspTrustedSites, Dependencies, Description, Id, InstallValidationStatus, IsBeta, IsDeprecated, IsManaged, "
        "IsOrgDependent, IsPasswordProtected, IsSecurityReviewed, MajorVersion, MinorVersion, Name, "
        "Package2ContainerOptions, PatchVersion, PostInstallUrl, Profiles, PublisherName, ReleaseNotesUrl, "
        "ReleaseState, RemoteSiteSettings, SubscriberPackageId"
    )
    (row,) = caller.records(f"SELECT {fields} FROM SubscriberPackageVersion WHERE Id='{NEW}'", "tooling/")
    assert (row["Package2ContainerOptions"], row["InstallValidationStatus"]) == ("Managed", "NO_ERRORS_DETECTED")
    assert row["RemoteSiteSettings"] == row["CspTrustedSites"] == {"settings": []}
    asked = {
        "SubscriberPackageVersionKey": NEW,
        "PackageInstallSource": "U",
        "SecurityType": "None",
        "EnableRss": False,
    }
    ident = json.loads(caller("POST", REQUESTS, asked).body)["id"]
    assert caller.get(f"{REQUESTS}{ident}")["Status"] == "SUCCESS"
    assert versions(caller) == [("parts", 1, 10)]
