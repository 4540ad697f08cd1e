"""Makes components of the layer `rendered` out of names and values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lxml import etree

from flows.components import Component, ComponentKey, Fragment, MdapiFile, Run
from flows.contents import metadata_root, with_files, with_fragment
from flows.patch import patched
from flows.xmltext import NAMESPACE
from flows.xmlwrite import lines, rendered
from kit.problems import Place, refuse_if_any

LAYER = "rendered"

Value = str | Sequence[tuple[str, "Value"]]
"""Text of an element, or its children in order."""


def tree(name: str, children: Iterable[tuple[str, Value]]) -> etree._Element:
    """Return an element of the metadata namespace with these children."""
    root = etree.Element(f"{{{NAMESPACE}}}{name}", nsmap={None: NAMESPACE})  # type: ignore[dict-item]  # lxml's own way
    _fill(root, children)
    return root


def whole(kind: str, name: str, path: str, children: Iterable[tuple[str, Value]], source: Place) -> Component:
    """Return a component that is a file of its own; `path` is that of the package."""
    root = name + kind if kind == "Settings" else kind
    data = rendered(root, tree(root, children))
    file = MdapiFile(path, data, (Run(1, None),))
    return with_files(Component(ComponentKey(kind, name), "", LAYER, source, files=(file,)), [file])


def child(
    parent: ComponentKey,
    kind: str,
    name: str,
    path: str,
    tag: str,
    children: Iterable[tuple[str, Value]],
    source: Place,
) -> Component:
    """Return a component that is an element of its parent's file."""
    text = "\n".join(text for text, _ in lines(tree(tag, [("fullName", name), *children]), 0, {}))
    fragment = Fragment(path, parent.type, tag, text.encode(), (Run(1, None),))
    key = ComponentKey(kind, f"{parent.full_name}.{name}")
    return with_fragment(Component(key, "", LAYER, source, parent=parent, fragment=fragment), fragment)


def changed(base: Component, children: Iterable[tuple[str, Value]], source: Place) -> Component:
    """Return a component with these elements changed or added, as a patch of the layer would."""
    root = root_of(base)
    assert root is not None, base.key
    name = etree.QName(root).localname
    patch = with_files(base, [MdapiFile(base.files[0].path, rendered(name, tree(name, children)), (Run(1, None),))])
    made, problems = patched(base, replace(patch, layer=LAYER, source=source, patches=()))
    refuse_if_any(problems, f"{base.key} can't take what is rendered")
    return made


def root_of(component: Component) -> etree._Element | None:
    """Return the root of a component that is one metadata file, else None."""
    return metadata_root(component.files[0].data) if len(component.files) == 1 else None


def missing(root: etree._Element, children: Iterable[tuple[str, Value]]) -> list[tuple[str, Value]]:
    """Return those of the children, or of their children, that the element says nothing of."""
    found: list[tuple[str, Value]] = []
    for name, value in children:
        there = root.find(f"{{{NAMESPACE}}}{name}")
        if there is None:
            found.append((name, value))
        elif not isinstance(value, str) and (inner := missing(there, value)):
            found.append((name, inner))
    return found


def _fill(element: etree._Element, children: Iterable[tuple[str, Value]]) -> None:
    for name, value in children:
        inner = etree.SubElement(element, f"{{{NAMESPACE}}}{name}")
        if isinstance(value, str):
            inner.text = value
        else:
            _fill(inner, value)
