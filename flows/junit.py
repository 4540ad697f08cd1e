"""A deployment as JUnit XML, which every CI system shows: its tests, and each refused component as a test case."""

from __future__ import annotations

from xml.etree import ElementTree

from flows.metadata_results import DeployResult
from kit.problems import Problem


def junit(org: str, result: DeployResult | None, problems: tuple[Problem, ...] = ()) -> bytes:
    """Return a JUnit document. `problems` are what the org refused; `result` is None when nothing was deployed."""
    root = ElementTree.Element("testsuites", name=f"promote {org}")
    deployment = ElementTree.SubElement(root, "testsuite", name=f"{org} components")
    for problem in problems or ():
        case = ElementTree.SubElement(deployment, "testcase", classname="components", name=problem.what)
        if problem.place:
            case.set("file", problem.place.file)
            case.set("line", str(problem.place.line))
        ElementTree.SubElement(case, "failure", message=problem.what).text = str(problem)
    if not problems:
        ElementTree.SubElement(deployment, "testcase", classname="components", name="deployment")
    _count(deployment)
    if result:
        suite = ElementTree.SubElement(root, "testsuite", name=f"{org} Apex", time=f"{result.tests.seconds:.3f}")
        for outcome in (*result.tests.passed, *result.tests.failures):
            case = ElementTree.SubElement(
                suite, "testcase", classname=outcome.name, name=outcome.method, time=f"{outcome.seconds:.3f}"
            )
            if outcome.message:
                ElementTree.SubElement(case, "failure", message=outcome.message).text = outcome.stack
        _count(suite)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _count(suite: ElementTree.Element) -> None:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
