"""What the real `cci` lets pass: plans that were approved, in rings that opened, on days that are free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.e2e.released import Project, replace_in
from tests.formats import SARIF

pytestmark = pytest.mark.e2e

PRODUCTION = "global-production"
REASON = "customers cannot log in"


def flow(project: Project, org: str, name: str = "promote", **options: str) -> tuple[int, str]:
    """Run a flow; return its exit code and all that it printed, in one line."""
    told = [part for option, value in options.items() for part in ("-o", f"{name}__{option}", value)]
    done = project.run("cci", "flow", "run", name, "--org", org, *told)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def plan(project: Project, org: str) -> Path:
    file = project.root / "plan.json"
    project.ok("cci", "task", "run", "plan", "--org", org, "--out", str(file))
    return file


def record(project: Project, org: str) -> dict[str, Any]:
    """Return the ledger's last record of an org."""
    found: dict[str, Any] = project.data("sfoa", "ledger", "show", "--org", org, "--json")["result"][-1]["record"]
    return found


def errors(report: str) -> list[dict[str, Any]]:
    """Return what stops the release, from a report that is SARIF indeed."""
    log = json.loads(Path(report).read_text(encoding="utf-8"))
    Draft202012Validator(SARIF).validate(log)
    return [found for run in log["runs"] for found in run["results"] if found["level"] == "error"]


def production_second(project: Project) -> None:
    """Put headquarters' production into ring 2: only headquarters' sandbox comes before it."""
    file = project.root / "orgs" / "federation.yml"
    text = file.read_text().replace("ring: 4\n", "ring: 2\n").replace("ring: 5\n", "ring: 4\n")
    file.write_text(text.replace("3: 0, 4: 0}", "3: 0}"))


def test_production_takes_only_what_was_approved_and_is_taken_back_by_the_second_key_in_an_emergency(
    rings: Project,
) -> None:
    production_second(rings)
    code, words = flow(rings, PRODUCTION)
    assert code == 1
    assert "ring 2 is closed for global-production: global-uat (ring 1) does not hold this release" in words
    assert "a production org needs the signatures of two people" in words
    assert "生产组织需要两人签名" in words
    assert rings.data("sfoa", "ledger", "show", "--org", PRODUCTION, "--json")["result"] == []

    rings.promote("global-uat")
    file = plan(rings, PRODUCTION)
    rings.approve(file, "anna.lindqvist", "marcus.weber")
    fields = sorted((rings.root / "metadata/core").rglob("*.field-meta.xml"))
    field = next(each for each in fields if "<label>" in each.read_text())
    before = field.read_text()
    replace_in(field, "<label>", "<label>Other ")
    code, words = flow(rings, PRODUCTION, plan=str(file))
    assert code == 1
    assert "is not what is planned now" in words
    field.write_text(before)

    code, words = flow(rings, PRODUCTION, plan=str(file))
    assert code == 0, words
    done = record(rings, PRODUCTION)
    assert [one["name"] for one in done["approvals"]] == ["anna.lindqvist", "marcus.weber"]
    assert all(one["key"].startswith("SHA256:") for one in done["approvals"])
    assert done["plan"] in file.read_text()
    assert "approved by anna.lindqvist" in rings.ok("sfoa", "ledger", "show", "--org", PRODUCTION)

    back = ("cci", "task", "run", "plan", "--org", PRODUCTION, "--rollback", "True", "--out", str(file))
    assert "Can't be undone" in rings.ok(*back)
    code, words = flow(rings, PRODUCTION, "rollback", emergency=REASON)
    assert code == 1
    assert "global-production may not be taken back now" in words
    assert "缺少有权 approve-core in an emergency 的签名" in words
    rings.approve(file, "marcus.weber", emergency=REASON)
    code, words = flow(rings, PRODUCTION, "rollback", plan=str(file), emergency=REASON)
    assert code == 0, words
    done = record(rings, PRODUCTION)
    assert (done["rollback_to"], done["emergency"]) == (0, REASON)
    assert "a production org needs the signatures of two people" in done["overridden"]


def test_an_emergency_passes_ring_and_freeze_with_headquarters_key(rings: Project) -> None:
    rings.environment["SFOA_NOW"] = "2027-02-13T12:00:00+08:00"  # an upgrade of the sandbox's instance
    file = plan(rings, "china-uat")
    rings.approve(file, "anna.lindqvist", emergency=REASON)
    code, words = flow(rings, "china-uat")
    assert code == 1
    assert "china-uat is frozen until 2027-02-14" in words
    assert "china-uat 冻结至 2027-02-14" in words
    assert "ring 2 is closed for china-uat" in words

    code, words = flow(rings, "china-uat", emergency=REASON)
    assert code == 0, words
    done = record(rings, "china-uat")
    assert done["emergency"] == REASON
    assert len(done["overridden"]) == 2
    assert [(one["name"], one["namespace"]) for one in done["approvals"]] == [("anna.lindqvist", "sfoa-emergency")]


def test_what_the_gates_find_stops_a_promote_in_both_languages(project: Project) -> None:
    report = str(project.root / "reports" / "gate.sarif")
    assert "未阻断" in project.ok("cci", "flow", "run", "gate", "--org", "china-uat", "-o", "gate__sarif", report)
    assert not errors(report)
    site = project.root / "metadata/core/main/default/remoteSiteSettings/Abroad.remoteSite-meta.xml"
    site.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<RemoteSiteSetting xmlns="http://soap.sforce.com/2006/04/metadata">\n'
        "    <disableProtocolSecurity>false</disableProtocolSecurity>\n    <isActive>true</isActive>\n"
        "    <url>https://collect.example-abroad.com</url>\n</RemoteSiteSetting>\n"
    )
    code, _ = flow(project, "china-uat", "gate", sarif=report)
    assert code == 1
    (found,) = errors(report)
    assert "collect.example-abroad.com" in found["message"]["text"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith(site.name)
    code, words = flow(project, "china-uat")
    assert code == 1
    assert "collect.example-abroad.com" in words
    assert "跨境登记册" in words
    assert project.data("sfoa", "ledger", "show", "--org", "china-uat", "--json")["result"] == []
