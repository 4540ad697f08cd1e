"""`readMetadata` and its kin, and unmanaged packages; Metadata API Developer Guide, "CRUD-Based Metadata Calls"."""

from __future__ import annotations

from metadata_support import CUSTOM_OBJECT, EmulatedOrg, manifest, xml

from tests.emulated_org import cites

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
STORE = f'<metadata {XSI} xsi:type="CustomObject"><fullName>Store__c</fullName>{CUSTOM_OBJECT}</metadata>'


@cites("deleteMetadata", "knowledge")
def test_a_component_is_created_read_and_deleted_without_a_zip(sandbox: EmulatedOrg) -> None:
    assert sandbox.soap("createMetadata", STORE).findtext(".//{*}success") == "true"
    read = sandbox.soap("readMetadata", "<type>CustomObject</type><fullNames>Store__c</fullNames>")
    assert read.findtext(".//{*}records/{*}label") == "Store"
    named = "<type>CustomObject</type><fullNames>Store__c</fullNames>"
    assert sandbox.soap("deleteMetadata", named).findtext(".//{*}success") == "true"
    (record,) = sandbox.soap("readMetadata", named).iterfind(".//{*}records")
    assert list(record.attrib.values()) == ["true"]  # xsi:nil


@cites("knowledge")
def test_what_is_wrong_with_a_component_stands_in_its_own_result(sandbox: EmulatedOrg) -> None:
    sandbox.soap("createMetadata", STORE)
    again = sandbox.soap("createMetadata", STORE)
    assert again.findtext(".//{*}statusCode") == "DUPLICATE_DEVELOPER_NAME"
    assert again.findtext(".//{*}success") == "false"
    body = sandbox.soap("readMetadata", "<type>ApexClass</type><fullNames>A</fullNames>")
    assert body.findtext(".//faultcode") == "sf:INVALID_TYPE"


@cites("knowledge")
def test_an_unmanaged_package_is_what_was_deployed_with_its_name(sandbox: EmulatedOrg) -> None:
    named = manifest({"CustomPermission": ["Open"]}).replace("<types>", "<fullName>Shop</fullName><types>", 1)
    permission = xml("CustomPermission", "<label>Open</label>")
    sandbox.deploy({"package.xml": named, "customPermissions/Open.customPermission": permission})
    asked = "<retrieveRequest><apiVersion>64.0</apiVersion><packageNames>Shop</packageNames></retrieveRequest>"
    ident = sandbox.soap("retrieve", asked).findtext(".//{*}id")
    sandbox.clock.seconds += 5
    answer = sandbox.soap("checkRetrieveStatus", f"<asyncProcessId>{ident}</asyncProcessId>")
    files = [each.text for each in answer.iterfind(".//{*}fileProperties/{*}fileName")]
    assert files == ["Shop/customPermissions/Open.customPermission"]
