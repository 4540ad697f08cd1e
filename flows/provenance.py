"""Where a release came from: the commit, what differed from it, and the tools. No clock, no path, no machine: the same
commit built by the same tools says the same."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from kit.problems import Problem, Refused

TOOLS = ("sfoa-kit", "cyclonedx-python-lib", "lxml", "pydantic", "pyyaml")
"""Distributions that what is built depends on."""

_SECONDS = 60
_NO_HISTORY = ("not a git repository", "does not have any commits")


@dataclass(frozen=True, slots=True)
class Provenance:
    """The project (its company), the commit (hex, "" where there is no git), when that was made (ISO 8601), the files
    of the release's source that differ from it (paths from the repository's top), and versions by tool."""

    project: str
    commit: str = ""
    committed: str = ""
    changed: tuple[str, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)

    @property
    def tree(self) -> str:
        """The state of the source: "clean", "dirty", or "unversioned" without git."""
        return "unversioned" if not self.commit else "dirty" if self.changed else "clean"

    @property
    def time(self) -> datetime | None:
        """When the commit was made."""
        return datetime.fromisoformat(self.committed) if self.committed else None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, which `provenance_of` reads."""
        return {
            "project": self.project,
            "commit": self.commit,
            "committed": self.committed,
            "tree": self.tree,
            "changed": list(self.changed),
            "tools": dict(self.tools),
        }


def provenance_of(data: Mapping[str, Any]) -> Provenance:
    """Return what `Provenance.as_json` wrote. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    found = Provenance(data["project"], data["commit"], data["committed"], tuple(data["changed"]), dict(data["tools"]))
    _ = found.time  # what is no time is refused here, not where it is shown
    return found


def look(project: str, root: Path, sources: Iterable[str]) -> Provenance:
    """Return where what is built of `sources` (paths below `root`) comes from, as git sees it now.

    Raises `Refused` when git is there but doesn't answer.
    """
    head = _git(root, "log", "-1", "--format=%H%n%cI")
    if head is None:
        return Provenance(project, tools=tool_versions())
    commit, committed = head.split()
    # An absent path is taken too: git then looks for nothing.
    listed = _git(root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", *sources) or ""
    changed = tuple(sorted(entry[3:] for entry in listed.split("\0") if entry))
    return Provenance(project, commit, committed, changed, tool_versions())


def tool_versions() -> dict[str, str]:
    """Return the versions of what a release's bytes depend on, by name."""
    versions = {name: importlib.metadata.version(name) for name in TOOLS}
    return {**versions, "python": platform.python_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION}


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, None where there is no git or no history."""
    command = ["git", "--no-optional-locks", "-C", str(root), "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS)
    except FileNotFoundError:
        return None
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape")
    words = done.stderr.decode("utf-8", "replace").strip()
    if any(text in words for text in _NO_HISTORY):
        return None
    rule = "a release says which commit it was built from"
    raise Refused(Problem(f"git doesn't answer: {words}", rule, "make `git status` work in the project"))
