"""A validation as SARIF: each thing once, under who refused it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from flows.checked import BY_KIT, BY_ORG, checked
from flows.failures import PromotionFailed
from flows.gates.finding import Finding, Rule, Severity
from kit.problems import Place, Problem, Refused
from tests.formats import SARIF

RULE = Rule("R01", "law", "Title", "标题", "A law", "article 1", date(2026, 1, 1), "a source", "")
FOUND = Finding(
    "R01.a",
    Severity.BLOCK,
    "ApexClass:A",
    Place("classes/A.cls", 3),
    RULE,
    "It is abroad.",
    "在境外。",
    "Move it.",
    "移回。",
)
BROKEN = Problem("Layout:L: no field", "the org's own check", "ship it", Place("layouts/L.layout-meta.xml", 7))


def results(*findings: Finding, refused: Refused | None = None) -> list[dict[str, Any]]:
    log: Any = checked("china-uat", findings, refused)
    Draft202012Validator(SARIF).validate(log)
    found: list[dict[str, Any]] = log["runs"][0]["results"]
    return found


def test_nothing_found_and_nothing_refused_is_an_empty_run() -> None:
    assert results() == []


def test_a_finding_that_stops_the_release_is_there_once() -> None:
    (one,) = results(FOUND, refused=Refused(FOUND.as_problem()))
    assert one["ruleId"] == "R01.a"


@pytest.mark.parametrize(
    ("refused", "rule"), [(PromotionFailed([BROKEN], "no"), BY_ORG), (Refused([BROKEN], "no"), BY_KIT)]
)
def test_what_was_refused_says_by_whom_and_points_at_its_line(refused: Refused, rule: Any) -> None:
    finding, other = results(FOUND, refused=refused)
    assert (finding["ruleId"], other["ruleId"], other["level"]) == ("R01.a", rule.id, "error")
    physical = other["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]) == (BROKEN.place.file, {"startLine": 7})  # type: ignore[union-attr]
    assert BROKEN.what in other["message"]["text"]
    assert BROKEN.fix in other["message"]["text"]
