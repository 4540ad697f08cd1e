"""The settings of `sfdx-project.json` by which types lie in other files than usual, or types are added.

`sourceBehaviorOptions` (once called `registryPresets`) name presets that Salesforce publishes;
`registryCustomizations` hold entries of its registry. What the table of types can't say is refused by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.metadata_types import MetadataType, TypeTable, metadata_types, type_of
from flows.presets import laid_out_by, presets
from flows.registry import FIELDS, REFERENCES, facts_of
from flows.source.jsonplace import Wrong, say

_PRESET_KEYS = ("registryPresets", "sourceBehaviorOptions")
_CUSTOM = "registryCustomizations"
_RULE = "presets are those that Salesforce publishes, each at most once for a type"
_CUSTOM_RULE = f"{_CUSTOM} are entries of Salesforce's registry that the kit's table of types can hold"
_FIX = "correct it, or remove it and lay the source out as usual"
_MAPS = ("types", "childTypes", "suffixes", "strictDirectoryNames")
_STRATEGIES = {
    "adapter": {
        "", "default", "bundle", "decomposed", "digitalExperience", "matchingContentFile", "mixedContent", "uiBundles",
        "partiallyDecomposed",
    },
    "transformer": {
        "", "standard", "decomposed", "decomposedLabels", "decomposedPermissionSet", "nonDecomposed", "staticResource",
        "decomposeExternalServiceRegistration", "uiBundle",
    },
    "decomposition": {"", "folderPerType", "topLevel"},
    "recomposition": {"", "startEmpty"},
}  # fmt: skip
_TYPE_FIELDS = {*FIELDS, "id", "strategies", "children", "versionSeparator", "unaddressableWithoutParent"}


def read_layout(data: Mapping[str, Any]) -> tuple[TypeTable, list[Wrong]]:
    """Return the table of types by which a project's source is read, and what is wrong with the settings for it."""
    wrong: list[Wrong] = []
    types = list(_chosen(data, wrong))
    custom = data.get(_CUSTOM) or {}
    if not isinstance(custom, dict):
        return metadata_types(), [*wrong, say("no object", (_CUSTOM,), _CUSTOM_RULE, _FIX)]
    own = _Customizations(custom, wrong)
    added = list(own.types())
    suffixes = dict(own.suffixes())
    return (metadata_types() if wrong else laid_out_by([*types, *added], suffixes)), wrong


def _chosen(data: Mapping[str, Any], wrong: list[Wrong]) -> Iterator[MetadataType]:
    """Yield the types of the presets that the project names."""
    taken: dict[str, str] = {}
    for key in _PRESET_KEYS:
        names = data.get(key) or []
        if not isinstance(names, list):
            wrong.append(say(f"{key} is no list of names", (key,), _RULE, _FIX))
            continue
        for position, name in enumerate(names):
            place = (key, position)
            if name not in presets():
                near = next(iter(difflib.get_close_matches(str(name), presets(), 1)), "")
                fix = f"did you mean {near}?" if near else f"name one of {', '.join(sorted(presets()))}"
                wrong.append(say(f"{key}: there is no preset {name}", place, _RULE, fix))
                continue
            for kind in presets()[name]:
                if taken.setdefault(kind.name, name) != name:
                    what = f"{key}: {name} and {taken[kind.name]} both say where {kind.name} lies"
                    wrong.append(say(what, place, _RULE, "remove one of the two"))
            yield from presets()[name]


@dataclass(slots=True)
class _Customizations:
    """The project's own entries of the registry; what is wrong with them is added to `wrong`."""

    data: Mapping[str, Any]
    wrong: list[Wrong]

    def types(self) -> Iterator[MetadataType]:
        """Yield the types that the entries describe."""
        for key in sorted(self.data.keys() - set(_MAPS)):
            self.say(f"{key} is no part of a registry", key)
        entries = self.entries("types")
        names = {kind.name.lower(): kind.name for kind in metadata_types().types}
        names |= {key: str(entry.get("name", key)) for key, entry in entries.items()}
        for key, entry in entries.items():
            if self.fits(entry, ("types", key), names):
                yield type_of(facts_of(entry, names))
        for directory, key in self.map("strictDirectoryNames").items():
            if key not in names:
                self.say(
                    f"{directory} leads to {key or 'nothing'}, which is no type", "strictDirectoryNames", directory
                )

    def suffixes(self) -> Iterator[tuple[str, str]]:
        """Yield each suffix with the name of the type that is meant by it."""
        usual = {kind.name.lower(): kind for kind in metadata_types().types}
        entries, suffixes = self.entries("types"), self.map("suffixes")
        children = {
            key: child for name in entries for key, child in self.entries("types", name, "children", "types").items()
        }
        for suffix, key in suffixes.items():
            entry, known = entries.get(str(key)) or children.get(str(key)), usual.get(str(key))
            own = {entry.get("suffix"), entry.get("legacySuffix")} if entry else set()
            if known and not entry:
                own = {known.suffix, known.legacy_suffix}
            if suffix not in own:
                what = f"the suffix {suffix} leads to {key or 'nothing'}, which is no type of that suffix"
                self.say(what, "suffixes", suffix)
            elif key not in children:
                yield suffix, str(entry.get("name")) if entry else known.name if known else ""
        strict = self.map("strictDirectoryNames").values()
        for key, entry in entries.items():
            own_suffix = str(entry.get("suffix", ""))
            if own_suffix and key not in usual and key not in strict and suffixes.get(own_suffix) != key:
                self.say(f"suffixes don't lead from {own_suffix} to the type {key}", "types", key, "suffix")

    def fits(self, entry: Mapping[str, Any], path: tuple[str, ...], names: Mapping[str, str]) -> bool:
        """Return whether the table can hold a type or a child, having said what it can't."""
        before, key = len(self.wrong), path[-1]
        for field in sorted(entry.keys() - _TYPE_FIELDS):
            self.say(f"{field} is no field of a type", *path, field)
        for field in ("name", "directoryName") if len(path) == 2 else ("name", "suffix"):
            if not isinstance(entry.get(field), str) or not entry[field]:
                self.say(f"{key} has no {field}", *path)
        if entry.get("id", key) != key:
            self.say(f"{key} has the id {entry['id']}", *path, "id")
        directory = str(entry.get("directoryName", ""))
        if {"/", "\\"} & set(directory) or directory in (".", ".."):
            self.say(f"the directory {directory} is no name of one folder", *path, "directoryName")
        for field in (theirs for theirs, ours in FIELDS.items() if ours in REFERENCES and entry.get(theirs)):
            if entry[field] not in names:
                self.say(f"{field} is {entry[field]}, which is no type", *path, field)
        for field, value in self.map(*path, "strategies").items():
            if value not in _STRATEGIES.get(field, ()):
                self.say(f"the {field} {value} is not known", *path, "strategies", field)
        suffixes = self.map(*path, "children", "suffixes")
        for name, child in self.entries(*path, "children", "types").items():
            self.fits(child, (*path, "children", "types", name), names)
            if suffixes.get(str(child.get("suffix"))) != name:
                what = f"the children's suffixes don't lead from {child.get('suffix')} to {name}"
                self.say(what, *path, "children", "suffixes")
        return len(self.wrong) == before

    def entries(self, *path: str) -> Mapping[str, Mapping[str, Any]]:
        """Return what is at `path`, an object of objects; each that is none is said to be wrong, and left out."""
        found = self.map(*path)
        for key, entry in found.items():
            if not isinstance(entry, dict):
                self.say(f"{key} is no object", *path, key)
        return {key: entry for key, entry in found.items() if isinstance(entry, dict)}

    def map(self, *path: str) -> Mapping[str, Any]:
        """Return the object at `path`, empty where there is none."""
        found: Any = self.data
        for key in path:
            found = found.get(key) or {} if isinstance(found, dict) else {}
        if isinstance(found, dict):
            return found
        self.say(f"{path[-1]} is no object", *path)
        return {}

    def say(self, what: str, *path: str) -> None:
        one = say(f"{_CUSTOM}: {what}", (_CUSTOM, *path), _CUSTOM_RULE, _FIX)
        if one not in self.wrong:
            self.wrong.append(one)
