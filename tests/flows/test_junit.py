from __future__ import annotations

from xml.etree import ElementTree

from flows.failures import failures_of
from flows.junit import junit
from flows.metadata_results import parse_deploy
from flows.package import assemble
from kit.problems import Place
from tests.flows.release_support import apex

RESULT = parse_deploy(
    {
        "id": "0Af1",
        "status": "Failed",
        "details": {
            "componentFailures": [
                {"componentType": "ApexClass", "fullName": "A", "problem": "bad", "fileName": "classes/A.cls"},
                {"fullName": "B", "problem": "unknown", "fileName": "classes/B.cls", "lineNumber": 4},
            ],
            "runTestResult": {
                "successes": [{"name": "ATest", "methodName": "works", "time": 5}],
                "failures": [{"name": "ATest", "methodName": "breaks", "message": "no", "stackTrace": "x", "time": 5}],
            },
        },
    }
)


def test_failures_lead_to_the_source_or_else_to_the_package() -> None:
    problems = failures_of(RESULT, assemble([apex("A")], "62.0").lines)
    assert [problem.place for problem in problems] == [
        Place("A.cls", 1),
        Place("classes/B.cls", 4),
        Place("classes/ATest.cls", 0),
    ]


def test_refused_components_and_failed_tests_are_failures_in_junit() -> None:
    problems = tuple(failures_of(RESULT, assemble([apex("A")], "62.0").lines))
    root = ElementTree.fromstring(junit("china-uat", RESULT, problems))
    components, tests = root.findall("testsuite")
    assert (components.get("tests"), components.get("failures")) == ("3", "3")
    assert (tests.get("tests"), tests.get("failures")) == ("2", "1")


def test_a_promote_with_nothing_to_do_passes() -> None:
    root = ElementTree.fromstring(junit("china-uat", None))
    assert root.findall(".//failure") == []
    assert len(root.findall(".//testcase")) == 1
