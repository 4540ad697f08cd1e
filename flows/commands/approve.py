"""`sfoa approve`: an approver signs a plan's digest with their SSH key. Changes no org and no cloud."""

from __future__ import annotations

from pathlib import Path

import click

from flows.approval import LOCAL, approve, folder_of, known_approvers
from flows.planfile import read_plan
from flows.project import federation_of, project_root
from kit.console import emit, guarded, json_option
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
    """Sign a plan that you looked at; a promote of that plan finds your signature."""
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
    folder = out or folder_of(root, plan.digest)
    written = [relative(path) for path in approve(plan.digest, key, approver, folder, emergency)]
    result = {"org": plan.org, "plan": plan.digest, "approver": name, "files": written}
    counts = ", ".join(f"{count} {verb}" for verb, count in plan.counts.items())
    text = f"{name} approved plan {plan.digest[:12]} for {plan.org} ({counts}): {', '.join(written)}"
    emit(result, as_json=as_json, text=text)
