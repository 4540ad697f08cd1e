"""`sfoa summary`: what stands in the cloud, which orgs got which release, and what to type next."""

from __future__ import annotations

import os

import click

from flows.handover import STACK, pulumi, read_outputs
from flows.ledger import Event, Ledger
from flows.objectstore import buckets_of
from flows.project import federation_of, project_root
from flows.summary import Area, OrgLine, areas_of, lines_of
from infra.outputs import LandingZoneOutputs
from kit.console import emit, guarded, json_option
from orgs.federation import Federation

COUNTS = ("created", "changed", "deleted")


@click.command()
@json_option
@guarded
def summary(as_json: bool) -> None:
    """Show on one screen what stands and which orgs got which release."""
    root = project_root()
    outputs = read_outputs(project=root)
    stack = os.environ.get(STACK) or outputs.stack
    areas = areas_of(pulumi(["stack", "export", "--stack", stack], root))
    ledger = Ledger.of(buckets_of(outputs))
    federation = federation_of(root)
    lines = lines_of(ledger, [org.name for org in federation.orgs])
    result = {
        "stack": outputs.stack,
        "region": outputs.region,
        "resources": {area.name: dict(area.resources) for area in areas},
        "orgs": [
            {
                "org": line.org,
                "event": line.entry.record.event if line.entry else None,
                "bundle": line.entry.record.bundle if line.entry else None,
                **(line.entry.record.counts if line.entry else {}),
                "tests": dict(line.entry.record.tests) if line.entry else {},
            }
            for line in lines
        ],
        "ledger": ledger.place,
    }
    emit(result, as_json=as_json, text="" if as_json else _screen(outputs, areas, federation, lines, ledger.place))


def _screen(
    outputs: LandingZoneOutputs, areas: list[Area], federation: Federation, lines: list[OrgLine], place: str
) -> str:
    from rich import box  # drawing loads the engine: --json and --help do without
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table

    from flows.view import as_text

    cloud = Table(box=box.SIMPLE, title="In the cloud", title_justify="left", title_style="bold")
    cloud.add_column("Component")
    cloud.add_column("Resources", justify="right")
    cloud.add_column("What", overflow="fold")
    for area in areas:
        what = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in area.resources.items())
        cloud.add_row(area.name, str(area.total), what)
    orgs = Table(box=box.SIMPLE, title="In the orgs", title_justify="left", title_style="bold")
    for column in ("Org", "Edition", "Release"):
        orgs.add_column(column, no_wrap=True)
    for column in COUNTS:
        orgs.add_column(column.capitalize(), justify="right")
    orgs.add_column("Tests", overflow="fold")
    for line in lines:
        org = federation.org(line.org)
        orgs.add_row(org.name, org.edition, *_released(line))
    total = sum(area.total for area in areas)
    foot = (
        f"Stack {outputs.stack} in {outputs.region}: {total} resources · ledger: {place}\n"
        f"Egress addresses for trusted network access: {', '.join(outputs.network_egress_ips)}"
    )
    return f"{as_text(Group(cloud, orgs))}\n{foot}\n{as_text(Panel(_next(outputs, lines), title='Next'))}"


def _released(line: OrgLine) -> tuple[str, ...]:
    """Return release, counts and tests of a row."""
    if line.entry is None:
        return "none yet", "", "", "", ""
    record = line.entry.record
    if record.event is not Event.SUCCEEDED:
        return record.bundle[:12], "", "", "", f"[red]{record.event}[/]: sfoa ledger show --org {line.org}"
    tests = f"{record.tests['run']} passed" if record.tests else ""
    return record.bundle[:12], *(str(record.counts.get(count, 0)) for count in COUNTS), tests


def _next(outputs: LandingZoneOutputs, lines: list[OrgLine]) -> str:
    prefix = "sfoa emulators run -- " if outputs.stack == "local" else ""
    waiting = next((line.org for line in lines if line.entry is None), lines[0].org)
    commands = (
        ("what a release would change", f"{prefix}sfoa plan --org {waiting}"),
        ("carry it into the org", f"{prefix}cci flow run promote --org {waiting}"),
        ("its history", f"{prefix}sfoa ledger show --org {waiting}"),
        ("the landing zone", f"{prefix}pulumi preview --stack {outputs.stack}"),
    )
    return "\n".join(f"{command:<62} {what}" for what, command in commands)
