"""`sfoa conflicts`: what a promote would overwrite of what somebody changed by hand. Looks, and changes nothing."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.admission import BEIJING
from flows.approval import time_now
from flows.compose import compose_for
from flows.handover import read_outputs
from flows.ledger import Ledger
from flows.objectstore import buckets_of
from flows.planning import plan_for
from flows.project import federation_of, project_root
from flows.relatedtests import Wanted
from flows.split import metadata_limits
from kit.console import guarded, json_option
from kit.problems import Exit

if TYPE_CHECKING:
    from flows.bundle import Bundle
    from flows.components import ComponentKey
    from flows.conflicts import Clash
    from flows.metadata_api import MetadataApi
    from infra.outputs import LandingZoneOutputs
    from orgs.federation import Federation, Org


@click.command()
@click.option("--org", "name", required=True, help="An org of the federation.")
@click.option("--bundle", type=click.Path(path_type=Path), help="A release or bundle, instead of composing metadata/.")
@json_option
@guarded
def conflicts(name: str, bundle: Path | None, as_json: bool) -> None:
    """Show three-way what a promote would overwrite that somebody changed by hand. Exit code 1 when there is any."""
    from flows.conflicts import problems_of  # --help does without
    from flows.conflicts_org import look
    from flows.run import Work

    root = project_root()
    federation = federation_of(root)
    org = federation.org(name)
    outputs = read_outputs(project=root)
    buckets = buckets_of(outputs)
    ledger = Ledger.of(buckets)
    # What an org never gave back has nothing to be compared with: then it isn't asked.
    api = _api(org, federation.api_version) if ledger.held_by(org.name) else None
    release = _release(bundle, org, federation, root, outputs, api)
    found: dict[ComponentKey, Clash] = {}
    if api:
        plan = plan_for(org, release, ledger, buckets.releases, Wanted.USUAL)
        _, found = look(api, Work(plan, release), ledger, buckets.releases, metadata_limits())
    status = Exit.REFUSED if found else Exit.DONE
    if as_json:
        result = {"org": org.name, "bundle": release.digest, "conflicts": [each.as_json() for each in found.values()]}
        problems = [each.as_json() for each in problems_of(found.values())]
        click.echo(json.dumps({"status": status, "result": result, "problems": problems}, ensure_ascii=False, indent=2))
    else:
        click.echo(_text(org.name, list(found.values())))
    sys.exit(status)


def _text(org: str, found: list[Clash]) -> str:
    if not found:
        return f"{org}: no conflicts: a promote overwrites nothing that was changed by hand"
    names = ",".join(str(each.key) for each in found)
    last = f"{org}: a promote overwrites {len(found)} components only by name: accept_overwrite {names}"
    return "\n".join((*map(str, found), last))


def _api(org: Org, wanted: str) -> MetadataApi:
    """Return the org's Metadata API in the version that a promote speaks to it with."""
    from flows.apiversion import FLOOR, deploy_version
    from flows.metadata_api import MetadataApi
    from flows.tokens import mint

    session, renew = mint(org), partial(mint, org)
    version = deploy_version(wanted, MetadataApi(session, FLOOR, renew=renew).highest_version(), org)
    return MetadataApi(session, version, renew=renew)


def _release(
    given: Path | None,
    org: Org,
    federation: Federation,
    root: Path,
    outputs: LandingZoneOutputs,
    api: MetadataApi | None,
) -> Bundle:
    """Return what a promote would bring; of an org that is asked also what it merges with what the org has now."""
    from flows.orgbundle import fitted
    from flows.render.layer import merges, with_rendered
    from flows.signing import read_signed
    from flows.snapshot import components_of
    from flows.substitute import substituted
    from orgs.access import FILE, load_access

    release = read_signed(given).bundle_for(org.name) if given else compose_for(federation, org, root)
    today = time_now(outputs.environment).astimezone(BEIJING).date()
    release, _ = fitted(release, org, federation, root, today)
    access = load_access(root / "orgs" / FILE, federation)
    keys = merges(org, access)
    held = components_of(api.retrieve(keys).files, keys) if api and keys else None
    return with_rendered(substituted(release, outputs), org, federation, outputs, access, held).bundle
