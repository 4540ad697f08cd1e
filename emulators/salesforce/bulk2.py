"""Bulk API 2.0 (`/services/data/vXX.0/jobs`): jobs that write a CSV file of records, or hold what a query found.

Source: Bulk API 2.0 and Bulk API Developer Guide, "Create a Job", "Upload Job Data", "Upload Complete", "Get
Information About an Ingest Job", "Get Job Successful Record Results" (and those after it), "Abort a Job", "Delete a
Job", "Create a Query Job", "Get Results for a Query Job", "Job States" (excerpts of 62.0 to 68.0 read 2026-11-22).
Error codes are the guide's ("Errors") in capitals, as @salesforce/plugin-data reads them; their words: issue threads
that quote them, else from knowledge.

A job is kept as a document, and nothing runs in the background: `advance` lets the jobs of an org catch up with the
clock, before every call of its REST API.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

from emulators.http import Response
from emulators.salesforce import errors, ids
from emulators.salesforce.bulk_rows import BadBatch, csv_text, query_rows, read_rows, write_rows
from emulators.salesforce.catalog import stamp
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError, UnknownResource
from emulators.salesforce.orgs import OrgRecord
from emulators.salesforce.refusals import refused
from emulators.salesforce.schema import ObjectType
from emulators.salesforce.soql import parse
from emulators.store import Document, Store

_SINCE = {"ingest": 41, "query": 47}  # API versions; "Understanding Bulk API 2.0 Ingest", "… Query"
_OPERATIONS = {"ingest": ("insert", "update", "upsert", "delete"), "query": ("query", "queryAll")}
_TYPES = {"ingest": "V2Ingest", "query": "V2Query"}
_DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
_LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
# Clients spell the last one as the guide does, or as the others are.
_RESULTS = _SUCCESSFUL, _, _UNPROCESSED = "successfulresults", "failedresults", "unprocessedrecords"
_MULTIPART = "multipart/form-data"
_QUERY = "Bulk V2 Query with CSV content type"
_OVER = ("JobComplete", "Failed", "Aborted")

# How long a job seems to take, in seconds: short, yet long enough that it is seen to wait and to be at work.
QUEUED_SECONDS = 0.2
WORK_SECONDS = 0.2

MOST_BYTES = 150 * 1024 * 1024  # of the upload as base64; "Upload Job Data"
LISTED = 1000  # jobs a request; "Get Information About All Ingest Jobs"
_PAGE = 50_000  # records of a query's results, where the client doesn't say; the emulator's own figure


def advance(ctx: Context) -> None:
    """Carry out the jobs of the org whose time has come, each as the user who created it."""
    store, now = ctx.world.store, ctx.world.now()
    for ident, waiting in store.all(_waiting(ctx.org)):
        starts = waiting["queued"] + QUEUED_SECONDS
        if now < starts:
            continue
        job = store.get(_kind(ctx.org), ident)
        assert job is not None
        if now < starts + WORK_SECONDS:
            _keep(store, ctx.org, job | {"state": "InProgress"})
            continue
        user = replace(ctx.session, user_id=job["created_by"], username=job["created_by_name"])
        _Jobs(replace(ctx, session=user, version=job["version"], api="data"), job["api"]).carry_out(job)


def handle(ctx: Context, path: list[str]) -> Response:
    """Answer a call below `jobs/ingest` or `jobs/query`. Raises `RestError`."""
    api, *rest = path or [""]
    if api not in _SINCE or ctx.version < _SINCE[api]:
        raise UnknownResource
    jobs = _Jobs(ctx, api)
    match (ctx.method, rest):
        case ("POST", []):
            return jobs.create()
        case ("GET", []):
            return jobs.all()
        case ("GET", [ident]):
            return jobs.show(ident)
        case ("PATCH", [ident]):
            return jobs.change(ident)
        case ("DELETE", [ident]):
            return jobs.delete(ident)
        case ("PUT", [ident, "batches"]) if api == "ingest":
            return jobs.upload(ident)
        case ("GET", [ident, what]) if api == "ingest" and what.lower() in _RESULTS:
            return jobs.results(ident, what.lower())
        case ("GET", [ident, "results"]) if api == "query":
            return jobs.found(ident)
        case ("GET", [_, "resultPages"]) if api == "query":
            raise UnknownResource(_left_out("resultPages"))
    raise UnknownResource


class _Jobs:
    """The jobs of one org of one kind (`ingest` or `query`), for one call."""

    def __init__(self, ctx: Context, api: str) -> None:
        self._ctx, self._api, self._store = ctx, api, ctx.world.store

    def create(self) -> Response:
        if self._ctx.request.headers.get("content-type", "").startswith(_MULTIPART):
            raise RestError(400, "INVALIDJOB", _left_out(_MULTIPART))
        asked = self._ctx.json_object()
        operation = str(asked.get("operation", ""))
        if operation == "hardDelete" and self._api == "ingest":
            why = "hardDelete operation requires special user profile permission, please contact your administrator"
            raise RestError(400, "FEATURENOTENABLED", why)
        if operation not in _OPERATIONS[self._api]:
            raise RestError(400, "INVALIDJOB", f"Unknown operation: {operation}")
        if asked.get("assignmentRuleId"):
            raise RestError(400, "INVALIDJOB", _left_out("assignmentRuleId"))
        delimiter = _one_of(asked, "columnDelimiter", _DELIMITERS, "COMMA")
        line_ending = _one_of(asked, "lineEnding", _LINE_ENDINGS, "LF")
        _one_of(asked, "contentType", {"CSV": ""}, "CSV")
        now, store = self._ctx.world.now(), self._store
        job: Document = {
            "id": ids.numbered("750", store.next("salesforce.bulk.job")),
            "api": self._api,
            "operation": operation,
            "state": "Open",
            "created": now,
            "modified": now,
            "created_by": self._ctx.session.user_id,
            "created_by_name": self._ctx.session.username,
            "version": self._ctx.version,
            "delimiter": delimiter,
            "line_ending": line_ending,
            "processed": 0,
            "failed": 0,
            **(self._written(asked, operation) if self._api == "ingest" else self._asked(asked)),
        }
        if self._api == "query":
            job = self._queue(job)
        _keep(store, self._ctx.org, job)
        return Response.of_json(self._short(job))

    def all(self) -> Response:
        """Answer all jobs, a thousand at a time. Those of Bulk API 1.0 are not listed."""
        kind = self._ctx.request.query.get("jobType", _TYPES[self._api])
        found = [job for _, job in self._store.all(_kind(self._ctx.org)) if _TYPES[job["api"]] == kind]
        start = _offset(self._ctx.request.query.get("queryLocator", ""))
        page, end = found[start : start + LISTED], start + LISTED
        more = f"{self._ctx.base}/jobs/{self._api}?queryLocator={_locator(end)}" if end < len(found) else None
        return Response.of_json(
            {"done": more is None, "nextRecordsUrl": more, "records": [self._shown(job) for job in page]}
        )

    def show(self, ident: str) -> Response:
        return Response.of_json(self._shown(self._job(ident)))

    def upload(self, ident: str) -> Response:
        job, body = self._job(ident), self._ctx.request.body
        if job["state"] != "Open":
            raise _wrong_state(f"Job is {job['state']}: no data can be added")
        if "data" in job:
            why = (
                f"Found multiple contents for job: <{job['id']}>, please 'Close' / 'Abort' / 'Delete' the current Job "
                "then create a new Job and make sure you only do 'PUT' once on a given Job."
            )
            raise RestError(400, "CLIENTINPUTERROR", why)
        if len(body) * 4 // 3 > MOST_BYTES:
            raise RestError(413, "CLIENTINPUTERROR", "The job data is larger than 150 MB as base64")
        _keep(self._store, self._ctx.org, job | {"data": self._store.put_blob(body)})
        return Response(201)

    def change(self, ident: str) -> Response:
        """Close an ingest job, or abort a job."""
        job, state = self._job(ident), str(self._ctx.json_object().get("state", ""))
        if state not in (("UploadComplete", "Aborted") if self._api == "ingest" else ("Aborted",)):
            raise _wrong_state(f"A job cannot be set to {state or 'no state'}")
        if job["state"] in _OVER:
            done = "Closing" if state == "UploadComplete" else "Aborting"
            over = "Completed" if job["state"] == "JobComplete" else job["state"]
            raise _wrong_state(f"{done} already {over} Job not allowed")
        if state == "Aborted":
            self._store.delete(_waiting(self._ctx.org), job["id"])
            job |= {"state": "Aborted", "modified": self._ctx.world.now()}
        elif job["state"] == "Open":
            job = self._queue(job)
        else:
            raise _wrong_state("Closing already Closed Job not allowed")
        _keep(self._store, self._ctx.org, job)
        return Response.of_json(self._short(job))

    def delete(self, ident: str) -> Response:
        job = self._job(ident)
        if job["state"] not in ("UploadComplete", *_OVER):
            raise _wrong_state(f"A job whose state is {job['state']} cannot be deleted")
        self._store.delete(_waiting(self._ctx.org), job["id"])
        self._store.delete(_kind(self._ctx.org), job["id"])
        return Response(204)

    def results(self, ident: str, what: str) -> Response:
        """Answer what became of the rows: those that succeeded, failed, or were not processed."""
        job = self._job(ident)
        if job["state"] not in _OVER:
            raise _wrong_state(f"Job is {job['state']}: it has no results yet")
        header, done, left = self._outcome(job)
        if what == _UNPROCESSED:
            return self._csv(job, [header, *left])
        good = what == _SUCCESSFUL
        told = "sf__Created" if good else "sf__Error"
        # Each row: the id, whether it was created, what was wrong, and the cells as they were sent.
        rows = [[row[0], row[1] if good else row[2], *row[3:]] for row in done if good == (not row[2])]
        return self._csv(job, [["sf__Id", told, *header], *rows])

    def found(self, ident: str) -> Response:
        """Answer a set of a query's records; `Sforce-Locator` is where the next begins, `null` after the last."""
        job, query = self._job(ident), self._ctx.request.query
        if job["state"] != "JobComplete":
            raise _wrong_state(f"Job is {job['state']}: it has no results")
        if job["version"] != self._ctx.version:
            why = f"The job was created with API version {job['version']}.0: get its results with the same"
            raise RestError(409, "INVALIDVERSION", why)
        header, *rows = json.loads(self._store.blob(job["results"]))
        start, most = _offset(query.get("locator", "")), query.get("maxRecords", "")
        end = start + (int(most) if most.isdigit() and int(most) else _PAGE)
        page = rows[start:end]
        answer = self._csv(job, [header, *page])
        told = {
            "Sforce-NumberOfRecords": str(len(page)),
            "Sforce-Locator": _locator(end) if end < len(rows) else "null",
        }
        return replace(answer, headers={**answer.headers, **told})

    def carry_out(self, job: Document) -> None:
        """Do what a job was created for, and store what came of it."""
        job["modified"] = self._ctx.world.now()
        try:
            outcome = self._write(job) if self._api == "ingest" else self._query(job)
        except BadBatch as bad:
            outcome = {"state": "Failed", "error": f"InvalidBatch : {bad}"}
        except RestError as bad:
            outcome = {"state": "Failed", "error": f"{bad.code} : {bad.message}"}
        _keep(self._store, self._ctx.org, job | outcome)
        self._store.delete(_waiting(self._ctx.org), job["id"])

    def _write(self, job: Document) -> Document:
        text = self._store.blob(job["data"]).decode("utf-8-sig", "replace") if "data" in job else ""
        if not text.strip():
            raise RestError(400, "ClientInputError", "Unable to find any data to create batch")
        first, newline, _ = text.partition("\n")
        if newline and first.endswith("\r") != (job["line_ending"] == "CRLF"):
            why = f"LineEnding is invalid on user data. Current LineEnding setting is {job['line_ending']}"
            raise RestError(400, "ClientInputError", why)
        header, rows = read_rows(text, _DELIMITERS[job["delimiter"]])
        obj = self._ctx.object(job["object"])
        written = list(write_rows(self._ctx, obj, job["operation"], job["external_id"], header, rows))
        done = [
            [each.id, str(each.created).lower(), each.error, *(each.row.get(name, "") for name in header)]
            for each in written
        ]
        return {
            "state": "JobComplete",
            "processed": len(written),
            "failed": sum(bool(each.error) for each in written),
            "results": self._store.put_blob(json.dumps([header, *done]).encode()),
        }

    def _query(self, job: Document) -> Document:
        header, rows = query_rows(self._ctx, job["query"], deleted=job["operation"] == "queryAll", api=_QUERY)
        results = self._store.put_blob(json.dumps([header, *rows]).encode())
        return {"state": "JobComplete", "processed": len(rows), "results": results}

    def _outcome(self, job: Document) -> tuple[list[str], list[list[str]], list[list[str]]]:
        """Return header, processed rows and unprocessed rows of an ingest job that is over."""
        if "results" in job:
            header, *done = json.loads(self._store.blob(job["results"]))
            return header, done, []
        text = self._store.blob(job["data"]).decode("utf-8-sig", "replace") if "data" in job else ""
        try:
            header, rows = read_rows(text, _DELIMITERS[job["delimiter"]])
        except BadBatch:
            return [], [], []
        return header, [], [[row.get(name, "") for name in header] for row in rows]

    def _written(self, asked: dict[str, Any], operation: str) -> Document:
        name, key = str(asked.get("object", "")), str(asked.get("externalIdFieldName") or "")
        obj = self._ctx.schema.object(name)
        if obj is None:
            raise RestError(400, "INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.")
        if operation == "upsert":
            _check_key(obj, key)
        return {"object": obj.name, "external_id": key}

    def _asked(self, asked: dict[str, Any]) -> Document:
        soql = str(asked.get("query", ""))
        query_rows(self._ctx, soql, deleted=False, api=_QUERY)  # refuses at once what the job could never do
        obj = self._ctx.object(parse(soql).source)
        return {"object": obj.name, "query": soql}

    def _queue(self, job: Document) -> Document:
        now = self._ctx.world.now()
        self._store.put(_waiting(self._ctx.org), job["id"], {"queued": now})
        return job | {"state": "UploadComplete", "modified": now}

    def _job(self, ident: str) -> Document:
        job = self._store.get(_kind(self._ctx.org), ids.normal(ident) or ident)
        if job is None or job["api"] != self._api:
            raise errors.not_found()
        return job

    def _csv(self, job: Document, rows: list[list[str]]) -> Response:
        text = csv_text(rows, _DELIMITERS[job["delimiter"]], _LINE_ENDINGS[job["line_ending"]])
        return Response(200, text.encode(), {"Content-Type": "text/csv;charset=UTF-8"})

    def _short(self, job: Document) -> dict[str, Any]:
        """Return a job as it is answered when it is created or changed."""
        url = f"{self._ctx.base}/jobs/ingest/{job['id']}/batches".lstrip("/")
        values = {
            "id": job["id"],
            "operation": job["operation"],
            "object": job["object"],
            "createdById": job["created_by"],
            "createdDate": stamp(job["created"]),
            "systemModstamp": stamp(job["modified"]),
            "state": job["state"],
            "externalIdFieldName": job.get("external_id") or None,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job["version"]),
            "contentUrl": url if self._api == "ingest" and job["state"] == "Open" else None,
            "lineEnding": job["line_ending"],
            "columnDelimiter": job["delimiter"],
        }
        return {name: value for name, value in values.items() if value is not None}

    def _shown(self, job: Document) -> dict[str, Any]:
        """Return a job as it is answered when it is asked for."""
        answer = self._short(job) | {"jobType": _TYPES[job["api"]], "numberRecordsProcessed": job["processed"]}
        if self._api == "ingest":
            answer |= {"numberRecordsFailed": job["failed"], "apiActiveProcessingTime": 0, "apexProcessingTime": 0}
        answer |= {
            "retries": 0,
            "totalProcessingTime": int(WORK_SECONDS * 1000) if job["state"] == "JobComplete" else 0,
        }
        return answer | ({"errorMessage": job["error"]} if "error" in job else {})


def _kind(org: OrgRecord) -> str:
    return f"salesforce.bulk2.job.{org.id}"


def _waiting(org: OrgRecord) -> str:
    """Return the kind of the documents that name the jobs to be done: few, where jobs may be many."""
    return f"salesforce.bulk2.waiting.{org.id}"


def _keep(store: Store, org: OrgRecord, job: Document) -> None:
    store.put(_kind(org), job["id"], job)


def _check_key(obj: ObjectType, name: str) -> None:
    if not name:
        why = "External ID was blank for upsert operation. An External ID must be given."
        raise RestError(400, "INVALIDJOB", why)
    field = obj.field(name)
    if field is None or not (field.external_id or field.type == "id"):
        why = (
            f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for {obj.name}"
        )
        raise RestError(400, "INVALIDJOB", why)


def _one_of(asked: dict[str, Any], name: str, known: dict[str, str], default: str) -> str:
    value = str(asked.get(name) or default)
    if value not in known:
        raise RestError(400, "INVALIDJOB", f"{name} is {value}, not one of {', '.join(known)}")
    return value


def _left_out(name: str) -> str:
    known = refused("bulk", name)
    assert known is not None
    return known.message


def _wrong_state(why: str) -> RestError:
    return RestError(400, "INVALIDJOBSTATE", why)


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str) -> int:
    if not locator:
        return 0
    try:
        return int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except ValueError:
        raise RestError(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from None
