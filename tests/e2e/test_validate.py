"""A merge request's way: which orgs the change reaches, a check of it there, and what a code host shows of that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from emulators.testing import Running
from orgs.editions import Edition
from orgs.federation import load_federation
from tests.e2e.released import Project, replace_in
from tests.formats import JUNIT, SARIF
from tests.landed import OUTPUTS

pytestmark = pytest.mark.e2e

CHINA = [org.name for org in load_federation().orgs if org.edition is Edition.ALIBABA]
LABELS = "metadata/china/main/default/labels/CustomLabels.labels-meta.xml"


def git(project: Project, *arguments: str) -> None:
    project.ok("/usr/bin/env", "git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", *arguments)


def validated(project: Project) -> tuple[int, str, etree._Element, list[dict[str, Any]]]:
    """Validate the work tree against china-uat; return the exit code, what was printed, and both reports."""
    files = {kind: project.root / "reports" / f"china-uat.{kind}" for kind in ("xml", "sarif")}
    options = ("-o", "validate__junit", str(files["xml"]), "-o", "validate__sarif", str(files["sarif"]))
    done = project.run("cci", "flow", "run", "validate", "--org", "china-uat", *options)
    junit = etree.parse(str(files["xml"]))
    JUNIT.assertValid(junit)
    log = json.loads(files["sarif"].read_text())
    Draft202012Validator(SARIF).validate(log)
    (run,) = log["runs"]
    return done.returncode, done.stdout + done.stderr, junit.getroot(), run["results"]


def test_a_merge_request_is_checked_where_it_reaches_and_shown_by_file_and_line(
    clouds: Running, rings: Project
) -> None:
    git(rings, "init", "--quiet", "--initial-branch=main")
    git(rings, "add", "metadata", "orgs", "cumulusci.yml", "sfdx-project.json")
    git(rings, "commit", "--quiet", "--message=First")
    git(rings, "switch", "--quiet", "--create", "change")
    replace_in(rings.root / LABELS, "<value>", "<value>新")
    git(rings, "commit", "--quiet", "--all", "--message=Change")
    found = rings.data("sfoa", "matrix", "--changed-since", "main", "--json")["result"]["include"]
    assert sorted(each["org"] for each in found) == sorted(CHINA)
    assert [each["ring"] for each in found] == [2, 2, 2, 3, 5]
    for each in found:
        assert [name.partition(":")[0] for name in each["changed"]] == ["CustomLabel"]

    began = len(clouds.emulators.log.tail(10**6))
    code, words, junit, results = validated(rings)
    assert code == 0, words
    # The rights of a validator do: it reads releases and the ledger, and nothing else.
    asked = [entry for entry in clouds.emulators.log.tail(10**6)[began:] if ".oss-" in entry["host"]]
    assert {entry["method"] for entry in asked} <= {"GET", "HEAD"}
    assert {entry["host"].partition(".")[0] for entry in asked} <= {
        OUTPUTS["storage_ledger_bucket"],
        OUTPUTS["storage_releases_bucket"],
    }
    assert asked
    assert not junit.findall(".//failure")
    assert junit.findall("testsuite[@name='china-uat Apex']/testcase")
    assert {each["level"] for each in results} <= {"warning", "note"}

    layout: Path = next(iter(sorted((rings.root / "metadata/core").rglob("*.layout-meta.xml"))))
    replace_in(layout, "<field>", "<field>NoSuchField__c</field></layoutItems><layoutItems><field>")
    line = next(n for n, text in enumerate(layout.read_text().splitlines(), 1) if "NoSuchField__c" in text)
    code, words, junit, results = validated(rings)
    assert code == 1
    assert "Traceback" not in words
    (refused,) = (each for each in results if each["ruleId"] == "release/refused-by-org")
    assert "NoSuchField__c" in refused["message"]["text"]
    physical = refused["locations"][0]["physicalLocation"]
    assert physical["region"] == {"startLine": line}
    assert (rings.root / physical["artifactLocation"]["uri"].replace("%20", " ")) == layout
    assert len(junit.findall("testsuite/testcase/failure")) == 1

    assert rings.data("sfoa", "ledger", "show", "--org", "china-uat", "--json")["result"] == []
