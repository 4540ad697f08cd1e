"""A release over four rings with the real `cci`, from its first promote to its rollback; docs/four-rings.md shows it.

What the run prints is the page's text. When it changes on purpose, `SFOA_WRITE_DOCS=1` in front of this test writes it
into both pages.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flows.components import ComponentKey
from tests.e2e.forked import forks
from tests.e2e.hands import by_hand, edited, shipped
from tests.e2e.released import ROOT, Project, replace_in

pytestmark = pytest.mark.e2e

PAGES = [ROOT / "docs" / name for name in ("four-rings.md", "four-rings.zh-CN.md")]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FIELD = ComponentKey("CustomField", "Site_Visit__c.Findings__c")
CLASS = ComponentKey("ApexClass", "Automation")
BOTH = f"{CLASS},{FIELD}"

# CumulusCI's own frame (a log of 80 columns), what depends on how fast the machine is, and what the gates only note.
LEFT_OUT = re.compile(
    r"Using environment variables|  ci: |  root: |\[\d\d/\d\d/\d\d |\s{20}.{60}$|Ran \w+ in |Run this command|"
    r"  (?:Pending|InProgress|Succeeded|Failed): |→ [KR]\d+\.|→ \d+ warnings?: |→ Not known: |→ No secret: "
)
SAME_EVERYWHERE = [
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:]+(?:\.\d+)?(?:\+0000|Z)"), "2026-11-18T02:00:00Z"),
    (re.compile(r"\b0Af\w{15}\b"), "0Af000000000001AAA"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "5f0a" * 16),
    (re.compile(r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{12}\b"), "5f0a5f0a5f0a"),
    (re.compile(r"\b\d{12}\b"), "5f0a5f0a5f0a"),
    # The sample grows; what a release changes in this story doesn't.
    (re.compile(r"\b\d{2,}(?= (?:created|to be created|tests ran|run,|components compared))"), "…"),
    (re.compile(r"(?<=additions are not looked for in folders: ).+"), "…"),
    (re.compile(r"─{3,}"), "───"),
    (re.compile(r"^ {20,}", re.MULTILINE), " " * 20),
    (re.compile(r"\x1b\[[0-9;]*m|\x07"), ""),  # colours, and the bell that cci rings at its end
    (re.compile(r"(?<=[^\s+-]) {3,}(?=\S)"), "   "),  # columns of tables, whose width depends on names; not code
]


@dataclass
class Transcript:
    """Runs commands of a project and keeps what they print, as it is on every machine."""

    project: Project
    blocks: list[str] = field(default_factory=list)

    def run(self, command: str, status: int = 0, *, last: int = 0) -> str:
        """Run a command that has to end with `status`; return what is kept of its output: all, or its `last` lines."""
        done = forks().run(shlex.split(command), self.project.root, self.project.environment, merged=True)
        assert done.returncode == status, f"{command}\n{done.stdout}"
        assert "Traceback" not in done.stdout
        kept = "\n".join(self._kept(done.stdout).splitlines()[-last:])
        kept = f"[…]\n{kept}" if last else kept
        assert kept, done.stdout
        self.blocks.append(f"$ {self._same(command)}\n{kept}\n")
        return kept

    def _kept(self, output: str) -> str:
        own = re.split(r"^Error: ", output, maxsplit=1, flags=re.MULTILINE)[0]
        lines = [line.rstrip() for line in own.splitlines() if not LEFT_OUT.match(line)]
        return re.sub(r"\n{3,}", "\n\n", self._same("\n".join(lines))).strip()

    def _same(self, text: str) -> str:
        keys = str(self.project.keys)
        for old, new in ((keys, "keys"), (f"{self.project.root}/", ""), (f"@{platform.node()}", "@runner")):
            text = text.replace(old, new)
        for pattern, new in SAME_EVERYWHERE:
            text = pattern.sub(new, text)
        return text


def one_org_a_ring(project: Project) -> None:
    """Leave one org in each of the rings 1 to 4; the other two of ring 2 come after them."""
    file = project.root / "orgs" / "federation.yml"
    text = file.read_text().replace("ring: 5\n", "ring: 6\n").replace("4: 0}", "4: 0, 5: 0}")
    for name in ("china-east", "china-preview"):
        text = re.sub(rf"(- name: {name}\n(?:.*\n)*?    ring: )2\n", r"\g<1>5\n", text, count=1)
    file.write_text(text)


def second_release(project: Project) -> None:
    """Change a label and a class."""
    core = project.root / "metadata/core/main/default"
    field_file = next(core.rglob("objects/Site_Visit__c/fields/Findings__c.field-meta.xml"))
    replace_in(field_file, "<label>Findings<", "<label>Findings on site<")
    replace_in(core / "classes/Automation.cls", "Skip_Automation__c == true", "Skip_Automation__c != false")


def test_a_release_goes_over_four_rings_and_is_taken_back_where_somebody_changed_it_by_hand(rings: Project) -> None:
    one_org_a_ring(rings)
    rings.environment["SFOA_ACTOR"] = "release.runner"
    told = Transcript(rings)

    refused = told.run("cci flow run promote --org china-uat", status=1)
    assert "ring 2 is closed for china-uat: global-uat (ring 1) does not hold this release" in refused
    for org in ("global-uat", "china-uat", "china-staging"):
        assert f"{org}: … created, 0 changed, 0 deleted" in told.run(f"cci flow run promote --org {org}")
    told.run("cci task run plan --org global-production --out plan.json", last=1)
    for name in ("anna.lindqvist", "marcus.weber"):
        told.run(f"sfoa approve --plan plan.json --key {rings.keys / name} --name {name}")
    assert "… created" in told.run("cci flow run promote --org global-production -o promote__plan plan.json")

    second_release(rings)
    told.run("cci flow run promote --org global-uat")
    assert "0 created, 2 changed, 0 deleted" in told.run("cci flow run promote --org china-uat")
    by_hand(
        rings,
        edited(shipped(rings, FIELD), b"<label>Findings on site<", b"<label>Findings, signed<"),
        edited(shipped(rings, CLASS), b"return Service", b"// agreed with the night shift\n        return Service"),
    )
    drift = told.run("sfoa drift --org china-uat", status=1)
    assert "label: 'Findings on site' was shipped, 'Findings, signed' found" in drift

    conflict = told.run("cci flow run rollback --org china-uat", status=1)
    assert (
        "label: 'Findings on site' was shipped, 'Findings, signed' is in the org, 'Findings' would replace it"
    ) in conflict
    assert "+        // agreed with the night shift" in conflict
    assert f"accept_overwrite {BOTH}" in conflict
    accepted = told.run(f"cci flow run rollback --org china-uat -o rollback__accept_overwrite {BOTH}")
    assert "rolled back: china-uat: 0 created, 2 changed, 0 deleted" in accepted
    assert "no drift" in told.run("sfoa drift --org china-uat")
    history = told.run("sfoa ledger show --org china-uat")
    assert "rollback to entry 4" in history
    assert "changed by hand" in history
    assert "all as they were written" in told.run("sfoa ledger verify")

    if os.environ.get("SFOA_WRITE_DOCS"):
        for page in PAGES:
            write(page, told.blocks)
    for page in PAGES:
        assert shown(page) == told.blocks, (
            f"{page.name} shows something else: SFOA_WRITE_DOCS=1 writes what was printed"
        )


def shown(page: Path) -> list[str]:
    """Return what a page shows: command and output of each block."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def write(page: Path, blocks: list[str]) -> None:
    """Put what was printed into a page's blocks, in their order."""
    text = page.read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == len(blocks), f"{page.name} needs {len(blocks)} blocks"
    left = iter(blocks)
    page.write_text(BLOCK.sub(lambda _: f"```console\n{next(left)}```", text), encoding="utf-8")
