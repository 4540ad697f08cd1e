"""Where a value of a JSON file stands, for those who have to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kit.problems import Place, Problem, Refused, relative

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A problem of a value of a JSON file, `path` being the keys that lead to it."""

    problem: Problem
    path: Key


def say(what: str, path: Key, rule: str, fix: str) -> Wrong:
    """Return the problem of the value at `path`; `placed` gives it its line."""
    return Wrong(Problem(what, rule, fix), path)


def placed(wrong: Iterable[Wrong], file: Path) -> list[Problem]:
    """Return the problems with their lines in the JSON `file`; without, where it can't be read as YAML too."""
    found = list(wrong)
    if not found:
        return []
    from kit.yamlfile import parse_yaml  # JSON is YAML; its tabs stand between values only

    name = relative(file)
    try:
        whole = parse_yaml(file.read_text(encoding="utf-8-sig").replace("\t", " "), name)
    except Refused:
        return [replace(each.problem, place=Place(name)) for each in found]
    return [replace(each.problem, place=whole.place(each.path)) for each in found]
