"""Bulk API 2.0: jobs that write a CSV file of records, and jobs that hold what a query found."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulators.http import Request, Response
from emulators.salesforce import bulk2
from tests.emulated_org import cites
from tests.emulators.salesforce.salesforce_world import Caller, Clock

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
INGEST, QUERY = "/services/data/v62.0/jobs/ingest", "/services/data/v62.0/jobs/query"


def created(caller: Caller, path: str = INGEST, **asked: Any) -> Any:
    response = caller("POST", path, asked)
    assert response.status == 200, response.body
    return json.loads(response.body)


def put(caller: Caller, ident: str, text: str) -> Response:
    headers = {"authorization": f"Bearer {caller.token}", "content-type": "text/csv"}
    target = f"{INGEST}/{ident}/batches"
    return caller.salesforce.handle(Request("PUT", caller.host, target, headers, text.encode()))


def closed(caller: Caller, text: str, **asked: Any) -> str:
    """Create a job, upload its data, close it, and return its id."""
    ident = str(created(caller, **{"object": "Account", "operation": "insert", **asked})["id"])
    assert put(caller, ident, text).status == 201
    assert json.loads(caller("PATCH", f"{INGEST}/{ident}", {"state": "UploadComplete"}).body)["id"] == ident
    return ident


def done(caller: Caller, clock: Clock, text: str, **asked: Any) -> Any:
    """Let a job run to its end, and return what the API tells of it."""
    ident = closed(caller, text, **asked)
    clock.seconds += 5
    return caller.get(f"{INGEST}/{ident}")


def rows(response: Response, delimiter: str = ",") -> list[dict[str, str]]:
    assert response.status == 200, response.body
    return list(csv.DictReader(io.StringIO(response.body.decode(), newline=""), delimiter=delimiter))


def results(caller: Caller, ident: str, what: str) -> list[dict[str, str]]:
    return rows(caller("GET", f"{INGEST}/{ident}/{what}"))


def names(caller: Caller) -> list[str]:
    return [row["Name"] for row in caller.records("SELECT Name FROM Account ORDER BY Name")]


@cites("bulk ingest")
def test_a_job_is_open_then_closed_then_at_work_then_complete(caller: Caller, clock: Clock) -> None:
    """An ingest job is Open, then UploadComplete, InProgress and JobComplete; then its records are there."""
    job = created(caller, object="Account", operation="insert")
    assert (job["state"], job["contentUrl"]) == ("Open", f"services/data/v62.0/jobs/ingest/{job['id']}/batches")
    assert job["id"].startswith("750")
    assert put(caller, job["id"], "Name\n上海\n").status == 201
    assert caller.get(f"{INGEST}/{job['id']}")["state"] == "Open"
    assert json.loads(caller("PATCH", f"{INGEST}/{job['id']}", {"state": "UploadComplete"}).body)["state"] == (
        "UploadComplete"
    )
    assert caller.refused("GET", f"{INGEST}/{job['id']}/successfulResults")[1] == "INVALIDJOBSTATE"
    seen = []
    for _ in range(6):
        seen.append((caller.get(f"{INGEST}/{job['id']}")["state"], names(caller)))
        clock.seconds += 0.1
    assert [state for n, (state, _) in enumerate(seen) if state not in [s for s, _ in seen[:n]]] == [
        "UploadComplete",
        "InProgress",
        "JobComplete",
    ]
    assert all(found == (["上海"] if state == "JobComplete" else []) for state, found in seen)
    told = caller.get(f"{INGEST}/{job['id']}")
    assert (told["jobType"], told["numberRecordsProcessed"], told["numberRecordsFailed"]) == ("V2Ingest", 1, 0)
    assert "contentUrl" not in told


def test_the_records_of_a_job_that_nobody_asks_about_are_there_when_they_are_due(caller: Caller, clock: Clock) -> None:
    closed(caller, "Name\nA\n")
    assert names(caller) == []
    clock.seconds += 5
    assert names(caller) == ["A"]


@cites("bulk results")
def test_successes_failures_and_the_unprocessed_are_told_apart(caller: Caller, clock: Clock) -> None:
    """successfulResults has sf__Created, failedResults sf__Error, both sf__Id and the data; bad rows stop no others."""
    job = done(caller, clock, 'Name,Phone\n"A, B",1\n,2\n')
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 2, 1)
    (good,) = results(caller, job["id"], "successfulResults")
    assert good["sf__Id"].startswith("001")
    assert {**good, "sf__Id": ""} == {"sf__Id": "", "sf__Created": "true", "Name": "A, B", "Phone": "1"}
    (bad,) = results(caller, job["id"], "failedResults")
    assert bad["sf__Error"].startswith("REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name")
    assert (bad["Name"], bad["Phone"]) == ("", "2")
    assert results(caller, job["id"], "unprocessedrecords") == []
    assert results(caller, job["id"], "unprocessedRecords") == []  # as simple-salesforce 1.12.10 spells it


@cites("bulk results")
@pytest.mark.parametrize("closed_first", [True, False])
def test_an_aborted_job_leaves_its_records_unprocessed(caller: Caller, clock: Clock, closed_first: bool) -> None:
    """An aborted job writes nothing; unprocessedrecords has its rows as they were sent."""
    ident = created(caller, object="Account", operation="insert")["id"]
    put(caller, ident, "Name\nA\nB\n")
    if closed_first:
        caller("PATCH", f"{INGEST}/{ident}", {"state": "UploadComplete"})
    assert json.loads(caller("PATCH", f"{INGEST}/{ident}", {"state": "Aborted"}).body)["state"] == "Aborted"
    clock.seconds += 5
    assert results(caller, ident, "unprocessedrecords") == [{"Name": "A"}, {"Name": "B"}]
    assert results(caller, ident, "successfulResults") == []
    assert names(caller) == []
    status, code, _ = caller.refused("PATCH", f"{INGEST}/{ident}", {"state": "UploadComplete"})
    assert (status, code) == (400, "INVALIDJOBSTATE")


@cites("bulk csv", "bulk answers")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Nmae\nA\n", "InvalidBatch : Field name not found : Nmae"),
        ("Name\r\nA\r\n", "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ("Name\nA,B\n", "InvalidBatch : Record 1 has 2 fields, the header 1"),
        (" \n", "ClientInputError : Unable to find any data to create batch"),
    ],
    ids=["column", "line ending", "cells", "nothing"],
)
def test_a_file_that_is_no_good_fails_the_whole_job(caller: Caller, clock: Clock, text: str, why: str) -> None:
    """An unknown column, other line ends than the job's, or an empty file fail the job; no row is processed."""
    job = done(caller, clock, text)
    assert (job["state"], job["errorMessage"], job["numberRecordsProcessed"]) == ("Failed", why, 0)
    assert names(caller) == []


@cites("bulk csv")
def test_delimiter_and_line_end_are_the_job_s(caller: Caller, clock: Clock) -> None:
    """columnDelimiter and lineEnding hold for the upload and for the results."""
    asked = {"columnDelimiter": "SEMICOLON", "lineEnding": "CRLF"}
    job = done(caller, clock, 'Name;Phone\r\n"A;B";1,2\r\n', **asked)
    response = caller("GET", f"{INGEST}/{job['id']}/successfulResults")
    assert b";" in response.body.partition(b"\r\n")[0]
    (good,) = rows(response, ";")
    assert (good["Name"], good["Phone"]) == ("A;B", "1,2")
    refused = caller.refused("POST", INGEST, {"object": "Account", "operation": "insert", "columnDelimiter": "#"})
    assert refused[:2] == (400, "INVALIDJOB")


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('\n\r",;|^`\t'), max_size=20)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(TEXTS.filter(lambda text: text not in ("", "#N/A")), TEXTS.filter(lambda text: text != "#N/A"))),
    st.sampled_from(sorted(DELIMITERS)),
    st.sampled_from(["LF", "CRLF"]),
)
def test_what_is_loaded_is_what_a_query_job_finds(
    caller: Caller, clock: Clock, sent: list[tuple[str, str]], delimiter: str, line_ending: str
) -> None:
    form: Any = {"delimiter": DELIMITERS[delimiter], "lineterminator": {"LF": "\n", "CRLF": "\r\n"}[line_ending]}
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, **form).writerows([("Name", "Phone"), *sent])
    asked = {"columnDelimiter": delimiter, "lineEnding": line_ending}
    job = done(caller, clock, text.getvalue(), **asked)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", len(sent), 0)
    response = caller("GET", f"{INGEST}/{job['id']}/successfulResults")
    ids = {row["sf__Id"] for row in rows(response, DELIMITERS[delimiter])}
    ident = created(caller, QUERY, operation="query", query="SELECT Id, Name, Phone FROM Account", **asked)["id"]
    clock.seconds += 5
    found = rows(caller("GET", f"{QUERY}/{ident}/results"), DELIMITERS[delimiter])
    assert sorted((row["Name"], row["Phone"]) for row in found if row["Id"] in ids) == sorted(sent)


@cites("bulk csv")
def test_an_empty_cell_changes_nothing_and_na_empties_the_field(caller: Caller, clock: Clock) -> None:
    """In an update an empty cell is ignored, and #N/A sets the field to null."""
    job = done(caller, clock, "Name,Phone,Website\nA,1,a.example\n")
    (row,) = results(caller, job["id"], "successfulResults")
    done(caller, clock, f"Id,Name,Phone,Website\n{row['sf__Id']},,#N/A,b.example\n", operation="update")
    (found,) = caller.records("SELECT Name, Phone, Website FROM Account")
    assert found == {"Name": "A", "Phone": None, "Website": "b.example"}


@cites("bulk csv")
def test_a_column_can_name_a_parent_by_its_key(caller: Caller, clock: Clock) -> None:
    """A column `Relationship.Field` finds the parent by an external id or its id; an absent parent fails the row."""
    (account,) = results(caller, done(caller, clock, "Name\nA\n")["id"], "successfulResults")
    text = f"LastName,Account.Id\nIn,{account['sf__Id']}\nOut,001000000000000AAA\n"
    job = done(caller, clock, text, object="Contact")
    (bad,) = results(caller, job["id"], "failedResults")
    assert bad["sf__Error"].startswith(
        "INVALID_FIELD:Foreign key external ID: 001000000000000AAA not found for field Id"
    )
    assert caller.records("SELECT LastName, AccountId FROM Contact") == [
        {"LastName": "In", "AccountId": account["sf__Id"]}
    ]
    job = done(caller, clock, "LastName,Account.Nmae\nIn,A\n", object="Contact")
    assert job["errorMessage"] == "InvalidBatch : Field name not found : Account.Nmae"


@cites("bulk ingest")
def test_records_are_upserted_and_deleted(caller: Caller, clock: Clock) -> None:
    """upsert needs externalIdFieldName, and tells what it created; delete takes ids; hardDelete needs a permission."""
    (first,) = results(caller, done(caller, clock, "Name\nA\n")["id"], "successfulResults")
    asked = {"operation": "upsert", "externalIdFieldName": "Id"}
    job = done(caller, clock, f"Id,Name\n{first['sf__Id']},Anew\n,B\n", **asked)
    assert sorted((row["Name"], row["sf__Created"]) for row in results(caller, job["id"], "successfulResults")) == [
        ("Anew", "false"),
        ("B", "true"),
    ]
    job = done(caller, clock, f"Id\n{first['sf__Id']}\n{first['sf__Id']}\n", operation="delete")
    (bad,) = results(caller, job["id"], "failedResults")
    assert (bad["sf__Id"], bad["sf__Error"][:17]) == (first["sf__Id"], "ENTITY_IS_DELETED")
    assert names(caller) == ["B"]
    for wrong, code in (
        ({"operation": "hardDelete"}, "FEATURENOTENABLED"),
        ({"operation": "upsert"}, "INVALIDJOB"),
        ({"operation": "upsert", "externalIdFieldName": "Phone"}, "INVALIDJOB"),
        ({"operation": "query"}, "INVALIDJOB"),
        ({"operation": "insert", "object": "Nothing"}, "INVALIDENTITY"),
        ({"operation": "insert", "contentType": "JSON"}, "INVALIDJOB"),
        ({"operation": "insert", "assignmentRuleId": "01Q000000000000"}, "INVALIDJOB"),
    ):
        assert caller.refused("POST", INGEST, {"object": "Account", **wrong})[:2] == (400, code)


@cites("bulk ingest", "bulk answers")
def test_data_is_uploaded_once_and_not_too_much_of_it(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job takes one upload, of 150 MB as base64 at most, and none when it is closed."""
    ident = created(caller, object="Account", operation="insert")["id"]
    monkeypatch.setattr(bulk2, "MOST_BYTES", 20)
    assert put(caller, ident, "Name\nA long enough name\n").status == 413
    assert put(caller, ident, "Name\nA\n").status == 201
    again = json.loads(put(caller, ident, "Name\nB\n").body)[0]
    assert again["message"].startswith(f"Found multiple contents for job: <{ident}>")
    caller("PATCH", f"{INGEST}/{ident}", {"state": "UploadComplete"})
    assert json.loads(put(caller, ident, "Name\nB\n").body)[0]["errorCode"] == "INVALIDJOBSTATE"
    assert caller.refused("PATCH", f"{INGEST}/{ident}", {"state": "UploadComplete"})[1] == "INVALIDJOBSTATE"


@cites("bulk delete")
def test_a_job_is_deleted_with_its_data_but_not_while_it_is_open(caller: Caller, clock: Clock) -> None:
    """A job is deleted once it is UploadComplete or over (204); one that was never carried out writes nothing."""
    ident = created(caller, object="Account", operation="insert")["id"]
    assert caller.refused("DELETE", f"{INGEST}/{ident}")[1] == "INVALIDJOBSTATE"
    put(caller, ident, "Name\nA\n")
    caller("PATCH", f"{INGEST}/{ident}", {"state": "UploadComplete"})
    assert caller("DELETE", f"{INGEST}/{ident}").status == 204
    clock.seconds += 5
    assert caller.refused("GET", f"{INGEST}/{ident}")[1] == "NOT_FOUND"
    assert names(caller) == []


@cites("bulk ingest")
def test_the_jobs_of_an_org_are_listed(caller: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """All jobs are listed, a thousand at a time, with nextRecordsUrl where there are more."""
    monkeypatch.setattr(bulk2, "LISTED", 2)
    made = [done(caller, clock, f"Name\n{n}\n")["id"] for n in range(3)]
    created(caller, QUERY, operation="query", query="SELECT Id FROM Account")
    first = caller.get(INGEST)
    assert (first["done"], [job["id"] for job in first["records"]]) == (False, made[:2])
    second = caller.get(first["nextRecordsUrl"])
    assert (second["done"], second["nextRecordsUrl"], [job["id"] for job in second["records"]]) == (
        True,
        None,
        made[2:],
    )


@cites("bulk query")
def test_a_query_job_gives_its_records_in_sets(caller: Caller, clock: Clock) -> None:
    """Results come as CSV in sets of maxRecords; Sforce-Locator leads to the next set, and is `null` after the last."""
    done(caller, clock, "Name\nA\nB\nC\n")
    job = created(
        caller, QUERY, operation="query", query="SELECT Owner.Username, Name, phone FROM Account ORDER BY Name"
    )
    assert (job["state"], job["object"]) == ("UploadComplete", "Account")
    path = f"{QUERY}/{job['id']}"
    assert caller.refused("GET", f"{path}/results")[1] == "INVALIDJOBSTATE"
    clock.seconds += 5
    told = caller.get(path)
    assert (told["state"], told["jobType"], told["numberRecordsProcessed"]) == ("JobComplete", "V2Query", 3)
    first = caller("GET", f"{path}/results?maxRecords=2")
    assert first.headers["Sforce-NumberOfRecords"] == "2"
    second = caller("GET", f"{path}/results?locator={first.headers['Sforce-Locator']}&maxRecords=2")
    assert (second.headers["Sforce-NumberOfRecords"], second.headers["Sforce-Locator"]) == ("1", "null")
    found = rows(first) + rows(second)
    assert [row["Name"] for row in found] == ["A", "B", "C"]
    assert list(found[0]) == ["Owner.Username", "Name", "Phone"]
    assert found[0]["Owner.Username"].startswith("release.runner")


@cites("bulk query")
def test_columns_come_as_asked_for_from_api_version_50_and_sorted_before(caller: Caller, clock: Clock) -> None:
    """From API version 50.0 the columns come in the query's order, before that in the alphabet's, also without rows."""
    for version, header in (("49.0", b'"Id","Name"\n'), ("50.0", b'"Name","Id"\n')):
        path = QUERY.replace("62.0", version)
        ident = created(caller, path, operation="query", query="SELECT Name, Id FROM Account")["id"]
        clock.seconds += 5
        assert caller("GET", f"{path}/{ident}/results").body == header


@cites("bulk query")
def test_results_are_got_with_the_api_version_of_the_job(caller: Caller, clock: Clock) -> None:
    """Another API version than the job's is refused with 409. Query jobs exist since 47.0, ingest jobs since 41.0."""
    ident = created(caller, QUERY, operation="query", query="SELECT Id FROM Account")["id"]
    clock.seconds += 5
    assert caller.refused("GET", f"{QUERY.replace('62.0', '61.0')}/{ident}/results")[0] == 409
    for path, version in ((QUERY, "46.0"), (INGEST, "40.0")):
        assert caller.refused("GET", path.replace("62.0", version))[:2] == (404, "NOT_FOUND")


@cites("bulk query", "bulk answers")
@pytest.mark.parametrize(
    "soql",
    [
        "SELECT COUNT(Id) FROM Account",
        "SELECT COUNT() FROM Account",
        "SELECT Name FROM Account GROUP BY Name",
        "SELECT Id FROM Account OFFSET 5",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
    ],
)
def test_what_a_bulk_query_cannot_do_is_refused_at_once(caller: Caller, soql: str) -> None:
    """A query with GROUP BY, OFFSET, an aggregate function or a sub-select of children is refused."""
    status, code, message = caller.refused("POST", QUERY, {"operation": "query", "query": soql})
    assert (status, code) == (400, "API_ERROR")
    assert message == "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"


def test_a_query_that_is_none_is_refused_in_the_words_of_soql(caller: Caller) -> None:
    for soql, wanted in (("SELECT", "MALFORMED_QUERY"), ("SELECT Nmae FROM Account", "INVALID_FIELD")):
        assert caller.refused("POST", QUERY, {"operation": "query", "query": soql})[1] == wanted


@cites("bulk query")
def test_query_all_finds_deleted_records_too(caller: Caller, clock: Clock) -> None:
    """The operation queryAll also finds records that are in the recycle bin."""
    (row,) = results(caller, done(caller, clock, "Name\nA\n")["id"], "successfulResults")
    done(caller, clock, f"Id\n{row['sf__Id']}\n", operation="delete")
    for operation, wanted in (("query", []), ("queryAll", ["A"])):
        ident = created(caller, QUERY, operation=operation, query="SELECT Name FROM Account")["id"]
        clock.seconds += 5
        assert [each["Name"] for each in rows(caller("GET", f"{QUERY}/{ident}/results"))] == wanted


def test_a_job_of_another_kind_or_org_is_not_found(caller: Caller) -> None:
    ident = created(caller, QUERY, operation="query", query="SELECT Id FROM Account")["id"]
    assert caller.refused("GET", f"{INGEST}/{ident}")[:2] == (404, "NOT_FOUND")
    assert caller.refused("GET", f"{QUERY}/{ident}/results?locator=%25")[1] == "INVALIDJOBSTATE"
