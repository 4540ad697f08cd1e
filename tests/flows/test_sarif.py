from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from flows.sarif import Level, Result, Rule, sarif
from kit.problems import Place
from tests.formats import SARIF

RULE = Rule("drift/changed", "Something changed.", "Change it back.", Level.ERROR)
NOTE = Rule("drift/unmanaged", "Something is there.", "Take it home.", Level.NOTE)


def run_of(*results: Result) -> dict[str, Any]:
    log: Any = sarif(results, [RULE, NOTE])
    Draft202012Validator(SARIF).validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_a_result_points_at_its_line_and_its_rule() -> None:
    run = run_of(Result(NOTE, "There.", "org/A"), Result(RULE, "Changed.", "org/B", Place("a/b.xml", 7)))
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [each["ruleId"] for each in run["results"]]
    assert run["results"][1]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a/b.xml", "uriBaseId": "PROJECTROOT"},
        "region": {"startLine": 7},
    }
    assert run["results"][1]["level"] == "error"


def test_a_path_becomes_a_uri() -> None:
    run = run_of(Result(RULE, "Changed.", "org/B", Place("layouts/Case-技术 Layout.layout-meta.xml")))
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "layouts/Case-%E6%8A%80%E6%9C%AF%20Layout.layout-meta.xml"
    assert "region" not in physical


def test_what_stands_in_no_file_has_a_name_only() -> None:
    [result] = run_of(Result(NOTE, "There.", "org/A"))["results"]
    assert result["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "org/A"}]}]


def test_the_same_finding_keeps_its_fingerprint_when_lines_and_words_change() -> None:
    def prints(message: str, line: int, name: str = "org/A") -> object:
        return run_of(Result(RULE, message, name, Place("a", line)))["results"][0]["partialFingerprints"]

    assert prints("one", 1) == prints("two", 2)
    assert prints("one", 1) != prints("one", 1, "org/B")


def test_a_clean_run_still_says_by_which_rules_it_looked() -> None:
    run = run_of()
    assert run["results"] == []
    assert len(run["tool"]["driver"]["rules"]) == 2
