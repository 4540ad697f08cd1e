"""`sfoa bundle`: convert source format once into the zip that is promoted from org to org."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.bundle import Bundle, build_bundle, write_bundle
from flows.commands.told import left_out, lines_of_types
from flows.components import ComponentKey
from flows.compose import compose, compose_project, read_layers
from flows.source.project import Project, read_project
from kit.console import emit, guarded, json_option, people

if TYPE_CHECKING:
    from orgs.federation import Federation


@click.command()
@click.option(
    "--source",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder of an SFDX project, or of metadata in source format.  [default: here]",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The zip file to write.")
@click.option("--org", "org_name", metavar="NAME", help="Bundle the layers of this org of the federation.")
@click.option("--federation", "everywhere", is_flag=True, help="Build one release that serves all of its orgs.")
@click.option(
    "--sign",
    "key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --federation: sign it with this private SSH key of an approver; the signature goes to OUT.sig.",
)
@json_option
@guarded
def bundle(source: Path, out: Path, org_name: str | None, everywhere: bool, key: Path | None, as_json: bool) -> None:
    """Convert metadata from source format into a reproducible bundle. No Node, no org needed."""
    if everywhere and org_name:
        raise click.UsageError("--federation builds for all orgs, --org for one: give either")
    if key and not everywhere:
        raise click.UsageError("--sign signs a release: give --federation too")
    gc.disable()  # of the hundreds of thousands of objects none is given up before the command ends
    project = read_project(source)
    built = _whole(project, out, key) if everywhere else _single(project, out, org_name)
    result = {"file": str(out), "api_version": project.api_version, **built}
    emit(result, as_json=as_json, text=_summary(result))


def _single(project: Project, out: Path, org_name: str | None) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if org_name:
        from flows.project import federation_of

        federation = federation_of(project.root)
        layers = read_layers(project, federation.org(org_name).overlays)
        built = build_bundle(compose(layers).values(), project.api_version)
        more = _left_out(project, federation, {org_name: built})
        skipped = [file for layer in layers for file in layer.skipped]
    else:
        built, converted = compose_project(project)
        skipped = list(converted.skipped)
    left_out(project, skipped)
    write_bundle(built, out)
    return {"digest": built.digest, **_counts(built.components), **more}


def _whole(project: Project, out: Path, key: Path | None) -> dict[str, Any]:
    from flows.approval import LOCAL, known_approvers
    from flows.project import federation_of
    from flows.release import layers_of, release_of  # the bundle of one project needs less
    from flows.signing import sign_release, write_signed

    # Throw-away keys of the emulators may sign anything here: what anywhere else takes a release refuses them.
    federation = known_approvers(federation_of(project.root), LOCAL)
    layers = layers_of(federation, project)
    release = release_of(federation, project, layers)
    signature = sign_release(release.digest, key, federation, datetime.now(UTC).date()) if key else ""
    left_out(project, [file for layer in layers for file in layer.skipped])
    return {
        "digest": release.digest,
        **_counts({key for bundle in release.bundles.values() for key in bundle.components}),
        "orgs": {name: bundle.digest for name, bundle in release.bundles.items()},
        "signature": write_signed(release, signature, out),
        **_left_out(project, federation, release.bundles),
    }


def _left_out(project: Project, federation: Federation, bundles: Mapping[str, Bundle]) -> dict[str, Any]:
    """Return and tell what orgs won't get of their bundles today, since their edition lacks what it needs: a bundle
    holds it all the same, as its org may have the feature on the day of the promote."""
    from flows.features import excludes

    found: dict[str, Any] = {}
    for org in federation.orgs:
        if org.name in bundles and excludes(org, federation):
            from flows.admission import BEIJING  # what most federations do without
            from flows.orgbundle import fitted

            today = datetime.now(UTC).astimezone(BEIJING).date()
            _, excluded = fitted(bundles[org.name], org, federation, project.root, today)
            for each in excluded:
                people().print(f"{org.name} will go without {each.words}", markup=False)
            found |= {org.name: [each.as_json() for each in excluded]} if excluded else {}
    return {"excluded": found} if found else {}


def _counts(keys: Collection[ComponentKey]) -> dict[str, Any]:
    types = Counter(key.type for key in keys)
    return {"components": len(keys), "types": dict(sorted(types.items()))}


def _summary(result: Mapping[str, Any]) -> str:
    types = result["types"]
    lines = lines_of_types(types)
    lines += [f"  {name}  {digest}" for name, digest in result.get("orgs", {}).items()]
    total = f"components: {result['components']}, types: {len(types)}, API version: {result['api_version']}"
    return "\n".join([*lines, f"{result['file']}: {total}", f"sha256 {result['digest']}"])
