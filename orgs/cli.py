"""`sfoa federation`: check, show and hand on the federation file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.console import emit, guarded, json_option, people
from kit.problems import Place, Problem, Refused, relative
from orgs.access import FILE as ACCESS_FILE
from orgs.access import load_access
from orgs.domains import hosts
from orgs.federation import load_federation, own_file
from orgs.model import Federation, Org
from orgs.runnerkey import ensure_runner_key
from orgs.schema import schema_text
from orgs.world import world

if TYPE_CHECKING:
    from rich.table import Table

WIDTH_IN_A_PIPE = 160  # characters: a file or a pager wraps better than we do

FileOption = click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="The federation file; without it, orgs/federation.yml.",
)


@click.group()
def federation() -> None:
    """Who the orgs are, in which order they are promoted, who approves."""


@federation.command()
@click.argument("given", metavar="[FILE]", type=click.Path(dir_okay=False, path_type=Path), required=False)
@FileOption
@json_option
@guarded
def check(given: Path | None, file: Path | None, as_json: bool) -> None:
    """Read the federation file and say everything that is wrong with it."""
    if given and file:
        raise click.UsageError("FILE and --file are two ways to name it: choose one")
    file = given or file
    found = load_federation(file)
    name = relative(file or own_file())
    rings = len(found.rings())
    emit(
        {"file": name, "orgs": len(found.orgs), "rings": rings},
        as_json=as_json,
        text=f"{name}: {len(found.orgs)} orgs in {rings} rings, no problem found",
    )


@federation.command()
@FileOption
@json_option
@guarded
def show(file: Path | None, as_json: bool) -> None:
    """Show the orgs by ring, with the hosts that follow from edition, My Domain and sandbox."""
    found = load_federation(file)
    if as_json:
        emit(_as_data(found), as_json=True)
    else:
        from rich.console import Console  # loaded here: a third of the time that --json takes

        console = Console()
        if not console.is_terminal:
            console.width = WIDTH_IN_A_PIPE
        console.print(_table(found))


@federation.command()
@guarded
def schema() -> None:
    """Print the JSON Schema of the federation file."""
    click.echo(schema_text(), nl=False)


@federation.command("world")
@FileOption
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The runner's certificate, PEM (see runner-key).",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here, not to stdout.")
@guarded
def world_command(file: Path | None, certificate: Path, out: Path | None) -> None:
    """Print what `sfoa emulators seed` reads: every org, its hosts and who may log in."""
    found = load_federation(file)
    access = load_access((file or own_file()).with_name(ACCESS_FILE), found)
    text = json.dumps(world(found, _certificate(certificate), access), indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
        people().print(f"wrote {relative(out)}")


@federation.command("runner-key")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder to make it in."
)
@json_option
@guarded
def runner_key(out: Path, as_json: bool) -> None:
    """Make the release runner's key pair for the emulator and local trials, if it is absent."""
    pair = ensure_runner_key(out)
    emit(
        {"key": str(pair.key), "certificate": str(pair.certificate), "made": pair.made},
        as_json=as_json,
        text=f"{'made' if pair.made else 'kept'} {relative(pair.key)} and {relative(pair.certificate)}",
    )


def _certificate(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if text.startswith("-----BEGIN CERTIFICATE-----") and "PRIVATE KEY" not in text:
        return text + "\n"
    raise Refused(
        Problem(
            "this is no certificate in PEM",
            "the world file carries the runner's certificate and never a private key",
            "name the runner.crt that `sfoa federation runner-key` made",
            Place(relative(path)),
        )
    )


def _as_data(federation: Federation) -> dict[str, object]:
    return {
        "company": federation.company,
        "api_version": federation.api_version,
        "rings": [[_org_data(federation, org) for org in ring] for ring in federation.rings()],
        "centres": [centre.model_dump(mode="json") for centre in federation.centres],
    }


def _org_data(federation: Federation, org: Org) -> dict[str, object]:
    its = hosts(org)
    return {
        **org.model_dump(mode="json"),
        "missing_features": federation.missing_features_of(org).value,
        "overlays": org.overlays,
        "preview": org.preview,
        "hosts": {
            "login": its.login,
            "my_domain": its.my_domain,
            "lightning": its.lightning,
            "setup": its.setup,
            "visualforce": its.visualforce,
        },
        "jwt_audience": its.jwt_audience,
        "saml_entity_id": its.saml_entity_id,
    }


def _table(federation: Federation) -> Table:
    from rich.table import Table

    table = Table("Ring", "Org", "Edition", "Kind", "Instance", "My Domain", "Owner", "Cases go to")
    for ring in federation.rings():
        for position, org in enumerate(ring):
            table.add_row(
                str(org.ring) if position == 0 else "",
                org.name,
                org.edition,
                org.kind,
                f"{org.instance} (preview)" if org.preview else org.instance,
                hosts(org).my_domain,
                org.coe,
                org.support,
                end_section=position == len(ring) - 1,
            )
    return table
