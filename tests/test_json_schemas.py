"""Every `sfoa` command has `--json`, and what it prints is what its schema in schemas/ says; stdout holds nothing else.

A new command fails here until it has a schema, and a line in `CALLS` that says how to call it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry, Resource

from emulators.testing import running
from flows.components import ComponentKey
from flows.ledger import Event, Ledger, Record
from flows.objectstore import buckets_of
from flows.plan import Plan, TestLevel, Tests
from flows.planfile import write_plan
from flows.release import compose_release, write_release
from infra.outputs import parse_outputs
from orgs.federation import load_federation
from pipelines.approvers import make_keys
from tests.landed import OUTPUTS, make_buckets, own_federation
from toolchain.find import PLUGIN, plugin_folder
from toolchain.shim import shim_path

SCHEMAS = Path(__file__).parents[1] / "schemas"
ENVELOPE = "envelope"  # what all the others refer to
ORG = "china-uat"

WITHOUT_JSON = {
    "emulators run": "prints what the command that it runs prints",
    "federation schema": "prints a document of its own, a JSON Schema",
    "federation world": "prints a document of its own, a world file, which is JSON",
}

CALLS: dict[str, tuple[str, ...]] = {
    "approve": ("--plan", "plan.json", "--key", "approvers/li.wei", "--name", "li.wei"),
    "bundle": ("--source", ".", "--out", "out.zip"),
    "bundle-verify": ("release.zip",),
    "checklist": ("--org", ORG),
    "convert": ("--source", ".", "--out", "package.zip"),
    "conflicts": ("--org", "china-east"),  # an org as for drift; tests/e2e/test_rollback.py has conflicts
    "doctor": (),
    "drift": ("--org", "china-east"),  # an org that never received anything; tests/e2e/test_drift.py has drift
    "emulators coverage": (),
    "emulators requests": ("--limit", "5"),
    "emulators reset": (),
    "emulators seed": ("world.json",),
    "emulators start": (),
    "emulators status": (),
    "emulators stop": (),
    "explain-component": ("CustomTab", "A__c", "--org", ORG),
    "explain": ("--preview", "preview.json"),
    "federation check": (),
    "federation runner-key": ("--out", "runner"),
    "federation show": (),
    "gate": ("--org", ORG),
    "gates explain": ("R07",),
    "gates list": (),
    "ledger show": ("--org", ORG, "--all"),
    "ledger verify": (),
    "matrix": (),
    "plan": ("--org", ORG),
    "policy": ("--preview", "preview.json"),
    "summary": (),
    "toolchain ensure": (),
    "toolchain show": (),
    "topology": ("--out", "topology.svg", "--stack", "local"),
}

EXPORT = {
    "deployment": {
        "resources": [
            {"urn": "net", "type": "sfoa:network:Network", "custom": False},
            {"urn": "vpc", "type": "alicloud:vpc/network:Network", "parent": "net", "custom": True},
        ]
    }
}

SWITCH = {"type": "alicloud:vpc/switch:Switch", "custom": True, "inputs": {}, "parent": "", "dependencies": []}
PREVIEW = {"steps": [{"op": "create", "urn": "urn:pulumi:a::b::alicloud:vpc/switch:Switch::app", "newState": SWITCH}]}


@cache
def commands() -> dict[str, click.Command]:
    """Return every registered command that is no group, by its words ("ledger show")."""
    found: dict[str, click.Command] = {}

    def walk(words: str, command: click.Command) -> None:
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                walk(f"{words} {name}", inner)
        else:
            found[words] = command

    for entry in importlib.metadata.entry_points(group="sfoa.commands"):
        walk(entry.name, entry.load())
    return found


def with_json() -> list[str]:
    return sorted(commands().keys() - WITHOUT_JSON.keys())


def file_of(command: str) -> Path:
    return SCHEMAS / f"{command.replace(' ', '-')}.schema.json"


@cache
def validator(command: str) -> Draft202012Validator:
    """Return what checks a command's output."""
    envelope = json.loads(file_of(ENVELOPE).read_text(encoding="utf-8"))
    registry: Registry[Any] = Registry().with_resource(file_of(ENVELOPE).name, Resource.from_contents(envelope))
    schema = json.loads(file_of(command).read_text(encoding="utf-8"))
    return Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())


@dataclass
class Project:
    """A project in a folder of its own, and the environment for its commands."""

    root: Path
    python: Path
    environment: dict[str, str] = field(default_factory=dict)

    def sfoa(
        self, command: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a process of its own: what a library writes past Python's stdout is seen too."""
        program = "from flows.cli import main; main(prog_name='sfoa')"
        return subprocess.run(
            [str(self.python), "-c", program, *command.split(), *arguments],
            cwd=self.root,
            env=self.environment if environment is None else dict(environment),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def answer(self, command: str, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return what a command printed as JSON, which must be all of stdout and what its schema says."""
        done = self.sfoa(command, *arguments, "--json", environment=environment)
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            pytest.fail(f"stdout of {command!r} is no JSON document: {done.stdout!r}\n{done.stderr}")
        validator(command).validate(answer)
        assert answer["status"] == done.returncode, done.stderr
        return answer


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def own_python(folder: Path) -> Path:
    """Return a Python like ours that lies elsewhere: `sfoa toolchain ensure` puts Pulumi beside the one it runs in."""
    for part in ("lib", "pyvenv.cfg"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).symlink_to(Path(sys.prefix) / part)
    (folder / "bin").mkdir()
    python = folder / "bin" / "python"
    python.symlink_to(Path(sys.executable).resolve())
    return python


def own_toolchain(folder: Path) -> None:
    """Put a Pulumi there that knows its version and exports one stack, and a plugin."""
    write(folder / "export.json", json.dumps(EXPORT))
    script = f'#!/bin/sh\ncase "$1" in version) echo v3.0.0;; stack) cat {folder}/export.json;; esac\n'
    write(folder / "bin" / "pulumi", script, 0o755)
    write(folder / "bin" / "pulumi-language-python", "#!/bin/sh\n", 0o755)
    write(folder / "plugins" / plugin_folder() / PLUGIN, "#!/bin/sh\n", 0o755)


def fill_ledger(clouds: Mapping[str, str]) -> None:
    """Make the buckets, and write how one run over the org failed and the next one succeeded."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in clouds.items():
            patch.setenv(name, value)
        make_buckets()
        ledger = Ledger.of(buckets_of(parse_outputs(OUTPUTS, "a test")))
        digest, counts = "0" * 64, {"created": 1, "changed": 0, "deleted": 0}
        ledger.append(ORG, Record(Event.FAILED, "run-1", digest, digest, counts, problems=("A.cls:1: no",)))
        index = ledger.put_index({ComponentKey("CustomTab", "Gone__c"): digest})
        tests = {"level": "RunLocalTests", "run": 2, "failed": 0, "seconds": 0.1}
        done = Record(Event.SUCCEEDED, "run-2", digest, digest, counts, "0Af1", "0Af2", index, tests, {"deploy": 1.5})
        ledger.append(ORG, done)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a small project beside clouds whose ledger knows one org, and emulators of its own to look at."""
    folder = tmp_path_factory.mktemp("schemas")
    root = folder / "project"
    layer = root / "metadata" / "core"
    packages = {"packageDirectories": [{"path": "metadata/core", "default": True}], "sourceApiVersion": "62.0"}
    write(root / "sfdx-project.json", json.dumps(packages))
    own_federation(root)
    write(root / "orgs" / "cross-border.yml", "as_of: 2026-11-22\n")
    write(root / "orgs" / "partners.yml", "as_of: 2026-11-22\nown_domains: [acme.example]\n")
    write(root / "world.json", '{"orgs": []}')
    write(root / "preview.json", json.dumps(PREVIEW))
    write(layer / "README.md", "no metadata")
    label = '<CustomTab xmlns="http://soap.sforce.com/2006/04/metadata"><label>A</label></CustomTab>'
    write(layer / "tabs" / "A__c.tab-meta.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{label}')
    write(root / "outputs.json", json.dumps(OUTPUTS))
    write_release(compose_release(load_federation(), root), root / "release.zip")
    write_plan(Plan(ORG, "0" * 64, "0" * 64, (), (), (), Tests(TestLevel.LOCAL)), root / "plan.json")
    approvers = make_keys(root / "approvers", ["li.wei"])
    own_toolchain(folder / "toolchain")
    with running(folder / "clouds") as clouds:
        fill_ledger(clouds.environment)
        project = Project(root, own_python(folder / "python"))
        project.environment = {
            **os.environ,
            **clouds.environment,
            "HOME": str(folder / "user"),
            "PATH": f"{folder}/toolchain/bin:/usr/bin:/bin",
            "PULUMI_HOME": str(folder / "toolchain"),
            "SFOA_HOME": str(folder / "home"),
            "SFOA_APPROVERS": str(approvers),
            "SFOA_EMULATORS_PORT": "0",
            "SFOA_OUTPUTS": str(root / "outputs.json"),
            "SFOA_TOOLCHAIN_CACHE": str(folder / "cache"),
        }
        assert project.answer("emulators start")["result"]["started"] is True
        try:
            yield project
        finally:
            project.sfoa("emulators stop")


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_has_json_with_a_schema_or_a_reason_why_not(command: str) -> None:
    takes_json = any("--json" in parameter.opts for parameter in commands()[command].params)
    assert takes_json is (command not in WITHOUT_JSON)
    assert takes_json is file_of(command).is_file()
    assert takes_json is (command in CALLS)


def test_every_schema_is_valid_and_belongs_to_a_command() -> None:
    files = {file.name for file in SCHEMAS.glob("*.schema.json")}
    assert files == {file_of(command).name for command in (ENVELOPE, *with_json())}
    for file in SCHEMAS.glob("*.schema.json"):
        Draft202012Validator.check_schema(json.loads(file.read_text(encoding="utf-8")))


# `emulators stop` ends what the others look at, and has a test of its own below.
@pytest.mark.parametrize("command", [command for command in with_json() if command != "emulators stop"])
def test_what_a_command_prints_is_what_its_schema_says(command: str, project: Project) -> None:
    answer = project.answer(command, *CALLS[command])
    if command == "doctor":  # the scratch project is no clone and has no runner's key
        assert answer["status"] == 1
        assert {"Python", "buckets"} <= {check["name"] for check in answer["result"] if check["ok"]}
    else:
        assert (answer["status"], answer["problems"]) == (0, [])


def test_stopping_emulators_says_whether_there_were_any(project: Project, tmp_path: Path) -> None:
    elsewhere = {**project.environment, "SFOA_HOME": str(tmp_path / "home")}
    assert project.answer("emulators stop", environment=elsewhere)["result"] == {"stopped": False}
    project.answer("emulators start", environment=elsewhere)
    assert project.answer("emulators stop", environment=elsewhere)["result"] == {"stopped": True}


REFUSALS = {
    "approve": ("--plan", "absent.json", "--key", "absent", "--name", "li.wei"),
    "bundle": ("--source", "absent", "--out", "out.zip"),
    "bundle-verify": ("absent.zip",),
    "convert": ("--source", "absent", "--out", "package.zip"),
    "emulators seed": ("outputs.json",),
    "conflicts": ("--org", "nowhere"),
    "drift": ("--org", ORG),  # its bundle is lost
    "explain-component": ("CustomTab", "B__c", "--org", ORG),
    "explain": ("--preview", "absent.json"),
    "federation check": ("absent.yml",),
    "federation show": ("--file", "absent.yml"),
    "gate": ("--org", "nowhere"),
    "ledger show": ("--org", "nowhere"),
    "matrix": ("--changed-since", "no-such-branch"),
    "plan": ("--org", "nowhere"),
    "policy": ("--preview", "absent.json"),
    "topology": ("--out", "topology.svg", "--state", "absent.json"),
}


@pytest.mark.parametrize("command", sorted(REFUSALS))
def test_a_refusal_is_what_the_schema_says_and_its_words_are_on_stderr_too(command: str, project: Project) -> None:
    answer = project.answer(command, *REFUSALS[command])
    assert (answer["status"], answer["result"]) == (1, None)
    words = project.sfoa(command, *REFUSALS[command])
    assert words.stdout == ""
    assert answer["problems"][0]["what"] in words.stderr


def test_without_json_what_is_only_for_people_is_on_stderr(project: Project) -> None:
    done = project.sfoa("bundle", *CALLS["bundle"])
    assert "README.md" in done.stderr
    assert "README.md" not in done.stdout


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("ledger verify", {"status": 0, "result": {"entries": 1, "more": 1}, "problems": []}),
        ("ledger verify", {"status": 0, "result": {"entries": 1}, "problems": [], "more": 1}),
        ("ledger verify", {"status": 0, "result": None, "problems": []}),
        ("ledger verify", {"status": 1, "result": None, "problems": []}),
        ("ledger verify", {"status": 1, "result": None, "problems": [{"rule": "which?"}]}),
        ("doctor", {"status": 1, "result": [], "problems": [{"name": "a", "ok": True, "detail": "", "fix": ""}]}),
    ],
)
def test_a_schema_refuses_what_no_command_may_print(command: str, answer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validator(command).validate(answer)


def test_the_scratch_toolchain_leaves_the_real_one_alone(project: Project) -> None:
    def held() -> bytes | None:
        return shim_path().read_bytes() if shim_path().exists() else None

    before = held()
    project.answer("toolchain ensure")
    assert held() == before
