"""`sfoa bundle`: convert source format once into the zip that is promoted from org to org."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from flows.bundle import Bundle, build_bundle, write_bundle
from flows.compose import compose, compose_project, read_layers
from flows.source.project import Project, read_project
from kit.console import emit, guarded, json_option, people

_SHOWN = 10


@click.command()
@click.option(
    "--source",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder of an SFDX project, or of metadata in source format.  [default: here]",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The zip file to write.")
@click.option("--org", "org_name", metavar="NAME", help="Bundle the layers of this org of the federation.")
@json_option
@guarded
def bundle(source: Path, out: Path, org_name: str | None, as_json: bool) -> None:
    """Convert metadata from source format into a reproducible bundle. No Node, no org needed."""
    project = read_project(source)
    if org_name:
        from orgs.federation import load_federation  # only this option needs it

        layers = read_layers(project, load_federation().org(org_name).overlays)
        built = build_bundle(compose(layers).values(), project.api_version)
        skipped = [file for layer in layers for file in layer.skipped]
    else:
        built, converted = compose_project(project)
        skipped = list(converted.skipped)
    _tell(project, skipped)
    write_bundle(built, out)
    types = Counter(key.type for key in built.components)
    result = {
        "file": str(out),
        "digest": built.digest,
        "api_version": built.api_version,
        "components": len(built.components),
        "types": dict(sorted(types.items())),
    }
    emit(result, as_json=as_json, text=_summary(built, out, types))


def _tell(project: Project, skipped: list[str]) -> None:
    console = people()
    if not project.api_version_given:
        console.print(f"The project names no sourceApiVersion: {project.api_version} is used.")
    if skipped:
        names = ", ".join(map(project.shown, skipped[:_SHOWN]))
        more = f" and {len(skipped) - _SHOWN} more" if len(skipped) > _SHOWN else ""
        console.print(f"Left out, being no metadata: {names}{more}")


def _summary(built: Bundle, out: Path, types: Counter[str]) -> str:
    width = max(map(len, types), default=0)
    lines = [f"  {name:<{width}}  {count:>5}" for name, count in sorted(types.items())]
    total = f"components: {len(built.components)}, types: {len(types)}, API version: {built.api_version}"
    return "\n".join([*lines, f"{out}: {total}", f"sha256 {built.digest}"])
