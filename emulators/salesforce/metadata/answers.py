"""A deploy as the Metadata API answers it: the same structure for SOAP and REST."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from emulators.salesforce.metadata.deploys import is_done
from emulators.store import Document


def timestamp(seconds: float) -> str:
    """Return a moment as the API prints it: `2026-11-22T02:10:00.250Z`."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"


def deploy_result(job: Document, now: float, *, details: bool) -> dict[str, Any]:
    """Return the API's DeployResult. `status`, `done` and `id` stand before the details.

    CumulusCI takes the first element of a name in document order, so nothing of the details may come first.
    """
    done, result, options = is_done(job), job.get("result"), job["options"]
    messages: list[Mapping[str, Any]] = result["messages"] if result else []
    parts = [message for message in messages if message["component_type"] or not message["success"]]
    wrong = sum(not message["success"] for message in parts)
    tests: list[Mapping[str, Any]] = result["tests"] if result else []
    test_errors = sum(not test["passed"] for test in tests)
    total = result["total"] if result else job.get("total", 0)
    deployed = sum(message["success"] for message in parts) if result else _progress(job, now, total)
    answer: dict[str, Any] = {
        "checkOnly": options["check_only"],
        "canceledBy": job.get("canceled_by"),
        "canceledByName": job.get("canceled_by_name"),
        "completedDate": timestamp(job["completed"]) if done else None,
        "createdBy": job["created_by"],
        "createdByName": job["created_by_name"],
        "createdDate": timestamp(job["created"]),
        "done": done,
        "errorMessage": result.get("error_message") if result else None,
        "errorStatusCode": result.get("error_code") if result else None,
        "id": job["id"],
        "ignoreWarnings": options["ignore_warnings"],
        "lastModifiedDate": timestamp(job.get("completed") or job.get("started") or job["created"]),
        "numberComponentErrors": wrong,
        "numberComponentsDeployed": deployed,
        "numberComponentsTotal": total,
        "numberTestErrors": test_errors,
        "numberTestsCompleted": len(tests) - test_errors,
        "numberTestsTotal": len(tests),
        "rollbackOnError": options["rollback_on_error"],
        "runTestsEnabled": bool(result and result["test_level"]),
        "startDate": timestamp(job["started"]) if "started" in job else None,
        "stateDetail": _state_detail(job, deployed, total),
        "status": job["status"],
        "success": job["status"] in ("Succeeded", "SucceededPartial"),
    }
    answer = {name: value for name, value in answer.items() if value is not None}
    if details:
        moment = timestamp(job.get("completed") or job["created"])
        answer["details"] = _details(result, moment) if result else _no_details()
    return answer


def _progress(job: Document, now: float, total: int) -> int:
    if "takes" not in job:
        return 0
    spent = (now - job["started"]) / job["takes"]
    return max(0, min(total, int(total * spent)))


def _state_detail(job: Document, deployed: int, total: int) -> str | None:
    if job["status"] == "InProgress":
        return f"Deploying {deployed} of {total} components"
    return None


def _no_details() -> dict[str, Any]:
    return {"componentFailures": [], "componentSuccesses": [], "runTestResult": run_test_result(None)}


def _details(result: Document, moment: str) -> dict[str, Any]:
    return {
        "componentFailures": [_message(m, moment) for m in result["messages"] if not m["success"]],
        "componentSuccesses": [_message(m, moment) for m in result["messages"] if m["success"]],
        "runTestResult": run_test_result(result),
    }


def _message(message: Mapping[str, Any], moment: str) -> dict[str, Any]:
    answer = {
        "changed": message["changed"],
        "columnNumber": message["column"] or None,
        "componentType": message["component_type"],
        "created": message["created"],
        "createdDate": moment,
        "deleted": message["deleted"],
        "fileName": message["file_name"],
        "fullName": message["full_name"],
        "id": message["id"] or None,
        "lineNumber": message["line"] or None,
        "problem": message["problem"] or None,
        "problemType": message["problem_type"] or None,
        "success": message["success"],
    }
    return {name: value for name, value in answer.items() if value is not None}


def run_test_result(result: Document | None) -> dict[str, Any]:
    """Return the API's RunTestsResult of the `tests`, `coverage` and `coverage_warnings` of a run, of nothing for None."""
    tests: list[Mapping[str, Any]] = result["tests"] if result else []
    failures = [test for test in tests if not test["passed"]]
    return {
        "codeCoverage": [
            {
                "id": row["id"],
                "name": row["name"],
                "numLocations": row["lines"],
                "numLocationsNotCovered": row["uncovered"],
                "type": row["type"],
            }
            for row in (result["coverage"] if result and tests else [])
        ],
        "codeCoverageWarnings": [
            {"message": message, "name": name or None} for name, message in result["coverage_warnings"]
        ]
        if result
        else [],
        "failures": [
            {
                "id": test["id"],
                "message": test["message"],
                "methodName": test["method"],
                "name": test["class_name"],
                "packageName": test["class_name"],
                "stackTrace": test["stack"],
                "time": test["milliseconds"],
                "type": "Class",
            }
            for test in failures
        ],
        "numFailures": len(failures),
        "numTestsRun": len(tests),
        "successes": [
            {"id": test["id"], "methodName": test["method"], "name": test["class_name"], "time": test["milliseconds"]}
            for test in tests
            if test["passed"]
        ],
        "totalTime": sum(test["milliseconds"] for test in tests),
    }
