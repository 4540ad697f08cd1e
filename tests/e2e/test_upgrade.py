"""The stack that the last release left, under today's code: nothing that bears state is replaced or deleted.

`data/last-release.json` is the exported state of `Pulumi.local.yaml` on the emulators, as the release before this one
brought it up (commit 39542bc), without the places in its source. Renew it at a release, from its tag:
`make up`, then `sfoa emulators run -- pulumi stack export --stack local`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulators.testing import Running, running
from tests.e2e.released import BIN, ROOT
from toolchain.pins import cache_root

pytestmark = pytest.mark.e2e

LAST = Path(__file__).parent / "data" / "last-release.json"
STACK = "local"
LATER = ("audit", "console", "identity", "integration")
"""The sections that the last release didn't know."""


class Ground:
    """Today's program over the state that the last release left."""

    def __init__(self, folder: Path, clouds: Running) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            **clouds.environment,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SFOA_TOOLCHAIN_CACHE": str(cache_root()),
        }

    def pulumi(self, *arguments: str) -> str:
        """Run a command of the engine that has to succeed, and return what it printed."""
        done = subprocess.run(
            [str(BIN / "pulumi"), *arguments, "--non-interactive", "--stack", STACK],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def preview(self, config: dict[str, Any]) -> dict[str, str]:
        """Return what the engine would do with each resource of a stack with this config, by URN."""
        (self.folder / f"Pulumi.{STACK}.yaml").write_text(json.dumps(config), encoding="utf-8")
        planned = json.loads(self.pulumi("preview", "--json"))
        return {step["urn"]: step["op"] for step in planned["steps"]}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("upgrade")
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    for file in (ROOT / "infra").glob("__main__.py"):
        (folder / "infra").mkdir()
        shutil.copy(file, folder / "infra")
    (folder / f"Pulumi.{STACK}.yaml").write_text(json.dumps(today()), encoding="utf-8")
    with running(tmp_path_factory.mktemp("clouds")) as clouds:
        (clouds.emulators.home / "pulumi-state").mkdir()
        made = Ground(folder, clouds)
        made.pulumi("stack", "init")
        made.pulumi("stack", "import", "--file", str(LAST))
        yield made


def today() -> dict[str, Any]:
    """Return the config that the kit ships today."""
    data: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{STACK}.yaml").read_text(encoding="utf-8"))
    return data


def before() -> dict[str, Any]:
    """Return the config as the last release shipped it: without what it didn't know."""
    data = today()
    config = {key: value for key, value in data["config"].items() if key.removeprefix("sfoa:") not in LATER}
    network = {key: value for key, value in config["sfoa:network"].items() if key in ("cidr", "zones", "egress_ips")}
    return data | {"config": config | {"sfoa:network": network}}


def left() -> set[str]:
    """Return the URNs of what the last release made in the cloud."""
    resources = json.loads(LAST.read_text(encoding="utf-8"))["deployment"]["resources"]
    return {row["urn"] for row in resources if row["type"].startswith("alicloud:")}


@pytest.fixture(scope="module", params=[before, today], ids=["the settings it had", "all settings of today"])
def planned(request: pytest.FixtureRequest, ground: Ground) -> dict[str, str]:
    """What an upgrade would change, by URN; what it leaves as it is isn't named."""
    return ground.preview(request.param())


def test_an_upgrade_replaces_and_deletes_nothing(planned: dict[str, str]) -> None:
    assert {urn: op for urn, op in planned.items() if op not in ("same", "update", "create")} == {}


def test_what_the_last_release_made_stays_as_it_is(planned: dict[str, str]) -> None:
    assert len(left()) > 40
    assert {urn: planned[urn] for urn in left() & set(planned) if planned[urn] != "same"} == {}


def test_what_is_new_comes_with_its_settings_alone(request: pytest.FixtureRequest, planned: dict[str, str]) -> None:
    made = {urn for urn, op in planned.items() if op == "create" and "alicloud:" in urn}
    assert (len(made) > 40) == ("all settings of today" in request.node.name)
