"""The real `cci` takes orgs back, and keeps two runs apart."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from lxml import etree

from emulators.salesforce.metadata import deploys
from flows.metadata_api import MetadataApi
from flows.project import federation_of
from flows.tokens import mint
from tests.e2e.released import BIN, ROOT, Project, replace_in
from tests.test_json_schemas import validator

pytestmark = pytest.mark.e2e

PROMOTE = ("cci", "flow", "run", "promote", "--org", "china-uat")
ROLLBACK = ("cci", "flow", "run", "rollback", "--org", "china-uat")
TYPES = (
    "ApexClass",
    "CustomApplication",
    "CustomLabels",
    "CustomMetadata",
    "CustomObject",
    "CustomTab",
    "Flow",
    "Layout",
    "LightningComponentBundle",
    "PermissionSet",
    "Workflow",
)


def held(project: Project) -> Mapping[str, bytes]:
    """Return all that the org holds, XML in canonical form. Containers that hold nothing, and the list of what was
    retrieved, are left out: an org goes on listing CustomLabels when the last label is gone."""
    files = {path: data for path, data in project.retrieved(*TYPES).items() if path != "package.xml"}
    roots = {path: etree.fromstring(data) for path, data in files.items() if data.startswith(b"<?xml")}
    canonical = {path: etree.tostring(root, method="c14n") for path, root in roots.items()}
    return {path: canonical.get(path, data) for path, data in files.items() if path not in roots or len(roots[path])}


def words(done: subprocess.CompletedProcess[str]) -> str:
    """Return all that a command printed, in one line."""
    return " ".join((done.stdout + done.stderr).split())


def first(project: Project, pattern: str) -> Path:
    """Return the first source file of the core layer of that pattern."""
    return min((project.root / "metadata/core").rglob(pattern))


def change(project: Project) -> None:
    """Make a release of the sample that creates, changes and deletes."""
    core = project.root / "metadata/core"
    field = next(file for file in sorted(core.rglob("*.field-meta.xml")) if "<description>" in file.read_text())
    replace_in(field, "<description>", "<description>Changed. ")
    for pattern in ("*.listView-meta.xml", "*.validationRule-meta.xml"):
        first(project, pattern).unlink()
    meta = next(file for file in sorted(core.rglob("*.cls-meta.xml")) if not file.name.endswith("Test.cls-meta.xml"))
    shutil.copy(meta, meta.with_name("Newcomer.cls-meta.xml"))
    meta.with_name("Newcomer.cls").write_text("public class Newcomer {\n}\n")
    text = field.read_text()
    name = field.name.removesuffix(".field-meta.xml")
    newcomer = '<?xml version="1.0" encoding="UTF-8"?>\n<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">'
    newcomer += "<fullName>Newcomer__c</fullName><label>New</label><length>20</length><type>Text</type></CustomField>"
    assert name in text
    field.with_name("Newcomer__c.field-meta.xml").write_text(newcomer)


def test_a_rollback_leaves_the_org_as_it_was_before_the_release(project: Project) -> None:
    project.promote()
    before = held(project)
    change(project)
    creates, changes, deletes = project.plan()
    assert creates
    assert changes
    assert deletes
    project.promote()
    assert held(project) != before
    told = project.ok(*ROLLBACK)
    assert "Can't be undone: CustomField:" in told
    assert held(project) == before
    assert project.plan() == (creates, changes, deletes), "the release can be promoted again"
    assert "rollback to entry" in project.ok("sfoa", "ledger", "show", "--org", "china-uat")
    assert "all as they were written" in project.ok("sfoa", "ledger", "verify")


def test_a_first_release_is_rolled_back_to_what_the_org_held_before_anyone_shipped(project: Project) -> None:
    before = held(project)
    project.promote()
    project.ok(*ROLLBACK, "-o", "rollback__to", "0")
    assert held(project) == before


def test_a_change_made_by_hand_is_shown_and_overwritten_only_by_name(project: Project) -> None:
    project.promote()
    source = next(file for file in sorted((project.root / "metadata/core").rglob("*.cls")) if "Test" not in file.name)
    name, shipped = source.stem, source.read_text()
    # Someone deploys to the org around the kit: here with the kit's own client, and no ledger.
    edit = (
        "from pathlib import Path; from flows.tokens import mint; from flows.metadata_api import MetadataApi;"
        "from orgs.federation import load_federation; from flows.components import ComponentKey as K;"
        "from flows.snapshot import components_of; from flows.package import assemble; from dataclasses import replace;"
        "api = MetadataApi(mint(load_federation(Path('orgs/federation.yml')).org('china-uat')), '62.0');"
        f"key = K('ApexClass', '{name}'); held = components_of(api.retrieve([key]).files, [key])[key];"
        "files = tuple(f._replace(data=f.data + b'// by hand') if f.path.endswith('.cls') else f for f in held.files);"
        "ident = api.deploy(assemble([replace(held, files=files)], '62.0').zip, None, check_only=False);"
        "assert api.wait(ident, print, 60).success"
    )
    project.ok("python", "-c", edit)
    assert "no conflicts" in project.ok("sfoa", "conflicts", "--org", "china-uat"), "nothing of ours is in the way"
    source.write_text(shipped + "\n// ours\n")
    looked = project.run("sfoa", "conflicts", "--org", "china-uat", "--json")
    answer = json.loads(looked.stdout)
    validator("conflicts").validate(answer)
    assert (looked.returncode, answer["status"]) == (1, 1)
    (clash,) = answer["result"]["conflicts"]
    assert clash["component"] == f"ApexClass:{name}"
    assert any("// by hand" in diff for diff in clash["diffs"])
    assert any("// ours" in diff for diff in clash["diffs"])
    done = project.run(*PROMOTE)
    assert done.returncode == 1
    assert f"ApexClass:{name}" in words(done)
    assert "changed in the org by hand" in words(done)
    assert b"by hand" in b"".join(project.retrieved(f"ApexClass:{name}").values())
    project.ok(*PROMOTE, "-o", "promote__accept_overwrite", f"ApexClass:{name}")
    assert b"by hand" not in b"".join(project.retrieved(f"ApexClass:{name}").values())
    assert "changed by hand" in project.ok("sfoa", "ledger", "show", "--org", "china-uat")


def start(project: Project, *command: str) -> subprocess.Popen[str]:
    """Start a command of the project and return it while it runs."""
    return subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=project.root,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_of_two_runners_at_the_same_moment_one_promotes_and_the_other_says_who_holds_the_org(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploys, "BASE_SECONDS", 2.0)  # so that the two do meet
    runs = [start(project, *PROMOTE) for _ in range(2)]
    told = [" ".join(run.communicate(timeout=300)[0].split()) for run in runs]
    codes = [run.returncode for run in runs]
    winner = "nothing to do" if codes == [0, 0] else "created"
    assert any(winner in text for text in told), told
    for code, text in zip(codes, told, strict=True):
        assert code == 0 or "is held by run" in text or "another run wrote entry" in text, text
    entries = project.data("sfoa", "ledger", "show", "--org", "china-uat", "--all", "--json")["result"]
    assert [entry["record"]["event"] for entry in entries] == ["started", "validating", "deploying", "succeeded"]


STEPS = (
    ("put snapshots", 1, "died before it deployed anything"),
    ("wait", 1, "died: looking at its validation"),
    ("put orgs", 3, "died: looking at its deployment"),  # asked for, and the ledger doesn't know yet
    ("put indexes", 1, "died: looking at its deployment"),  # deployed, and not verified
)


def deployments(project: Project) -> list[str]:
    """Return the ids of what was deployed to the org, validations left out."""
    api = MetadataApi(mint(federation_of(project.root).org("china-uat")), "62.0")
    rows = api._query("SELECT Id, Status FROM DeployRequest WHERE CheckOnly = false")
    assert {row["Status"] for row in rows} <= {"Succeeded"}
    return [str(row["Id"]) for row in rows]


def test_the_same_command_finishes_a_run_that_was_killed_at_any_step(project: Project) -> None:
    source = project.root / "metadata/core/main/default/classes/Automation.cls"
    dying = [sys.executable, "-P", "-m", "tests.e2e.killing"]
    for number, (effect, times, words) in enumerate(STEPS, 1):
        source.write_text(f"{source.read_text()}// release {number}\n")
        died = subprocess.run(
            [*dying, effect, str(times), *PROMOTE],
            cwd=project.root,
            env={**project.environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert died.returncode == -signal.SIGKILL, died.stdout + died.stderr
        began = time.monotonic()
        assert words in project.promote()
        assert time.monotonic() - began < 60, "nobody waits for the lease of a process that is known to be dead"
        assert len(deployments(project)) == number
        assert project.plan() == ([], [], [])
    assert b"// release 4" in project.retrieved("ApexClass:Automation")["classes/Automation.cls"]
    assert "all as they were written" in project.ok("sfoa", "ledger", "verify")
