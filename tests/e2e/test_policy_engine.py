"""Each rule of the pack under the real engine: `pulumi up --policy-pack` refuses every broken setting by its rule.

The engine takes seconds to start, so one `up` holds all rows, each a resource that differs from a good one by a single
setting; what is missing rather than wrong breaks a stack of its own. No cloud takes part: the pack also rules on
resources that the kit's plugin doesn't carry, so a provider that takes anything stands in for it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.policy.catalogue import RULES
from infra.policy.keeping import taggable
from infra.policy.model import Severity
from tests.e2e import vault
from tests.e2e.anyprovider import AnyProvider, serving
from tests.e2e.released import BIN, ROOT
from tests.infra.policy.test_rules import BROKEN, GONE, GOOD, TAGS, UNPROTECTED
from toolchain.pins import cache_root

pytestmark = pytest.mark.e2e

PROGRAM = """
import json

import pulumi

with open("resources.json", encoding="utf-8") as file:
    rows = json.load(file)
for row in rows:
    opts = pulumi.ResourceOptions(protect=row["protect"])
    if row["type"].startswith("pulumi:providers:"):
        pulumi.ProviderResource(row["type"].rpartition(":")[2], row["name"], row["inputs"], opts)
    else:
        pulumi.CustomResource(row["type"], row["name"], row["inputs"], opts)
"""
SAID = re.compile(r"\[(?:mandatory|advisory)\]\s+(SFOA-[A-Z]+-\d+)\s+\((\S+): (\S+)\)")
# What is gone, and what another resource of the same bucket would make up for, breaks a stack and not a resource.
APART = {
    (rule, name) for rule, ways in BROKEN.items() for name, change in ways if change is GONE or rule == "SFOA-KEEP-008"
}
ROWS = {
    f"{rule}-{number}-{name}": (rule, name, change)
    for rule, ways in BROKEN.items()
    for number, (name, change) in enumerate(ways)
    if (rule, name) not in APART
}


def resource(name: str, like: str, change: Any) -> dict[str, Any]:
    """Return a resource that is like a good one but for one setting."""
    token, properties = GOOD[like]
    inputs = {"tags": TAGS, **properties} if token in taggable() else dict(properties)
    inputs |= change if isinstance(change, dict) else {}
    kept = {key: value for key, value in inputs.items() if value is not None}
    return {"name": name, "type": token, "inputs": kept, "protect": change is not UNPROTECTED}


def good(*without: str) -> list[dict[str, Any]]:
    """Return the resources of a stack that keeps every rule, without some."""
    return [resource(name, name, {}) for name in GOOD if name not in without]


@dataclass(frozen=True)
class Ground:
    """A program whose resources stand in a file, and the provider that they go to."""

    folder: Path
    provider: AnyProvider
    port: int

    def up(self, resources: list[dict[str, Any]]) -> tuple[int, set[tuple[str, str]], str]:
        """Bring resources up under the pack: exit code, each rule with the name of what broke it, all that was said."""
        (self.folder / "resources.json").write_text(json.dumps(resources), encoding="utf-8")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SFOA_TOOLCHAIN_CACHE": str(cache_root()),
            "PULUMI_BACKEND_URL": self.folder.as_uri(),
            **vault.environment(),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_PROVIDERS": f"alicloud:{self.port},pulumi-python:{self.port}",
        }
        pack = str(ROOT / "infra" / "policy" / "sfoa-policies")
        for command in (
            ("stack", "select", "--create", "rules", "--secrets-provider", vault.ADDRESS),
            ("up", "--yes", "--stack", "rules", "--policy-pack", pack),
        ):
            done = subprocess.run(
                [str(BIN / "pulumi"), *command, "--non-interactive"],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
            )
        said = done.stdout + done.stderr
        return done.returncode, {(rule, name) for rule, _, name in SAID.findall(said)}, said


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "Pulumi.yaml").write_text("name: rules\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    with serving() as (provider, port):
        yield Ground(folder, provider, port)


@pytest.fixture(scope="module")
def refused(ground: Ground) -> set[tuple[str, str]]:
    """Which rule each broken resource of one `up` was refused by."""
    rows = [resource(row, name, change) for row, (_, name, change) in ROWS.items()]
    code, found, said = ground.up(good() + rows)
    assert found, said[-6000:]
    assert code != 0
    assert ground.provider.made == 0
    return found


@pytest.mark.parametrize("row", ROWS)
def test_up_refuses_a_broken_setting_by_its_rule_and_by_no_other(row: str, refused: set[tuple[str, str]]) -> None:
    assert {rule for rule, name in refused if name == row} == {ROWS[row][0]}


def test_what_is_right_in_the_same_stack_is_not_complained_of(refused: set[tuple[str, str]]) -> None:
    assert {name for _, name in refused} <= set(ROWS)


def test_up_refuses_a_stack_for_what_is_missing_in_it(ground: Ground) -> None:
    code, found, said = ground.up(good(*(name for _, name in APART)))
    assert {rule for rule, _ in found} == {rule for rule, _ in APART}, said[-6000:]
    assert code != 0
    assert ground.provider.made == 0


def test_every_rule_is_tried_through_the_engine() -> None:
    tried = {rule for rule, _, _ in ROWS.values()} | {rule for rule, _ in APART}
    assert tried == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES if rule.severity is Severity.MANDATORY} & tried) >= 25


def test_the_same_stack_with_every_setting_right_comes_up(ground: Ground) -> None:
    """The last test of the file: the only one that makes anything."""
    rows = [resource(row, name, {}) for row, (_, name, _) in ROWS.items()]
    code, found, said = ground.up(good() + rows)
    assert (code, found) == (0, set()), said[-6000:]
    assert ground.provider.made >= len(ROWS)
