"""Values of the landing zone in metadata: `@{outputs.network_egress_ips[0]}` stands for what the stack exported.

Neither Salesforce (`{!Account.Name}`, `{0}`), nor formulas, nor code (`${…}`) write anything so. Placeholders count
in metadata's XML only: classes, components, pages and static resources are left as they are. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

from flows.bundle import Bundle, build_bundle
from flows.components import Component, Run
from flows.contents import metadata_root, with_files, with_fragment
from flows.package import LineMap
from infra.outputs import LandingZoneOutputs
from kit.problems import Place, Problem, refuse_if_any

MARK = b"@{outputs."
_PLACE = re.compile(rb"<!--.*?-->|(?P<cdata><!\[CDATA\[)|(?P<end>\]\]>)|@\{outputs\.(?P<path>[^}\s<]*)\}?", re.DOTALL)
_NAMED_TEXT = re.compile(rb">([^<>]*@\{outputs\.[^<>]*)<")
_STEP = re.compile(r"\.(?P<member>[A-Za-z0-9_-]+)|\[(?P<position>[0-9]+)\]")
_RULE = "@{outputs.KEY} stands for a value of the landing zone's outputs; a member is .NAME or [POSITION]"


def substituted(bundle: Bundle, outputs: LandingZoneOutputs | None) -> Bundle:
    """Return the bundle with the values of the outputs in place of their names; digests are those of the result.

    A bundle without placeholders needs no outputs, and comes back as it is. Raises `Refused` with every
    placeholder that names no value, each with its line in the source.
    """
    if not has_placeholders(bundle):
        return bundle
    filler = _Filler(outputs)
    components = [filler.filled(component) for component in bundle.components.values()]
    refuse_if_any(filler.problems, "metadata names values that the landing zone doesn't have")
    return build_bundle(components, bundle.api_version)


def has_placeholders(bundle: Bundle) -> bool:
    """Return whether any metadata of the bundle names a value of the outputs."""
    return any(
        MARK in data and (component.fragment is not None or metadata_root(data) is not None)
        for component in bundle.components.values()
        for data in _texts(component)
    )


def names_again(data: bytes, known: Component | None, outputs: LandingZoneOutputs | None) -> bytes:
    """Return XML that an org gave back, with the names that `known`, the component as it is at home, has where it
    holds just the values that they stand for: so that no value of one landing zone is written down at home."""
    source = b"".join(_texts(known)) if known else b""
    if MARK not in source or outputs is None:
        return data
    for written in dict.fromkeys(_NAMED_TEXT.findall(source)):
        filler = _Filler(outputs)
        value = filler.text(written, (), Place(""))
        if not filler.problems:
            data = data.replace(b">" + value + b"<", b">" + written + b"<")
    return data


@dataclass
class _Filler:
    outputs: LandingZoneOutputs | None
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def values(self) -> Mapping[str, Any]:
        return self.outputs.model_dump(mode="json") if self.outputs else {}

    def filled(self, component: Component) -> Component:
        """Return the component with its placeholders filled in."""
        fragment = component.fragment
        if fragment and MARK in fragment.xml:
            xml = self.text(fragment.xml, component.lines, component.source)
            return with_fragment(component, replace(fragment, xml=xml))
        named = [MARK in file.data and metadata_root(file.data) is not None for file in component.files]
        if not any(named):
            return component
        files = [
            file._replace(data=self.text(file.data, file.runs, component.source)) if has else file
            for file, has in zip(component.files, named, strict=True)
        ]
        return with_files(component, files)

    def text(self, data: bytes, runs: tuple[Run, ...], source: Place) -> bytes:
        """Return a file's text with its placeholders filled in, line for line."""
        origin = LineMap({"": runs}, {"": source})
        out, position, within = bytearray(), 0, False
        for match in _PLACE.finditer(data):
            if match["cdata"] or match["end"]:
                within = bool(match["cdata"])
            if match["path"] is None:
                continue
            place = origin.source("", 1 + data.count(b"\n", 0, match.start())) or source
            value = self.value(match["path"].decode(), match[0].decode(), place)
            if not within:
                # A reference keeps lines as they are, and says the same.
                value = escape(value, {'"': "&quot;", "'": "&apos;", "\n": "&#10;"})
            out += data[position : match.start()] + value.encode()
            position = match.end()
        return bytes(out) + data[position:]

    def value(self, path: str, written: str, place: Place) -> str:
        """Return the value that a placeholder names, or "" and note why there is none."""
        try:
            return self.resolved(path, written)
        except _NoValueError as error:
            self.problems.append(Problem(error.what, _RULE, error.fix, place, written))
            return ""

    def resolved(self, path: str, written: str) -> str:
        key, steps = _parsed(path) if written.endswith("}") else ("", [])
        if not key:
            raise _NoValueError("a placeholder that is not well formed", "write @{outputs.network_egress_ips[0]}")
        if self.outputs is None:
            fix = "run `pulumi up`, and name the stack with SFOA_STACK or a file of its outputs with SFOA_OUTPUTS"
            raise _NoValueError("there are no outputs of a landing zone", fix)
        value, here = self.values.get(key), key
        if value is None:
            raise self.unknown(key, "", list(type(self.outputs).model_fields), key in self.values)
        for step in steps:
            inside = dict(enumerate(value)) if isinstance(value, list) else value if isinstance(value, dict) else {}
            if inside.get(step) is None:
                raise self.unknown(step, here, list(inside), step in inside)
            value, here = inside[step], f"{here}[{step}]" if isinstance(step, int) else f"{here}.{step}"
        if isinstance(value, list | dict):
            members = (
                [f"[{number}]" for number in range(len(value))] if isinstance(value, list) else map(".{}".format, value)
            )
            some = ", ".join(f"@{{outputs.{here}{member}}}" for member in list(members)[:3])
            raise _NoValueError(f"{here} holds several values", f"name one of them: {some}" if some else _TURN_ON)
        return str(value)

    def unknown(self, name: str | int, where: str, known: list[Any], declared: bool) -> _NoValueError:
        """Return the error of a key or member that isn't there."""
        what = f"{where} has no {name!r}" if where else f"the outputs have no {name}"
        near = [] if declared else difflib.get_close_matches(str(name), list(map(str, known)), 1)
        if near:
            return _NoValueError(what, f"did you mean {near[0]}?")
        if where and known:
            return _NoValueError(what, f"it has {', '.join(map(str, known))}")
        off = f" (off: {', '.join(self.outputs.absent)})" if self.outputs and self.outputs.absent else ""
        return _NoValueError(what, _TURN_ON + off)


_TURN_ON = "turn the part of the landing zone on that exports it, then `pulumi up`; or remove the placeholder"


class _NoValueError(Exception):
    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


def _parsed(path: str) -> tuple[str, list[str | int]]:
    """Return the key and the members of a path, ("", []) when it isn't one."""
    key = re.match(r"[a-z_]+", path)
    if not key:
        return "", []
    steps: list[str | int] = []
    position = key.end()
    while step := _STEP.match(path, position):
        steps.append(int(step["position"]) if step["position"] else step["member"])
        position = step.end()
    return (key[0], steps) if position == len(path) else ("", [])


def _texts(component: Component) -> Iterator[bytes]:
    if component.fragment:
        yield component.fragment.xml
    yield from (file.data for file in component.files)
