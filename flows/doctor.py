"""Is everything here that the kit needs? Each check says what it found, and how to get what is missing.

Other packages add checks through the entry points "sfoa.checks": callables that return checks; and through
"sfoa.stack_checks" those that look at one stack before it is built: callables that take its name.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from flows.approval import LOCAL
from flows.compose import compose_for
from flows.credentials import lacking, look, principals
from flows.handover import OUTPUTS_FILE, STACK, read_outputs
from flows.metadata_api import MetadataApi
from flows.objectstore import buckets_of
from flows.project import federation_of, project_root
from flows.tokens import Session, mint, private_key
from infra.outputs import LandingZoneOutputs
from kit.problems import Refused
from kit.redaction import redact
from orgs.federation import Federation, Org

GROUP = "sfoa.checks"
STACK_GROUP = "sfoa.stack_checks"
T = TypeVar("T")


class Check(Protocol):
    """What one check found. `fix` says how to get what is missing; empty when nothing is."""

    @property
    def name(self) -> str:
        """What was looked at."""
        ...

    @property
    def ok(self) -> bool:
        """Whether it is as it should be."""
        ...

    @property
    def detail(self) -> str:
        """What was found."""
        ...

    @property
    def fix(self) -> str:
        """What to do about it."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """A check of the release engine."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def examine(*, orgs: bool) -> Iterator[Check]:
    """Yield every check as it is done; with `orgs`, ask each org of the federation for a token too."""
    yield from _tools()
    yield from registered()
    root: list[Path] = []
    yield _tried("project", lambda: _kept(root, project_root()), str)
    if root:
        yield _tried("federation", lambda: federation_of(root[0]), lambda found: f"{len(found.orgs)} orgs")
        yield _git(root[0])
    yield _tried("runner's key", private_key, lambda key: f"RSA, {key.key_size} bits")
    yield from _landing_zone(root[0] if root else None)
    if orgs and root:
        yield from _orgs(root[0])


def registered() -> Iterator[Check]:
    """Yield the checks of the other packages."""
    for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
        check: Callable[[], Iterable[Check]] = entry.load()
        try:
            yield from check()
        except Refused as refused:
            yield _refused(entry.name, refused)


def of_stack(stack: str) -> Iterator[Check]:
    """Yield what must be right before a stack is built: tools, and what the packages that build it look at."""
    yield from _tools()
    yield from registered()
    for entry in sorted(importlib.metadata.entry_points(group=STACK_GROUP), key=lambda entry: entry.name):
        look: Callable[[str], Iterable[Check]] = entry.load()
        yield from look(stack)


def _tools() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    yield Finding("Python", fits, version, "" if fits else "use Python 3.11, 3.12 or 3.13: it is what CumulusCI takes")
    try:
        yield Finding("CumulusCI", True, importlib.metadata.version("cumulusci"))
    except importlib.metadata.PackageNotFoundError:
        yield Finding("CumulusCI", False, "not installed", "run `make up`, or install the kit into this environment")


def _git(root: Path) -> Finding:
    """CumulusCI finds a project by a folder `.git`; a work tree has a file there."""
    told = os.environ.get("CUMULUSCI_AUTO_DETECT") and os.environ.get("CUMULUSCI_REPO_ROOT")
    if (root / ".git").is_dir() or told:
        return Finding("cci project", True, str(root))
    fix = f"export CUMULUSCI_AUTO_DETECT=1 CUMULUSCI_REPO_ROOT={root}; or run `git init`"
    return Finding("cci project", False, "`.git` is no folder here, so cci finds no project", fix)


def _landing_zone(root: Path | None) -> Iterator[Finding]:
    if not (os.environ.get(STACK) or os.environ.get(OUTPUTS_FILE)):
        fix = (
            f"run this under `sfoa emulators run --`, or set {STACK} (a stack) or {OUTPUTS_FILE} "
            "(a file of its outputs)"
        )
        yield Finding("stack outputs", False, "no stack is named", fix)
        return
    outputs: list[LandingZoneOutputs] = []
    yield _tried(
        "stack outputs",
        lambda: _kept(outputs, read_outputs(project=root)),
        lambda found: f"{found.stack} in {found.region}",
    )
    if outputs:
        yield _tried("buckets", lambda: _reach(outputs[0]), str)


def _reach(outputs: LandingZoneOutputs) -> str:
    buckets = buckets_of(outputs)
    all_of_them = (buckets.releases, buckets.ledger, buckets.backups)
    for bucket in all_of_them:
        bucket.list("heads/")
    return ", ".join(bucket.name for bucket in all_of_them)


def _orgs(root: Path) -> Iterator[Finding]:
    try:
        federation = federation_of(root)
    except Refused:
        return  # the check of the federation has said why
    for org in federation.orgs:
        sessions: list[Session] = []
        yield _tried(
            f"org {org.name}", partial(_mint_into, sessions, org), lambda session: f"{session.host}, {session.username}"
        )
        if sessions:
            yield from _secrets(org, federation, root, sessions[0])


def _mint_into(sessions: list[Session], org: Org) -> Session:
    return _kept(sessions, mint(org))


def _secrets(org: Org, federation: Federation, root: Path, session: Session) -> Iterator[Finding]:
    """Yield whether the external credentials of the org's metadata have their secrets. On the emulators one that has
    none is told and no fault: the sample's are made up."""
    from flows.orgbundle import rendered  # most checks do without

    name = f"secrets of {org.name}"
    try:
        bundle, lenient = compose_for(federation, org, root), False
        if os.environ.get(STACK) or os.environ.get(OUTPUTS_FILE):
            outputs = read_outputs(project=root)
            bundle, lenient = rendered(bundle, org, federation, root, outputs), outputs.environment == LOCAL
        wanted = principals(bundle.components.values())
        without = lacking(org.name, look(MetadataApi(session, bundle.api_version), wanted))
    except Refused as refused:
        yield _refused(name, refused)
        return
    if wanted:
        there = f"{len(wanted) - len(without)} of {len(wanted)} there"
        detail = "; ".join((there, *(each.what for each in without)))
        fix = "" if lenient or not without else without[0].fix
        yield Finding(name, lenient or not without, detail, fix)


def _tried(name: str, look: Callable[[], T], words: Callable[[T], str]) -> Finding:
    try:
        return Finding(name, True, words(look()))
    except Refused as refused:
        return _refused(name, refused)


def _refused(name: str, refused: Refused) -> Finding:
    first = refused.problems[0]
    more = f" (and {len(refused.problems) - 1} more)" if len(refused.problems) > 1 else ""
    where = f"{first.place}: " if first.place else ""
    return Finding(name, False, redact(f"{where}{first.what}{more}"), first.fix)


def _kept(into: list[T], value: T) -> T:
    into.append(value)
    return value
