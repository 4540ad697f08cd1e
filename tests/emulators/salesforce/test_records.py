"""The REST API: records, describe, composite, paging; and what an org's components add to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from emulators.salesforce.orgs import OrgRecord
from emulators.service import World
from tests.emulators.salesforce.salesforce_world import CHINA, Caller

DATA = "/services/data/v67.0"
STORE_FILE = "objects/Store__c.object"
STORE = """<CustomObject><label>Store</label><pluralLabel>Stores</pluralLabel><sharingModel>Private</sharingModel>
<nameField><label>Name</label><type>Text</type></nameField></CustomObject>"""
CODE = "<type>Text</type><length>8</length><externalId>true</externalId><unique>true</unique>"
ACCOUNT = "<type>Lookup</type><referenceTo>Account</referenceTo><relationshipName>Stores</relationshipName>"
CITY = "<recordTypes><fullName>City</fullName><label>City store</label><active>true</active></recordTypes>"


@pytest.fixture
def stores(deployed: Callable[..., None]) -> None:
    deployed("CustomObject", "Store__c", (STORE_FILE, STORE))
    fields = {
        "Code__c": CODE,
        "Area__c": "<type>Number</type>",
        "Open__c": "<type>Checkbox</type><defaultValue>true</defaultValue>",
        "Account__c": ACCOUNT,
    }
    for name, inner in fields.items():
        xml = f"<fields><fullName>{name}</fullName><label>{name}</label>{inner}</fields>"
        deployed("CustomField", f"Store__c.{name}", (STORE_FILE, xml))
    deployed("RecordType", "Store__c.City", (STORE_FILE, CITY))


def created(response: Any) -> str:
    assert response.status == 201, response.body
    return str(json.loads(response.body)["id"])


def test_a_record_is_created_read_changed_and_deleted(caller: Caller, china: OrgRecord) -> None:
    ident = created(caller("POST", f"{DATA}/sobjects/Account", {"Name": "上海商店", "NumberOfEmployees": 3}))
    assert ident.startswith("001")
    account = caller.get(f"{DATA}/sobjects/Account/{ident[:15]}")
    assert (account["Name"], account["OwnerId"], account["IsDeleted"]) == ("上海商店", china.users[0].id, False)
    assert caller("PATCH", f"{DATA}/sobjects/Account/{ident}", {"Name": "New", "Phone": ""}).status == 204
    assert caller.records("SELECT Name, Phone, Owner.Profile.Name FROM Account")[0]["Name"] == "New"
    assert caller("DELETE", f"{DATA}/sobjects/Account/{ident}").status == 204
    assert caller.query("SELECT COUNT() FROM Account")["totalSize"] == 0
    kept = caller.get(f"{DATA}/queryAll?q={quote('SELECT Id FROM Account WHERE IsDeleted = true')}")
    assert kept["records"][0]["Id"] == ident
    assert caller.refused("GET", f"{DATA}/sobjects/Account/{ident}")[:2] == (404, "ENTITY_IS_DELETED")


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
        ({"Name": "x", "Nme": 1}, "INVALID_FIELD", "No such column 'Nme' on sobject of type Account"),
        ({"Name": "x" * 256}, "STRING_TOO_LONG", "(max length=255)"),
        ({"Name": "x", "AnnualRevenue": "much"}, "JSON_PARSER_ERROR", "Cannot deserialize instance of currency"),
        ({"Name": {"zh": "x"}}, "JSON_PARSER_ERROR", "Cannot deserialize instance of string from START_OBJECT"),
        ({"Name": "x", "ParentId": "003000000000001"}, "MALFORMED_ID", "id value of incorrect type"),
        ({"Name": "x", "ParentId": "001000000000001"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ({"Name": "x", "CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "CreatedDate"),
    ],
)
def test_a_wrong_value_is_refused_in_salesforce_s_words(values: Any, code: str, words: str, caller: Caller) -> None:
    status, got, message = caller.refused("POST", f"{DATA}/sobjects/Account", values)
    assert (status, got) == (400, code)
    assert words in message
    assert caller.query("SELECT COUNT() FROM Account")["totalSize"] == 0


def test_a_body_that_is_no_json_and_an_object_that_is_none_are_refused(caller: Caller) -> None:
    assert caller.refused("POST", f"{DATA}/sobjects/Account", ["no"])[1] == "JSON_PARSER_ERROR"
    assert caller.refused("GET", f"{DATA}/sobjects/Nothing__c/describe")[:2] == (404, "NOT_FOUND")
    assert caller.refused("DELETE", f"{DATA}/sobjects")[:2] == (405, "METHOD_NOT_ALLOWED")


def test_nothing_was_looked_at_lately(caller: Caller) -> None:
    created(caller("POST", f"{DATA}/sobjects/Account", {"Name": "A"}))
    assert caller.get(f"{DATA}/recent") == []
    assert caller.get(f"{DATA}/sobjects/Account")["recentItems"] == []


def test_the_organization_record_has_what_release_tools_read(caller: Caller, china: OrgRecord) -> None:
    org = caller.get(f"{DATA}/sobjects/Organization/{china.id}")
    assert {key: org[key] for key in ("IsSandbox", "InstanceName", "NamespacePrefix", "TrialExpirationDate")} == {
        "IsSandbox": True,
        "InstanceName": "CHN3S",
        "NamespacePrefix": None,
        "TrialExpirationDate": None,
    }
    assert (org["OrganizationType"], org["LanguageLocaleKey"]) == ("Enterprise Edition", "zh_CN")


def test_what_was_deployed_is_described_and_queried(stores: None, caller: Caller) -> None:
    describe = caller.get(f"{DATA}/sobjects/store__c/describe")
    fields = {f["name"]: f for f in describe["fields"]}
    assert (fields["Code__c"]["type"], fields["Code__c"]["length"], fields["Code__c"]["externalId"]) == (
        "string",
        8,
        True,
    )
    assert fields["Account__c"]["referenceTo"] == ["Account"]
    assert [info["developerName"] for info in describe["recordTypeInfos"]] == ["City", "Master"]
    account = created(caller("POST", f"{DATA}/sobjects/Account", {"Name": "Parent"}))
    created(caller("POST", f"{DATA}/sobjects/Store__c", {"Name": "Bund", "Area__c": 12.5, "Account__c": account}))
    (row,) = caller.records("SELECT Name, Open__c, Area__c, Account__r.Name FROM Store__c")
    assert (row["Open__c"], row["Area__c"], row["Account__r"]["Name"]) == (True, 12.5, "Parent")
    (parent,) = caller.records("SELECT Id, (SELECT Name FROM Stores__r) FROM Account")
    assert parent["Stores__r"]["records"][0]["Name"] == "Bund"
    sharing = "SELECT InternalSharingModel FROM EntityDefinition WHERE QualifiedApiName = 'Store__c'"
    assert caller.records(sharing)[0]["InternalSharingModel"] == "Private"
    named = "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Store__c'"
    assert "Area__c" in {row["QualifiedApiName"] for row in caller.records(named)}


def test_an_external_id_upserts_and_a_unique_value_stays_so(stores: None, caller: Caller) -> None:
    url = f"{DATA}/sobjects/Store__c/Code__c/SH1"
    ident = created(caller("PATCH", url, {"Name": "one"}))
    again = caller("PATCH", url, {"Name": "two"})
    assert json.loads(again.body) == {"id": ident, "success": True, "errors": [], "created": False}
    assert caller.get(url)["Name"] == "two"
    status, code, message = caller.refused("POST", f"{DATA}/sobjects/Store__c", {"Name": "x", "Code__c": "sh1"})
    assert (status, code) == (400, "DUPLICATE_VALUE")
    assert ident in message


def test_a_long_answer_comes_in_batches(caller: Caller) -> None:
    for start in range(0, 450, 150):
        records = [{"attributes": {"type": "Account"}, "Name": f"{start + n:03}"} for n in range(150)]
        caller("POST", f"{DATA}/composite/sobjects", {"records": records})
    caller.headers["sforce-query-options"] = "batchSize=200"
    page = caller.query("SELECT Name FROM Account ORDER BY Name")
    names = [row["Name"] for row in page["records"]]
    assert (page["totalSize"], page["done"], len(names)) == (450, False, 200)
    while not page["done"]:
        page = caller.get(page["nextRecordsUrl"])
        names += [row["Name"] for row in page["records"]]
    assert names == [f"{n:03}" for n in range(450)]
    assert caller.refused("GET", f"{DATA}/query/01g000000000000AAA-200")[1] == "INVALID_QUERY_LOCATOR"


@pytest.mark.parametrize(("all_or_none", "kept"), [(False, 1), (True, 0)])
def test_a_collection_is_saved_each_for_itself_or_all_or_none(all_or_none: bool, kept: int, caller: Caller) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": "good"}, {"attributes": {"type": "Account"}}]
    response = caller("POST", f"{DATA}/composite/sobjects", {"allOrNone": all_or_none, "records": records})
    first, second = json.loads(response.body)
    assert (first["success"], second["success"]) == (not all_or_none, False)
    assert second["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert caller.query("SELECT COUNT() FROM Account")["totalSize"] == kept


def test_a_later_call_of_a_composite_uses_an_earlier_one(caller: Caller) -> None:
    calls = [
        {"method": "POST", "url": f"{DATA}/sobjects/Account", "referenceId": "a", "body": {"Name": "A"}},
        {
            "method": "POST",
            "url": f"{DATA}/sobjects/Contact",
            "referenceId": "c",
            "body": {"LastName": "C", "AccountId": "@{a.id}"},
        },
    ]
    answer = json.loads(caller("POST", f"{DATA}/composite", {"compositeRequest": calls}).body)["compositeResponse"]
    assert [result["httpStatusCode"] for result in answer] == [201, 201]
    assert caller.records("SELECT Account.Name FROM Contact")[0]["Account"]["Name"] == "A"
    broken = [calls[0], {**calls[1], "body": {}}]
    body = {"allOrNone": True, "compositeRequest": broken}
    answer = json.loads(caller("POST", f"{DATA}/composite", body).body)["compositeResponse"]
    assert [result["httpStatusCode"] for result in answer] == [400, 400]
    assert caller.query("SELECT COUNT() FROM Account")["totalSize"] == 1


def test_a_permission_set_that_was_deployed_is_assigned(
    deployed: Callable[..., None], caller: Caller, china: OrgRecord
) -> None:
    deployed(
        "PermissionSet",
        "China_Users",
        ("permissionsets/China_Users.permissionset", "<PermissionSet><label>China</label></PermissionSet>"),
    )
    (permission,) = caller.records("SELECT Id,Name FROM PermissionSet WHERE Name IN ('China_Users')")
    record = {
        "attributes": {"type": "PermissionSetAssignment"},
        "AssigneeId": china.users[0].id,
        "PermissionSetId": permission["Id"],
    }
    (result,) = json.loads(caller("POST", f"{DATA}/composite/sobjects", {"allOrNone": False, "records": [record]}).body)
    assert result["success"]
    (user,) = caller.records("SELECT Id,(SELECT PermissionSetId FROM PermissionSetAssignments) FROM User")
    assert user["PermissionSetAssignments"]["records"][0]["PermissionSetId"] == permission["Id"]


def test_custom_metadata_records_are_rows(deployed: Callable[..., None], caller: Caller) -> None:
    deployed(
        "CustomObject", "Route__mdt", ("objects/Route__mdt.object", "<CustomObject><label>Route</label></CustomObject>")
    )
    deployed(
        "CustomField",
        "Route__mdt.Url__c",
        ("objects/Route__mdt.object", "<fields><fullName>Url__c</fullName><type>Url</type></fields>"),
    )
    deployed(
        "CustomMetadata",
        "Route.Shanghai",
        (
            "customMetadata/Route.Shanghai.md",
            "<CustomMetadata><label>SH</label><values><field>Url__c</field><value>https://x.example</value></values></CustomMetadata>",
        ),
    )
    assert caller.records("SELECT DeveloperName, MasterLabel, Url__c FROM Route__mdt") == [
        {"DeveloperName": "Shanghai", "MasterLabel": "SH", "Url__c": "https://x.example"}
    ]
    assert caller.refused("POST", f"{DATA}/sobjects/Route__mdt", {})[1] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_an_unknown_resource_is_refused_and_lands_in_the_coverage_table(caller: Caller, world: World) -> None:
    for _ in range(2):
        assert caller.refused("GET", f"{DATA}/wave/dashboards")[:2] == (404, "NOT_FOUND")
    ((_, row),) = world.store.all("coverage")
    action = "GET /services/data/vXX.0/wave/dashboards"
    assert row == {"product": "Salesforce REST API", "version": "", "action": action, "calls": 2}


@pytest.mark.parametrize(
    "path", ["sobjects/Account/describe/layouts", "sobjects/Account/defaultValues", "composite/graph"]
)
def test_a_resource_that_only_salesforce_has_is_noted_too(path: str, caller: Caller, world: World) -> None:
    assert caller.refused("GET", f"{DATA}/{path}")[:2] == (404, "NOT_FOUND")
    ((_, row),) = world.store.all("coverage")
    assert row["action"] == f"GET /services/data/vXX.0/{path}"


def test_calls_of_a_batch_do_not_know_of_each_other(caller: Caller) -> None:
    calls = [
        {"method": "POST", "url": "v67.0/sobjects/Account", "richInput": {"Name": "A"}},
        {"method": "GET", "url": "v67.0/sobjects/Account/001000000000001"},
    ]
    answer = json.loads(caller("POST", f"{DATA}/composite/batch", {"batchRequests": calls}).body)
    assert [result["statusCode"] for result in answer["results"]] == [201, 404]
    assert answer["hasErrors"] is True
    assert caller.refused("POST", f"{DATA}/composite/batch", {"batchRequests": [1]})[1] == "JSON_PARSER_ERROR"
    too_many = {"batchRequests": calls * 13}
    assert caller.refused("POST", f"{DATA}/composite/batch", too_many)[1] == "INVALID_INPUT"


def test_without_a_session_nothing_but_the_version_list_is_answered(caller: Caller) -> None:
    anybody = Caller(caller.salesforce, CHINA)
    assert anybody("GET", "/services/data").status == 200
    for target in (f"{DATA}/sobjects", f"{DATA}/query?q=SELECT+Id+FROM+User", f"{DATA}/tooling/sobjects", DATA):
        assert anybody("GET", target).status == 401
