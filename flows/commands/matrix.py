"""`sfoa matrix`: which orgs a change reaches, as a matrix for CI. Needs neither org nor cloud, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from flows import yunxiao
from flows.history import fork_point, project_at
from flows.project import federation_of, project_root
from flows.reach import Reached, Source, reached, watched_files
from flows.release import bundles_of, layers_of
from flows.source.project import read_project
from kit.console import emit, guarded, json_option
from kit.problems import Refused
from kit.yamlfile import read_yaml

JOBS = "pipelines/gitlab.yml"
"""Where the jobs lie that a GitLab pipeline is put together of."""


@click.command()
@click.option("--changed-since", "revision", metavar="REV", help="A branch or commit; only what came after it counts.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github", "gitlab", "yunxiao"]),
    default="text",
    help="github: a matrix in one line; gitlab: a child pipeline; yunxiao: a pipeline of Flow for all orgs.",
)
@click.option("--job", default="validate", help="gitlab, yunxiao: the job to run for each org.", show_default=True)
@json_option
@guarded
def matrix(revision: str | None, form: str, job: str, as_json: bool) -> None:
    """Show which orgs a change reaches, ring by ring, and why; or as a CI matrix."""
    if as_json and form != "text":
        raise click.UsageError(f"--json and --format {form} are two forms: choose one")
    if form == "yunxiao" and revision:
        raise click.UsageError("a pipeline of Flow stands for all orgs: leave --changed-since out")
    root = project_root()
    if form == "yunxiao":
        click.echo(yunxiao.pipeline(federation_of(root).orgs, read_yaml(root / yunxiao.JOBS).data, job), nl=False)
        return
    now = _source(root)
    since = fork_point(root, revision) if revision else None
    found = _since(root, now, since) if since else reached(now, None, "all orgs were asked for")
    if form == "github":
        click.echo(json.dumps({"include": [_row(each) for each in found]}, ensure_ascii=False))
    elif form == "gitlab":
        click.echo(json.dumps(_child(found, job), ensure_ascii=False, indent=2))
    else:
        emit({"since": since, "include": [_whole(each) for each in found]}, as_json=as_json, text=_text(found))


def _since(root: Path, now: Source, commit: str) -> tuple[Reached, ...]:
    with project_at(root, commit) as folder:
        try:
            before = _source(folder)
        except Refused as refused:
            # Whoever mends what was broken has to see it work everywhere.
            return reached(now, None, f"{commit[:12]} can't be composed: {refused.problems[0].what}")
    return reached(now, before)


def _source(root: Path) -> Source:
    federation, project = federation_of(root), read_project(root)
    files = {name: (root / name).read_bytes() for name in watched_files(federation) if (root / name).is_file()}
    return Source(federation, bundles_of(federation, project, layers_of(federation, project)), files)


def _row(each: Reached) -> dict[str, Any]:
    org = each.org
    kinds = {"edition": org.edition.value, "kind": org.kind.value}
    return {"org": org.name, "ring": org.ring, **kinds, "reason": each.reason}


def _whole(each: Reached) -> dict[str, Any]:
    lists = {"created": each.created, "changed": each.changed, "deleted": each.deleted}
    return {**_row(each), **{name: list(map(str, keys)) for name, keys in lists.items()}}


def _child(found: Sequence[Reached], job: str) -> dict[str, Any]:
    """Return a pipeline of one job an org and one stage a ring. GitLab refuses a pipeline without jobs."""
    if not found:
        return {"nothing to do": {"script": ["echo 'The change reaches no org.'"]}}
    stages = dict.fromkeys(f"ring-{each.org.ring}" for each in found)
    jobs = {
        f"{job} {each.org.name}": {
            "extends": f".{job}",
            "stage": f"ring-{each.org.ring}",
            "variables": {"ORG": each.org.name, "KIND": each.org.kind.value, "REASON": each.reason},
        }
        for each in found
    }
    return {"include": [{"local": JOBS}], "stages": list(stages), **jobs}


def _text(found: Sequence[Reached]) -> str:
    if not found:
        return "The change reaches no org."
    return "\n".join(f"ring {each.org.ring}  {each.org.name:<20} {each.reason}" for each in found)
