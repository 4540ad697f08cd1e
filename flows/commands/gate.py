"""`sfoa gate`: what the law, the edition and the federation say of a release for an org. Looks, and changes nothing."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import click

from flows.bundle import read_bundle
from flows.components import ComponentKey
from flows.compose import compose_for
from flows.gates.gather import gather
from flows.gates.report import as_sarif, counts, junit, text
from flows.gates.run import run_gates
from flows.planfile import read_plan
from flows.project import federation_of, project_root
from flows.source.project import read_project
from kit.console import guarded, json_option
from kit.problems import Exit, Place, Problem, Refused, relative
from orgs.federation import Org
from orgs.freezes import load_freezes

BEIJING = timezone(timedelta(hours=8))  # terms, holidays and filings are days in China


@click.command()
@click.option("--org", "name", required=True, help="An org of the federation.")
@click.option("--bundle", type=click.Path(path_type=Path), help="A bundle file, instead of composing metadata/.")
@click.option("--facts", type=click.Path(path_type=Path), help="A YAML file of facts about the org.")
@click.option("--plan", type=click.Path(path_type=Path), help="A plan file: what it deletes is judged too.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "sarif"]), default="text", help="text by default."
)
@json_option
@guarded
def gate(name: str, bundle: Path | None, facts: Path | None, plan: Path | None, form: str, as_json: bool) -> None:
    """Show what stops a release, or needs facts, before it goes to an org. No legal advice."""
    if as_json and form in ("junit", "sarif"):
        raise click.UsageError(f"--json and --format {form} are two forms: choose one")
    root = project_root()
    federation = federation_of(root)
    org = federation.org(name)
    release = read_bundle(bundle) if bundle else compose_for(federation, org, root)
    known = gather(read_project(root), federation, org, facts)
    today = datetime.now(UTC).astimezone(BEIJING).date()
    freezes = load_freezes(calendar if (calendar := root / "orgs" / "freezes.yml").is_file() else None, federation)
    found = run_gates(release, org, federation, known, today, deletes=_deletes(plan, org), freezes=freezes)
    status = Exit.REFUSED if any(one.blocks for one in found) else Exit.DONE
    if as_json or form == "json":
        result = {
            "org": org.name,
            "bundle": release.digest,
            "counts": counts(found),
            "findings": [one.as_json() for one in found],
        }
        problems = [one.as_problem().as_json() for one in found if one.blocks]
        envelope = {"status": int(status), "result": result, "problems": problems}
        click.echo(json.dumps(envelope, ensure_ascii=False, indent=2))
    elif form == "sarif":
        click.echo(json.dumps(as_sarif(org.name, found), ensure_ascii=False, indent=2))
    else:
        click.echo(junit(org.name, found) if form == "junit" else text(org.name, found))
    sys.exit(status)


def _deletes(file: Path | None, org: Org) -> tuple[ComponentKey, ...] | None:
    if file is None:
        return None
    plan = read_plan(file)
    if plan.org != org.name:
        rule = "a plan is judged for the org that it was made for"
        raise Refused(Problem(f"the plan is for {plan.org}", rule, f"--org {plan.org}", Place(relative(file))))
    return plan.deletes
