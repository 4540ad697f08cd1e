"""The Bulk API over its own library, as CumulusCI uses it; Bulk API Developer Guide, "JobInfo" and "BatchInfo"."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from emulators.http import Request, Response
from tests.emulated_org import cites
from tests.emulators.salesforce.salesforce_world import Caller

JOB = "<jobInfo><operation>{}</operation><object>{}</object><contentType>CSV</contentType></jobInfo>"


def post(caller: Caller, path: str, body: str) -> Response:
    headers = {"x-sfdc-session": caller.token}
    return caller.salesforce.handle(Request("POST", caller.host, f"/services/async/62.0{path}", headers, body.encode()))


def ident(response: Response) -> str:
    assert response.status == 201, response.body
    return response.body.decode().partition("<id>")[2].partition("</id>")[0]


def test_records_are_written_row_by_row_and_found_by_a_query(caller: Caller) -> None:
    job = ident(post(caller, "/job", JOB.format("insert", "Account")))
    batch = ident(post(caller, f"/job/{job}/batch", 'Name,Phone\n"上海, A",1\n,2\n'))
    result = caller("GET", f"/services/async/62.0/job/{job}/batch/{batch}/result").body.decode()
    rows = list(csv.DictReader(io.StringIO(result)))
    assert [row["Success"] for row in rows] == ["true", "false"]
    assert rows[1]["Error"].startswith("REQUIRED_FIELD_MISSING")
    job = ident(post(caller, "/job", JOB.format("query", "Account")))
    batch = ident(post(caller, f"/job/{job}/batch", "SELECT Name, Owner.Username FROM Account"))
    listed = caller("GET", f"/services/async/62.0/job/{job}/batch/{batch}/result").body.decode()
    result_id = listed.partition("<result>")[2].partition("</result>")[0]
    found = caller("GET", f"/services/async/62.0/job/{job}/batch/{batch}/result/{result_id}").body.decode()
    assert [row["Name"] for row in csv.DictReader(io.StringIO(found))] == ["上海, A"]


@cites("bulk answers")
def test_a_batch_with_an_unknown_column_or_a_query_of_children_fails_whole(caller: Caller) -> None:
    """A batch with a column that the object lacks fails whole, as does a query with GROUP BY or a sub-select."""
    for operation, body, why in (
        ("insert", "Nmae\nA\n", "InvalidBatch : Field name not found : Nmae"),
        ("query", "SELECT Id, (SELECT Id FROM Contacts) FROM Account", "Aggregate Relationships not supported in Bulk"),
    ):
        job = ident(post(caller, "/job", JOB.format(operation, "Account")))
        answer = post(caller, f"/job/{job}/batch", body).body.decode()
        assert "<state>Failed</state>" in answer
        assert why in answer


def test_a_query_through_a_parent_that_is_not_there_has_its_column_all_the_same(caller: Caller) -> None:
    job = ident(post(caller, "/job", JOB.format("insert", "Contact")))
    post(caller, f"/job/{job}/batch", "LastName\nAlone\n")
    job = ident(post(caller, "/job", JOB.format("query", "Contact")))
    batch = ident(post(caller, f"/job/{job}/batch", "SELECT Account.Name, LastName FROM Contact"))
    path = f"/services/async/62.0/job/{job}/batch/{batch}/result"
    result_id = caller("GET", path).body.decode().partition("<result>")[2].partition("</result>")[0]
    found = caller("GET", f"{path}/{result_id}").body.decode()
    assert list(csv.DictReader(io.StringIO(found))) == [{"Account.Name": "", "LastName": "Alone"}]


def in_json(caller: Caller, path: str, body: Any) -> Any:
    headers = {"x-sfdc-session": caller.token, "content-type": "application/json"}
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    response = caller.salesforce.handle(
        Request("GET" if body == "" else "POST", caller.host, f"/services/async/62.0{path}", headers, data)
    )
    return json.loads(response.body)


def loaded(caller: Caller, operation: str, name: str, body: Any, **more: Any) -> Any:
    """Load a batch in JSON, as simple-salesforce does, and return its result."""
    asked = {"operation": operation, "object": name, "concurrencyMode": 0, "contentType": "JSON", **more}
    job = in_json(caller, "/job", asked)
    batch = in_json(caller, f"/job/{job['id']}/batch", body)
    assert in_json(caller, f"/job/{job['id']}", {"state": "Closed"})["state"] == "Closed"
    assert in_json(caller, f"/job/{job['id']}/batch", "")["batchInfo"] == [batch]
    assert (job["concurrencyMode"], job["contentType"]) == ("Parallel", "JSON")
    if batch["state"] == "Failed":
        return batch["stateMessage"]
    result = f"/job/{job['id']}/batch/{batch['id']}/result"
    answer = in_json(caller, result, "")
    return in_json(caller, f"{result}/{answer[0]}", "") if operation.startswith("query") else answer


@cites("knowledge")
def test_records_are_loaded_and_queried_in_json_too(caller: Caller) -> None:
    """A job whose content type is JSON takes records with typed values, and answers in JSON."""
    done = loaded(
        caller, "insert", "Account", [{"Name": "上海", "NumberOfEmployees": 3, "Phone": None}, {"Phone": "2"}]
    )
    assert [(row["success"], row["created"], len(row["errors"])) for row in done] == [
        (True, True, 0),
        (False, False, 1),
    ]
    assert (done[1]["id"], done[1]["errors"][0]["statusCode"]) == (None, "REQUIRED_FIELD_MISSING")
    (row,) = loaded(caller, "query", "Account", "SELECT Id, Name, NumberOfEmployees FROM Account")
    assert (row["Id"], row["Name"], row["NumberOfEmployees"]) == (done[0]["id"], "上海", 3)
    again = loaded(caller, "upsert", "Account", [{"Id": row["Id"], "Name": "京"}], externalIdFieldName="Id")
    assert [(each["success"], each["created"]) for each in again] == [(True, False)]
    child = loaded(caller, "insert", "Contact", [{"LastName": "Li", "Account": {"Id": row["Id"]}}])
    assert child[0]["success"]
    assert caller.records("SELECT Account.Name FROM Contact")[0]["Account"]["Name"] == "京"
    assert loaded(caller, "delete", "Account", [{"Id": row["Id"]}])[0]["success"]
    assert caller.query("SELECT COUNT() FROM Account")["totalSize"] == 0


@cites("bulk answers", "knowledge")
def test_a_batch_of_json_with_an_unknown_field_fails_whole(caller: Caller) -> None:
    """A batch of JSON with a field that the object lacks, or that is no list of records, fails whole."""
    assert loaded(caller, "insert", "Account", [{"Name": "A"}, {"Nmae": "B"}]).endswith("Field name not found : Nmae")
    for body in ("[", {"Name": "A"}):
        assert "Records not processed" in loaded(caller, "insert", "Account", body)
    assert caller.query("SELECT COUNT() FROM Account")["totalSize"] == 0
    refused = in_json(caller, "/job", {"operation": "insert", "object": "Nothing"})
    assert refused["exceptionCode"] == "InvalidEntity"


def test_what_the_bulk_api_lacks_is_a_clear_error(caller: Caller) -> None:
    refused = post(caller, "/job", JOB.format("hardDelete", "Account"))
    assert (refused.status, b"FeatureNotEnabled" in refused.body) == (400, True)
    assert b"InvalidEntity" in post(caller, "/job", JOB.format("insert", "Nothing")).body
    as_xml = post(caller, "/job", JOB.format("insert", "Account").replace("CSV", "XML"))
    assert (as_xml.status, b"takes CSV and JSON, not XML" in as_xml.body) == (400, True)
    caller.token = "nonsense"
    assert b"InvalidSessionId" in post(caller, "/job", JOB.format("insert", "Account")).body
