"""The `pulumi` command in the project's environment, where the engine or the plugin comes from the cache."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

_MARK = "# Written by `sfoa toolchain ensure`: runs the cached Pulumi with this project's Python first on PATH."


def is_shim(path: Path) -> bool:
    """Return whether `path` is a shim of ours, so that it is never taken for the user's own engine."""
    try:
        with path.open("rb") as file:
            return _MARK.encode() in file.read(512)
    except OSError:
        return False


def shim_path() -> Path:
    """Return where the shim lies: beside the Python that runs us."""
    return Path(sys.executable).parent / "pulumi"


def shim_text(engine: Path, plugin: Path, plugin_home: Path | None) -> str:
    """Return the shim. With `plugin_home` the plugin is found silently there, unless the user has a `$PULUMI_HOME`."""
    search = ":".join(map(shlex.quote, (str(Path(sys.executable).parent), str(engine.parent))))
    lines = ["#!/bin/sh", _MARK]
    if plugin_home is None:
        lines.append(f'PATH={search}:{shlex.quote(str(plugin.parent))}:"$PATH"')
    else:
        lines += [f'PATH={search}:"$PATH"', f'PULUMI_HOME="${{PULUMI_HOME:-{plugin_home}}}"', "export PULUMI_HOME"]
    lines += ["export PATH", f'exec {shlex.quote(str(engine))} "$@"', ""]
    return "\n".join(lines)


def write_shim(text: str) -> bool:
    """Write the shim; return whether it changed. A `pulumi` there that is not ours is left alone."""
    path = shim_path()
    if path.exists() and not is_shim(path):
        return False
    if path.exists() and path.read_text() == text:
        return False
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return True


def remove_shim() -> None:
    """Remove the shim, if it is ours."""
    if is_shim(shim_path()):
        shim_path().unlink()
