"""`readMetadata` and its kin, and unmanaged packages; Metadata API Developer Guide, "CRUD-Based Metadata Calls"."""

from __future__ import annotations

import pytest
from tests.emulators.salesforce.metadata.metadata_support import CUSTOM_OBJECT, EmulatedOrg, manifest, xml

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


@cites("crud calls", "knowledge")
def test_what_is_wrong_with_a_component_stands_in_its_own_result(sandbox: EmulatedOrg) -> None:
    sandbox.soap("createMetadata", STORE)
    again = sandbox.soap("createMetadata", STORE)
    assert again.findtext(".//{*}statusCode") == "DUPLICATE_DEVELOPER_NAME"
    assert again.findtext(".//{*}success") == "false"
    body = sandbox.soap("readMetadata", "<type>ApexClass</type><fullNames>A</fullNames>")
    assert body.findtext(".//faultcode") == "sf:INVALID_TYPE"


ALL_OR_NONE = "<AllOrNoneHeader xmlns='http://soap.sforce.com/2006/04/metadata'><allOrNone>{}</allOrNone></AllOrNoneHeader>"


@cites("crud calls")
@pytest.mark.parametrize(
    ("version", "header", "kept"),
    [("64.0", "", True), ("34.0", "", True), ("33.0", "", False), ("64.0", "true", False), ("33.0", "false", True)],
)
def test_the_components_of_a_call_succeed_each_alone_or_all_or_none(
    sandbox: EmulatedOrg, version: str, header: str, kept: bool
) -> None:
    """Each component of a call succeeds alone; to API version 33.0, or by AllOrNoneHeader, all do or none."""
    bad = f'<metadata {XSI} xsi:type="CustomObject"><fullName>Half__c</fullName><label>Half</label></metadata>'
    asked = ALL_OR_NONE.format(header) if header else ""
    body = sandbox.soap("createMetadata", STORE + bad, version=version, headers=asked)
    assert [each.text for each in body.iterfind(".//{*}success")] == [str(kept).lower(), "false"]
    assert bool(sandbox.components.get("CustomObject", "Store__c")) == kept
    codes = [each.text for each in body.iterfind(".//{*}statusCode")]
    assert ("ALL_OR_NONE_OPERATION_ROLLED_BACK" in codes) == (not kept)


@cites("crud calls")
def test_the_components_of_a_call_are_of_one_type(sandbox: EmulatedOrg) -> None:
    """All components of a createMetadata, updateMetadata or upsertMetadata call are of the same type."""
    other = f'<metadata {XSI} xsi:type="CustomPermission"><fullName>P</fullName><label>P</label></metadata>'
    body = sandbox.soap("upsertMetadata", STORE + other)
    assert body.findtext(".//faultcode") == "sf:INVALID_TYPE_FOR_OPERATION"


@cites("crud calls")
@pytest.mark.parametrize(("kind", "most"), [("CustomPermission", 10), ("CustomMetadata", 200)])
def test_a_call_takes_ten_components_and_of_custom_metadata_two_hundred(
    kind: str, most: int, sandbox: EmulatedOrg
) -> None:
    names = "".join(f"<fullNames>N{place}</fullNames>" for place in range(most + 1))
    asked = f"<type>{kind}</type>{names}"
    assert sandbox.soap("readMetadata", asked).findtext(".//faultcode") == "sf:EXCEEDED_ID_LIMIT"
    fewer = asked.removesuffix(f"<fullNames>N{most}</fullNames>")
    assert len(list(sandbox.soap("readMetadata", fewer).iterfind(".//{*}records"))) == most


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
