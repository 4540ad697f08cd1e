"""The SOAP face: faults, listing, describing, retrieving."""

from __future__ import annotations

import random

import pytest
from lxml import etree
from tests.emulators.salesforce.metadata.metadata_support import CUSTOM_OBJECT, EmulatedOrg, manifest, text_field, xml

from emulators.coverage import unknown_actions
from emulators.http import Request
from emulators.salesforce.metadata import retrieves
from emulators.salesforce.metadata.components import Key, OrgComponent
from tests.emulated_org import cites


def fault(body: etree._Element) -> tuple[str, str]:
    return body.findtext(".//faultcode") or "", body.findtext(".//faultstring") or ""


def store(org: EmulatedOrg) -> None:
    files = {
        "package.xml": manifest(
            {"CustomObject": ["Store__c"], "CustomLabel": ["Hello", "Bye"], "Report": ["F", "F/R"]}
        ),
        "objects/Store__c.object": xml("CustomObject", CUSTOM_OBJECT + text_field("Area__c") + text_field("Floor__c")),
        "labels/CustomLabels.labels": xml("CustomLabels", label("Hello") + label("Bye")),
        "reports/F-meta.xml": xml("ReportFolder", "<name>F</name>"),
        "reports/F/R.report": xml("Report", "<name>R</name><reportType>AccountList</reportType>"),
    }
    assert org.problems(files) == []


def label(name: str) -> str:
    return (
        f"<labels><fullName>{name}</fullName><language>zh_CN</language><protected>true</protected>"
        f"<shortDescription>{name}</shortDescription><value>你好 &amp; {name}</value></labels>"
    )


@cites("session expiration", "knowledge")
def test_a_call_without_a_session_is_the_api_s_own_fault(sandbox: EmulatedOrg) -> None:
    """`sf:INVALID_SESSION_ID` is what makes clients refresh their token ("Error Handling for Session Expiration")."""
    answer = sandbox.send("listMetadata", "", session=False)
    code, text = fault(etree.fromstring(answer.body)[0])
    assert (answer.status, code) == (500, "sf:INVALID_SESSION_ID")
    assert text == "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session"


@cites("knowledge")
def test_versions_outside_the_org_s_range_are_refused(sandbox: EmulatedOrg) -> None:
    for version in ("68.0", "30.0", "64"):
        body = sandbox.soap("describeMetadata", "", version=version)
        assert fault(body)[0] == "sf:UNSUPPORTED_API_VERSION"


def test_an_operation_that_is_not_emulated_is_named(sandbox: EmulatedOrg) -> None:
    code, text = fault(sandbox.soap("renameMetadata", ""))
    assert code == "sf:INVALID_OPERATION"
    assert "renameMetadata" in text


def test_an_envelope_that_is_no_xml_is_a_fault(sandbox: EmulatedOrg) -> None:
    assert fault(sandbox.soap("deploy", "<open>"))[0] == "sf:UNKNOWN_EXCEPTION"


@cites("describeMetadata")
def test_describe_lists_the_types_with_their_children(sandbox: EmulatedOrg) -> None:
    """describeMetadata lists each type with its directory, suffix, children, meta file and folder."""
    body = sandbox.soap("describeMetadata", "<asOfVersion>64.0</asOfVersion>")
    rows = {row.findtext("{*}xmlName"): row for row in body.iterfind(".//{*}metadataObjects")}
    assert len(rows) > 500
    custom_object = rows["CustomObject"]
    assert custom_object.findtext("{*}directoryName") == "objects"
    assert "CustomField" in [child.text for child in custom_object.iterfind("{*}childXmlNames")]
    assert rows["ApexClass"].findtext("{*}metaFile") == "true"
    assert rows["Report"].findtext("{*}inFolder") == "true"


@cites("listMetadata")
def test_list_tells_who_made_what_and_when(sandbox: EmulatedOrg) -> None:
    """listMetadata tells who made a component and when, takes at most three queries, and refuses an unknown type."""
    store(sandbox)
    query = "<queries><type>{}</type>{}</queries>"
    body = sandbox.soap("listMetadata", query.format("CustomLabel", ""))
    rows = {row.findtext("{*}fullName"): row for row in body.iterfind(".//{*}result")}
    assert set(rows) == {"Hello", "Bye"}
    assert rows["Hello"].findtext("{*}lastModifiedByName") == "runner@acme.example"
    assert rows["Hello"].findtext("{*}lastModifiedDate") == "2026-09-21T14:13:20.902Z"
    assert rows["Hello"].findtext("{*}fileName") == "unpackaged/labels/CustomLabels.labels"
    in_folder = sandbox.soap("listMetadata", query.format("Report", "<folder>F</folder>"))
    assert [e.text for e in in_folder.iterfind(".//{*}fullName")] == ["F/R"]
    assert fault(sandbox.soap("listMetadata", query.format("Nope", ""))) == (
        "sf:INVALID_TYPE",
        "INVALID_TYPE: Unknown type:Nope",
    )
    assert fault(sandbox.soap("listMetadata", query.format("Flow", "") * 4))[0] == "sf:EXCEEDED_MAX_TYPES_LIMIT"


@cites("manifest", "knowledge")
def test_an_object_comes_back_whole_and_a_field_alone(sandbox: EmulatedOrg) -> None:
    """CustomObject brings its children; CustomField only the field, in its object's file."""
    store(sandbox)
    whole = sandbox.retrieve({"CustomObject": ["Store__c"]})["objects/Store__c.object"]
    assert [e.text for e in etree.fromstring(whole).iterfind("{*}fields/{*}fullName")] == ["Area__c", "Floor__c"]
    alone = etree.fromstring(sandbox.retrieve({"CustomField": ["Store__c.Area__c"]})["objects/Store__c.object"])
    assert [etree.QName(e).localname for e in alone] == ["fields"]


@cites("manifest")
def test_wildcards_leave_out_standard_objects_and_types_in_folders(sandbox: EmulatedOrg) -> None:
    """A wildcard brings custom objects only, and nothing of the types in folders."""
    store(sandbox)
    files = sandbox.retrieve({"CustomObject": ["*"], "Report": ["*"]})
    assert set(files) == {"objects/Store__c.object", "package.xml"}
    assert b"<members>Store__c</members>" in files["package.xml"]
    assert set(sandbox.retrieve({"Report": ["F", "F/R"]})) == {
        "reports/F-meta.xml",
        "reports/F/R.report",
        "package.xml",
    }


@cites("manifest", "knowledge")
@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [
        ("CustomField", "Account.Area__c", "objects/Account.object"),
        ("Dashboard", "F/D", "dashboards/F/D.dashboard"),
        ("Document", "F/D.txt", "documents/F/D.txt"),
        ("EmailTemplate", "F/E", "email/F/E.email"),
        ("Report", "F/R", "reports/F/R.report"),
        ("StandardValueSet", "Industry", "standardValueSets/Industry.standardValueSet"),
    ],
)
def test_components_of_some_types_are_retrieved_by_name_only(
    sandbox: EmulatedOrg, kind: str, name: str, path: str
) -> None:
    """A wildcard brings nothing of custom fields, standard value sets, and the types that lie in folders."""
    xml_of = "<fields><fullName>Area__c</fullName></fields>" if kind == "CustomField" else f"<{kind}/>"
    digest = sandbox.components.keep(xml_of.encode())
    parent = Key("CustomObject", "Account") if kind == "CustomField" else None
    sandbox.components.put(OrgComponent(Key(kind, name), {path: digest}, parent))
    assert set(sandbox.retrieve({kind: ["*"]})) == {"package.xml"}
    assert path in sandbox.retrieve({kind: [name]})


def test_a_standard_object_can_be_changed_and_comes_back(sandbox: EmulatedOrg) -> None:
    body = "<externalSharingModel>Private</externalSharingModel><sharingModel>Private</sharingModel>"
    files = {
        "package.xml": manifest({"CustomObject": ["Account"]}),
        "objects/Account.object": xml("CustomObject", body),
    }
    assert sandbox.problems(files) == []
    assert (
        b"<sharingModel>Private</sharingModel>"
        in sandbox.retrieve({"CustomObject": ["Account"]})["objects/Account.object"]
    )


@cites("retrieve answers", "knowledge")
def test_what_cannot_be_retrieved_is_told(sandbox: EmulatedOrg) -> None:
    """What cannot be retrieved is told in the messages of the result; the zip comes when it is done."""
    rows = manifest({"ApexClass": ["Gone"], "Nonsense": ["*"]}).partition(">\n")[2].partition(">\n")[2]
    inner = f"<retrieveRequest><unpackaged>{rows.replace('</Package>', '')}</unpackaged></retrieveRequest>"
    ident = sandbox.soap("retrieve", inner).findtext(".//{*}id")
    early = sandbox.soap("checkRetrieveStatus", f"<asyncProcessId>{ident}</asyncProcessId>")
    assert (early.findtext(".//{*}done"), early.findtext(".//{*}zipFile")) == ("false", None)
    sandbox.clock.seconds += 5
    late = sandbox.soap("checkRetrieveStatus", f"<asyncProcessId>{ident}</asyncProcessId>")
    assert [e.text for e in late.iterfind(".//{*}problem")] == [
        "Entity of type 'ApexClass' named 'Gone' cannot be found",
        "Entity type: 'Nonsense' is unknown",
    ]
    old = sandbox.soap("checkStatus", f"<asyncProcessId>{ident}</asyncProcessId>")
    assert old.findtext(".//{*}done") == "true"


@cites("app limits", "zip file", "knowledge")
@pytest.mark.parametrize(
    ("limit", "most", "problem"),
    [
        ("MAX_FILES", 2, "Too many files in retrieve call, limit is: 2"),
        ("MAX_ZIP_BYTES", 300, "bytes, limit is: 300"),
        ("MAX_UNZIPPED_BYTES", 500, "too large, limit is: 500 bytes"),
    ],
)
def test_a_retrieve_that_is_too_large_fails(
    sandbox: EmulatedOrg, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, problem: str
) -> None:
    """A retrieve has the limits of a deploy: 10,000 files, 39 MB, 600 MB unzipped."""
    store(sandbox)
    monkeypatch.setattr(retrieves, limit, most)
    rows = manifest({"CustomLabel": ["*"], "CustomObject": ["*"]}).partition(">\n")[2].partition(">\n")[2]
    inner = f"<retrieveRequest><unpackaged>{rows.replace('</Package>', '')}</unpackaged></retrieveRequest>"
    ident = sandbox.soap("retrieve", inner).findtext(".//{*}id")
    sandbox.clock.seconds += 5
    body = sandbox.soap("checkRetrieveStatus", f"<asyncProcessId>{ident}</asyncProcessId>")
    found = {name: body.findtext(f".//{{*}}{name}") for name in ("done", "status", "success", "errorStatusCode")}
    assert found == {"done": "true", "status": "Failed", "success": "false", "errorStatusCode": "LIMIT_EXCEEDED"}
    assert problem in (body.findtext(".//{*}errorMessage") or "")
    assert body.findtext(".//{*}zipFile") is None


@cites("knowledge")
def test_a_package_that_is_not_installed_is_a_fault_that_cumulusci_knows(sandbox: EmulatedOrg) -> None:
    body = sandbox.soap("retrieve", "<retrieveRequest><packageNames>Acme</packageNames></retrieveRequest>")
    assert fault(body)[1].startswith("INVALID_CROSS_REFERENCE_KEY: No package named")


@cites("deploy result")
def test_the_status_stands_before_the_details(sandbox: EmulatedOrg) -> None:
    """CumulusCI 4.10.1 takes the first `status`, `done` and `id` of the document (salesforce_api/metadata.py)."""
    files = {
        "package.xml": manifest({"CustomLabel": ["Hello"]}),
        "labels/CustomLabels.labels": xml("CustomLabels", label("Hello")),
    }
    ident = sandbox.submit(files)
    sandbox.clock.seconds += 60
    body = sandbox.soap(
        "checkDeployStatus", f"<asyncProcessId>{ident}</asyncProcessId><includeDetails>true</includeDetails>"
    )
    first = {name: next(body.iter(f"{{*}}{name}")).text for name in ("id", "done", "status")}
    assert first == {"id": ident, "done": "true", "status": "Succeeded"}
    assert len(list(body.iter("{*}componentSuccesses"))) == 2


@cites("zip file")
def test_an_envelope_may_be_larger_than_ten_million_characters(sandbox: EmulatedOrg) -> None:
    """A zip may have 39 MB (Salesforce Developer Limits, "Metadata API limits"); libxml2 stops a text at 10 million."""
    noise = random.Random(1).randbytes(9_000_000)
    meta = xml("StaticResource", "<cacheControl>Private</cacheControl><contentType>image/png</contentType>")
    files: dict[str, str | bytes] = {
        "package.xml": manifest({"StaticResource": ["Big"]}),
        "staticresources/Big.resource": noise,
        "staticresources/Big.resource-meta.xml": meta,
    }
    assert sandbox.deploy(files)["status"] == "Succeeded"
    assert sandbox.retrieve({"StaticResource": ["Big"]})["staticresources/Big.resource"] == noise


def test_a_folder_may_be_named_with_a_slash(sandbox: EmulatedOrg) -> None:
    """Salesforce's own tools write the folder F as `F/` (source-deploy-retrieve 12.37, componentSet)."""
    files = {
        "package.xml": manifest({"Report": ["F/"]}),
        "reports/F-meta.xml": xml("ReportFolder", "<name>F</name>"),
    }
    assert sandbox.problems(files) == []
    assert sandbox.components.names("ReportFolder") == ["F"]


def test_the_path_after_the_version_does_not_count(sandbox: EmulatedOrg) -> None:
    """simple-salesforce 1.12 posts its envelopes to `m/64.0/deployRequest[/id]`."""
    body = b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><describeMetadata/></Body></Envelope>'
    request = Request("POST", sandbox.record.my_domain_host, "/services/Soap/m/64.0/deployRequest", {}, body)
    assert sandbox.api.soap(sandbox.record, request, sandbox.session).status == 200


def test_an_operation_that_is_not_emulated_is_noted(sandbox: EmulatedOrg) -> None:
    assert b"no operation describeValueType" in sandbox.send("describeValueType", "").body
    row = {"product": "Salesforce Metadata API", "version": "", "action": "describeValueType", "calls": 1}
    assert unknown_actions(sandbox.store) == [row]
