"""What is pinned, and the key under which a built piece is cached: it changes when anything that is built changes."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent

# The folders of Go sources that a piece is built from.
SOURCES = {"engine": ("engine", "host"), "plugin": ("plugin",)}


@dataclass(frozen=True, slots=True)
class Pins:
    """Versions and limits of the toolchain. Times are minutes, sizes GiB, patience seconds."""

    pulumi: str
    alicloud: str
    go: str
    disk_gib: int
    memory_gib: int
    installer: str
    installer_patience: float
    what: dict[str, str]
    usual_minutes: dict[str, int]


@cache
def pins() -> Pins:
    """Return the pins. The engine and the plugin have the versions of the Python packages that are installed."""
    table: dict[str, Any] = json.loads((ROOT / "pins.json").read_text())
    pieces = table["pieces"]
    return Pins(
        pulumi=version("pulumi"),
        alicloud=version("pulumi-alicloud"),
        go=table["go"],
        disk_gib=table["disk_gib"],
        memory_gib=table["memory_gib"],
        installer=table["installer"],
        installer_patience=table["installer_patience_seconds"],
        what={name: piece["what"] for name, piece in pieces.items()},
        usual_minutes={name: piece["usual_minutes"] for name, piece in pieces.items()},
    )


def key(piece: str) -> str:
    """Return the cache key of a piece: 16 hex digits over its Go sources, its version and this kind of machine."""
    digest = hashlib.sha256(f"{pins().pulumi} {pins().alicloud} {platform.system()} {platform.machine()}".encode())
    for folder in SOURCES[piece]:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and not file.name.endswith("_test.go") and "testdata" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def cache_root() -> Path:
    """Return where built pieces lie: `$SFOA_TOOLCHAIN_CACHE`, else `sfoa/toolchain` in the user's cache folder."""
    if own := os.environ.get("SFOA_TOOLCHAIN_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sfoa" / "toolchain"


def piece_dir(piece: str) -> Path:
    """Return the folder of a built piece; it exists only once the piece is complete."""
    return cache_root() / f"{piece}-{key(piece)}"


def official_dir() -> Path:
    """Return the folder into which Pulumi's own installer is told to install."""
    return cache_root() / f"official-{pins().pulumi}"
