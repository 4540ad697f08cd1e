"""What an org holds, as components: a retrieve taken apart the way a bundle is.

A snapshot is a bundle of what the org gave back, so rolling back is promoting it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import unquote

from lxml import etree

from flows import xmltext
from flows.components import Component, ComponentKey, Fragment, MdapiFile
from flows.containers import own_content
from flows.metadata_types import ChildType, MetadataType, metadata_types
from flows.xmltext import MalformedXmlError
from kit.problems import Place, Problem, Refused, refuse_if_any

LAYER = "org"
META = "-meta.xml"
TERRITORIES = "Territory2Model"


Shipped = Mapping[ComponentKey, Component]
"""Components as they are or were shipped: where those of a type outside the kit's table lie is where they were put."""


def components_of(
    files: Mapping[str, bytes],
    keys: Iterable[ComponentKey],
    whole: Collection[ComponentKey] = (),
    shipped: Shipped = MappingProxyType({}),
) -> dict[ComponentKey, Component]:
    """Return what the retrieved `files` hold of `keys`; a key that the org doesn't have is left out.

    Of containers that are in `whole` (an object that is deleted) every child comes with it, asked for or not. Raises
    `Refused` for a key whose type isn't in the kit's table, and which isn't `shipped` either.
    """
    org = _Retrieved(files, shipped)
    found: dict[ComponentKey, Component] = {}
    for key in keys:
        found.update((each.key, each) for each in org.take(key, with_children=key in whole))
    return dict(sorted(found.items()))


def refuse_unattributed(
    files: Mapping[str, bytes],
    keys: Iterable[ComponentKey],
    found: Collection[ComponentKey],
    org: str,
    shipped: Shipped = MappingProxyType({}),
) -> None:
    """Raise `Refused` when the org returned a file that belongs to nothing of `found`, and a component of the same
    folder seems to be missing: what seems to be missing may be that file, and a rollback would then delete it."""
    types = metadata_types()
    asked = list(keys)
    kinds = {key: types.by_name.get(key.type) or types.container_of.get(key.type) for key in asked}
    directories = {key: kind.directory if kind else _directory(_model(key, shipped)) for key, kind in kinds.items()}
    homes = {key: _home(key, kind) if kind else "" for key, kind in kinds.items()}
    known = set(homes.values())
    taken = components_of(files, found, shipped=shipped)
    known |= {file.path for component in taken.values() for file in component.files}
    known |= {component.fragment.path for component in taken.values() if component.fragment}
    strangers: dict[str, list[str]] = defaultdict(list)
    for path in files.keys() - known:
        directory, _, rest = path.partition("/")
        if not (rest.endswith(META) and _is_folder(rest, asked)):
            strangers[directory].append(path)
    refuse_if_any(
        Problem(
            f"{org}: {key} seems to be missing, and the org returned what belongs to nothing that was asked for: "
            f"{', '.join(sorted(strangers[directories[key]])[:3])}",
            "a snapshot says of every component whether the org has it",
            "write the name in the source as the org writes it; report it if they are the same",
        )
        for key in asked
        if key not in found and homes[key] not in files and strangers.get(directories[key])
    )


def _home(key: ComponentKey, kind: MetadataType) -> str:
    """Return the container's file that holds the component, "" when it has files of its own."""
    if not kind.splittable:
        return ""
    own = key.type == kind.name
    name = key.full_name if own else kind.name if kind.fixed_name else key.full_name.partition(".")[0]
    return f"{kind.directory}/{name}.{kind.suffix}"


def _model(key: ComponentKey, shipped: Shipped) -> Component:
    """Return the component as it is shipped, by whose files one of a type outside the table is known. Raises `Refused`
    where there is none, or where it is a part of a file."""
    model = shipped.get(key)
    if model is not None and model.files:
        return model
    what = f"{key}: {key.type} is not in the kit's table of metadata types"
    rule = f"what is changed is kept as a snapshot before, of the types of {metadata_types().source}"
    raise Refused(Problem(what, rule, "leave it out with .forceignore and deploy it with sf, or refresh the table"))


def _directory(model: Component) -> str:
    return model.files[0].path.partition("/")[0]


def _is_folder(rest: str, asked: Iterable[ComponentKey]) -> bool:
    """Return whether this is the file of a folder that something asked for lies in."""
    return any(key.full_name.startswith(f"{unquote(rest.removesuffix(META))}/") for key in asked)


@dataclass(frozen=True, slots=True)
class _Child:
    type: ChildType
    name: str
    element: etree._Element
    span: xmltext.ChildSpan


@dataclass(frozen=True, slots=True)
class _Opened:
    """A container's file: its parsed form, where its content stands, and its children by type and name."""

    path: str
    kind: MetadataType
    document: xmltext.Document
    span: xmltext.RootSpan
    children: Mapping[tuple[str, str], _Child]


@dataclass(slots=True)
class _Retrieved:
    files: Mapping[str, bytes]
    shipped: Shipped
    opened: dict[str, _Opened | None] = field(default_factory=dict)
    by_name: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    by_folder: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for path in sorted(self.files):
            directory, _, rest = path.partition("/")
            name = unquote(rest.removesuffix(META))
            self.by_name[directory, name].append(path)
            if PurePosixPath(name).suffix:
                self.by_name[directory, name.rpartition(".")[0]].append(path)
            if "/" in rest:
                self.by_folder[directory, unquote(rest.partition("/")[0])].append(path)

    def take(self, key: ComponentKey, *, with_children: bool) -> Iterator[Component]:
        """Yield the component, if the org has it."""
        types = metadata_types()
        container = types.container_of.get(key.type)
        if container and key.type not in types.by_name:
            parent = container.name if container.fixed_name else key.full_name.partition(".")[0]
            opened = self._open(container, parent)
            name = key.full_name if container.fixed_name else key.full_name.partition(".")[2]
            child = opened and opened.children.get((key.type, name))
            if opened and child:
                yield _fragment(key, opened, child, parent)
            return
        kind = types.by_name.get(key.type)
        if kind is None:
            paths = self._beside(_model(key, self.shipped), key.full_name)
        elif kind.splittable:
            if opened := self._open(kind, key.full_name):
                yield from _container(key, opened, with_children=with_children)
            return
        else:
            paths = self._paths(kind, key.full_name)
        if paths:
            yield of_files(key, [(path, self.files[path]) for path in paths])

    def _beside(self, model: Component, name: str) -> list[str]:
        """Return the files that lie where those of the shipped component do: at their paths, or in its folder."""
        paths = {file.path for file in model.files}
        folder = f"{_directory(model)}/{name}/"
        within = folder if any(path.startswith(folder) for path in paths) else None
        return sorted(path for path in self.files if path in paths or (within and path.startswith(within)))

    def _paths(self, kind: MetadataType, name: str) -> list[str]:
        if kind.is_bundle or kind.is_digital_experience:
            start = kind.folder_of(name) + ("/" if kind.is_bundle else f"/{name.rpartition('/')[2]}.")
            within = self.by_folder.get((kind.directory, name.partition("/")[0]), [])
            return [path for path in within if path.startswith(start)]
        if kind.folder_type == TERRITORIES:
            # A model is a folder of its own, its territories and rules lie in folders below it.
            model, _, inner = name.partition(".")
            path = f"{kind.directory}/{inner}" if inner else model
            path = f"territory2Models/{model}/{path}.{kind.suffix}"
            return [path] if path in self.files else []
        paths = self.by_name.get((kind.directory, unquote(name)), [])
        if kind.adapter == "mixedContent" and not kind.in_folder:
            return sorted({*paths, *self.by_folder.get((kind.directory, name), [])})
        if kind.folder_content_type:
            return [path for path in paths if path.endswith(META)]
        return paths

    def _open(self, kind: MetadataType, name: str) -> _Opened | None:
        path = f"{kind.directory}/{name}.{kind.suffix}"
        if path not in self.opened:
            self.opened[path] = _opened(path, kind, self.files[path]) if path in self.files else None
        return self.opened[path]


def _opened(path: str, kind: MetadataType, data: bytes) -> _Opened:
    document = xmltext.in_namespace(xmltext.parse(data))
    span = xmltext.root_span(document.data)
    children = {}
    for element, where in zip(document.root, xmltext.child_spans(document.data, span), strict=True):
        if child := kind.splittable.get(xmltext.local_name(element)):
            name = xmltext.child_text(element, child.id_element or "fullName")
            children[child.name, name] = _Child(child, name, element, where)
    return _Opened(path, kind, document, span, children)


def _container(key: ComponentKey, opened: _Opened, *, with_children: bool) -> Iterator[Component]:
    children = opened.children.values()
    own = [element for element in opened.document.root if xmltext.local_name(element) not in opened.kind.splittable]
    if own:
        where = [child.span for child in children]
        data, _ = own_content(opened.document.data, opened.span.end, where, opened.kind.name, opened.path)
        digest = _digest(map(xmltext.canonical, own))
        files = (MdapiFile(opened.path, data),)
        yield Component(key, digest, LAYER, Place(opened.path, opened.span.line), files=files)
    if with_children:
        for child in children:
            name = child.name if child.type.bare_name else f"{key.full_name}.{child.name}"
            yield _fragment(ComponentKey(child.type.name, name), opened, child, key.full_name)


def _fragment(key: ComponentKey, opened: _Opened, child: _Child, parent: str) -> Component:
    xml = xmltext.standalone(opened.document.data, child.span, opened.span, child.type.element)
    return Component(
        key,
        _digest([xmltext.canonical(child.element)]),
        LAYER,
        Place(opened.path, child.span.line),
        parent=ComponentKey(opened.kind.name, parent),
        fragment=Fragment(opened.path, opened.kind.name, child.type.element, xml),
    )


def of_files(key: ComponentKey, files: list[tuple[str, bytes]]) -> Component:
    """Return a component that is these files (path, content), at least one."""
    digest = _digest(part for path, data in files for part in (path.encode(), _content(data)))
    return Component(key, digest, LAYER, Place(files[0][0]), files=tuple(MdapiFile(path, data) for path, data in files))


def _content(data: bytes) -> bytes:
    """Return what counts of a file: of XML its canonical form."""
    if data.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml"):
        try:
            return xmltext.canonical(xmltext.parse(data).root)
        except MalformedXmlError:
            return data
    return data


def _digest(parts: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()
