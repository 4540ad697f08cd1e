"""YAML that remembers its lines, and pydantic models that are refused with file:line, value, rule and fix."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from kit.problems import Place, Problem, Refused, relative
from kit.spoken import names_of, secrets_of, spoken

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Key = tuple[str | int, ...]
Loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where the package has it: the same nodes and lines in a tenth of the time."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A parsed YAML document: plain `data`, and for each key path the line (from 1) where its value stands."""

    name: str
    data: Any
    lines: Mapping[Key, int]

    def place(self, key: Sequence[str | int]) -> Place:
        """Return the place of `key`, or of its nearest ancestor that the file has."""
        path = tuple(key)
        while path and path not in self.lines:
            path = path[:-1]
        return Place(self.name, self.lines.get(path, 0))


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML file. Raises `Refused` when it is absent, is no YAML, or has a key twice in one mapping."""
    name = relative(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(
            Problem(
                f"cannot read the file: {error.strerror}",
                "the file exists and is readable",
                f"create {name}",
                Place(name),
            )
        ) from error
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> YamlFile:
    """Parse YAML text, as `read_yaml` does; `name` is what places in it are called."""
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        lines: dict[Key, int] = {}
        problems: list[Problem] = []
        if root is not None:
            _walk(root, (), lines, problems, name)
        if problems:
            raise Refused(problems)
        data = loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise Refused(
            Problem(f"not YAML: {error.problem}", "YAML 1.1", "mend the syntax", Place(name, line))
        ) from error
    finally:
        loader.dispose()
    return YamlFile(name, data, lines)


def parse_model(model: type[Model], file: YamlFile, data: Any = None, at: Key = ()) -> Model:
    """Validate `data` (default: the whole document) as `model`.

    Raises `Refused` with one problem for each error that pydantic found, each with its line in the file.
    """
    try:
        return model.model_validate(file.data if data is None else data)
    except ValidationError as error:
        raise Refused(
            problems_of(error, file, at, names=names_of(model), secrets=secrets_of(model)), f"{file.name} is not valid"
        ) from error


def problems_of(
    error: ValidationError,
    file: YamlFile,
    at: Key = (),
    tags: Collection[Key] = frozenset(),
    names: Collection[str] = frozenset(),
    secrets: Collection[str] = frozenset(),
) -> list[Problem]:
    """Return pydantic's errors as problems. A validator sets rule and fix by raising `PydanticCustomError`
    with `ctx={"rule": …, "fix": …}`.

    `tags` are the paths that end with the tag of a discriminated union, which pydantic adds and no file has. `names`
    are the keys that the document may have, for one that was misspelt; what stands behind that is not shown: it may be
    secret. Nor is what stands behind `secrets`, or holds one of them.
    """
    found = []
    items = error.errors(include_url=False)
    for item in items:
        # pydantic calls a sequence too short when its items are wrong; the items' own errors say what is meant
        within = [other for other in items if other["loc"][:-1] == item["loc"] and other["loc"]]
        if item["type"] == "too_short" and within:
            continue
        key = at + _untagged(tuple(item["loc"]), tags)
        dotted = ".".join(map(str, key)) or "the document"
        what, rule, fix = spoken(item, dotted, names)
        found.append(
            Problem(
                what=f"{dotted}: {what}",
                rule=rule,
                fix=fix,
                place=file.place(key),
                value="" if _is_hidden(item, key, secrets) else _short(item["input"]),
            )
        )
    return found


def _is_hidden(item: ErrorDetails, key: Key, secrets: Collection[str]) -> bool:
    hides = item["type"] in ("missing", "extra_forbidden")
    return hides or any(name in secrets for name in key) or _holds(item["input"], secrets)


def _holds(value: object, secrets: Collection[str]) -> bool:
    if isinstance(value, Mapping):
        return any(key in secrets or _holds(inside, secrets) for key, inside in value.items())
    return isinstance(value, list | tuple) and any(_holds(inside, secrets) for inside in value)


def _untagged(key: Key, tags: Collection[Key]) -> Key:
    place = next((len(tag) for tag in tags if key[: len(tag)] == tag), 0)
    return key[: place - 1] + key[place:] if place else key


def _walk(node: yaml.Node, path: Key, lines: dict[Key, int], problems: list[Problem], name: str) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in seen:
                place = Place(name, key_node.start_mark.line + 1)
                problems.append(
                    Problem(f"key {key!r} stands twice", "a key stands once in a mapping", "remove one", place)
                )
            seen.add(key)
            _walk(value_node, (*path, key), lines, problems, name)
            lines[(*path, key)] = key_node.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(node.value):
            _walk(child, (*path, position), lines, problems, name)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
