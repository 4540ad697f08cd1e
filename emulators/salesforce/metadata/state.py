"""An org as a deploy would leave it: what it holds, with the changes that are under way laid over it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from emulators.salesforce.metadata.components import Key, OrgComponent, OrgComponents, standard
from emulators.salesforce.metadata.package import Incoming
from emulators.salesforce.metadata.references import Reference, references
from emulators.salesforce.metadata.xmlform import parse

_SUFFIXED = re.compile(r"__\w+$")
_DERIVED_OBJECT = re.compile(r"(.+?)(?:__(?:Share|History|Feed|ChangeEvent)|Share|History|Feed|ChangeEvent)$")


@dataclass
class OrgState:
    """What an org holds (`held`), what comes to it (`incoming`) and what leaves it (`gone`)."""

    components: OrgComponents
    held: dict[Key, OrgComponent] = field(default_factory=dict)
    incoming: dict[Key, Incoming] = field(default_factory=dict)
    gone: set[Key] = field(default_factory=set)
    _names: set[tuple[str, str]] = field(default_factory=set)
    _found: dict[Key, tuple[Reference, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, components: OrgComponents) -> OrgState:
        """Return the state of an org with no change under way."""
        held = {component.key: component for component in components}
        return cls(components, held, _names={_folded(key) for key in held})

    def add(self, coming: Incoming) -> None:
        """Lay a new or changed component over the org."""
        self.incoming[coming.key] = coming
        self.gone.discard(coming.key)
        self._names.add(_folded(coming.key))
        self._found.pop(coming.key, None)

    def take_back(self, key: Key) -> None:
        """Forget an incoming component."""
        self.incoming.pop(key, None)
        if key not in self.held:
            self._names.discard(_folded(key))

    def remove(self, key: Key) -> None:
        """Take a component away."""
        self.incoming.pop(key, None)
        self.gone.add(key)
        self._names.discard(_folded(key))

    def holds(self, key: Key) -> bool:
        """Return whether the org would hold exactly this component."""
        return key in self.incoming or (key in self.held and key not in self.gone)

    def all_keys(self) -> Iterator[Key]:
        """Yield all that the org would hold."""
        yield from (key for key in self.held if key not in self.gone and key not in self.incoming)
        yield from self.incoming

    def resolves(self, key: Key) -> bool:
        """Return whether a reference to `key` finds something.

        Case does not count. A standard field that the table lacks is taken to exist on a standard object, never
        on a custom one; the custom fields of tasks and events are those of Activity.
        """
        if _folded(key) in self._names:
            return True
        if key.type == "CustomObject":
            derived = _DERIVED_OBJECT.match(key.full_name)
            bases = [derived.group(1), f"{derived.group(1)}__c"] if derived else []
            return any(_folded(Key("CustomObject", base)) in self._names for base in bases)
        if key.type != "CustomField":
            return False
        owner, _, name = key.full_name.partition(".")
        if not self.resolves(Key("CustomObject", owner)):
            return False
        if owner in ("Task", "Event"):
            return self.resolves(Key("CustomField", f"Activity.{name}"))
        if _SUFFIXED.search(name):
            return False
        return name in standard().fields_of_any_object or not _SUFFIXED.search(owner)

    def element(self, key: Key) -> etree._Element | None:
        """Return the metadata of a component, None when it has none."""
        coming = self.incoming.get(key)
        if coming is not None:
            return coming.element
        held = self.held[key]
        paths = list(held.files)
        path = next((p for p in paths if p.endswith("-meta.xml")), paths[0])
        if len(paths) > 1 or path.endswith("-meta.xml") or held.parent or _is_xml(path):
            return parse(self.components.content(held, path))
        return None

    def references(self, key: Key) -> tuple[Reference, ...]:
        """Return what a component names, read once."""
        if key not in self._found:
            coming = self.incoming.get(key)
            body: Mapping[str, bytes] = coming.files if coming else {}
            if coming is None and key.type in ("ApexTrigger", "LightningComponentBundle"):
                held = self.held[key]
                body = {path: self.components.content(held, path) for path in held.files}
            self._found[key] = tuple(references(key, self.element(key), body))
        return self._found[key]

    def targets(self, key: Key) -> tuple[Key, ...]:
        """Return the components that one names, from the org's own record where it is unchanged."""
        if key in self.incoming:
            return tuple(dict.fromkeys(reference.target for reference in self.references(key)))
        return self.held[key].references

    def differs(self, coming: Incoming) -> bool:
        """Return whether a component would change what the org holds."""
        held = self.held.get(coming.key)
        return held is None or dict(held.files) != {
            path: hashlib.sha256(data).hexdigest() for path, data in coming.files.items()
        }


def _folded(key: Key) -> tuple[str, str]:
    return key.type, key.full_name.lower()


def _is_xml(path: str) -> bool:
    return not path.startswith(("lwc/", "aura/", "documents/"))
