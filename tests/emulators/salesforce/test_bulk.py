"""The Bulk API over its own library, as CumulusCI uses it; Bulk API Developer Guide, "JobInfo" and "BatchInfo"."""

from __future__ import annotations

import csv
import io

from salesforce_world import Caller

from emulators.http import Request, Response

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


def test_what_the_bulk_api_lacks_is_a_clear_error(caller: Caller) -> None:
    refused = post(caller, "/job", JOB.format("hardDelete", "Account"))
    assert (refused.status, b"FeatureNotEnabled" in refused.body) == (400, True)
    assert b"InvalidEntity" in post(caller, "/job", JOB.format("insert", "Nothing")).body
    caller.token = "nonsense"
    assert b"InvalidSessionId" in post(caller, "/job", JOB.format("insert", "Account")).body
