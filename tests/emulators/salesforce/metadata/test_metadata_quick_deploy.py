"""Quick deploy: which validations may be deployed without their tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.emulators.salesforce.metadata.metadata_support import EmulatedOrg, apex, apex_package, apex_tests

from tests.emulated_org import cites


@cites("quick deploy", "quick deploy over REST")
def test_a_recent_validation_is_deployed_without_its_tests(production: EmulatedOrg) -> None:
    """A validation of the last ten days is deployed without its tests, over SOAP or REST."""
    package = apex_package(apex("Hello"), apex_tests())
    validation = production.submit(package, checkOnly=True, testLevel="RunLocalTests")
    production.clock.seconds += 9 * 24 * 3600
    assert production.status(validation)["status"] == "Succeeded"
    answer = production.rest(
        "POST", "/validatedDeployRequestId", json.dumps({"validatedDeployRequestId": validation}).encode()
    )
    created = json.loads(answer.body)
    assert (answer.status, created["validatedDeployRequestId"]) == (201, validation)
    production.clock.seconds += 60
    result = production.status(created["id"])
    assert (result["status"], result["numberTestsTotal"], result["checkOnly"]) == ("Succeeded", 0, False)
    assert production.components.get("ApexClass", "Hello")


def quick_error(org: EmulatedOrg, ident: str) -> str:
    body = org.soap("deployRecentValidation", f"<validationId>{ident}</validationId>")
    return body.findtext(".//{*}faultstring") or body.findtext(".//{*}result") or ""


@cites("quick deploy")
def test_a_validation_is_no_good_when_old_untested_failed_or_overtaken(sandbox: EmulatedOrg) -> None:
    """A validation can be quick-deployed within ten days, when its tests ran and passed, and nothing was deployed since."""
    package = apex_package(apex("Hello"), apex_tests())

    def validated(**options: Any) -> str:
        ident = sandbox.submit(package, checkOnly=True, **options)
        sandbox.clock.seconds += 60
        assert sandbox.status(ident)["status"] == "Succeeded"
        return ident

    untested = validated(testLevel="NoTestRun")
    assert "ran no tests" in quick_error(sandbox, untested)
    old = validated(testLevel="RunLocalTests")
    sandbox.clock.seconds += 10 * 24 * 3600 + 1
    assert "more than 10 days old" in quick_error(sandbox, old)
    overtaken = validated(testLevel="RunLocalTests")
    plain = sandbox.submit(apex_package(apex("Else")))
    sandbox.clock.seconds += 60
    assert "something else was deployed" in quick_error(sandbox, overtaken)
    assert "not a validation" in quick_error(sandbox, plain)
    assert "no validation" in quick_error(sandbox, "0Af000000000000AAA")
    good = validated(testLevel="RunLocalTests")
    assert quick_error(sandbox, good).startswith("0Af")


@cites("quick deploy")
@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"apex_tests": {"HelloTest.works": {"outcome": "fail"}}}, "is Failed, not Succeeded"),
        ({"apex_coverage": {"Hello": 74}}, "they cover too little"),
    ],
)
def test_a_validation_whose_tests_fail_or_cover_too_little_is_no_good(declared: dict[str, Any], why: str) -> None:
    """A validation cannot be quick-deployed when its tests failed, or cover less than 75%."""
    org = EmulatedOrg(declared=declared)
    hello = apex("Hello", "public class Hello {" + "Integer a;" * 99 + "}")
    ident = org.submit(apex_package(hello, apex_tests()), checkOnly=True, testLevel="RunLocalTests")
    org.clock.seconds += 60
    assert why in quick_error(org, ident)


@cites("quick deploy over REST")
def test_a_validation_that_is_no_good_is_not_found_over_rest(sandbox: EmulatedOrg) -> None:
    """Over REST a quick deploy of a validation that does not qualify is answered with 404."""
    body = json.dumps({"validatedDeployRequestId": "0Af000000000000AAA"}).encode()
    assert sandbox.rest("POST", "/validatedDeployRequestId", body).status == 404
