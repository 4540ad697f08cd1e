"""Tests of a deploy: which are run, and how much they must cover."""

from __future__ import annotations

from typing import Any

import pytest
from tests.emulators.salesforce.metadata.metadata_support import EmulatedOrg, apex, apex_package, apex_tests, manifest, one, xml

from tests.emulated_org import cites


@cites("running tests")
def test_production_runs_local_tests_when_apex_comes(production: EmulatedOrg) -> None:
    """Production runs local tests by default when Apex comes, and none otherwise."""
    result = production.deploy(apex_package(apex("Hello"), apex_tests("HelloTest", "one", "two")))
    assert (result["status"], result["numberTestsTotal"], result["runTestsEnabled"]) == ("Succeeded", 2, True)
    permission = one("CustomPermission", "P", "customPermissions/P.customPermission", "<label>P</label>")
    assert production.deploy(permission)["numberTestsTotal"] == 0


@cites("coverage")
def test_a_declared_failure_fails_the_deploy() -> None:
    """A failing test fails the deploy."""
    table = {
        "HelloTest.two": {"outcome": "fail", "message": "expected 1, got 2", "stack": "Class.HelloTest.two: line 3"}
    }
    org = EmulatedOrg("production", {"apex_tests": table})
    result = org.deploy(apex_package(apex("Hello"), apex_tests("HelloTest", "one", "two")))
    run = result["details"]["runTestResult"]
    assert (result["status"], result["numberTestErrors"], run["numTestsRun"]) == ("Failed", 1, 2)
    (failure,) = run["failures"]
    assert (failure["name"], failure["methodName"], failure["message"]) == ("HelloTest", "two", "expected 1, got 2")
    assert not org.components.get("ApexClass", "Hello")


@cites("coverage", "quick deploy")
def test_production_insists_on_three_quarters_of_coverage() -> None:
    """Production needs 75% coverage: of the whole org, or of each deployed class when tests are specified."""
    package = apex_package(apex("Hello"), apex("Other"), apex_tests())
    org = EmulatedOrg("production", {"apex_coverage": {"Hello": 0}})
    result = org.deploy(package)
    assert result["status"] == "Failed"
    assert result["errorMessage"].startswith("Average test coverage across all Apex Classes and Triggers is 50%")
    specified = org.deploy(package, testLevel="RunSpecifiedTests", runTests=["HelloTest"])
    (warned,) = specified["details"]["runTestResult"]["codeCoverageWarnings"]
    assert warned["name"] == "Hello"
    untested = EmulatedOrg("production").deploy(apex_package(apex("Hello")))
    assert (untested["status"], untested["numberTestsTotal"]) == ("Failed", 0)


@cites("deploying Apex")
def test_production_insists_that_every_trigger_has_some_coverage() -> None:
    """In production every trigger needs some coverage, whatever the org's average is; a sandbox takes it without."""
    trigger = {
        "triggers/T.trigger": "trigger T on Account (before insert) { Integer a = 1; }",
        "triggers/T.trigger-meta.xml": xml("ApexTrigger", "<apiVersion>64.0</apiVersion>"),
    }
    big = "public class Big {" + "Integer a;" * 99 + "}"
    package = apex_package(apex("Big", big), apex_tests()) | trigger
    package["package.xml"] = manifest({"ApexClass": ["Big", "HelloTest"], "ApexTrigger": ["T"]})
    result = EmulatedOrg("production", {"apex_coverage": {"T": 0}}).deploy(package)
    (warned,) = result["details"]["runTestResult"]["codeCoverageWarnings"]
    assert (result["status"], warned["name"]) == ("Failed", "T")
    assert warned["message"] == "Test coverage of selected Apex Trigger is 0%, at least 1% test coverage is required."
    assert EmulatedOrg("production", {"apex_coverage": {"T": 50}}).deploy(package)["status"] == "Succeeded"
    sandbox = EmulatedOrg(declared={"apex_coverage": {"T": 0}})
    assert sandbox.deploy(package, testLevel="RunLocalTests")["status"] == "Succeeded"


@cites("deploying Apex", "running tests")
def test_test_classes_are_no_code_to_be_covered(production: EmulatedOrg) -> None:
    """Test classes don't count as code to be covered."""
    result = production.deploy(apex_package(apex("Hello"), apex_tests("HelloTest", "one", "two")))
    assert [row["name"] for row in result["details"]["runTestResult"]["codeCoverage"]] == ["Hello"]


@cites("coverage")
def test_specified_tests_run_alone_and_must_exist(sandbox: EmulatedOrg) -> None:
    package = apex_package(apex_tests("ATest"), apex_tests("BTest"))
    result = sandbox.deploy(package, testLevel="RunSpecifiedTests", runTests=["BTest"])
    assert [t["name"] for t in result["details"]["runTestResult"]["successes"]] == ["BTest"]
    assert sandbox.problems(package, testLevel="RunSpecifiedTests", runTests=["CTest"])


@cites("coverage")
def test_specified_tests_must_cover_each_deployed_class_in_a_sandbox_too() -> None:
    """With RunSpecifiedTests each deployed class needs 75% coverage by itself, in any org."""
    org = EmulatedOrg(declared={"apex_coverage": {"Hello": 74}})
    package = apex_package(apex("Hello", "public class Hello {" + "Integer a;" * 99 + "}"), apex_tests())
    low = org.deploy(package, testLevel="RunSpecifiedTests", runTests=["HelloTest"])
    assert low["status"] == "Failed"
    assert low["errorMessage"].startswith("Test coverage of selected Apex Class is 74%")
    assert org.deploy(package, testLevel="RunLocalTests")["status"] == "Succeeded"


@cites("deploy options", "knowledge")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"testLevel": "RunSpecifiedTests"}, "RunSpecifiedTests requires at least one test class"),
        ({"testLevel": "RunLocalTests", "runTests": ["HelloTest"]}, "only with a testLevel of RunSpecifiedTests"),
        ({"testLevel": "RunSome"}, "'RunSome' is not a valid value for the type TestLevel"),
    ],
)
def test_a_test_level_and_the_tests_that_are_named_must_fit(
    options: dict[str, Any], words: str, sandbox: EmulatedOrg
) -> None:
    """RunSpecifiedTests needs tests, no other level takes any, and a level is one of those that there are."""
    tags = "".join(
        f"<{name}>{each}</{name}>" for name, value in options.items() for each in ([value] if isinstance(value, str) else value)
    )
    body = sandbox.soap("deploy", f"<ZipFile>eA==</ZipFile><DeployOptions>{tags}</DeployOptions>")
    assert words in (body.findtext(".//faultstring") or "")


@cites("relevant tests")
def test_relevant_tests_are_those_of_what_is_deployed() -> None:
    """RunRelevantTests runs tests that come along or name what is deployed, critical ones, and those made for it; each
    deployed class needs 75% coverage by itself."""
    org = EmulatedOrg(declared={"apex_coverage": {"Hello": 70, "Other": 0}})
    naming = apex("NamesTest", "@isTest private class NamesTest { @isTest static void a() { new Hello(); } }")
    critical = apex("CriticalTest", "@IsTest(critical = true) private class CriticalTest { @isTest static void b() { } }")
    made = apex(
        "MadeTest", "@IsTest(testFor='ApexClass:Nope, ApexClass:Hello') private class MadeTest { @isTest static void c() {} }"
    )
    org.deploy(apex_package(apex("Hello"), apex("Other"), naming, critical, made, apex_tests("OtherTest")))
    big = apex("Hello", "public class Hello {" + "Integer a;" * 99 + "}")
    result = org.deploy(apex_package(big), testLevel="RunRelevantTests")
    run = result["details"]["runTestResult"]
    assert sorted(test["name"] for test in run["successes"]) == ["CriticalTest", "MadeTest", "NamesTest"]
    assert [warning["name"] for warning in run["codeCoverageWarnings"]] == ["Hello"]
    assert result["status"] == "Failed"


@cites("local tests")
def test_a_sandbox_runs_no_tests_unless_it_is_told_to(sandbox: EmulatedOrg) -> None:
    """A sandbox runs no tests by default; RunLocalTests runs them whatever the package holds."""
    assert sandbox.deploy(apex_package(apex("Hello"), apex_tests()))["numberTestsTotal"] == 0
    permission = one("CustomPermission", "P", "customPermissions/P.customPermission", "<label>P</label>")
    assert sandbox.deploy(permission, testLevel="RunLocalTests")["numberTestsTotal"] == 1


@cites("running tests", "knowledge")
def test_to_api_version_33_production_tested_nearly_all_deploys(production: EmulatedOrg) -> None:
    """To API version 33.0 production runs local tests for nearly all types, from 34.0 for Apex only."""
    production.deploy(apex_package(apex("Hello"), apex_tests()))
    permission = one("CustomPermission", "P", "customPermissions/P.customPermission", "<label>P</label>")

    def tests(version: str) -> int:
        ident = production.submit(permission, version=version)
        production.clock.seconds += 60
        return int(production.status(ident)["numberTestsTotal"])

    assert [tests("33.0"), tests("34.0")] == [1, 0]
