"""Pipelines of Flow (云效 Yunxiao, Alibaba Cloud DevOps): one job for each org, made of `pipelines/yunxiao.yml`.

What Flow takes is in `pipelines/yunxiao.schema.json`, each key with its source and date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import yaml

from kit.problems import Problem, Refused, refuse_if_any
from orgs.editions import OrgKind
from orgs.model import Org

JOBS = "pipelines/yunxiao.yml"
"""Where the parts of the pipelines lie, in a project."""

LONGEST_ID = 30  # characters (Flow, "Pipeline jobs", jobs.<job_id>)
WORK = "release"  # the step of a job that is told its org


def pipeline(orgs: Iterable[Org], parts: Mapping[str, Any], job: str) -> str:
    """Return a pipeline of Flow as YAML, with the job called `job` for each org.

    Where `parts` has an approval for that job, the orgs have their turn one after the other, in the order of the rings:
    a job waits for the one before, and a person's approval stands before each ring with a production org. Without one,
    all run at once. Raises `Refused` when `parts` has no such job, or a job's id would be longer than Flow takes.
    """
    in_order = sorted(orgs, key=lambda org: org.ring)
    refuse_if_any([_too_long(org) for org in in_order if len(org.name) > LONGEST_ID])
    if job not in parts:
        raise Refused(Problem(f"no job is called {job}", f"{JOBS} has the job", f"use one of: {', '.join(parts)}"))
    part = parts[job]
    if "approval" in part:
        stages = _in_turn(in_order, part)
    else:
        stages = {job: {"name": job, "jobs": {_id(org): _job(org, part) for org in in_order}}}
    return _text({**part["pipeline"], "stages": stages})


def _in_turn(orgs: Iterable[Org], part: Mapping[str, Any]) -> dict[str, Any]:
    stages: dict[str, Any] = {}
    before: dict[str, str] = {}
    for ring, group in groupby(orgs, key=lambda org: org.ring):
        together = list(group)
        if any(org.kind is OrgKind.PRODUCTION for org in together):
            gate = f"approve_ring_{ring}"
            stages[gate] = {"name": f"approve ring {ring}", "jobs": {gate: {**before, **part["approval"]}}}
            before = {"needs": gate}
        jobs = {}
        for org in together:
            jobs[_id(org)] = {**before, **_job(org, part)}
            before = {"needs": _id(org)}
        stages[f"ring_{ring}"] = {"name": f"ring {ring}", "jobs": jobs}
    return stages


def _job(org: Org, part: Mapping[str, Any]) -> dict[str, Any]:
    steps = part["job"]["steps"]
    work = steps[WORK]
    told = {**work, "with": {**work["with"], "run": f"export ORG={org.name}\n{work['with']['run']}"}}
    return {"name": org.name, **part["job"], "steps": {**steps, WORK: told}}


def _id(org: Org) -> str:
    return org.name.replace("-", "_")  # Flow: letters, digits, underscores; an org's name has none of the last


def _too_long(org: Org) -> Problem:
    return Problem(
        f"the org {org.name} has a name of {len(org.name)} characters",
        f"a job of Flow has an id of {LONGEST_ID} characters at most",
        "give the org a shorter name in the federation file",
    )


class _Dumper(yaml.SafeDumper):
    """Writes scripts as blocks, and the same part twice as itself: what Flow does with anchors isn't documented."""

    def ignore_aliases(self, _: object) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _string)


def _text(data: Mapping[str, Any]) -> str:
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6)
