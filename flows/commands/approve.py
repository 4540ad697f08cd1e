"""`sfoa approve`: an approver signs a plan's digest with their SSH key. Changes no org and no cloud."""

from __future__ import annotations

from pathlib import Path

import click

from flows.approval import LOCAL, approve, folder_of, known_approvers
from flows.plan import Plan
from flows.planfile import read_plan
from flows.project import federation_of, project_root
from kit.console import emit, guarded, json_option, people
from kit.problems import Problem, Refused, relative
from orgs.model import nearest


@click.command("approve")
@click.option("--plan", "file", type=click.Path(path_type=Path), required=True, help="A plan file (cci task run plan).")
@click.option(
    "--key", type=click.Path(path_type=Path), required=True, help="Your SSH key; its .pub if an agent has it."
)
@click.option("--name", required=True, help="Who you are: a name among the federation's approvers.")
@click.option("--emergency", default="", metavar="REASON", help="Let it pass calendar and rings; headquarters only.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to; default: approvals/<plan's digest>.")
@json_option
@guarded
def approve_plan(file: Path, key: Path, name: str, emergency: str, out: Path | None, as_json: bool) -> None:
    """Sign a plan, after showing what it does and risks; a promote of that plan finds your signature."""
    root = project_root()
    # Throw-away keys of the emulators may sign anything here: a promote anywhere else refuses them.
    federation = known_approvers(federation_of(root), LOCAL)
    approver = next((one for one in federation.approvers if one.name == name), None)
    if approver is None:
        known = [one.name for one in federation.approvers]
        raise Refused(
            Problem(f"no approver is called {name}", "approvers stand in orgs/federation.yml", nearest(name, known))
        )
    plan = read_plan(file)
    _show(plan)
    folder = out or folder_of(root, plan.digest)
    written = [relative(path) for path in approve(plan.digest, key, approver, folder, emergency)]
    result = {"org": plan.org, "plan": plan.digest, "approver": name, "files": written}
    counts = ", ".join(f"{count} {verb}" for verb, count in plan.counts.items())
    text = f"{name} approved plan {plan.digest[:12]} for {plan.org} ({counts}): {', '.join(written)}"
    emit(result, as_json=as_json, text=text)


def _show(plan: Plan) -> None:
    """Tell people what they are about to sign: it is too late to read it afterwards."""
    from flows.view import (
        counts_text,
        lines_of_tests,
        risk_table,
        show,
    )  # drawing loads the engine: --help does without

    console = people()
    console.print(f"{plan.org}: {counts_text(plan.counts, done=False)}", highlight=False)
    for package in plan.packages:
        console.print(f"  needs package {package}", highlight=False, markup=False)
    for line in lines_of_tests(plan.tests):
        console.print(line, highlight=False, markup=False)
    if plan.risks:
        show(console, risk_table(plan))
    else:
        console.print("No risks were found. 未发现风险。", highlight=False)
