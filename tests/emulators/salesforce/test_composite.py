"""Several records or calls in one request: collections, trees and graphs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulated_org import cites
from tests.emulators.salesforce.salesforce_world import Caller

DATA = "/services/data/v67.0"
COMPOSITE = f"{DATA}/composite"
ABSENT = "001000000000001AAA"


@pytest.fixture
def codes(deployed: Callable[..., None]) -> None:
    """An external id of Account."""
    inner = "<label>Code</label><type>Text</type><length>8</length><externalId>true</externalId><unique>true</unique>"
    xml = f"<fields><fullName>Code__c</fullName>{inner}</fields>"
    deployed("CustomField", "Account.Code__c", ("objects/Account.object", xml))


def sent(caller: Caller, method: str, path: str, body: Any, status: int = 200) -> Any:
    response = caller(method, f"{COMPOSITE}{path}", body)
    assert response.status == status, response.body
    return json.loads(response.body)


def account(caller: Caller, name: str) -> str:
    response = caller("POST", f"{DATA}/sobjects/Account", {"Name": name})
    return str(json.loads(response.body)["id"])


def number(caller: Caller, source: str = "Account") -> int:
    return int(caller.query(f"SELECT COUNT() FROM {source}")["totalSize"])


@cites("sobject collections", "knowledge")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_records_are_read_by_their_ids_in_the_order_of_the_ids(method: str, caller: Caller) -> None:
    """Records of one type are read by their ids, in that order, with the fields asked for; an absent one is null."""
    one, two = account(caller, "One"), account(caller, "Two")
    wanted = [two[:15], ABSENT, one]
    query = f"?ids={','.join(wanted)}&fields=Name" if method == "GET" else ""
    body = {"ids": wanted, "fields": ["Name"]} if method == "POST" else None
    rows = sent(caller, method, f"/sobjects/Account{query}", body)
    assert [row and (row["Id"], row["Name"]) for row in rows] == [(two, "Two"), None, (one, "One")]
    assert set(rows[0]) == {"attributes", "Id", "Name"}
    unknown = caller.refused("POST", f"{COMPOSITE}/sobjects/Account", {"ids": [one], "fields": ["Nme"]})
    assert unknown[:2] == (400, "INVALID_FIELD")
    assert caller.refused("POST", f"{COMPOSITE}/sobjects/Account", {"ids": [one]})[:2] == (400, "MISSING_ARGUMENT")


@cites("sobject collections")
def test_records_are_upserted_by_an_external_id_each_alone_or_all_or_none(codes: None, caller: Caller) -> None:
    """Up to 200 records are upserted by an external id; each tells whether it was created; allOrNone takes all back."""
    path = "/sobjects/Account/Code__c"

    def record(code: str | None, **values: Any) -> dict[str, Any]:
        return {"attributes": {"type": "Account"}, "Code__c": code, **values}

    first = sent(caller, "PATCH", path, {"records": [record("A", Name="One"), record("B", Name="Two")]})
    assert [(row["success"], row["created"]) for row in first] == [(True, True), (True, True)]
    mixed = {"records": [record("A", Name="Changed"), record("C"), record(None, Name="x")]}
    again = sent(caller, "PATCH", path, mixed)
    assert [row["success"] for row in again] == [True, False, False]
    assert (again[0]["created"], again[0]["id"]) == (False, first[0]["id"])
    assert [row["errors"][0]["statusCode"] for row in again[1:]] == ["REQUIRED_FIELD_MISSING", "MISSING_ARGUMENT"]
    assert caller.records("SELECT Name FROM Account WHERE Code__c = 'A'") == [{"Name": "Changed"}]
    none = sent(caller, "PATCH", path, {"allOrNone": True, "records": [record("D", Name="Four"), record("E")]})
    assert [row["errors"][0]["statusCode"] for row in none] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert number(caller) == 2
    other = sent(caller, "PATCH", path, {"records": [{"attributes": {"type": "Contact"}, "Code__c": "F"}]})
    assert other[0]["errors"][0]["statusCode"] == "INVALID_TYPE"
    many = caller.refused("PATCH", f"{COMPOSITE}{path}", {"records": [record("x", Name="x")] * 201})
    assert many[:2] == (400, "EXCEEDED_MAX_SOBJECTS_IN_REQUEST")


def tree(*accounts: dict[str, Any]) -> dict[str, Any]:
    return {"records": list(accounts)}


def root(reference: str, *contacts: dict[str, Any], **values: Any) -> dict[str, Any]:
    nested = {"Contacts": {"records": list(contacts)}} if contacts else {}
    return {"attributes": {"type": "Account", "referenceId": reference}, **values, **nested}


def leaf(reference: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contact", "referenceId": reference}, **values}


@cites("sobject tree")
def test_a_tree_of_records_is_created_level_by_level(caller: Caller) -> None:
    """Trees of records are created level by level, children with their parents' ids; the answer maps references."""
    body = tree(root("r1", leaf("r2", LastName="Li"), leaf("r3", LastName="Wu"), Name="A"), root("r4", Name="B"))
    answer = sent(caller, "POST", "/tree/Account", body, 201)
    assert (answer["hasErrors"], [row["referenceId"] for row in answer["results"]]) == (False, ["r1", "r4", "r2", "r3"])
    ident = answer["results"][0]["id"]
    rows = caller.records("SELECT LastName, AccountId FROM Contact ORDER BY LastName")
    assert rows == [{"LastName": "Li", "AccountId": ident}, {"LastName": "Wu", "AccountId": ident}]


@cites("sobject tree")
def test_one_record_that_fails_takes_its_whole_tree_request_back(caller: Caller) -> None:
    """When one record of the trees fails none is created, and the answer holds that one only."""
    body = tree(root("r1", leaf("r2"), Name="A"))
    answer = sent(caller, "POST", "/tree/Account", body, 400)
    (failed,) = answer["results"]
    assert (answer["hasErrors"], failed["referenceId"]) == (True, "r2")
    assert failed["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    twice = sent(caller, "POST", "/tree/Account", tree(root("r1", Name="A"), root("r1", Name="B")), 400)
    assert [row["referenceId"] for row in twice["results"]] == ["r1", "r1"]
    assert number(caller) == number(caller, "Contact") == 0


@cites("sobject tree", "knowledge")
def test_trees_have_limits(caller: Caller) -> None:
    """A request has 200 records and five levels at most, and each record needs a reference and the right type."""
    many = tree(*(root(f"r{place}", Name="x") for place in range(201)))
    assert caller.refused("POST", f"{COMPOSITE}/tree/Account", many)[:2] == (400, "INVALID_INPUT")
    deep: dict[str, Any] = root("r6", Name="6")
    for level in range(5, 0, -1):
        deep = root(f"r{level}", Name=str(level)) | {"ChildAccounts": {"records": [deep]}}
    status, code, words = caller.refused("POST", f"{COMPOSITE}/tree/Account", tree(deep))
    assert (status, code) == (400, "INVALID_INPUT")
    assert "5 levels" in words
    for wrong in (leaf("r1", LastName="x"), {"Name": "x"}):
        assert caller.refused("POST", f"{COMPOSITE}/tree/Account", tree(wrong))[:2] == (400, "JSON_PARSER_ERROR")
    unknown = sent(caller, "POST", "/tree/Account", tree(root("r1", Name="x") | {"Nope": {"records": []}}), 400)
    assert unknown["results"][0]["errors"][0]["statusCode"] == "INVALID_FIELD"
    assert number(caller) == 0


def node(reference: str, name: str, **body: Any) -> dict[str, Any]:
    return {"url": f"{DATA}/sobjects/{name}", "method": "POST", "referenceId": reference, "body": body}


@cites("composite graph")
def test_each_graph_is_carried_out_whole_or_not_at_all(caller: Caller) -> None:
    """Each graph of a request is carried out whole or not at all, whatever becomes of the others."""
    good = [node("a", "Account", Name="G"), node("c", "Contact", LastName="L", AccountId="@{a.id}")]
    bad = [node("a", "Account", Name="H"), node("c", "Contact", AccountId="@{a.id}")]
    graphs = [{"graphId": "1", "compositeRequest": good}, {"graphId": "2", "compositeRequest": bad}]
    answer = sent(caller, "POST", "/graph", {"graphs": graphs})["graphs"]
    assert [(each["graphId"], each["isSuccessful"]) for each in answer] == [("1", True), ("2", False)]
    codes = [each["body"][0]["errorCode"] for each in answer[1]["graphResponse"]["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]
    assert caller.records("SELECT Account.Name FROM Contact")[0]["Account"]["Name"] == "G"
    assert number(caller) == 1


@cites("composite graph")
def test_graphs_are_of_records_up_to_500_and_since_api_version_50(caller: Caller) -> None:
    """Composite graphs exist since API version 50.0, have 500 nodes at most, and call records of objects only."""
    query = {"url": f"{DATA}/query?q=x", "method": "GET", "referenceId": "q"}
    one = {"graphs": [{"graphId": "1", "compositeRequest": [query]}]}
    assert caller.refused("POST", f"{COMPOSITE}/graph", one)[:2] == (400, "INVALID_INPUT")
    many = {"graphs": [{"graphId": "1", "compositeRequest": [node("a", "Account", Name="x")] * 251}] * 2}
    assert caller.refused("POST", f"{COMPOSITE}/graph", many)[:2] == (400, "INVALID_INPUT")
    assert caller.refused("POST", "/services/data/v49.0/composite/graph", one)[:2] == (404, "NOT_FOUND")
    assert number(caller) == 0
