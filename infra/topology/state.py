"""Reads a stack's state: `pulumi stack export`, printed now or kept in a file. Secret values stay unread."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.problems import Place, Problem, Refused

TIMEOUT_SECONDS = 120
PROVIDER = "pulumi:providers:"
RULE = "the picture is drawn from what `pulumi stack export` prints"


@dataclass(frozen=True)
class Piece:
    """One resource of the state. `name` is the one that the program gave it ("storage-ledger"), `region` that of its
    provider, "" where the state names none."""

    type: str
    name: str
    outputs: Mapping[str, object]
    region: str = ""

    @property
    def area(self) -> str:
        """Return the component's name, with which the names of its parts begin."""
        return self.name.split("-")[0]

    @property
    def short(self) -> str:
        """Return the name without its component's."""
        return self.name.partition("-")[2] or self.name

    def text(self, key: str) -> str:
        """Return an output that is text or a number, "" for anything else: a secret is an object in the state."""
        value = self.outputs.get(key)
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

    def tag(self, key: str) -> str:
        """Return one of the resource's tags, "" when it has none of that name."""
        tags = self.outputs.get("tags")
        value = tags.get(key) if isinstance(tags, dict) else None
        return value if isinstance(value, str) else ""


def read_state(file: Path) -> tuple[Piece, ...]:
    """Return the resources of a kept export, by type and name. Raises `Refused` when it is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "unreadable") if isinstance(error, OSError) else "no UTF-8"
        fix = f"write it with `pulumi stack export --file {file}`"
        raise Refused(Problem(f"cannot read the state: {why}", RULE, fix, Place(str(file)))) from error
    return parse_state(text, str(file))


def export_state(stack: str) -> tuple[Piece, ...]:
    """Return the resources of a stack of the Pulumi project here. Raises `Refused` in Pulumi's own words."""
    engine = shutil.which("pulumi") or shutil.which("pulumi", path=str(Path(sys.executable).parent))
    if engine is None:
        fix = "run `sfoa toolchain ensure`, or give --state FILE"
        raise Refused(Problem("the Pulumi engine is not here", RULE, fix))
    command = [engine, "stack", "export", "--stack", stack, "--non-interactive"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        fix = "see that PULUMI_BACKEND_URL names a backend that can be reached from here"
        raise Refused(
            Problem(f"`pulumi stack export` gave no answer in {TIMEOUT_SECONDS} seconds", RULE, fix)
        ) from error
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        fix = "run `make up`, or `pulumi stack ls` to see which stacks there are"
        raise Refused(Problem(f"`pulumi stack export` failed: {words[-1] if words else 'it said nothing'}", RULE, fix))
    return parse_state(done.stdout, f"stack {stack}")


def parse_state(text: str, source: str) -> tuple[Piece, ...]:
    """Return the resources of an export's text, by type and name. Raises `Refused` when it is none."""
    fix = "write it again with `pulumi stack export`"
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(Problem(f"no JSON: {error.msg}", RULE, fix, Place(source, error.lineno))) from error
    deployment = data.get("deployment") if isinstance(data, dict) else None
    resources = deployment.get("resources") if isinstance(deployment, dict) else None
    if not isinstance(resources, list):
        raise Refused(Problem("no list of resources in it", RULE, fix, Place(source)))
    try:
        regions = {
            each["urn"]: str((each.get("outputs") or {}).get("region") or "")
            for each in resources
            if each["type"].startswith(PROVIDER)
        }
        found = [
            Piece(
                each["type"],
                each["urn"].split("::")[-1],
                each.get("outputs") or {},
                regions.get((each.get("provider") or "").rpartition("::")[0], ""),
            )
            for each in resources
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise Refused(Problem("a resource has no type or no URN", RULE, fix, Place(source))) from error
    return tuple(sorted(found, key=lambda piece: (piece.type, piece.name)))
