"""The list of what a release holds, as CycloneDX 1.6: read by scanners and by who must say what is in production."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as Item
from cyclonedx.model.component import ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6

from flows.bundle import Bundle
from flows.components import Component
from flows.provenance import Provenance

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sfoa:release")


def bill_of_materials(bundles: Mapping[str, Bundle], provenance: Provenance) -> bytes:
    """Return the CycloneDX JSON of a release: each component once, with type (`group`), full name, digest, layer and
    the orgs that get it, and the tools that built it.

    The serial number is made of the content and the time is the commit's, so the same release gives the same bytes.
    """
    content = json.dumps([sorted((org, bundle.digest) for org, bundle in bundles.items()), provenance.as_json()])
    bom = Bom(serial_number=uuid.uuid5(_NAMESPACE, content))
    whole = Item(
        name=provenance.project, type=ComponentType.APPLICATION, version=provenance.commit or None, bom_ref="release"
    )
    bom.metadata.component = whole
    bom.metadata.tools = ToolRepository(
        components=[
            Item(name=name, type=ComponentType.APPLICATION, version=version, bom_ref=f"tool:{name}")
            for name, version in provenance.tools.items()
        ]
    )
    bom.metadata.properties.add(Property(name="sfoa:tree", value=provenance.tree))
    data = json.loads(JsonV1Dot6(bom).output_as_string())
    # The library takes minutes for 10,000 components, so these are written by us; tests validate the whole with it.
    items = [_item(component, orgs) for component, orgs in _with_orgs(bundles)]
    refs = [item["bom-ref"] for item in items]
    data["components"] = items
    data["dependencies"] = [{"ref": "release", "dependsOn": refs}, *({"ref": ref} for ref in refs)]
    # The library would put the time of building, which no two builds share.
    if provenance.time:
        data["metadata"]["timestamp"] = provenance.committed
    else:
        del data["metadata"]["timestamp"]
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _with_orgs(bundles: Mapping[str, Bundle]) -> Iterable[tuple[Component, list[str]]]:
    found: dict[tuple[str, ...], tuple[Component, list[str]]] = {}
    for org, bundle in sorted(bundles.items()):
        for key, component in bundle.components.items():
            layers = [component.layer, *(patch.layer for patch in component.patches)]
            found.setdefault((*key, component.digest, *layers), (component, []))[1].append(org)
    return [found[ident] for ident in sorted(found)]


def _item(component: Component, orgs: Iterable[str]) -> dict[str, Any]:
    layers = [component.layer, *(patch.layer for patch in component.patches)]
    return {
        "bom-ref": f"{component.key}@{component.digest}/{'+'.join(layers)}",
        "type": "file",
        "group": component.key.type,
        "name": component.key.full_name,
        "hashes": [{"alg": "SHA-256", "content": component.digest}],
        "properties": [
            *({"name": "sfoa:layer", "value": layer} for layer in layers),
            *({"name": "sfoa:org", "value": org} for org in orgs),
        ],
    }
