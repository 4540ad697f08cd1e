"""An SFDX project: its package directories, API version, and the files that may be metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.metadata_types import TypeTable, metadata_types
from flows.source.ignore import Ignore, read_ignore
from flows.source.jsonplace import Wrong, placed, say
from kit.problems import Place, Problem, Refused, refuse_if_any, relative

if TYPE_CHECKING:
    from flows.source.replacements import Replacement

PROJECT_FILE = "sfdx-project.json"
LAYOUT_KEYS = frozenset({"sourceBehaviorOptions", "registryPresets", "registryCustomizations"})


class Folder(NamedTuple):
    """A folder below the project's root: `name` is its path from there, with slashes, `parts` what stands between."""

    name: str
    parts: tuple[str, ...]


class SourceFile(NamedTuple):
    """A file below the project's root: `path` is where it is read, `base` its own name.

    Its `name` is its path from the root, with slashes: "metadata/core/classes/A.cls"; `parts` stand between them.
    """

    path: str
    base: str
    folder: Folder

    @property
    def name(self) -> str:
        return f"{self.folder.name}/{self.base}" if self.folder.name else self.base

    @property
    def parts(self) -> tuple[str, ...]:
        return (*self.folder.parts, self.base)


def source_file(path: str, name: str) -> SourceFile:
    """Return the file that is read at `path` and called `name`."""
    *parts, base = name.split("/")
    return SourceFile(path, base, Folder("/".join(parts), tuple(parts)))


@dataclass(frozen=True, slots=True)
class Project:
    """Where metadata lies: `root`, and the package directories below it, as "force-app" or "metadata/core".

    `api_version_given` says whether the project names its API version, or the table's stands in for it. `types` is
    the table by which the source is laid out: Salesforce's, or what the project makes of it.
    """

    root: Path
    package_directories: tuple[str, ...]
    api_version: str
    api_version_given: bool
    replacements: tuple[Replacement, ...] = ()
    types: TypeTable = field(default_factory=metadata_types)

    def files(self, directory: str) -> Iterator[SourceFile]:
        """Yield the files below `directory` that aren't ignored, sorted by path."""
        parts = () if directory == "." else tuple(directory.split("/"))
        whole = self.root if directory == "." else self.root / directory
        ignore, start = read_ignore(whole, self.root)
        below = whole.relative_to(start)
        above = [folder.as_posix() for folder in (*reversed(below.parents), below) if folder.parts]
        if any(ignore.denies(folder, is_directory=True) for folder in above):
            return
        seen = f"{below.as_posix()}/" if below.parts else ""
        yield from _walk([], str(whole), Folder("/".join(parts), parts), seen, ignore)

    def all_files(self, directories: Iterable[str]) -> list[SourceFile]:
        """Return the files below some package directories, each once, as `files` does."""
        names = list(dict.fromkeys(directories))
        if len(names) == 1:
            return list(self.files(names[0]))
        return list({file.name: file for directory in names for file in self.files(directory)}.values())

    def shown(self, name: str) -> str:
        """Return the file as people can open it from where they are."""
        return relative(self.root / name)


def _walk(
    into: list[SourceFile], path: str, folder: Folder, seen: str, ignore: Ignore, links: tuple[str, ...] = ()
) -> list[SourceFile]:
    """Add the files below a folder to `into`; `path` is where it is read, `seen` its path for `ignore`.

    `links` are the real folders of the symbolic links that led here. Raises `Refused` for one that leads around in a
    circle.
    """
    with os.scandir(path) as entries:
        found = sorted(entries, key=_name)
    may_deny = ignore.may_deny(seen, map(_name, found))
    for entry in found:
        base = entry.name
        is_directory = entry.is_dir()
        if may_deny and ignore.denies(seen + base, is_directory=is_directory):
            continue
        if not is_directory:
            into.append(SourceFile(entry.path, base, folder))
            continue
        passed = links
        if entry.is_symlink():
            passed = (*links, os.path.realpath(path))
            _refuse_circle(entry.path, passed)
        below = Folder(f"{folder.name}/{base}" if folder.name else base, (*folder.parts, base))
        _walk(into, entry.path, below, f"{seen}{base}/", ignore, passed)
    return into


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _refuse_circle(path: str, passed: tuple[str, ...]) -> None:
    target = os.path.realpath(path)
    if any(f"{folder}/".startswith(f"{target}/") for folder in passed):
        what, rule = "a symbolic link to a folder above itself", "a package directory is a tree of folders and files"
        raise Refused(Problem(what, rule, "remove the link, or list it in .forceignore", Place(relative(Path(path)))))


def read_project(folder: Path) -> Project:
    """Return the project whose `sfdx-project.json` lies in `folder`; without one, `folder` is a package directory.

    Raises `Refused` with every problem of the file: not JSON, no package directory, one that doesn't exist,
    settings that the kit doesn't take.
    """
    if not folder.is_dir():
        place = Place(relative(folder))
        raise Refused(
            Problem("no such folder", "the source is a folder on disk", "name an SFDX project's folder", place)
        )
    file = folder / PROJECT_FILE
    default = metadata_types().api_version
    if not file.is_file():
        # The folder's own name may be a type's directory ("classes"), so names start with it.
        whole = folder.resolve()
        return Project(whole.parent, (whole.name,), default, False)
    data = _json(file)
    directories, wrong = _package_directories(data, file)
    types = metadata_types()
    if LAYOUT_KEYS & data.keys():
        from flows.source.layout import read_layout  # most projects have none of it

        types, more = read_layout(data)
        wrong += more
    replacements: tuple[Replacement, ...] = ()
    problems: Sequence[Problem] = ()
    if data.get("replacements"):
        from flows.source.replacements import read_replacements  # nor of this

        replacements, problems = read_replacements(data["replacements"], file.resolve())
    refuse_if_any([*placed(wrong, file), *problems], f"{relative(file)} is not valid")
    version = data.get("sourceApiVersion")
    return Project(folder.resolve(), directories, str(version or default), bool(version), replacements, types)


def _json(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        place = Place(relative(file), error.lineno)
        raise Refused(Problem(f"not JSON: {error.msg}", "RFC 8259", "mend the syntax", place)) from error
    if not isinstance(data, dict):
        raise Refused(
            Problem("no JSON object", "an object at the top", "see the Salesforce DX docs", Place(relative(file)))
        )
    return data


def _package_directories(data: dict[str, Any], file: Path) -> tuple[tuple[str, ...], list[Wrong]]:
    key = "packageDirectories"
    rule = f"{key} names the folders that hold metadata"
    entries = data.get(key)
    if not isinstance(entries, list) or not entries:
        return (), [say(f"{key} is missing or empty", (key,), rule, 'add [{"path": "force-app"}]')]
    directories: list[str] = []
    wrong: list[Wrong] = []
    for position, entry in enumerate(entries):
        path = entry.get("path") if isinstance(entry, dict) else None
        if not isinstance(path, str) or not path:
            fix = 'write {"path": "force-app"}'
            wrong.append(say("a package directory has no path", (key, position), rule, fix))
        elif not (file.parent / path).is_dir():
            what, fix = f"the package directory {path} doesn't exist", "create it, or remove the entry"
            wrong.append(say(what, (key, position, "path"), rule, fix))
        else:
            directories.append(os.path.normpath(path).replace(os.sep, "/"))
    return tuple(directories), wrong
