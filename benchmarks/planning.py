"""What each org needs: plans from the bundle's index beside hashing every source file anew for each org."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Row, paired
from flows.bundle import read_bundle, write_bundle
from flows.components import Component, ComponentKey
from flows.compose import compose_project
from flows.plan import make_plan
from flows.source.project import read_project

ORGS = 10
CHANGED_EACH = 100  # one component in so many differs from what an org holds
TASK = "plan {} orgs over a bundle of {:,} components"
PEER = "hash all source files once an org, compare with its last hashes"


def measure(project: Path, components: int, folder: Path, *, rounds: int, seconds: float) -> Row:
    """Return the row. The kit reads and verifies the bundle's zip once a round; the peer reads the source."""
    file = folder / "release.zip"
    bundle, _ = compose_project(read_project(project))
    write_bundle(bundle, file)
    states = [_state(bundle.components, number) for number in range(ORGS)]
    source = project / "force-app"
    known = [_hashes(source) for _ in range(ORGS)]

    def kit() -> None:
        release = read_bundle(file)
        for number, state in enumerate(states):
            made = make_plan(release, state, org=f"org-{number}", production=False)
            assert len(made.changes) == _changed(components, number)

    def naive() -> None:
        for hashes in known:
            assert _hashes(source) == hashes

    return paired(
        Row("planning", TASK.format(ORGS, components), PEER),
        kit,
        naive,
        rounds=rounds,
        seconds=seconds,
    )


def _state(components: Mapping[ComponentKey, Component], number: int) -> dict[ComponentKey, str]:
    return {
        key: "0" * 64 if position % CHANGED_EACH == number else component.digest
        for position, (key, component) in enumerate(components.items())
    }


def _changed(components: int, number: int) -> int:
    return len(range(number, components, CHANGED_EACH))


def _hashes(folder: Path) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}
