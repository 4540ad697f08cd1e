"""A plan that is more than one request of the Metadata API takes, in ordered parts. Pure but for its data files.

What is referred to goes before what refers to it, and deletions go last. Objects go with their fields, and in the order
of their references, as Apex classes do; what refers to each other in a circle stays together.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lxml import etree

from flows.apexuse import APEX, uses
from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.package import Package, assemble, lay_out
from flows.plan import Plan
from kit.problems import Problem, refuse_if_any
from kit.yamlfile import read_yaml

LIMITS = Path(__file__).with_name("metadata_limits.yml")
ORDER = Path(__file__).with_name("deploy_order.yml")

_OBJECTS = frozenset({"CustomObject", "CustomField", "Index", "SharingReason"})
_MANIFESTS = 3
"""Files that a package holds beside its components: package.xml, and what is deleted before and after."""
_MEMBER_BYTES = 128
"""What a zip says of a file beside its name, which stands there twice: at most this, by PKWARE's APPNOTE 6.3.10."""
_MANIFEST_BYTES = 64
"""What the manifests take for a component beside its name, at most; the zip packs them smaller."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request takes: files, bytes of the zip, bytes of its files unzipped."""

    files: int
    zip_bytes: int
    unzipped_bytes: int

    def as_json(self) -> dict[str, int]:
        """Return the limits as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Size:
    """How much a package is: files, bytes of the zip (as an upper bound), bytes unzipped."""

    files: int = 0
    zip_bytes: int = 0
    unzipped_bytes: int = 0

    def __add__(self, other: Size) -> Size:
        """Return how much both are together."""
        return Size(
            self.files + other.files,
            self.zip_bytes + other.zip_bytes,
            self.unzipped_bytes + other.unzipped_bytes,
        )

    def fits(self, limits: Limits) -> bool:
        """Return whether one request takes it."""
        return (
            self.files <= limits.files
            and self.zip_bytes <= limits.zip_bytes
            and self.unzipped_bytes <= limits.unzipped_bytes
        )


@cache
def metadata_limits() -> Limits:
    """Return the limits of the Metadata API, from their dated file."""
    data = read_yaml(LIMITS).data
    return Limits(data["files"], data["zip_bytes"], data["unzipped_bytes"])


def size_of(package: Package) -> Size:
    """Return how much a package is."""
    return Size(len(package.files), len(package.zip), sum(map(len, package.files.values())))


def split(plan: Plan, bundle: Bundle, limits: Limits) -> tuple[Plan, ...]:
    """Return the parts of a plan in the order in which they are deployed; the plan itself when it fits into one.

    The parts have the org, base and bundle of the plan; their creates, changes and deletes make up the plan's. Each
    runs those of the specified tests that are in the org by then. Raises `Refused` with each component that is more by
    itself than a request takes.
    """
    whole = [bundle.components[key] for key in plan.touched]
    if len(plan.deletes) <= limits.files and _fits(whole, plan.deletes, bundle.api_version, limits):
        return (plan,)
    units = _units(whole)
    sizes = [_size(unit) for unit in units]
    base = Size(_MANIFESTS, 2 * _MANIFESTS * _MEMBER_BYTES, _MANIFESTS * _MEMBER_BYTES)
    pairs = list(zip(units, sizes, strict=True))
    refuse_if_any([_too_large(unit, size, limits) for unit, size in pairs if not (base + size).fits(limits)])
    parts: list[list[Component]] = []
    room = base
    for unit, size in pairs:
        if not parts or not (room + size).fits(limits):
            parts.append([])
            room = base
        parts[-1] += unit
        room += size
    deletes = [plan.deletes[start : start + limits.files] for start in range(0, len(plan.deletes), limits.files)]
    return _plans(plan, parts, deletes, _joins(parts, deletes, bundle.api_version, limits))


def batches(keys: Sequence[ComponentKey], bundle: Bundle, limits: Limits) -> Iterator[list[ComponentKey]]:
    """Yield `keys` in as many lots as it takes to retrieve them; a key counts as many files as the bundle has of it."""
    lot: list[ComponentKey] = []
    taken = 1  # package.xml
    for key in keys:
        component = bundle.components.get(key)
        files = max(1, len(component.files)) if component else 1
        if lot and taken + files > limits.files:
            yield lot
            lot, taken = [], 1
        lot.append(key)
        taken += files
    if lot:
        yield lot


def _plans(
    plan: Plan, parts: Sequence[Sequence[Component]], deletes: Sequence[tuple[ComponentKey, ...]], joined: bool
) -> tuple[Plan, ...]:
    """Return a plan for each part and each lot of deletions; `joined` puts the first lot into the last part."""
    creates, changes = set(plan.creates), set(plan.changes)
    lots: list[tuple[frozenset[ComponentKey], tuple[ComponentKey, ...]]]
    lots = [(frozenset(each.key for each in part), ()) for part in parts]
    first = 0
    if joined:
        lots[-1], first = (lots[-1][0], deletes[0]), 1
    lots += [(frozenset(), some) for some in deletes[first:]]
    plans = []
    later = set(plan.touched)
    for keys, gone in lots:
        later -= keys
        tests = plan.tests.without({key.full_name for key in later if key.type == "ApexClass"})
        own = tuple(sorted(keys & creates)), tuple(sorted(keys & changes))
        plans.append(replace(plan, creates=own[0], changes=own[1], deletes=gone, tests=tests))
    return tuple(plans)


def _joins(
    parts: Sequence[Sequence[Component]], deletes: Sequence[tuple[ComponentKey, ...]], version: str, limits: Limits
) -> bool:
    return bool(parts and deletes) and _fits(parts[-1], deletes[0], version, limits)


def _fits(components: Iterable[Component], deletes: Iterable[ComponentKey], version: str, limits: Limits) -> bool:
    package = assemble(components, version, destructive_post=deletes)
    loose = sum(len(data) + 2 * len(path.encode()) + _MEMBER_BYTES for path, data in package.files.items())
    if Size(len(package.files), loose, loose).fits(limits):
        return True  # packed it is smaller still: most releases need no zip to see that
    return size_of(package).fits(limits)


def _units(components: Sequence[Component]) -> list[list[Component]]:
    """Return what has to stay together, in the order in which it is deployed."""
    ranks, middle = _ranks()
    families: dict[tuple[int, str], list[Component]] = defaultdict(list)
    for each in components:
        families[ranks.get(each.key.type, middle), _family(each)].append(each)
    staged: dict[int, list[list[Component]]] = defaultdict(list)
    for rank, name in sorted(families):
        staged[rank].append(families[rank, name])
    return [unit for rank in sorted(staged) for unit in _ordered(staged[rank])]


def _family(component: Component) -> str:
    """Return the file that a component lies in: an object and its fields have one, as labels do."""
    return component.fragment.path if component.fragment else component.files[0].path


def _ordered(units: list[list[Component]]) -> list[list[Component]]:
    """Return units of one stage with what is referred to first; those of a circle become one."""
    if not any(each.key.type in _OBJECTS | APEX for unit in units for each in unit):
        return units
    groups: dict[int, set[int]] = {place: {place} for place in range(len(units))}
    owner = {place: place for place in groups}
    needs = _needs(units)
    while True:
        graph = {
            group: {owner[need] for place in places for need in needs[place]} - {group}
            for group, places in groups.items()
        }
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = sorted(set(error.args[1]))
            for other in circle[1:]:
                groups[circle[0]] |= groups.pop(other)
            owner |= dict.fromkeys(groups[circle[0]], circle[0])
            continue
        return [[each for place in sorted(groups[group]) for each in units[place]] for group in order]


def _needs(units: Sequence[Sequence[Component]]) -> list[set[int]]:
    """Return for each unit the places of those that it refers to."""
    place = {each.key: number for number, unit in enumerate(units) for each in unit}
    objects = {
        each.key.full_name.partition(".")[0]: number
        for number, unit in enumerate(units)
        for each in unit
        if each.key.type in _OBJECTS
    }
    used = uses(each for unit in units for each in unit)
    needs: list[set[int]] = [set() for _ in units]
    for number, unit in enumerate(units):
        for each in unit:
            needs[number] |= {place[key] for key in used.get(each.key, ())}
            needs[number] |= {objects[name] for name in _looked_up(each) if name in objects}
        needs[number].discard(number)
    return needs


def _looked_up(component: Component) -> Iterator[str]:
    """Yield the objects that a field looks up."""
    if component.key.type == "CustomField" and component.fragment and b"<referenceTo>" in component.fragment.xml:
        for element in etree.fromstring(component.fragment.xml).iter("{*}referenceTo"):
            yield (element.text or "").strip()


def _size(unit: Sequence[Component]) -> Size:
    files = lay_out(unit).files
    named = sum(_MANIFEST_BYTES + len(str(each.key).encode()) for each in unit)
    packed = sum(len(zlib.compress(data, 6)) + 2 * len(path.encode()) + _MEMBER_BYTES for path, data in files.items())
    return Size(len(files), packed + named, sum(map(len, files.values())) + named)


def _too_large(unit: Sequence[Component], size: Size, limits: Limits) -> Problem:
    names = ", ".join(str(each.key) for each in unit[:5]) + (f" and {len(unit) - 5} more" if len(unit) > 5 else "")
    return Problem(
        f"{names}: {size.files} files, {size.zip_bytes} bytes zipped, {size.unzipped_bytes} unzipped are more than one "
        f"deployment takes, and can't be parted",
        f"a request takes {limits.files} files, {limits.zip_bytes} bytes zipped and {limits.unzipped_bytes} unzipped",
        "make it smaller; or untie what refers to each other",
        unit[0].source,
    )


@cache
def _ranks() -> tuple[Mapping[str, int], int]:
    table = read_yaml(ORDER).data
    first, last = table["first"], table["last"]
    ranks = {name: rank for rank, names in enumerate(first) for name in names}
    ranks |= {name: len(first) + 1 + rank for rank, names in enumerate(last) for name in names}
    return ranks, len(first)
