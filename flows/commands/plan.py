"""`sfoa plan`: what a promote would do to an org. Looks, and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from flows.admission import BEIJING
from flows.approval import time_now
from flows.compose import compose_for
from flows.cost import Cost, cost_of
from flows.features import excluded_lines
from flows.handover import read_outputs
from flows.ledger import Ledger
from flows.objectstore import buckets_of
from flows.packages import Installer, Missing, NoPackages, shipped_packages
from flows.plan import Plan
from flows.planning import plan_for
from flows.project import federation_of, project_root
from flows.relatedtests import Wanted
from flows.split import metadata_limits
from kit.console import emit, guarded, json_option
from kit.yamlfile import read_yaml


@click.command()
@click.option("--org", "name", required=True, help="An org of the federation.")
@click.option("--bundle", type=click.Path(path_type=Path), help="A release or bundle, instead of composing metadata/.")
@click.option("--tests", type=click.Choice(list(Wanted)), default=Wanted.USUAL, help="Which Apex tests run.")
@json_option
@guarded
def plan(name: str, bundle: Path | None, tests: str, as_json: bool) -> None:
    """Show what a promote would create, change and delete in an org."""
    # Loaded here: --help does without keys and certificates.
    from flows.orgbundle import fitted, rendered
    from flows.signing import read_signed

    root = project_root()
    federation = federation_of(root)
    org = federation.org(name)
    release = read_signed(bundle).bundle_for(org.name) if bundle else compose_for(federation, org, root)
    outputs = read_outputs(project=root)
    today = time_now(outputs.environment).astimezone(BEIJING).date()
    release, excluded = fitted(release, org, federation, root, today)
    release = rendered(release, org, federation, root, outputs)
    buckets, limits = buckets_of(outputs), metadata_limits()
    ledger = Ledger.of(buckets)
    installer = _installer(root, org.name)
    made = plan_for(org, release, ledger, buckets.releases, Wanted(tests))
    made = replace(made, packages=installer.required())
    lacking = installer.lacking(shipped_packages(ledger.entries(org.name)))
    cost = cost_of(made, release, limits, ledger.entries(org.name))
    told = {"risks": [], **made.as_json(), "digest": made.digest, "cost": cost.as_json(limits)}
    told["lacking"] = [each.words for each in lacking]
    told["excluded"] = [each.as_json() for each in excluded]
    emit(
        told,
        as_json=as_json,
        text="" if as_json else "\n".join((_text(made, cost, lacking), *excluded_lines(excluded))),
    )


def _installer(root: Path, org: str) -> Installer:
    """Return who knows the packages that the project needs. CumulusCI is asked only where cumulusci.yml states any."""
    file = root / "cumulusci.yml"
    stated = read_yaml(file).data if file.is_file() else None
    if not ((stated or {}).get("project") or {}).get("dependencies"):
        return NoPackages()
    from flows.tasks.packages import installer_of

    return installer_of(root, org)


def _text(made: Plan, cost: Cost, lacking: Sequence[Missing]) -> str:
    # Drawing loads the engine: --json and --help do without.
    from flows.view import as_text, cost_line, counts_text, lines_of_tests, package_lines, plan_table, risk_table

    if made.empty and not lacking:
        return f"{made.org}: nothing to do; it holds bundle {made.bundle_digest[:12]} already"
    risks = [as_text(risk_table(made))] if made.risks else []
    counts = f"{made.org}: {counts_text(made.counts, done=False)}"
    packages = package_lines(lacking, made.packages)
    lines = (*risks, counts, *packages, *lines_of_tests(made.tests), cost_line(cost, metadata_limits()))
    return "\n".join((as_text(plan_table(made)), *lines))
