"""The org against its ledger: what was changed by hand, what is missing, what is there that nobody shipped. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import zip_longest
from pathlib import Path

from lxml import etree

from flows.components import Component, ComponentKey, Fragment, MdapiFile
from flows.elements import Difference, How, compare
from flows.metadata_results import FileProperties
from flows.metadata_types import metadata_types
from flows.package import LineMap
from flows.xmltext import MalformedXmlError, child_text, local_name, parse
from kit.problems import Place
from kit.yamlfile import read_yaml

STANDARD = Path(__file__).with_name("drift_standard.yml")


class What(StrEnum):
    """What became of a component that was shipped."""

    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Element:
    """One element or file of a component that isn't as it was shipped, and where the source says so."""

    difference: Difference
    place: Place


@dataclass(frozen=True, slots=True)
class Drifted:
    """A component that isn't in the org as it was shipped. `elements` are what differs, if it is there at all.

    `changed_by` and `changed_at` are who changed it last and when (ISO 8601), as the org says; "" if it doesn't.
    """

    component: Component
    what: What
    elements: tuple[Element, ...] = ()
    changed_by: str = ""
    changed_at: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """An org compared with its ledger. `entry` is the number of the entry, 0 when the org never received anything.

    `unmanaged` are components of the types that we ship, which nobody shipped. In `not_listed` types it wasn't
    looked for them.
    """

    org: str
    entry: int
    bundle: str
    checked: int
    drifted: tuple[Drifted, ...]
    unmanaged: tuple[FileProperties, ...]
    not_listed: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether everything shipped is in the org as it was shipped."""
        return not self.drifted


def compare_components(
    shipped: Iterable[Component], files: Mapping[str, bytes], listed: Iterable[FileProperties] = ()
) -> tuple[Drifted, ...]:
    """Return which of the components aren't as shipped in the files of a retrieve, and what in them differs.

    `listed` says who changed a component last.
    """
    components = sorted(shipped, key=lambda component: component.key)
    names = frozenset(component.key.full_name for component in components)
    last = {(each.type, each.full_name): each for each in listed}
    roots: dict[str, etree._Element | None] = {}
    drifted = []
    for component in components:
        if component.fragment:
            if component.fragment.path not in roots:
                roots[component.fragment.path] = _root(files.get(component.fragment.path, b""))
            found = _fragment(component, component.fragment, roots[component.fragment.path], names)
        else:
            found = _files(component, files, names)
        about = last.get(component.key)
        who = (about.changed_by, about.changed_at) if about else ("", "")
        if found is None:
            drifted.append(Drifted(component, What.MISSING))
        elif found:
            drifted.append(Drifted(component, What.CHANGED, tuple(found), *who))
    return tuple(drifted)


def unmanaged(listed: Iterable[FileProperties], shipped: Iterable[ComponentKey]) -> tuple[FileProperties, ...]:
    """Return what the org lists and nobody shipped, without standard components and those of managed packages."""
    known = set(shipped)
    return tuple(
        each
        for each in listed
        if (each.type, each.full_name) not in known and not each.namespace and not is_standard(each)
    )


def listable(types: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which of the types are listed to find additions, and which of them can't be; both sorted."""
    rules, names = _standard(), set(types)
    refused = names & rules.not_listed
    return tuple(sorted(names - refused)), tuple(sorted(refused))


def is_standard(listed: FileProperties) -> bool:
    """Return whether nobody made the component: it comes with the org (`drift_standard.yml`)."""
    rules = _standard()
    if listed.type in rules.fixed:
        return True
    if listed.type in rules.suffixed and not _SUFFIX.search(listed.full_name):
        return True
    return any(pattern.fullmatch(listed.full_name) for pattern in rules.patterns.get(listed.type, ()))


_SUFFIX = re.compile(r"__[A-Za-z]+$")


@dataclass(frozen=True, slots=True)
class _Standard:
    suffixed: frozenset[str]
    fixed: frozenset[str]
    not_listed: frozenset[str]
    patterns: Mapping[str, tuple[re.Pattern[str], ...]]


@cache
def _standard() -> _Standard:
    data = read_yaml(STANDARD).data
    return _Standard(
        suffixed=frozenset(data["suffixed"]),
        fixed=frozenset(data["fixed"]),
        not_listed=frozenset(data["not_listed"]),
        patterns={kind: tuple(map(re.compile, patterns)) for kind, patterns in data["standard"].items()},
    )


def _fragment(
    component: Component, fragment: Fragment, container: etree._Element | None, names: frozenset[str]
) -> list[Element] | None:
    """Return what differs in a child of a container's file, None when the file doesn't hold it."""
    shipped = _root(fragment.xml)
    if container is None or shipped is None:
        return None
    identity = _identity(component)
    for child in container:
        if local_name(child) == fragment.tag and child_text(child, identity) == child_text(shipped, identity):
            return [_placed_by_line(component, each) for each in compare(shipped, child, component.key.type, names)]
    return None


def _identity(component: Component) -> str:
    """Return the name of the element that names a child in its container."""
    kind = metadata_types().container_of.get(component.key.type)
    children = kind.children if kind else ()
    return next(
        (each.id_element for each in children if each.name == component.key.type and each.id_element), "fullName"
    )


def _placed_by_line(component: Component, difference: Difference) -> Element:
    if not component.source.line:
        return Element(difference, component.source)
    place = LineMap({"": component.lines}, {}).source("", max(difference.line, 1))
    return Element(difference, place or component.source)


def _files(component: Component, files: Mapping[str, bytes], names: frozenset[str]) -> list[Element] | None:
    """Return what differs in a component of whole files, None when the org gives back none of them."""
    if not any(file.path in files for file in component.files):
        return None
    lines = LineMap(
        {file.path: file.runs for file in component.files}, {f.path: component.source for f in component.files}
    )
    elements = []
    for file in component.files:
        if file.path not in files:
            differences: Iterable[Difference] = [Difference(file.path, How.MISSING, "", "", 0)]
        else:
            differences = _file(component, file, files[file.path], names)
        elements += [Element(each, lines.source(file.path, each.line) or component.source) for each in differences]
    return elements + [
        Element(Difference(path, How.ADDED, "", "", 0), component.source) for path in _added(component, files)
    ]


def _added(component: Component, files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the files that the org holds of a bundle component (a Lightning web component) and we didn't ship."""
    kind = metadata_types().by_name.get(component.key.type)
    if kind and kind.is_bundle:
        folder = f"{kind.folder_of(component.key.full_name)}/"
        shipped = {file.path for file in component.files}
        yield from sorted(path for path in files if path.startswith(folder) and path not in shipped)


def _file(component: Component, shipped: MdapiFile, found: bytes, names: frozenset[str]) -> list[Difference]:
    if _plain(shipped.data) == _plain(found):
        return []
    want, have = _root(shipped.data), _root(found)
    several = len(component.files) > 1
    if want is None or have is None or local_name(want) != local_name(have):
        return [_text_difference(shipped, found)]
    _drop_children(component, have)
    differences = compare(want, have, component.key.type, names)
    if not several:
        return differences
    prefix = f"{shipped.path}: "
    return [Difference(prefix + each.path, each.how, each.shipped, each.found, each.line) for each in differences]


def _drop_children(component: Component, root: etree._Element) -> None:
    """Take out of a container's file the children that are components of their own."""
    kind = metadata_types().by_name.get(component.key.type)
    for child in list(root) if kind and kind.splittable else []:
        if kind and local_name(child) in kind.splittable:
            root.remove(child)


def _text_difference(shipped: MdapiFile, found: bytes) -> Difference:
    """Return the first line that differs of a file that is no XML; of a binary one, only that it does."""
    try:
        want, have = _plain(shipped.data).decode().split("\n"), _plain(found).decode().split("\n")
    except UnicodeDecodeError:
        return Difference(shipped.path, How.CHANGED, "", "", 0)
    pairs = enumerate(zip_longest(want, have, fillvalue=""), 1)
    line, (ours, theirs) = next((line, pair) for line, pair in pairs if pair[0] != pair[1])
    return Difference(f"{shipped.path} line {line}", How.CHANGED, ours.strip(), theirs.strip(), line)


def _root(data: bytes) -> etree._Element | None:
    if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return None
    try:
        return parse(data).root
    except MalformedXmlError:
        return None


def _plain(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").strip()
