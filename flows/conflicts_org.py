"""Looks what an org holds of all that a run will touch, and what of it somebody changed by hand. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from flows.components import Component, ComponentKey
from flows.conflicts import Clash, changed_by_hand, conflicts_of
from flows.drift_org import shipped_components
from flows.ledger import Ledger
from flows.metadata_api import MetadataApi
from flows.metadata_types import metadata_types
from flows.objectstore import ObjectStore
from flows.run import Work
from flows.snapshot import components_of, refuse_unattributed
from flows.split import Limits, batches
from kit.problems import Refused


def look(
    api: MetadataApi, work: Work, ledger: Ledger, releases: ObjectStore, limits: Limits
) -> tuple[dict[ComponentKey, Component], dict[ComponentKey, Clash]]:
    """Return what the org holds of what `work` touches, and the conflicts. Raises `Refused` when the org doesn't say
    clearly what it holds."""
    plan, org = work.plan, work.plan.org
    now: dict[ComponentKey, Component] = {}
    conflicts: dict[ComponentKey, Clash] = {}
    shipped = _shipped(work, ledger, releases)
    for some in batches((*plan.touched, *plan.deletes), work.bundle, limits):
        files = api.retrieve(some).files
        found = components_of(files, some, set(plan.deletes), shipped)
        refuse_unattributed(files, some, found, org, shipped)
        now |= found
        conflicts |= _conflicts(work, some, found, files, ledger, releases)
    return now, conflicts


def _shipped(work: Work, ledger: Ledger, releases: ObjectStore) -> dict[ComponentKey, Component]:
    """Return the components that a run brings and, of types outside the kit's table, those that it deletes."""
    plan, types = work.plan, metadata_types()
    brought = {key: work.bundle.components[key] for key in plan.touched}
    unknown = {key for key in plan.deletes if key.type not in types.by_name and key.type not in types.container_of}
    held = {key: digest for key, digest in ledger.held_by(plan.org).items() if key in unknown}
    with suppress(Refused):  # bundles that the bucket lost: then the snapshot says that it can't be taken
        brought |= shipped_components(held, ledger, plan.org, releases)[0] if held else {}
    return brought


def _conflicts(
    work: Work,
    keys: Collection[ComponentKey],
    now: Mapping[ComponentKey, Component],
    files: Mapping[str, bytes],
    ledger: Ledger,
    releases: ObjectStore,
) -> dict[ComponentKey, Clash]:
    org = work.plan.org
    held = ledger.held_by(org)
    changed = changed_by_hand(work.plan, {key: held[key] for key in keys if key in held}, now)
    if not changed:
        return {}
    state = ledger.state_of(org)
    base: Mapping[ComponentKey, Component] = {}
    with suppress(Refused):  # bundles that the bucket lost: then all that differs from ours is shown
        base, _ = shipped_components({key: state[key] for key in changed if key in state}, ledger, org, releases)
    return conflicts_of(changed, base, files, {key: work.bundle.components[key] for key in work.plan.touched})
