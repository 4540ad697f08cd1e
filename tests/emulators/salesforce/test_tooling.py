"""The Tooling API: test runs whose outcomes are declared, flows, and Apex that is not executed."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from emulators.salesforce.api import Salesforce
from emulators.salesforce.metadata.deploys import Deploys
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.metadata.retrieves import package_xml, zip_of
from emulators.salesforce.orgs import OrgRecord
from emulators.service import World
from tests.emulated_org import cites
from tests.emulators.salesforce.salesforce_world import Caller, Clock

TOOLING = "/services/data/v38.0/tooling"
META = "<ApexClass><apiVersion>64.0</apiVersion><status>Active</status></ApexClass>"
TEST_CLASS = "@isTest private class StoreTest { @isTest static void opens() {} @isTest static void refuses() {} }"


@pytest.fixture
def apex(deployed: Callable[..., None]) -> None:
    for name, body, tests in (("Store", "public class Store { }", ()), ("StoreTest", TEST_CLASS, ("opens", "refuses"))):
        deployed("ApexClass", name, (f"classes/{name}.cls", body), (f"classes/{name}.cls-meta.xml", META), tests=tests)


@cites("test runner", "knowledge")
def test_a_test_run_ends_as_the_world_file_says(apex: None, caller: Caller) -> None:
    (row,) = caller.records(
        "SELECT Id, Name FROM ApexClass WHERE NamespacePrefix = null AND (Name LIKE '%Test')", "tooling/"
    )
    job = json.loads(caller("POST", f"{TOOLING}/runTestsAsynchronous", {"classids": row["Id"]}).body)
    assert job.startswith("707")
    (item,) = caller.records(
        f"SELECT Id, Status, ApexClassId FROM ApexTestQueueItem WHERE ParentJobId = '{job}'", "tooling/"
    )
    assert (item["Status"], item["ApexClassId"]) == ("Completed", row["Id"])
    results = caller.records(
        "SELECT Id,ApexClassId,TestTimestamp, Message,MethodName,Outcome, RunTime,StackTrace, "
        f"(SELECT Id,Callouts FROM ApexTestResults) FROM ApexTestResult WHERE AsyncApexJobId='{job}'",
        "tooling/",
    )
    assert {(r["MethodName"], r["Outcome"], r["Message"]) for r in results} == {
        ("opens", "Pass", None),
        ("refuses", "Fail", "no"),
    }
    (whole,) = caller.records("SELECT PercentCovered FROM ApexOrgWideCoverage", "tooling/")
    assert whole["PercentCovered"] == 100


@cites("test runner", "knowledge")
def test_a_synchronous_run_answers_at_once(apex: None, caller: Caller) -> None:
    """runTestsSynchronous answers how the tests ended: successes, failures, coverage (RunTestsResult)."""
    request = {"tests": [{"className": "StoreTest"}], "skipCodeCoverage": False}
    answer = json.loads(caller("POST", f"{TOOLING}/runTestsSynchronous", request).body)
    assert (answer["numTestsRun"], answer["numFailures"], answer["apexLogId"]) == (2, 1, None)
    (passed,), (failed,) = answer["successes"], answer["failures"]
    assert (passed["name"], passed["methodName"]) == ("StoreTest", "opens")
    assert (failed["methodName"], failed["message"], failed["stackTrace"]) == ("refuses", "no", "line 3")
    assert [row["name"] for row in answer["codeCoverage"]] == ["Store"]
    assert caller.refused("GET", f"{TOOLING}/runTestsSynchronous")[0] == 405


@cites("test runner")
def test_a_synchronous_run_is_of_one_class(apex: None, caller: Caller) -> None:
    """runTestsSynchronous takes one test object: all its methods are of one class."""
    request = {"tests": [{"className": "StoreTest"}, {"className": "StoreTest"}]}
    assert caller.refused("POST", f"{TOOLING}/runTestsSynchronous", request)[:2] == (400, "INVALID_INPUT")
    assert caller("POST", f"{TOOLING}/runTestsAsynchronous", request).status == 200


@cites("test runner")
@pytest.mark.parametrize("call", ["runTestsSynchronous", "runTestsAsynchronous"])
def test_single_methods_of_a_class_can_be_run(apex: None, caller: Caller, call: str) -> None:
    """A test run can name single methods of a class (`testMethods`)."""
    request = {"tests": [{"className": "StoreTest", "testMethods": ["opens"]}]}
    answer = json.loads(caller("POST", f"{TOOLING}/{call}", request).body)
    if call == "runTestsSynchronous":
        assert [each["methodName"] for each in answer["successes"]] == ["opens"]
        assert answer["failures"] == []
        return
    results = caller.records(
        f"SELECT MethodName, Outcome, ApexLogId FROM ApexTestResult WHERE AsyncApexJobId='{answer}'", "tooling/"
    )
    assert results == [{"MethodName": "opens", "Outcome": "Pass", "ApexLogId": None}]


def test_a_class_that_the_org_lacks_is_not_run(apex: None, caller: Caller) -> None:
    refused = caller.refused("POST", f"{TOOLING}/runTestsAsynchronous", {"classids": "01p000000000001"})
    assert refused[:2] == (400, "INVALID_CROSS_REFERENCE_KEY")
    assert caller.refused("POST", f"{TOOLING}/runTestsAsynchronous", {})[1] == "MISSING_ARGUMENT"


def test_anonymous_apex_does_not_seem_to_run(caller: Caller) -> None:
    answer = caller.get(f"{TOOLING}/executeAnonymous?anonymousBody={quote('System.debug(1);')}")
    assert (answer["compiled"], answer["success"]) == (False, False)
    assert "does not execute Apex" in answer["compileProblem"]


@cites("flow definition", "knowledge")
def test_a_flow_is_activated_and_deactivated(deployed: Callable[..., None], caller: Caller) -> None:
    """FlowDefinition's activeVersionNumber activates a version of a flow; 0 deactivates the flow."""
    flow = "<Flow><label>My flow</label><status>Draft</status><processType>Flow</processType></Flow>"
    deployed("Flow", "My_Flow", ("flows/My_Flow.flow", flow))
    query = (
        "SELECT Id, ActiveVersion.VersionNumber, LatestVersion.VersionNumber, DeveloperName FROM FlowDefinition "
        "WHERE DeveloperName IN ('My_Flow')"
    )
    (row,) = caller.records(query, "tooling/")
    assert (row["ActiveVersion"], row["LatestVersion"]["VersionNumber"]) == (None, 1)
    url = f"{TOOLING}/sobjects/FlowDefinition/{row['Id']}"
    assert caller("PATCH", url, {"Metadata": {"activeVersionNumber": 1}}).status == 204
    assert caller.records(query, "tooling/")[0]["ActiveVersion"]["VersionNumber"] == 1
    assert caller.refused("PATCH", url, {"Metadata": {"activeVersionNumber": 7}})[1] == "FIELD_INTEGRITY_EXCEPTION"
    assert caller("PATCH", url, {"Metadata": {"activeVersionNumber": 0}}).status == 204
    assert caller.records(query, "tooling/")[0]["ActiveVersion"] is None


def test_an_unknown_package_version_ends_in_an_error_that_says_so(caller: Caller) -> None:
    body = {
        "SubscriberPackageVersionKey": "04t000000000009AAA",
        "SecurityType": "FULL",
        "NameConflictResolution": "Block",
    }
    response = caller("POST", f"{TOOLING}/sobjects/PackageInstallRequest/", body)
    ident = json.loads(response.body)["id"]
    (row,) = caller.records(f"SELECT Errors, Status FROM PackageInstallRequest WHERE Id='{ident}'", "tooling/")
    assert row["Status"] == "ERROR"
    assert "04t000000000009AAA" in row["Errors"]["errors"][0]["message"]


def test_deploys_are_listed_with_who_asked_when_and_how_they_ended(
    world: World, china: OrgRecord, caller: Caller, clock: Clock, salesforce: Salesforce
) -> None:
    session = salesforce.sessions.find(caller.token)
    assert session
    deploys = Deploys(world, china)
    package = zip_of({"package.xml": package_xml({}, "64.0")})
    for check_only in (True, False):
        job = deploys.submit(session, package, DeployOptions(check_only=check_only))
        clock.seconds += 60
    rows = caller.records(
        "SELECT Id, Status, CheckOnly, CreatedById, CompletedDate FROM DeployRequest "
        f"WHERE CheckOnly = false AND CreatedById = '{china.users[0].id}' ORDER BY CreatedDate DESC",
        "tooling/",
    )
    assert [(row["Id"], row["Status"]) for row in rows] == [(job["id"], deploys.get(job["id"])["status"])]
    assert rows[0]["CompletedDate"] > "2026-09"
    assert len(caller.records("SELECT Id FROM DeployRequest", "tooling/")) == 2
    refused = caller.refused("GET", "/services/data/v67.0/query/?q=SELECT%20Id%20FROM%20DeployRequest")
    assert refused[1] == "INVALID_TYPE"
