"""Looks whether an org has drifted: reads ledger and bundles, retrieves and lists. Changes nothing anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flows.bundle import Bundle, parse_bundle
from flows.components import Component, ComponentKey
from flows.drift import Drift, compare_components, listable, unmanaged
from flows.ledger import Entry, Event, Ledger
from flows.metadata_api import MetadataApi
from flows.objectstore import Absent, ObjectStore
from kit.problems import Place, Problem, Refused


def drift_of(org: str, ledger: Ledger, releases: ObjectStore, api: Callable[[str], MetadataApi]) -> Drift:
    """Return how `org` differs from what it received with the last success that its ledger says.

    `api` gives the org's Metadata API in the version asked for: that of the release, since forms differ by version.
    Raises `Refused` when ledger, bundles or org can't be read. Says nothing about an org that never received
    anything, and doesn't ask it.
    """
    state = ledger.state_of(org)
    last = ledger.last_success(org)
    if last is None:
        return Drift(org, 0, "", 0, (), (), ())
    components, version = shipped_components(state, ledger, org, releases)
    client = api(version)
    types, not_listed = listable(key.type for key in components)
    listed = client.list_metadata(types) if types else []
    files = client.retrieve(components).files if components else {}
    return Drift(
        org=org,
        entry=last.sequence,
        bundle=last.record.bundle,
        checked=len(components),
        drifted=compare_components(components.values(), files, listed),
        unmanaged=unmanaged(listed, components),
        not_listed=not_listed,
    )


def shipped_components(
    state: Mapping[ComponentKey, str], ledger: Ledger, org: str, releases: ObjectStore
) -> tuple[dict[ComponentKey, Component], str]:
    """Return the components of a state, each out of the newest bundle that holds it with that digest, and the API
    version of the newest. Raises `Refused` when no bundle that the ledger names holds one of them."""
    wanted, found, seen, version = dict(state), dict[ComponentKey, Component](), set[str](), ""
    # Usually the newest success's bundle holds all; after a rollback what was restored stands in older ones.
    for entry in _successes(ledger, org):
        if not wanted and version:
            break
        bundle = None if entry.record.bundle in seen else _bundle(entry, releases)
        seen.add(entry.record.bundle)
        if bundle is None:
            continue
        version = version or bundle.api_version
        for key, component in bundle.components.items():
            if wanted.get(key) == component.digest:
                found[key] = component
                del wanted[key]
    if wanted or not version:
        some = ", ".join(map(str, sorted(wanted)[:5]))
        raise Refused(
            Problem(
                f"no bundle in the bucket {releases.name} holds {len(wanted)} of {len(state)} components that {org} "
                f"received: {some}",
                "the bundles that the ledger names are kept",
                f"promote {org} again, which stores the release that it gets",
                Place(f"orgs/{org}/"),
            )
        )
    return dict(sorted(found.items())), version


def _successes(ledger: Ledger, org: str) -> list[Entry]:
    return [entry for entry in reversed(ledger.entries(org)) if entry.record.event is Event.SUCCEEDED]


def _bundle(entry: Entry, releases: ObjectStore) -> Bundle | None:
    key = f"bundles/{entry.record.bundle}.zip"
    try:
        bundle = parse_bundle(releases.get(key), key)
    except Absent:
        return None
    if bundle.digest != entry.record.bundle:
        what = f"{key} was swapped: it holds the bundle {bundle.digest}"
        fix = "see the bucket's access log for who wrote there; its versions hold what stood there"
        raise Refused(Problem(what, "a bundle is named by its digest", fix, Place(key)))
    return bundle
