"""A component as plain data, its content left out: how bundles and releases write down what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flows.components import Component, ComponentKey, Fragment, MdapiFile, Patch, Run
from kit.problems import Place

Entry = Mapping[str, Any]
"""JSON of a component, of its fragment or of one of its files."""


def entry_of(
    component: Component,
    fragment_content: Callable[[Fragment], Mapping[str, Any]],
    file_content: Callable[[MdapiFile], Mapping[str, Any]],
) -> dict[str, Any]:
    """Return a component as JSON. Where its content lies is added by `fragment_content` and `file_content`."""
    entry: dict[str, Any] = {
        "key": list(component.key),
        "digest": component.digest,
        "layer": component.layer,
        "source": _place(component.source),
    }
    if component.patches:
        entry["patches"] = [[patch.layer, _place(patch.source)] for patch in component.patches]
    if component.parent:
        entry["parent"] = list(component.parent)
    if component.fragment:
        part = component.fragment
        entry["fragment"] = {"path": part.path, "root": part.root, "tag": part.tag, **fragment_content(part)}
        if part.runs:
            entry["fragment"]["runs"] = _runs(part.runs)
    else:
        entry["files"] = [
            {"path": file.path, "runs": _runs(file.runs), **file_content(file)} for file in component.files
        ]
    return entry


def component_of(
    entry: Entry, fragment_content: Callable[[Entry], bytes], file_content: Callable[[Entry], bytes]
) -> Component:
    """Return the component that `entry_of` wrote; its content is found by `fragment_content` and `file_content`.

    Raises what they raise, and `KeyError`, `TypeError` or `ValueError` for what is no entry.
    """
    fragment = None
    if "fragment" in entry:
        about = entry["fragment"]
        runs = _read_runs(about.get("runs", ()))
        fragment = Fragment(about["path"], about["root"], about["tag"], fragment_content(about), runs)
    return Component(
        key=ComponentKey(*entry["key"]),
        digest=entry["digest"],
        layer=entry["layer"],
        source=Place(*entry["source"]),
        parent=ComponentKey(*entry["parent"]) if "parent" in entry else None,
        files=tuple(
            MdapiFile(about["path"], file_content(about), _read_runs(about["runs"])) for about in entry.get("files", ())
        ),
        fragment=fragment,
        patches=tuple(Patch(layer, Place(*place)) for layer, place in entry.get("patches", ())),
    )


def _runs(runs: Iterable[Run]) -> list[list[Any]]:
    return [[run.line, _place(run.source) if run.source else None] for run in runs]


def _read_runs(runs: Iterable[Any]) -> tuple[Run, ...]:
    return tuple(Run(line, Place(*place) if place else None) for line, place in runs)


def _place(place: Place) -> list[str | int]:
    return [place.file, place.line]
