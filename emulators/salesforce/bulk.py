"""The Bulk API (1.0, `/services/async`): jobs and batches of records, in CSV or JSON.

Source: Bulk API Developer Guide (legacy 1.0), "JobInfo", "BatchInfo", "Get Batch Results", "Errors" (from knowledge,
2026-11-22). A batch is worked off in the call that brings it; Salesforce queues it for a moment.
"""

from __future__ import annotations

import json
import re
from typing import Any

from emulators.coverage import note_action
from emulators.http import Request, Response
from emulators.salesforce import ids
from emulators.salesforce.bulk_forms import answer, answer_list, job_info, result_list, speaks_json
from emulators.salesforce.bulk_rows import BadBatch, csv_text, query_rows, read_rows, write_records, write_rows
from emulators.salesforce.catalog import stamp
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError
from emulators.salesforce.orgs import OrgRecord, Session
from emulators.service import World
from emulators.store import Document

PRODUCT = "Salesforce Bulk API"
"""What the API goes by in the list of what is asked for and what is emulated."""

OPERATIONS = ("insert", "update", "upsert", "delete", "query", "queryAll")

_PATH = re.compile(r"/services/async/(\d{1,3})\.0/job(?:/(.*))?")
_MOST_RECORDS = 10_000  # of a batch; Bulk API Developer Guide, "Bulk API Limits"


class _BulkError(Exception):
    """A call was refused; answered as `<error>` with an exception code of the Bulk API."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Bulk:
    """The Bulk API of all orgs of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handle(self, org: OrgRecord, request: Request, session: Session | None) -> Response:
        """Answer a call below `/services/async`."""
        try:
            return self._answer(org, request, session)
        except _BulkError as bad:
            said = {"exceptionCode": bad.code, "exceptionMessage": bad.message}
            return answer("error", said, as_json=speaks_json(request), status=bad.status)

    def _answer(self, org: OrgRecord, request: Request, session: Session | None) -> Response:
        if session is None:
            raise _BulkError("InvalidSessionId", "Invalid session id", 401)
        found = _PATH.fullmatch(request.path)
        if found is None:
            raise self._unknown(request)
        version = int(found.group(1))
        if not org.api_floor <= version <= org.api_ceiling:
            raise _BulkError("InvalidVersion", f"Api version {version}.0 is not supported")
        work = _Work(Context(self._world, org, session, request, version))
        path = [part for part in (found.group(2) or "").split("/") if part]
        match (request.method, path):
            case ("POST", []):
                return work.create()
            case ("GET", [job]):
                return work.job(job)
            case ("POST", [job]):
                return work.change(job)
            case ("POST", [job, "batch"]):
                return work.add(job)
            case ("GET", [job, "batch"]):
                return work.batches(job)
            case ("GET", [job, "batch", batch]):
                return work.batch(job, batch)
            case ("GET", [job, "batch", batch, "request"]):
                return work.sent(job, batch)
            case ("GET", [job, "batch", batch, "result"]):
                return work.results(job, batch)
            case ("GET", [job, "batch", batch, "result", result]):
                return work.rows(job, batch, result)
        raise self._unknown(request)

    def _unknown(self, request: Request) -> _BulkError:
        what = re.sub(r"/[a-zA-Z0-9]{15,18}\b", "/{id}", re.sub(r"\d+\.0", "XX.0", request.path, count=1))
        note_action(self._world.store, PRODUCT, "", f"{request.method} {what}")
        return _BulkError("InvalidUrl", f"The emulated Bulk API has no {request.method} {request.path}", 404)


class _Work:
    """The jobs of one org, for one call."""

    def __init__(self, ctx: Context) -> None:
        self._ctx, self._store = ctx, ctx.world.store
        self._jobs, self._batches = f"salesforce.bulk.job.{ctx.org.id}", f"salesforce.bulk.batch.{ctx.org.id}"

    def create(self) -> Response:
        asked = self._asked()
        operation = asked.get("operation", "")
        if operation == "hardDelete":
            why = "hardDelete operation requires special user profile permission, please contact your administrator"
            raise _BulkError("FeatureNotEnabled", why)
        if operation not in OPERATIONS:
            raise _BulkError("InvalidJob", f"Unknown operation: {operation}")
        content = asked.get("contentType", "JSON" if speaks_json(self._ctx.request) else "XML")
        if content not in ("CSV", "JSON"):
            raise _BulkError("InvalidJob", f"The emulated Bulk API takes CSV and JSON, not {content}")
        obj = self._ctx.schema.object(asked.get("object", ""))
        if obj is None:
            raise _BulkError("InvalidEntity", f"Entity '{asked.get('object', '')}' is not supported by the Bulk API.")
        if operation == "upsert" and not asked.get("externalIdFieldName"):
            raise _BulkError("InvalidJob", "External ID was blank for upsert operation. An External ID must be given.")
        job: Document = {
            "id": ids.numbered("750", self._store.next("salesforce.bulk.job")),
            "operation": operation,
            "object": obj.name,
            "external_id": asked.get("externalIdFieldName", ""),
            "content": content,
            # simple-salesforce says 0 or 1.
            "mode": "Serial" if asked.get("concurrencyMode") in ("Serial", "1") else "Parallel",
            "state": "Open",
            "created": self._ctx.world.now(),
            "created_by": self._ctx.session.user_id,
        }
        self._store.put(self._jobs, job["id"], job)
        return self._answered(job, 201)

    def job(self, ident: str) -> Response:
        return self._answered(self._job(ident))

    def change(self, ident: str) -> Response:
        job, state = self._job(ident), self._asked().get("state", "")
        if state not in ("Closed", "Aborted"):
            raise _BulkError("InvalidJobState", f"A job cannot be set to {state or 'no state'}")
        if job["state"] == "Aborted":
            raise _BulkError("InvalidJobState", "Aborting already Aborted Job not allowed")
        job["state"] = state
        self._store.put(self._jobs, job["id"], job)
        return self._answered(job)

    def add(self, ident: str) -> Response:
        """Work off a batch: a query, or records in CSV or JSON."""
        job = self._job(ident)
        if job["state"] != "Open":
            raise _BulkError("InvalidJobState", f"Job is {job['state']}: no batch can be added")
        body = self._ctx.request.body.decode("utf-8-sig", "replace")
        is_query = job["operation"].startswith("query")
        batch: Document = {
            "id": ids.numbered("751", self._store.next("salesforce.bulk.batch")),
            "job": job["id"],
            "request": body,
            "state": "Completed",
            "message": "",
            "created": self._ctx.world.now(),
        }
        work = self._of_json if _is_json(job) else self._of_csv
        try:
            header, rows, failed = work(job, body, is_query=is_query)
        except (BadBatch, RestError) as bad:
            batch |= {"state": "Failed", "message": f"InvalidBatch : {bad}"}
            header, rows, failed = [], [], 0
        batch |= {"header": header, "rows": rows, "processed": len(rows), "failed": failed}
        self._store.put(self._batches, batch["id"], batch)
        return answer("batchInfo", self._shown_batch(batch), as_json=self._in_json(job), status=201)

    def batches(self, ident: str) -> Response:
        job = self._job(ident)
        shown = [self._shown_batch(batch) for batch in self._of(job)]
        return answer_list("batchInfoList", "batchInfo", shown, as_json=self._in_json(job))

    def batch(self, job: str, ident: str) -> Response:
        batch = self._batch(job, ident)
        return answer("batchInfo", self._shown_batch(batch), as_json=self._in_json(self._job(job)))

    def sent(self, job: str, ident: str) -> Response:
        batch = self._batch(job, ident)
        if _is_json(self._job(job)):
            return Response(200, batch["request"].encode(), {"Content-Type": "application/json;charset=UTF-8"})
        return _csv_response(batch["request"])

    def results(self, ident: str, batch_id: str) -> Response:
        """Return what became of the records or, of a query, the list of its results (there is one)."""
        batch, job = self._batch(ident, batch_id), self._job(ident)
        if batch["state"] == "Failed":
            raise _BulkError("InvalidBatch", "Batch failed: it has no results")
        if job["operation"].startswith("query"):
            return result_list([_result_id(batch)], as_json=self._in_json(job))
        if _is_json(job):
            return Response.of_json(batch["rows"])
        return _csv_response(csv_text([batch["header"], *batch["rows"]]))

    def rows(self, ident: str, batch_id: str, result: str) -> Response:
        """Return a query's records."""
        batch = self._batch(ident, batch_id)
        if result != _result_id(batch):
            raise _BulkError("InvalidBatch", f"There is no result {result}")
        if _is_json(self._job(ident)):
            return Response.of_json(batch["rows"])
        table = [batch["header"], *batch["rows"]] if batch["rows"] else [["Records not found for this query"]]
        return _csv_response(csv_text(table))

    def _of_csv(self, job: Document, body: str, *, is_query: bool) -> tuple[list[str], list[Any], int]:
        if is_query:
            header, found = query_rows(self._ctx, body, deleted=job["operation"] == "queryAll", api="Bulk Query")
            return header, found, 0
        header, rows = read_rows(body)
        _check_number(len(rows))
        obj = self._ctx.object(job["object"])
        done = list(write_rows(self._ctx, obj, job["operation"], job["external_id"], header, rows))
        shown = [
            ["" if each.error else each.id, str(not each.error).lower(), str(each.created).lower(), each.error]
            for each in done
        ]
        return ["Id", "Success", "Created", "Error"], shown, sum(bool(each.error) for each in done)

    def _of_json(self, job: Document, body: str, *, is_query: bool) -> tuple[list[str], list[Any], int]:
        if is_query:
            deleted = job["operation"] == "queryAll"
            query_rows(self._ctx, body, deleted=deleted, api="Bulk Query")
            return [], self._ctx.engine(deleted=deleted).run(body).records, 0
        try:
            records = json.loads(body)
        except ValueError as bad:
            raise BadBatch(f"Records not processed: {bad}") from None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise BadBatch("Records not processed: a batch is a list of records")
        _check_number(len(records))
        obj = self._ctx.object(job["object"])
        done = list(write_records(self._ctx, obj, job["operation"], job["external_id"], records))
        shown = [
            {
                "success": each.problem is None,
                "created": each.created,
                "id": each.id if each.problem is None else None,
                "errors": [each.problem.as_save_error() | {"extendedErrorDetails": None}] if each.problem else [],
            }
            for each in done
        ]
        return [], shown, sum(each.problem is not None for each in done)

    def _asked(self) -> dict[str, str]:
        try:
            return job_info(self._ctx.request)
        except ValueError as bad:
            raise _BulkError("InvalidJob", str(bad)) from None

    def _in_json(self, job: Document) -> bool:
        return _is_json(job) or speaks_json(self._ctx.request)

    def _answered(self, job: Document, status: int = 200) -> Response:
        return answer("jobInfo", self._shown(job), as_json=self._in_json(job), status=status)

    def _job(self, ident: str) -> Document:
        job = self._store.get(self._jobs, ids.normal(ident) or ident)
        if job is None:
            raise _BulkError("InvalidJob", f"Unable to find object: {ident}")
        return job

    def _batch(self, job: str, ident: str) -> Document:
        batch = self._store.get(self._batches, ids.normal(ident) or ident)
        if batch is None or batch["job"] != self._job(job)["id"]:
            raise _BulkError("InvalidBatch", f"Unable to find batch: {ident}")
        return batch

    def _of(self, job: Document) -> list[Document]:
        return [batch for _, batch in self._store.all(self._batches) if batch["job"] == job["id"]]

    def _shown(self, job: Document) -> dict[str, Any]:
        batches = self._of(job)
        moment = _moment(job["created"])
        failed = sum(batch["state"] == "Failed" for batch in batches)
        return {
            "id": job["id"],
            "operation": job["operation"],
            "object": job["object"],
            "createdById": job["created_by"],
            "createdDate": moment,
            "systemModstamp": moment,
            "state": job["state"],
            "externalIdFieldName": job["external_id"],
            "concurrencyMode": job["mode"],
            "contentType": job.get("content", "CSV"),
            "numberBatchesQueued": 0,
            "numberBatchesInProgress": 0,
            "numberBatchesCompleted": len(batches) - failed,
            "numberBatchesFailed": failed,
            "numberBatchesTotal": len(batches),
            "numberRecordsProcessed": sum(batch["processed"] for batch in batches),
            "numberRetries": 0,
            "apiVersion": f"{self._ctx.version}.0",
            "numberRecordsFailed": sum(batch["failed"] for batch in batches),
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }

    def _shown_batch(self, batch: Document) -> dict[str, Any]:
        moment = _moment(batch["created"])
        return {
            "id": batch["id"],
            "jobId": batch["job"],
            "state": batch["state"],
            "stateMessage": batch["message"],
            "createdDate": moment,
            "systemModstamp": moment,
            "numberRecordsProcessed": batch["processed"],
            "numberRecordsFailed": batch["failed"],
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }


def _is_json(job: Document) -> bool:
    return job.get("content") == "JSON"


def _check_number(records: int) -> None:
    if records > _MOST_RECORDS:
        raise BadBatch(f"Records not processed: a batch has at most {_MOST_RECORDS}")


def _csv_response(content: str) -> Response:
    return Response(200, content.encode(), {"Content-Type": "text/csv;charset=UTF-8"})


def _moment(seconds: float) -> str:
    return stamp(seconds).replace("+0000", "Z")


def _result_id(batch: Document) -> str:
    return "752" + str(batch["id"])[3:15]
