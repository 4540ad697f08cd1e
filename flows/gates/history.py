"""What git says of the files under `metadata/`: since when they are there, and who wrote them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from flows.components import Component, ComponentKey

_MARK = "//"  # begins a commit's line: no path does


@dataclass(frozen=True, slots=True)
class Touched:
    """A file or folder in git: the day of its first commit, and by author's e-mail address the day of the last one."""

    first: date
    authors: Mapping[str, date]


def history(root: Path) -> dict[str, Touched]:
    """Return what git says, by whole path, folders too; empty when there is no repository or no git."""
    command = ["git", "-C", str(root), "log", "--no-renames", f"--format={_MARK}%as %ae", "--name-only"]
    try:
        top = subprocess.run(["git", "-C", str(root), "rev-parse", "--show-toplevel"], capture_output=True, text=True)
        log = subprocess.run([*command, "--", "metadata"], capture_output=True, text=True)
    except FileNotFoundError:
        return {}
    if top.returncode or log.returncode:
        return {}
    return read_log(log.stdout, Path(top.stdout.strip()).resolve())


def read_log(text: str, top: Path) -> dict[str, Touched]:
    """Return what the log of a repository at `top` says, as `history` does; the newest commit comes first."""
    first: dict[str, date] = {}
    authors: dict[str, dict[str, date]] = {}
    day, author = date.min, ""
    for line in text.splitlines():
        if line.startswith(_MARK):
            stamp, _, author = line[len(_MARK) :].lower().partition(" ")
            day = date.fromisoformat(stamp)
        elif line:
            for path in (PurePosixPath(line), *PurePosixPath(line).parents[:-1]):
                name = str(top / path)
                first[name] = min(day, first.get(name, day))
                known = authors.setdefault(name, {})
                known[author] = max(day, known.get(author, day))
    return {name: Touched(day, authors[name]) for name, day in first.items()}


def touched(component: Component, known: Mapping[str, Touched]) -> Touched | None:
    """Return what git says of a component's file or folder."""
    return known.get(str(Path(component.source.file).resolve())) if known else None


def authors_of(components: Sequence[Component], known: Mapping[str, Touched]) -> dict[ComponentKey, Mapping[str, date]]:
    """Return who wrote each component and last when, nobody where git doesn't know its file."""
    found: dict[ComponentKey, Mapping[str, date]] = {}
    for component in components:
        one = touched(component, known)
        found[component.key] = one.authors if one else {}
    return found
