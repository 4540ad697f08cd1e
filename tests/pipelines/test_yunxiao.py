"""Flow's pipelines: each org of the federation in its turn, nothing that Alibaba Cloud doesn't document, no key."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator, ValidationError

from flows.commands.matrix import matrix
from flows.yunxiao import JOBS, pipeline
from kit.problems import Refused
from kit.yamlfile import Loader
from orgs.editions import OrgKind
from orgs.federation import load_federation

ROOT = Path(__file__).parents[2]
FILE = ROOT / JOBS
SCHEMA = json.loads(FILE.with_suffix(".schema.json").read_text(encoding="utf-8"))
PARTS: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
ORGS = sorted(load_federation().orgs, key=lambda org: org.ring)
SHELLS = [shell for shell in ("sh", "bash") if shutil.which(shell)]
DOCUMENTED = Draft202012Validator(SCHEMA)


@cache
def text_of(job: str) -> str:
    return pipeline(ORGS, PARTS, job)


def made(job: str) -> dict[str, Any]:
    done: dict[str, Any] = yaml.load(text_of(job), Loader)
    return done


def jobs(job: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the jobs of all stages, with their ids, as they stand in the pipeline."""
    return [found for stage in made(job)["stages"].values() for found in stage["jobs"].items()]


def documented(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "source" in node:
            yield node
        for child in node.values():
            yield from documented(child)


@pytest.mark.parametrize("job", sorted(PARTS))
def test_a_pipeline_has_only_keys_that_are_documented(job: str) -> None:
    DOCUMENTED.validate(made(job))
    strange = made(job)
    next(iter(strange["stages"].values()))["matrix"] = {}
    with pytest.raises(ValidationError, match="matrix"):
        DOCUMENTED.validate(strange)


def test_each_part_of_the_schema_says_where_and_when_it_was_read() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    found = list(documented(SCHEMA))
    assert len(found) >= len(SCHEMA["properties"])
    for node in found:
        assert node["source"].startswith("https://help.aliyun.com/")
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", node["as_of"])


def test_orgs_are_promoted_one_after_the_other_in_the_order_of_their_rings() -> None:
    found = jobs("promote")
    assert [job["name"] for _, job in found if "steps" in job] == [org.name for org in ORGS]
    assert "needs" not in found[0][1]
    for (before, _), (_, after) in pairwise(found):
        assert after["needs"] == before
    assert made("promote")["concurrencyConfig"] == {"maxRunningJobInstances": 1}


def test_a_person_approves_before_each_ring_with_a_production_org_and_before_no_other() -> None:
    guarded = {org.ring for org in ORGS if org.kind is OrgKind.PRODUCTION}
    stages = list(made("promote")["stages"])
    assert {name for name in stages if name.startswith("approve")} == {f"approve_ring_{ring}" for ring in guarded}
    for ring in guarded:
        assert stages[stages.index(f"ring_{ring}") - 1] == f"approve_ring_{ring}"
        approval = made("promote")["stages"][f"approve_ring_{ring}"]["jobs"][f"approve_ring_{ring}"]
        assert approval["component"] == "ManualValidate"


@pytest.mark.parametrize("job", sorted(PARTS))
def test_what_the_steps_keep_is_the_folder_that_flow_caches(job: str) -> None:
    (kept,) = made(job)["cache"]["cacheDirs"]
    for _, each in jobs(job):
        for step in each.get("steps", {}).values():
            script = step.get("with", {}).get("run", "")
            assert ("make " in script) == (f"XDG_CACHE_HOME={kept}\n" in script)


def test_a_merge_request_is_validated_in_every_org_at_once_on_hosts_that_may_only_read() -> None:
    found = jobs("validate")
    assert sorted(job["name"] for _, job in found) == sorted(org.name for org in ORGS)
    assert not any("needs" in job for _, job in found)
    assert made("validate")["sources"]["kit"]["triggerEvents"] == ["mergeRequestOpenedOrUpdate"]
    assert made("promote")["sources"]["kit"]["triggerEvents"] == ["push"]
    hosts = {name: {job["runsOn"]["group"] for _, job in jobs(name) if "runsOn" in job} for name in PARTS}
    assert all(len(groups) == 1 for groups in hosts.values())
    assert hosts["validate"].isdisjoint(hosts["promote"])
    groups = {name: tuple(part["pipeline"]["variableGroups"]) for name, part in PARTS.items()}
    assert groups["validate"] != groups["promote"]


def test_what_is_the_companys_own_is_left_to_fill_in_and_no_key_is_in_the_file() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert "ACCESS_KEY" not in text
    assert "variables:" not in text
    for part in PARTS.values():
        own = [part["pipeline"]["sources"]["kit"]["certificate"]["serviceConnection"]]
        own += [
            *part["pipeline"]["variableGroups"],
            *part.get("approval", {"with": {"validatorUsers": []}})["with"]["validatorUsers"],
        ]
        assert all(re.fullmatch(r"<[^<>]+>", value) for value in own)
        asked = set(re.findall(r"\$([A-Z][A-Z0-9_]+)", part["job"]["steps"]["release"]["with"]["run"]))
        assert asked - {"ORG", "PWD", "PATH", "RELEASE"} == {"LANDING_ZONE_BASE64", "SFOA_JWT_KEY_BASE64"}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("job", sorted(PARTS))
@pytest.mark.parametrize("code", [0, 1])
def test_the_reports_are_kept_and_the_job_ends_as_the_kit_did(tmp_path: Path, shell: str, job: str, code: int) -> None:
    """The commands are stand-ins: which there are and what they take, test_ci looks at."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("make", "python", "sfoa", "cci"):
        last = f'case "$*" in *"task run plan"*) exit {code};; esac' if name == "cci" else ""
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> asked\n{last}\n')
        (programs / name).chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "LANDING_ZONE_BASE64": "e30=",
        "SFOA_JWT_KEY_BASE64": "a2V5",
    }
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "of-the-last-run.xml").touch()
    steps = jobs(job)[0][1]["steps"]
    ended = {}
    for name in ("release", "outcome"):
        script = steps[name]["with"]["run"]
        ended[name] = subprocess.run([shell, "-c", script], cwd=tmp_path, env=environment, check=False).returncode
    assert ended == {"release": 0, "outcome": code}
    assert [file.name for file in (tmp_path / "reports").iterdir()] == ["exit"]
    assert (tmp_path / "outputs.json").read_text() == "{}"
    asked = (tmp_path / "asked").read_text()
    assert f"cci task run plan --org {ORGS[0].name}" in asked
    assert ("cci flow run promote" in asked) == (job == "promote" and not code)


def test_the_command_writes_the_pipeline_and_refuses_what_it_cannot_write() -> None:
    done = CliRunner().invoke(matrix, ["--format", "yunxiao", "--job", "promote"])
    assert yaml.safe_load(done.stdout) == made("promote")
    assert CliRunner().invoke(matrix, ["--format", "yunxiao", "--changed-since", "main"]).exit_code == 2
    with pytest.raises(Refused, match="no job is called deploy"):
        pipeline(ORGS, PARTS, "deploy")
    with pytest.raises(Refused, match="31 characters"):
        pipeline([ORGS[0].model_copy(update={"name": "a" * 31})], PARTS, "promote")
