"""`sfoa gate`: what the law, the edition and the federation say of a release for an org. Looks, and changes nothing."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import click

from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.compose import compose_for
from flows.gates.facts import facts_file
from flows.gates.gather import gather
from flows.gates.report import as_sarif, counts, junit, text
from flows.gates.run import run_gates
from flows.handover import OUTPUTS_FILE, STACK, read_outputs
from flows.orgbundle import fitted, rendered
from flows.planfile import read_plan
from flows.project import federation_of, project_root
from flows.signing import read_signed
from flows.source.project import read_project
from flows.substitute import has_placeholders
from kit.console import guarded, json_option, people
from kit.problems import Exit, Place, Problem, Refused, relative
from orgs.federation import Federation, Org
from orgs.freezes import load_freezes

BEIJING = timezone(timedelta(hours=8))  # terms, holidays and filings are days in China


@click.command()
@click.option("--org", "name", required=True, help="An org of the federation.")
@click.option("--bundle", type=click.Path(path_type=Path), help="A release or bundle, instead of composing metadata/.")
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
    release = read_signed(bundle).bundle_for(org.name) if bundle else compose_for(federation, org, root)
    today = datetime.now(UTC).astimezone(BEIJING).date()
    release, excluded = fitted(release, org, federation, root, today, facts)
    release = _as_promoted(release, org, federation, root)
    known = gather(read_project(root), federation, org, facts_file(root, org.name, facts))
    known = replace(known, excluded=excluded)
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


def _as_promoted(release: Bundle, org: Org, federation: Federation, root: Path) -> Bundle:
    """Return what a promote would deploy, as far as that is known without asking the org: with the landing zone's
    values, and what is rendered of them. Without a stack the release is judged as it is written, and that is told."""
    if not (org.parts or has_placeholders(release)):
        return release
    if not (os.environ.get(STACK) or os.environ.get(OUTPUTS_FILE)):
        unset = f"neither {STACK} nor {OUTPUTS_FILE} is set"
        people().print(f"Judged without what the landing zone's outputs add: {unset} 未包含着陆区输出的内容")
        return release
    return rendered(release, org, federation, root, read_outputs(project=root))


def _deletes(file: Path | None, org: Org) -> tuple[ComponentKey, ...] | None:
    if file is None:
        return None
    plan = read_plan(file)
    if plan.org != org.name:
        rule = "a plan is judged for the org that it was made for"
        raise Refused(Problem(f"the plan is for {plan.org}", rule, f"--org {plan.org}", Place(relative(file))))
    return plan.deletes
