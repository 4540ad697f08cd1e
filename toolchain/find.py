"""Where the engine, the Python host and the alicloud plugin are, if anywhere. Looks, and changes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.pins import official_dir, piece_dir, pins
from toolchain.shim import is_shim

PLUGIN = "pulumi-resource-alicloud"


@dataclass(frozen=True, slots=True)
class Found:
    """A piece that was found: the executable, and which way it came ("yours", "official" or "built")."""

    path: Path
    way: str


def find_engine(environ: Mapping[str, str] | None = None) -> Found | None:
    """Return the engine that has a Python host beside it or on PATH: the user's own first."""
    search = (environ or os.environ).get("PATH", "")
    for entry in search.split(os.pathsep):
        candidate = Path(entry) / "pulumi"
        if entry and candidate.is_file() and os.access(candidate, os.X_OK) and not is_shim(candidate):
            beside = candidate.resolve().parent / "pulumi-language-python"
            if beside.exists() or shutil.which("pulumi-language-python", path=search):
                return Found(candidate, "yours")
    for folder, way in ((official_dir() / "bin", "official"), (piece_dir("engine") / "bin", "built")):
        if (folder / "pulumi").is_file() and (folder / "pulumi-language-python").is_file():
            return Found(folder / "pulumi", way)
    return None


def find_plugin(environ: Mapping[str, str] | None = None) -> Found | None:
    """Return the plugin of the pinned version: in `$PULUMI_HOME`, on PATH, or in the cache."""
    environ = environ or os.environ
    home = Path(environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    for root, way in ((home, "yours"), (official_dir(), "official")):
        installed = root / "plugins" / plugin_folder() / PLUGIN
        if installed.is_file() and not installed.resolve().is_relative_to(piece_dir("plugin").parent):
            return Found(installed, way)
    if on_path := shutil.which(PLUGIN, path=environ.get("PATH", "")):
        return Found(Path(on_path), "yours")
    built = piece_dir("plugin") / "home" / "plugins" / plugin_folder() / PLUGIN
    return Found(built, "built") if built.is_file() else None


def plugin_folder() -> str:
    """Return the name of the plugin's folder in `$PULUMI_HOME/plugins`."""
    return f"resource-alicloud-v{pins().alicloud}"


def engine_version(engine: Found) -> str:
    """Return what `pulumi version` says, without the leading v; "" when it can't be run."""
    environ = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [str(engine.path), "version"], capture_output=True, text=True, timeout=60, env=environ, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().removeprefix("v")
