"""`sfoa convert`: source format to one Metadata API package, for whatever deploys one."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from flows.commands.told import left_out, lines_of_types
from flows.direct import package_of
from flows.source.project import read_project
from flows.written import write_file
from kit.console import emit, guarded, json_option


@click.command()
@click.option(
    "--source",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder of an SFDX project, or of metadata in source format.  [default: here]",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The zip file to write.")
@json_option
@guarded
def convert(source: Path, out: Path, as_json: bool) -> None:
    """Convert metadata from source format into a Metadata API package, as `sf project convert source` does."""
    gc.disable()  # of the many objects none is given up before the command ends
    project = read_project(source)
    package = package_of(project)
    left_out(project, package.skipped)
    write_file(package.zip, out, "package")
    types = {kind: len(names) for kind, names in sorted(package.names.items())}
    total = sum(types.values())
    result = {
        "file": str(out),
        "api_version": project.api_version,
        "components": total,
        "types": types,
    }
    summary = f"components: {total}, types: {len(types)}, API version: {project.api_version}"
    gc.freeze()  # nor is any looked at when it does
    emit(result, as_json=as_json, text="\n".join([*lines_of_types(types), f"{out}: {summary}"]))
