"""What somebody changed by hand in an org comes home as a branch; what holds data stays until it is accepted."""

from __future__ import annotations

import subprocess

import pytest

from flows.components import ComponentKey
from tests.e2e.hands import by_hand, edited, shipped
from tests.e2e.released import Project
from tests.e2e.test_drift import FIELD

pytestmark = pytest.mark.e2e

ORG = "china-uat"
OPEN_ID = ComponentKey("CustomField", "Contact.WeChat_OpenID__c")


def git(project: Project, *arguments: str) -> str:
    command = ["git", "-C", str(project.root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_hand_change_comes_home_as_a_branch_and_one_with_a_mail_address_is_stopped(project: Project) -> None:
    git(project, "init", "-q", "-b", "main")
    for key, value in (("user.name", "T"), ("user.email", "t@example.invalid"), ("commit.gpgsign", "false")):
        git(project, "config", key, value)
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "First")
    project.promote()
    field, other = shipped(project, FIELD), shipped(project, OPEN_ID)
    by_hand(
        project,
        edited(field, b"<label>", b"<label>My "),
        edited(other, b"<description>", b"<description>Ask wei.zhang@acme.cn. "),
    )
    status = git(project, "status", "--porcelain", "--branch")

    stopped = project.run("cci", "flow", "run", "back_promote", "--org", ORG)
    said = stopped.stdout + stopped.stderr
    assert stopped.returncode != 0
    assert "mail address" in said
    assert "zhang" not in said
    assert git(project, "branch", "--list", "bring-home/*") == ""

    said = project.ok("cci", "flow", "run", "back_promote", "--org", ORG, "-o", "back_promote__accept", str(OPEN_ID))
    branch = git(project, "branch", "--list", "bring-home/*", "--format=%(refname:short)").strip()
    assert branch.startswith(f"bring-home/{ORG}-")
    assert branch in said
    assert git(project, "status", "--porcelain", "--branch") == status
    assert git(project, "diff", "--name-only", "HEAD", branch).splitlines() == sorted(
        [field.source.file, other.source.file]
    )
    assert "+    <label>My Findings</label>" in git(project, "diff", "HEAD", branch, "--", field.source.file)
    message = git(project, "log", "-1", "--format=%B", branch)
    assert f"| `{FIELD}` | core (where the org has it from) |" in message
    assert "accepted by name" in message
