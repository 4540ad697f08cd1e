"""`sfoa plan`: what a promote would do to an org. Looks, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from flows.bundle import read_bundle
from flows.compose import compose_for
from flows.handover import read_outputs
from flows.ledger import Ledger
from flows.objectstore import buckets_of
from flows.plan import Plan, make_plan
from flows.project import federation_of, project_root
from flows.render.layer import with_rendered
from flows.substitute import substituted
from kit.console import emit, guarded, json_option
from orgs.access import FILE as ACCESS_FILE
from orgs.access import load_access
from orgs.editions import OrgKind


@click.command()
@click.option("--org", "name", required=True, help="An org of the federation.")
@click.option("--bundle", type=click.Path(path_type=Path), help="A bundle file, instead of composing metadata/.")
@json_option
@guarded
def plan(name: str, bundle: Path | None, as_json: bool) -> None:
    """Show what a promote would create, change and delete in an org."""
    root = project_root()
    federation = federation_of(root)
    org = federation.org(name)
    release = read_bundle(bundle) if bundle else compose_for(federation, org, root)
    outputs = read_outputs(project=root)
    access = load_access(root / "orgs" / ACCESS_FILE, federation)
    release = with_rendered(substituted(release, outputs), org, federation, outputs, access).bundle
    shipped = Ledger.of(buckets_of(outputs)).state_of(org.name)
    made = make_plan(release, shipped, org=org.name, production=org.kind is OrgKind.PRODUCTION)
    emit({**made.as_json(), "digest": made.digest}, as_json=as_json, text="" if as_json else _text(made))


def _text(made: Plan) -> str:
    from flows.view import as_text, counts_text, plan_table  # drawing loads the engine: --json and --help do without

    if made.empty:
        return f"{made.org}: nothing to do; it holds bundle {made.bundle_digest[:12]} already"
    tests = f"{made.tests.level.value} {', '.join(made.tests.classes)}".strip()
    return f"{as_text(plan_table(made))}\n{made.org}: {counts_text(made.counts, done=False)}; tests: {tests}"
