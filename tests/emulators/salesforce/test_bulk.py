"""The Bulk API over its own library, as CumulusCI uses it; Bulk API Developer Guide, "JobInfo" and "BatchInfo"."""

from __future__ import annotations

import csv
import io

from salesforce_world import Caller

from emulators.http import Request, Response
from tests.emulated_org import cites

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


def test_what_the_bulk_api_lacks_is_a_clear_error(caller: Caller) -> None:
    refused = post(caller, "/job", JOB.format("hardDelete", "Account"))
    assert (refused.status, b"FeatureNotEnabled" in refused.body) == (400, True)
    assert b"InvalidEntity" in post(caller, "/job", JOB.format("insert", "Nothing")).body
    caller.token = "nonsense"
    assert b"InvalidSessionId" in post(caller, "/job", JOB.format("insert", "Account")).body
