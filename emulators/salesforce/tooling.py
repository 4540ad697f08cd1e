"""What only the Tooling API does: run Apex tests, and refuse to execute Apex."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from emulators.http import Response
from emulators.salesforce import errors, ids
from emulators.salesforce.catalog import stamp
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError
from emulators.salesforce.metadata.answers import run_test_result
from emulators.salesforce.metadata.apextests import TestRun, run_tests
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.metadata.state import OrgState
from emulators.salesforce.orgs import Orgs

_NOT_EXECUTED = "The emulated org does not execute Apex: it has no Apex runtime"


def run_tests_asynchronous(ctx: Context) -> Response:
    """Start a test run and return its job id. The run is over at once: outcomes are declared, not computed."""
    if ctx.method != "POST":
        raise errors.wrong_method(ctx.method, "POST")
    return Response.of_json(_record(ctx, _carried_out(ctx)))


def run_tests_synchronous(ctx: Context) -> Response:
    """Run tests and answer at once how they ended (RunTestsResult). There is no debug log: `apexLogId` is null."""
    if ctx.method != "POST":
        raise errors.wrong_method(ctx.method, "POST")
    # Tooling API, "Run Unit Tests Synchronously" (66.0): all methods of a synchronous run are of one class.
    if len(ctx.json_object().get("tests") or ()) > 1:
        raise RestError(400, "INVALID_INPUT", "Only one test object is allowed in tests of a synchronous run")
    run = _carried_out(ctx)
    _cover(ctx, run)
    return Response.of_json({"apexLogId": None, **run_test_result(run.as_document())})


def execute_anonymous(ctx: Context) -> Response:
    """Answer what a compile error answers: Apex does not run here, and must not seem to."""
    if ctx.method != "GET":
        raise errors.wrong_method(ctx.method, "GET")
    if not ctx.request.query.get("anonymousBody"):
        raise RestError(400, "MISSING_ARGUMENT", "anonymousBody is required")
    return Response.of_json(
        {
            "line": 1,
            "column": 1,
            "compiled": False,
            "success": False,
            "compileProblem": _NOT_EXECUTED,
            "exceptionStackTrace": None,
            "exceptionMessage": None,
        }
    )


def _carried_out(ctx: Context) -> TestRun:
    """Return how the tests end that a request asks for: of a level, of classes, or some methods of classes."""
    body = ctx.json_object()
    level = body.get("testLevel")
    names = () if level in ("RunLocalTests", "RunAllTestsInOrg") else _class_names(ctx, body)
    options = DeployOptions(test_level=str(level) if not names else "RunSpecifiedTests", run_tests=names)
    declared = dict(Orgs(ctx.world).declared(ctx.org))
    run = run_tests(ctx.org, OrgState.of(ctx.components), options, declared)
    chosen = _methods(ctx, body)
    kept = (each for each in run.results if each.method in chosen.get(each.class_name, (each.method,)))
    return replace(run, results=tuple(kept)) if chosen else run


def _methods(ctx: Context, body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the methods that a request chooses, by the name of their class."""
    names = {row["Id"]: row["Name"] for row in ctx.records.rows(ctx.of_tooling("ApexClass"))}
    return {
        str(test.get("className") or names.get(ids.normal(str(test.get("classId"))) or "")): list(test["testMethods"])
        for test in body.get("tests") or ()
        if test.get("testMethods")
    }


def _class_names(ctx: Context, body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the classes that a request for a test run names, by id or by name."""
    rows = ctx.records.rows(ctx.of_tooling("ApexClass"))
    by_id = {row["Id"]: row["Name"] for row in rows}
    names = [name.strip() for name in str(body.get("classNames") or "").split(",") if name.strip()]
    idents = [ident.strip() for ident in str(body.get("classids") or "").split(",") if ident.strip()]
    for test in body.get("tests") or ():
        if "className" in test:
            names.append(str(test["className"]))
        elif "classId" in test:
            idents.append(str(test["classId"]))
    if not names and not idents:
        raise RestError(400, "MISSING_ARGUMENT", "classids, classNames, tests or testLevel is required")
    known = set(by_id.values())
    for name in names:
        if name not in known:
            raise RestError(400, "INVALID_INPUT", f"This class name's value is invalid: {name}.")
    for ident in idents:
        full = ids.normal(ident)
        if full not in by_id:
            raise RestError(400, "INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {ident}")
        names.append(by_id[full])
    return tuple(dict.fromkeys(names))


def _record(ctx: Context, run: TestRun) -> str:
    """Store what a run leaves behind (job, queue items, results, coverage) and return the job's id."""
    records, now = ctx.records, stamp(ctx.world.now())
    failed = len(run.failures)
    job = records.add(
        ctx.of_tooling("AsyncApexJob"),
        JobType="TestRequest",
        Status="Completed",
        JobItemsProcessed=len(run.results),
        TotalJobItems=len(run.results),
        NumberOfErrors=failed,
        CompletedDate=now,
    )
    classes = [(name, list(own)) for name, own in groupby(run.results, key=lambda result: result.class_name)]
    summary = records.add(
        ctx.of_tooling("ApexTestRunResult"),
        AsyncApexJobId=job,
        Status="Failed" if failed else "Completed",
        StartTime=now,
        EndTime=now,
        TestTime=int(sum(result.milliseconds for result in run.results)),
        TestSetupTime=0,
        ClassesCompleted=len(classes),
        ClassesEnqueued=len(classes),
        MethodsCompleted=len(run.results),
        MethodsEnqueued=len(run.results),
        MethodsFailed=failed,
        UserId=ctx.session.user_id,
    )
    for _, results in classes:
        passed = sum(result.passed for result in results)
        item = records.add(
            ctx.of_tooling("ApexTestQueueItem"),
            ApexClassId=results[0].id,
            ParentJobId=job,
            Status="Completed",
            ExtendedStatus=f"({passed}/{len(results)})",
            TestRunResultId=summary,
        )
        for result in results:
            records.add(
                ctx.of_tooling("ApexTestResult"),
                ApexClassId=result.id,
                AsyncApexJobId=job,
                QueueItemId=item,
                ApexTestRunResultId=summary,
                TestTimestamp=now,
                MethodName=result.method,
                IsTestSetup=False,
                Outcome="Pass" if result.passed else "Fail",
                Message=result.message or None,
                StackTrace=result.stack or None,
                RunTime=int(result.milliseconds),
            )
    _cover(ctx, run)
    return job


def _cover(ctx: Context, run: TestRun) -> None:
    """Replace the org's code coverage by that of the run."""
    aggregate, whole = ctx.of_tooling("ApexCodeCoverageAggregate"), ctx.of_tooling("ApexOrgWideCoverage")
    for obj in (aggregate, whole):
        for row in ctx.records.rows(obj):
            ctx.records.put(obj, row | {"IsDeleted": True})
    for each in run.coverage:
        ctx.records.add(
            aggregate,
            ApexClassOrTriggerId=each.id,
            NumLinesCovered=each.lines - each.uncovered,
            NumLinesUncovered=each.uncovered,
        )
    lines, uncovered = (sum(each.lines for each in run.coverage), sum(each.uncovered for each in run.coverage))
    ctx.records.add(whole, PercentCovered=(lines - uncovered) * 100 // lines if lines else 0)


CALLS: Mapping[str, Callable[[Context], Response]] = {
    "runTestsAsynchronous": run_tests_asynchronous,
    "runTestsSynchronous": run_tests_synchronous,
    "executeAnonymous": execute_anonymous,
}
