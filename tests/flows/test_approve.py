"""Whoever signs a plan sees first what it does, what it needs, and what it risks."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.commands.approve import approve_plan
from flows.components import ComponentKey
from flows.packages import Kind, Package
from flows.plan import Plan, Risk, Severity, TestLevel, Tests
from flows.planfile import write_plan
from orgs.federation import load_federation
from pipelines.approvers import make_keys

RISK = Risk("field-deleted", Severity.HIGH, "CustomField:Case.Old__c", "its values are lost", "其数据将丢失")
KEY = ComponentKey.parse("CustomField:Case.Old__c")


def plan(*risks: Risk) -> Plan:
    """Return a plan that deletes a field and needs a package."""
    tests = Tests(TestLevel.SPECIFIED, ("ATest",))
    parts = Package(Kind.MANAGED, "parts", "1.2")
    return Plan("china-uat", "b" * 64, "c" * 64, (), (), (KEY,), tests, risks, (parts,))


def signed(file: Path, made: Plan, monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    """Approve a plan; return what was said to people, and whether a signature was written."""
    write_plan(made, file / "plan.json")
    keys = make_keys(file / "approvers", [one.name for one in load_federation().approvers])
    monkeypatch.setenv("SFOA_APPROVERS", str(keys))
    options = ("--plan", file / "plan.json", "--key", keys.with_suffix("") / "li.wei", "--name", "li.wei")
    done = CliRunner().invoke(approve_plan, [str(each) for each in (*options, "--out", file / "out")])
    assert done.exit_code == 0, done.output
    return done.stderr, any((file / "out").iterdir())


def test_risks_counts_tests_and_packages_are_shown_to_who_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, written = signed(tmp_path, plan(RISK), monkeypatch)
    assert written
    shown = ["1 to be deleted", "needs package parts 1.2", "ATest", "its values are lost", "其数据将丢失"]
    assert [words for words in shown if words not in said] == []


def test_a_plan_without_risks_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No risks were found" in signed(tmp_path, plan(), monkeypatch)[0]
