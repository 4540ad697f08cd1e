"""Compares what an org gives back with what was shipped to it.

An org adds elements of its own and changes their order, so what was shipped has to be contained in what comes
back, not to equal it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from flows.components import Component, ComponentKey, Fragment, MdapiFile
from kit.problems import Problem


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of a comparison. `differs` are there, but the org changed them on its own."""

    checked: int
    missing: tuple[ComponentKey, ...]
    differs: tuple[ComponentKey, ...]


def verify(shipped: Iterable[Component], files: Mapping[str, bytes]) -> Verification:
    """Compare components with the files of a retrieve."""
    components = list(shipped)
    parsed: dict[str, etree._Element | None] = {}
    missing, differs = [], []
    for component in components:
        found = (
            _fragment(component, component.fragment, files, parsed)
            if component.fragment
            else _files(component.files, files)
        )
        if found is None:
            missing.append(component.key)
        elif not found:
            differs.append(component.key)
    return Verification(len(components), tuple(missing), tuple(differs))


def lost(components: Mapping[ComponentKey, Component], missing: Iterable[ComponentKey]) -> list[Problem]:
    """Return a problem for each of the `missing`, with the place that it came from."""
    return [
        Problem(
            f"{key} was deployed, but the org doesn't give it back",
            "what was deployed can be retrieved",
            "look for it in the org's setup, then promote again",
            components[key].source,
        )
        for key in missing
    ]


def contains(have: etree._Element, want: etree._Element) -> bool:
    """Return whether every element of `want` is in `have`, with the same text; order and additions don't count."""
    children = [child for child in want if isinstance(child.tag, str)]
    if not children:
        return (want.text or "").strip() == (have.text or "").strip()
    by_tag: dict[str, list[etree._Element]] = defaultdict(list)
    exact: set[bytes] = set()
    for child in have:
        if isinstance(child.tag, str):
            by_tag[_local(child)].append(child)
            exact.add(_canonical(child))
    return all(
        _empty(child) or _canonical(child) in exact or any(contains(other, child) for other in by_tag[_local(child)])
        for child in children
    )


def _files(shipped: tuple[MdapiFile, ...], files: Mapping[str, bytes]) -> bool | None:
    """Return None when a file is missing, else whether all are as shipped."""
    if any(file.path not in files for file in shipped):
        return None
    return all(_same(files[file.path], file.data) for file in shipped)


def _same(have: bytes, want: bytes) -> bool:
    if _plain(have) == _plain(want):
        return True
    have_root, want_root = _parse(have), _parse(want)
    return have_root is not None and want_root is not None and contains(have_root, want_root)


def _fragment(
    component: Component,
    fragment: Fragment,
    files: Mapping[str, bytes],
    parsed: dict[str, etree._Element | None],
) -> bool | None:
    if fragment.path not in parsed:
        parsed[fragment.path] = _parse(files.get(fragment.path, b""))
    container, want = parsed[fragment.path], _parse(fragment.xml)
    if container is None or want is None:
        return None
    same_tag = [child for child in container if isinstance(child.tag, str) and _local(child) == fragment.tag]
    if any(contains(child, want) for child in same_tag):
        return True
    name = component.key.full_name.rpartition(".")[2]
    texts = {(part.text or "").strip() for child in same_tag for part in child if len(part) == 0}
    return False if {name, component.key.full_name} & texts else None


def _parse(data: bytes) -> etree._Element | None:
    if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return None
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError:
        return None


def _plain(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").strip()


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _empty(element: etree._Element) -> bool:
    """An org drops empty elements."""
    return len(element) == 0 and not (element.text or "").strip()


def _canonical(element: etree._Element) -> bytes:
    """Return an element as bytes in which prefix, indentation and comments don't count."""
    if len(element) == 0:
        return f"{_local(element)}={(element.text or '').strip()}".encode()
    inner = b",".join(_canonical(child) for child in element if isinstance(child.tag, str))
    return _local(element).encode() + b"(" + inner + b")"
