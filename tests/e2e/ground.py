"""A Pulumi project of some components alone, under the real engine and the real provider, over emulators of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from emulators.alicloud.permissions import allows
from emulators.coverage import listening
from emulators.testing import Running, running
from infra.roles import roles
from tests.e2e import vault
from tests.e2e.released import BIN, ROOT
from toolchain.pins import cache_root

PATIENCE = 300  # seconds that any one command of the engine may take
ACCOUNT = "1234567890123456"
REGION = "cn-shanghai"
SETTINGS: Mapping[str, Any] = {
    "alicloud:region": REGION,
    "alicloud:accountType": "Domestic",
    "alicloud:accountId": ACCOUNT,
    "sfoa:company": "acme",
    "sfoa:environment": "test",
    "sfoa:network": {"cidr": "10.0.0.0/16", "zones": [f"{REGION}-{zone}" for zone in "bfg"]},
    "sfoa:storage": {"ledger_retention_days": 1, "ledger_locked": False, "force_destroy": True},
}
"""What every one of these projects is given; a section of a test's own takes the place of the one here."""

CODES = {
    "CloudAPI": "apigateway",
    "Cbn": "cen",
    "Sls": "log",
    "cas": "yundun-cert",
    "waf-openapi": "yundun-waf",
}
"""How RAM calls a product, where it isn't the product's own name."""
EMPTYING = {"oss:DeleteMultipleObjects", "oss:ListObjectVersions"}
"""What `force_destroy` asks for, which only stacks to throw away have: the role `platform` empties no bucket."""
FREE = ("Location", "Sts")  # what they answer here, anybody may ask

HEAD = """\
import json

import pulumi

from infra.settings import read_settings

with open("settings.json", encoding="utf-8") as file:
    settings = read_settings(json.load(file), {})
"""


@dataclass(frozen=True)
class Ground:
    """A project, the emulators that it talks to, and the stack that its commands are about ("": none is named)."""

    root: Path
    clouds: Running
    stack: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Product and action of every call that reached the emulated cloud."""

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every command."""
        return {
            **os.environ,
            **self.clouds.environment,
            **vault.environment(),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.root),
            "SFOA_TOOLCHAIN_CACHE": str(cache_root()),
            "PYTHONPATH": str(ROOT),
            "CI": "true",
        }

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command of the engine, at the head of a process group of its own."""
        return subprocess.Popen(
            [str(BIN / "pulumi"), *arguments, "--non-interactive", *(("--stack", self.stack) if self.stack else ())],
            cwd=self.root,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def pulumi(self, *arguments: str, **environ: str) -> str:
        """Run a command of the engine, which has to succeed, and return what it printed."""
        code, printed, said = self._run(arguments, environ)
        assert code == 0, f"{arguments}\n{printed[-6000:]}\n{said[-6000:]}"
        return printed

    def refused(self, *arguments: str, **environ: str) -> str:
        """Run a command of the engine, which has to fail, and return everything that it said."""
        code, printed, said = self._run(arguments, environ)
        assert code != 0, f"{arguments}\n{printed[-6000:]}"
        return printed + said

    def _run(self, arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str, str]:
        process = self.start(*arguments, **environ)
        printed, said = process.communicate(timeout=PATIENCE)
        return process.returncode, printed, said

    def configure(self, config: Mapping[str, Any]) -> None:
        """Write the stack's file; what the engine put into it beside the config stays."""
        file = self.root / f"Pulumi.{self.stack}.yaml"
        kept = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
        file.write_text(json.dumps(kept | {"config": dict(config)}), encoding="utf-8")

    def settle(self, sections: Mapping[str, Any]) -> None:
        """Write the settings that the program reads; structures become JSON text, as the engine hands them over."""
        values = {**SETTINGS, **sections}
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
        (self.root / "settings.json").write_text(json.dumps(texts), encoding="utf-8")

    def init(self) -> None:
        """Make the stack; the key of its secrets is the vault's."""
        self.pulumi("stack", "init", "--secrets-provider", vault.ADDRESS)

    def up(self, *more: str, **environ: str) -> str:
        """Bring the stack up."""
        return self.pulumi("up", "--yes", "--skip-preview", *more, **environ)

    def destroy(self) -> None:
        """Take the stack down; nothing of it may be left in its state."""
        self.pulumi("destroy", "--yes", "--skip-preview")
        assert self.resources() == []

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        return outputs

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources of the stack's state."""
        rows: list[dict[str, Any]] = json.loads(self.pulumi("stack", "export"))["deployment"].get("resources", [])
        return rows

    def unchanged(self) -> None:
        """Look again, at the program and at the cloud: neither differs from the state."""
        self.pulumi("preview", "--refresh", "--expect-no-changes")

    def kept(self, kind: str) -> list[dict[str, Any]]:
        """Return what the emulated cloud holds of a kind."""
        return [document for _, document in self.clouds.store.all(kind)]

    def kinds(self, *prefixes: str) -> set[str]:
        """Return the kinds of which the emulated cloud holds anything, by how their names begin."""
        return {kind for kind in self.clouds.store.kinds() if kind.startswith(prefixes)}


def write_project(root: Path, name: str, program: str, stack: str = "") -> None:
    """Write a Pulumi project; with a stack, its file too."""
    (root / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n", encoding="utf-8")
    (root / "__main__.py").write_text(program, encoding="utf-8")
    if stack:
        config = {"config": {key: SETTINGS[key] for key in ("alicloud:region", "alicloud:accountType")}}
        (root / f"Pulumi.{stack}.yaml").write_text(json.dumps(config), encoding="utf-8")


@contextmanager
def standing_on(root: Path, stack: str, program: str) -> Iterator[Ground]:
    """Yield a project of this program (which `HEAD` precedes) with an empty stack, over empty emulators."""
    write_project(root, stack, HEAD + program, stack)
    calls: list[tuple[str, str]] = []
    with running(root / "home") as clouds, listening(lambda product, _, action: calls.append((product, action))):
        (root / "home" / "pulumi-state").mkdir()
        ground = Ground(root, clouds, stack, calls)
        ground.init()
        yield ground


def beyond_platform(calls: Iterable[tuple[str, str]]) -> set[str]:
    """Return the actions among these calls that no statement of the role `platform` allows, as RAM names them.

    The emulators enforce policies in OSS alone; here each action is held against the role's document.
    """
    names = dict.fromkeys(("releases", "ledger", "backups", "key"), "x")
    document = json.loads(
        roles()["platform"].document({**names, "account": ACCOUNT, "region": REGION, "prefix": "acme-test"})
    )
    some = ["acs:any:*:*:thing", f"acs:oss:*:{ACCOUNT}:acme-test-x", f"acs:oss:*:{ACCOUNT}:acme-test-x/key"]
    some += [f"acs:ram:*:{ACCOUNT}:{kind}/acme-test-x" for kind in ("role", "policy")]
    asked = {f"{CODES.get(product, product.lower())}:{action}" for product, action in calls if product not in FREE}
    return {action for action in asked if not any(allows([document], action, one, {}) for one in some)}
