"""`make up`: the main job on the emulators. A landing zone stands, and a release is promoted through the federation.

Every step is a command that a user can type; a run that was interrupted is simply started again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from kit.console import people
from pipelines.steps import Failed, Step, run

HOME = Path(os.environ.get("SFOA_HOME", ".sfoa"))
INSIDE = ("sfoa", "emulators", "run", "--")
STACK = "local"
APPROVERS = HOME / "approvers"
WORKING_DAY = "2026-11-18T10:00:00+08:00"  # any: so that `make up` works on holidays too

Org = dict[str, Any]
"""An org, as `sfoa federation show --json` describes it."""


def preparation() -> list[Step]:
    """Return the steps that have both clouds stand: emulators, runner key, the federation's orgs."""
    key, world = HOME / "runner", HOME / "world.json"
    return [
        Step("Start the emulators of both clouds", ("sfoa", "emulators", "start")),
        Step("Make the release runner's key", ("sfoa", "federation", "runner-key", "--out", str(key))),
        Step(
            "Describe the federation's orgs",
            ("sfoa", "federation", "world", "--certificate", str(key / "runner.crt"), "--out", str(world)),
        ),
        Step("Have them created, as their operators would", ("sfoa", "emulators", "seed", str(world))),
    ]


def landing() -> list[Step]:
    """Return the steps that land the landing zone."""
    select = ("pulumi", "stack", "select", "--create", STACK)
    up = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", STACK)
    return [
        Step("Select the stack", (*INSIDE, *select)),
        Step("Land the landing zone (pulumi up)", (*INSIDE, *up), _Counter()),
    ]


def keys(orgs: Sequence[Org]) -> Step:
    """Return the step that makes throw-away keys for all who approve what goes to `orgs`."""
    names = sorted({name for org in orgs for name in org["approvers"]})
    command = (sys.executable, "-m", "pipelines.approvers", str(APPROVERS), *names)
    return Step("Make throw-away keys for the approvers", command)


def promotion(org: Org) -> list[Step]:
    """Return the steps that promote one org; what goes to production is planned and signed by its approvers first."""
    name, promote = org["name"], (*INSIDE, "cci", "flow", "run", "promote", "--org", org["name"])
    title = f"Promote {name} (cci flow run promote)"
    if org["kind"] != "production":
        return [Step(title, promote, _flow)]
    plan, signed = str(HOME / "plans" / f"{name}.json"), str((HOME / "approvals" / name).resolve())
    make = (*INSIDE, "cci", "task", "run", "plan", "--org", name, "--out", plan)
    return [
        Step(f"Plan {name} (cci task run plan)", make, _flow),
        *(
            Step(
                f"Approve the plan for {name} as {who} would (sfoa approve)",
                ("sfoa", "approve", "--plan", plan, "--key", str(APPROVERS / who), "--name", who, "--out", signed),
            )
            for who in org["approvers"]
        ),
        Step(title, (*promote, "-o", "promote__plan", plan, "-o", "promote__approvals", signed), _flow),
    ]


def orgs_by_ring() -> list[Org]:
    """Return the federation's orgs in the order in which they are promoted."""
    done = subprocess.run(["sfoa", "federation", "show", "--json"], capture_output=True, text=True, check=True)
    rings = json.loads(done.stdout)["result"]["rings"]
    return [org for ring in rings for org in ring]


def main() -> int:
    """Run all steps and end with the summary. Returns the exit code of the step that failed, or 0."""
    HOME.mkdir(parents=True, exist_ok=True)
    log = HOME / "up.log"
    log.unlink(missing_ok=True)
    # cci looks for a folder `.git`, which a work tree does not have: it is told where the project is.
    environ = {"CUMULUSCI_AUTO_DETECT": "1", "CUMULUSCI_REPO_ROOT": str(Path.cwd())}
    environ |= {"SFOA_APPROVERS": str(APPROVERS.with_suffix(".json").resolve()), "SFOA_NOW": WORKING_DAY}
    orgs = orgs_by_ring()
    try:
        for step in [*preparation(), *landing(), keys(orgs), *chain.from_iterable(map(promotion, orgs))]:
            run(step, log, environ)
    except Failed as failed:
        console = people()
        console.print(failed.said, markup=False)
        console.print(
            f"Failed: {failed.step.title}. The whole log: {log}. Mend it and run `make up` again: it goes on."
        )
        return failed.code
    return subprocess.run([*INSIDE, "sfoa", "summary"]).returncode


class _Counter:
    """Counts the resources that Pulumi has created or changed so far."""

    _DONE = re.compile(r"^\s*[+~]{1,2}-?\s+\S+.*\b(?:created|updated|replaced)\b")

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, line: str) -> str | None:
        if self._DONE.match(line):
            self.count += 1
            return f"{self.count} resources"
        return None


def _flow(line: str) -> str | None:
    return line.strip()[:80] or None


if __name__ == "__main__":
    sys.exit(main())
