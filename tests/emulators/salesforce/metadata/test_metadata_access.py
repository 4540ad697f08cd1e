"""Profiles and permission sets: what a retrieve gives of them, and what a deploy leaves alone."""

from __future__ import annotations

import base64
import io
import zipfile

import pytest
from tests.emulators.salesforce.metadata.metadata_support import EmulatedOrg, apex, apex_package, one, with_store

from tests.emulated_org import cites

PROFILE = "profiles/Sales.profile"
ACCESS = (
    "<classAccesses><apexClass>Hello</apexClass><enabled>true</enabled></classAccesses>"
    "<fieldPermissions><editable>true</editable><field>Store__c.Area__c</field></fieldPermissions>"
    "<objectPermissions><allowRead>true</allowRead><object>Store__c</object></objectPermissions>"
    "<userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions>"
)
ENTRIES = (b"<classAccesses>", b"<fieldPermissions>", b"<objectPermissions>", b"<userPermissions>")


@pytest.fixture
def org(sandbox: EmulatedOrg) -> EmulatedOrg:
    """An org with a class, an object with a field, and a profile and a permission set that give access to them."""
    with_store(sandbox, "Area__c", "Floor__c")
    sandbox.deploy(apex_package(apex("Hello")))
    profile = "<custom>true</custom><userLicense>Salesforce</userLicense>" + ACCESS
    assert sandbox.problems(one("Profile", "Sales", PROFILE, profile)) == []
    permissions = one("PermissionSet", "P", "permissionsets/P.permissionset", "<label>P</label>" + ACCESS)
    assert sandbox.problems(permissions) == []
    return sandbox


def entries(data: bytes) -> list[bool]:
    return [entry in data for entry in ENTRIES]


@cites("profile")
@pytest.mark.parametrize(
    ("together", "expected"),
    [
        ({}, [False, False, False, True]),
        ({"ApexClass": ["*"]}, [True, False, False, True]),
        ({"CustomField": ["Store__c.Area__c"]}, [False, True, False, True]),
        ({"CustomField": ["Store__c.Floor__c"]}, [False, False, False, True]),
        ({"CustomObject": ["Store__c"]}, [False, True, True, True]),
    ],
)
def test_a_profile_comes_with_what_it_says_of_components_of_the_same_retrieve(
    org: EmulatedOrg, together: dict[str, list[str]], expected: list[bool]
) -> None:
    """A retrieved profile holds only what pertains to other components of the same package.xml."""
    assert entries(org.retrieve({"Profile": ["Sales"], **together})[PROFILE]) == expected


@cites("permission set")
@pytest.mark.parametrize(("version", "whole"), [("40.0", True), ("39.0", False)])
def test_a_permission_set_comes_whole_from_api_version_40(org: EmulatedOrg, version: str, whole: bool) -> None:
    """A permission set comes whole in API version 40.0 and later; before that, only with what is in the same retrieve."""
    path = "permissionsets/P.permissionset"
    assert entries(org.retrieve({"PermissionSet": ["P"]}, version)[path]) == [whole, whole, whole, True]
    both = org.retrieve({"PermissionSet": ["P"], "ApexClass": ["Hello"]}, version)[path]
    assert entries(both)[0]


@cites("retrieve request")
@pytest.mark.parametrize(("asked", "stated", "whole"), [("39.0", "", False), ("39.0", "40.0", True), ("40.0", "", True)])
def test_the_api_version_of_the_manifest_comes_before_that_of_the_request(
    org: EmulatedOrg, asked: str, stated: str, whole: bool
) -> None:
    """A retrieve has the API version of its package.xml; where that says none, the version of the request."""
    version = f"<version>{stated}</version>" if stated else ""
    types = f"<types><members>P</members><name>PermissionSet</name></types>{version}"
    inner = f"<retrieveRequest><apiVersion>{asked}</apiVersion><unpackaged>{types}</unpackaged></retrieveRequest>"
    ident = org.soap("retrieve", inner).findtext(".//{*}id")
    org.clock.seconds += 5
    answer = org.soap("checkRetrieveStatus", f"<asyncProcessId>{ident}</asyncProcessId>")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(answer.findtext(".//{*}zipFile") or ""))) as archive:
        assert entries(archive.read("unpackaged/permissionsets/P.permissionset"))[0] == whole


@cites("permission set")
def test_a_permission_set_that_is_deployed_replaces_what_the_org_has(org: EmulatedOrg) -> None:
    """A deployed permission set overwrites the whole of the org's: what it leaves out is gone."""
    path = "permissionsets/P.permissionset"
    assert org.problems(one("PermissionSet", "P", path, "<label>P</label>")) == []
    assert entries(org.retrieve({"PermissionSet": ["P"]})[path]) == [False] * 4


@cites("profile overlay")
def test_a_deployed_profile_changes_only_the_entries_that_it_brings(org: EmulatedOrg) -> None:
    """A deployed profile changes the entries that it brings, and leaves the others alone."""
    change = "<fieldPermissions><editable>false</editable><field>Store__c.Area__c</field></fieldPermissions>"
    assert org.problems(one("Profile", "Sales", PROFILE, change)) == []
    back = org.retrieve({"Profile": ["Sales"], "CustomObject": ["Store__c"], "ApexClass": ["Hello"]})[PROFILE]
    assert entries(back) == [True] * 4
    assert b"<editable>false</editable>" in back
    assert back.count(b"<fieldPermissions>") == 1


HOURS = "<loginHours><mondayEnd>1020</mondayEnd><mondayStart>300</mondayStart></loginHours>"
RANGES = "".join(
    f"<loginIpRanges><endAddress>10.0.{n}.9</endAddress><startAddress>10.0.{n}.1</startAddress></loginIpRanges>"
    for n in (1, 2)
)


@cites("profile page", "login ranges")
def test_login_hours_and_ranges_are_always_retrieved_and_replaced_whole(org: EmulatedOrg) -> None:
    """A profile always comes with its login hours and ranges. A deploy replaces them as a whole, leaves alone what it
    doesn't bring, and takes hours away by an empty element."""

    def after(inner: str) -> bytes:
        assert org.problems(one("Profile", "Sales", PROFILE, inner)) == []
        return org.retrieve({"Profile": ["Sales"]})[PROFILE]

    both = after(HOURS + RANGES)
    assert (both.count(b"<loginIpRanges>"), b"<mondayEnd>1020<" in both) == (2, True)
    fewer = after(RANGES[: len(RANGES) // 2])
    assert (fewer.count(b"<loginIpRanges>"), b"10.0.1.1" in fewer, b"<mondayEnd>1020<" in fewer) == (1, True, True)
    free = after("<loginHours/>")
    assert (b"loginHours" in free, free.count(b"<loginIpRanges>")) == (False, 1)
    assert entries(org.retrieve({"Profile": ["Sales"], "CustomObject": ["Store__c"], "ApexClass": ["Hello"]})[PROFILE]) == [
        True
    ] * 4


@cites("knowledge")
def test_a_profile_that_is_read_alone_is_whole(org: EmulatedOrg) -> None:
    """readMetadata gives a profile whole: there is no package that it could be cut to."""
    body = org.send("readMetadata", "<type>Profile</type><fullNames>Sales</fullNames>").body
    assert entries(body) == [True] * 4
