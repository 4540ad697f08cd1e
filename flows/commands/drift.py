"""`sfoa drift`: an org against its ledger. Looks, and changes nothing."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from flows.handover import read_outputs
from flows.ledger import Ledger
from flows.objectstore import buckets_of
from flows.project import federation_of, project_root
from kit.console import guarded, json_option
from kit.problems import Exit

if TYPE_CHECKING:
    from flows.drift import Drift
    from flows.metadata_api import MetadataApi
    from orgs.federation import Org


@click.command()
@click.option("--org", "name", required=True, help="An org of the federation.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    help="What to print.  [default: text]",
)
@json_option
def drift(name: str, form: str, as_json: bool) -> None:
    """Show what was changed by hand in an org since its last release. Exit code 1 when something was."""
    if as_json and form == "sarif":
        raise click.UsageError("--json and --format sarif are two forms: choose one")
    _look(name=name, form="json" if as_json else form, as_json=as_json or form == "json")


@guarded
def _look(name: str, form: str, as_json: bool) -> None:  # noqa: ARG001  `guarded` says refusals as JSON by it
    root = project_root()
    org = federation_of(root).org(name)
    buckets = buckets_of(read_outputs(project=root))
    from flows.drift_org import drift_of  # --help and refusals do without

    found = drift_of(org.name, Ledger.of(buckets), buckets.releases, partial(_api, org))
    click.echo(_printed(found, form))
    sys.exit(Exit.DONE if found.clean else Exit.REFUSED)


def _api(org: Org, api_version: str) -> MetadataApi:
    from flows.metadata_api import MetadataApi
    from flows.tokens import mint

    return MetadataApi(mint(org), api_version, renew=partial(mint, org))


def _printed(found: Drift, form: str) -> str:
    from flows import drift_report

    if form == "text":
        return drift_report.as_text(found)
    if form == "sarif":
        return json.dumps(drift_report.as_sarif(found), ensure_ascii=False, indent=2)
    problems = [problem.as_json() for problem in drift_report.problems_of(found)]
    envelope = {"status": 1 if problems else 0, "result": drift_report.as_json(found), "problems": problems}
    return json.dumps(envelope, ensure_ascii=False, indent=2)
