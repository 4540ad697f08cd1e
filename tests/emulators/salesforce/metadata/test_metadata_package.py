"""What a package must be: its manifest, its files, its API version and its size."""

from __future__ import annotations

import pytest
from tests.emulators.salesforce.metadata.metadata_support import APEX_META, EmulatedOrg, apex, manifest, text_field, with_store, xml, zipped

from emulators.salesforce.metadata import package
from tests.emulated_org import cites


@cites("deploy options", "deploy answers")
def test_what_the_manifest_names_must_be_in_the_zip(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({"ApexClass": ["Here", "Gone"]}), **apex("Here")}
    wanted = "An object 'Gone' of type ApexClass was named in package.xml, but was not found in zipped directory"
    assert sandbox.problems(files) == [f"package.xml:3 ApexClass Gone: {wanted}"]
    assert sandbox.deploy(files, allowMissingFiles=True)["status"] == "Succeeded"


@cites("deploy options", "deploy answers")
def test_what_is_in_the_zip_must_be_named(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({"ApexClass": ["Here"]}), **apex("Here"), **apex("Stowaway")}
    assert sandbox.problems(files) == ["classes/Stowaway.cls:0 ApexClass Stowaway: Not in package.xml"]
    assert sandbox.deploy(files, autoUpdatePackage=True)["status"] == "Succeeded"
    assert sandbox.components.get("ApexClass", "Stowaway")


@cites("manifest")
def test_a_wildcard_names_all_of_a_type(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({"ApexClass": ["*"]}), **apex("A"), **apex("B")}
    assert sandbox.deploy(files)["numberComponentsDeployed"] == 2


@cites("manifest")
def test_one_field_can_be_deployed_without_its_object(sandbox: EmulatedOrg) -> None:
    with_store(sandbox, "Area__c")
    files = {
        "package.xml": manifest({"CustomField": ["Store__c.Floor__c"]}),
        "objects/Store__c.object": xml("CustomObject", text_field("Floor__c")),
    }
    result = sandbox.deploy(files)
    assert (result["status"], result["numberComponentsDeployed"]) == ("Succeeded", 1)
    assert {"Store__c.Area__c", "Store__c.Floor__c"} < set(sandbox.components.names("CustomField"))


@cites("deploy answers", "knowledge")
def test_a_field_in_the_file_that_nobody_names_is_an_error(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"CustomField": ["Account.A__c"]}),
        "objects/Account.object": xml("CustomObject", text_field("A__c") + text_field("B__c")),
    }
    assert sandbox.problems(files) == ["objects/Account.object:9 CustomField Account.B__c: Not in package.xml"]


@cites("knowledge")
def test_an_unknown_type_is_named(sandbox: EmulatedOrg) -> None:
    problem = "package.xml:3  package.xml: Unknown type name 'ApexKlass' specified in package.xml"
    assert sandbox.problems({"package.xml": manifest({"ApexKlass": ["A"]})}) == [problem]


@cites("knowledge")
def test_an_unknown_folder_is_named(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({}), "klasses/A.cls": "x"}
    assert sandbox.problems(files) == ["klasses/A.cls:0  klasses/A.cls: Unknown folder type: klasses"]


@cites("knowledge")
def test_malformed_xml_is_told_with_its_line(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"CustomPermission": ["P"]}),
        "customPermissions/P.customPermission": "<?xml version='1.0'?>\n<CustomPermission>\n<label>x</labl>\n",
    }
    (problem,) = sandbox.problems(files)
    assert problem.startswith("customPermissions/P.customPermission:3 CustomPermission P: Error parsing file:")


def test_entities_are_not_expanded(sandbox: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest({"CustomPermission": ["P"]}),
        "customPermissions/P.customPermission": (
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><CustomPermission><label>&e;</label></CustomPermission>'
        ),
    }
    sandbox.deploy(files)
    held = sandbox.components.get("CustomPermission", "P")
    assert held is None or b"root:" not in sandbox.components.content(held)


@cites("knowledge")
@pytest.mark.parametrize("version", ["68.0", "30.0", "", "new"])
def test_an_api_version_that_the_org_lacks_is_refused(sandbox: EmulatedOrg, version: str) -> None:
    (problem,) = sandbox.problems({"package.xml": manifest({}, version)})
    assert "Invalid version specified" in problem


@cites("knowledge")
def test_a_class_of_a_later_api_version_is_refused(sandbox: EmulatedOrg) -> None:
    files = {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")}
    files["classes/A.cls-meta.xml"] = APEX_META.replace("64.0", "99.0")
    wanted = "classes/A.cls:3 ApexClass A: Invalid api version: 99.0 (this org has 67.0)"
    assert sandbox.problems(files) == [wanted]


@cites("zip file", "deploy answers")
def test_a_zip_without_manifest_or_no_zip_at_all_fails(sandbox: EmulatedOrg) -> None:
    assert "No package.xml found" in sandbox.problems({"x/package.xml": manifest({})})[0]
    ident = sandbox.submit({"package.xml": "x"})
    body = sandbox.soap(
        "deploy", "<ZipFile>Tm8gemlw</ZipFile><DeployOptions><singlePackage>true</singlePackage></DeployOptions>"
    )
    sandbox.clock.seconds += 60
    result = sandbox.status(body.findtext(".//{*}id") or "")
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "INVALID_ZIP_FILE")
    assert sandbox.status(ident)["status"] == "Failed"


@cites("knowledge")
def test_a_directory_of_packages_is_taken_without_single_package(sandbox: EmulatedOrg) -> None:
    """Without singlePackage the zip holds a directory for each package."""
    files = {
        f"unpackaged/{path}": data
        for path, data in {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A")}.items()
    }
    assert sandbox.deploy(files, singlePackage=False)["status"] == "Succeeded"
    assert sandbox.retrieve({"ApexClass": ["A"]})["classes/A.cls"] == apex("A")["classes/A.cls"].encode()


@cites("deploy", "app limits")
def test_too_many_files_are_refused(sandbox: EmulatedOrg) -> None:
    """More than 10,000 files are refused."""
    files = {"package.xml": manifest({})} | {f"lwc/x/{n}.js": "" for n in range(10_000)}
    result = sandbox.deploy(files)
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "LIMIT_EXCEEDED")


@cites("deploy", "zip file")
@pytest.mark.parametrize(
    ("limit", "problem"),
    [
        ("MAX_ZIP_BYTES", "Maximum size of request is 2000 bytes"),
        ("MAX_UNZIPPED_BYTES", "Limit of 2000 unzipped bytes reached"),
    ],
)
def test_a_zip_that_is_too_large_is_refused(
    sandbox: EmulatedOrg, monkeypatch: pytest.MonkeyPatch, limit: str, problem: str
) -> None:
    """A zip of more than 39 MB, or of more than 600 MB unzipped, is refused."""
    assert (package.MAX_ZIP_BYTES, package.MAX_UNZIPPED_BYTES) == (39 * 1024 * 1024, 629_145_600)
    monkeypatch.setattr(package, limit, 2000)
    files = {"package.xml": manifest({"ApexClass": ["A"]}), **apex("A", "//" + "x" * 4000)}
    result = sandbox.deploy(files)
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "LIMIT_EXCEEDED")
    assert problem in result["errorMessage"]


@cites("deploy answers")
def test_nothing_of_a_managed_package_can_be_created(sandbox: EmulatedOrg) -> None:
    """A component with the namespace of a managed package cannot be created by a deploy."""
    files = {
        "package.xml": manifest({"ApexClass": ["acme__Tool"], "CustomField": ["Account.acme__Area__c", "Account.B__c"]}),
        **apex("acme__Tool"),
        "objects/Account.object": xml("CustomObject", text_field("acme__Area__c") + text_field("B__c")),
    }
    problems = sandbox.problems(files)
    assert len(problems) == 2
    assert all("Cannot create a new component with the namespace: acme." in each for each in problems)
