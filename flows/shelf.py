"""What runs keep by digest, so that any later run can go on with it: releases, bundles, plans, snapshots."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from flows.bundle import Bundle, bundle_bytes, parse_bundle
from flows.objectstore import Absent, ObjectStore, Taken
from flows.plan import Plan, plan_from_json
from flows.release import Release, parse_any, release_bytes
from flows.signing import SUFFIX, Signed
from kit.problems import Place, Problem, Refused


@dataclass(frozen=True, slots=True)
class Shelf:
    """Releases, bundles and plans in the bucket of releases, snapshots in that of backups. Reading raises `Refused` for
    what is lost, or hasn't the digest that names it."""

    releases: ObjectStore
    backups: ObjectStore

    def keep(self, bundle: Bundle, plan: Plan) -> None:
        """Store a bundle and the plan made of it."""
        _put(self.releases, _bundle(bundle.digest), lambda: bundle_bytes(bundle))
        _put(self.releases, _plan(plan.digest), lambda: json.dumps(plan.as_json(), ensure_ascii=False).encode())

    def keep_snapshot(self, snapshot: Bundle) -> str:
        """Store what an org held, and return its digest."""
        _put(self.backups, _snapshot(snapshot.digest), lambda: bundle_bytes(snapshot))
        return snapshot.digest

    def keep_release(self, release: Release, signature: str = "") -> None:
        """Store a release for all orgs, and its signature if there is one. What is there already stays."""
        _put(self.releases, _bundle(release.digest), lambda: release_bytes(release))
        if signature:
            _put(self.releases, _bundle(release.digest) + SUFFIX, signature.encode)

    def signed(self, digest: str) -> Signed:
        """Return the release or bundle of that digest, with its signature, which the caller verifies."""
        key = _bundle(digest)
        content = parse_any(_get(self.releases, key, _PUBLISHED), key)
        if content.digest != digest:
            raise Refused(_altered(key, content.digest))
        try:
            signature = self.releases.get(key + SUFFIX).decode("utf-8", "replace")
        except Absent:
            signature = ""
        return Signed(content, signature, key)

    def bundle(self, digest: str) -> Bundle:
        """Return the bundle of that digest."""
        return _read(self.releases, _bundle(digest), digest)

    def plan(self, digest: str) -> Plan:
        """Return the plan of that digest."""
        plan = plan_from_json(json.loads(_get(self.releases, _plan(digest))))
        if plan.digest != digest:
            raise Refused(_altered(_plan(digest), plan.digest))
        return plan

    def snapshot(self, digest: str) -> Bundle:
        """Return the snapshot of that digest."""
        return _read(self.backups, _snapshot(digest), digest)


def _bundle(digest: str) -> str:
    return f"bundles/{digest}.zip"


def _plan(digest: str) -> str:
    return f"plans/{digest}.json"


def _snapshot(digest: str) -> str:
    return f"snapshots/{digest}.zip"


def _read(store: ObjectStore, key: str, digest: str) -> Bundle:
    bundle = parse_bundle(_get(store, key), key)
    if bundle.digest != digest:
        raise Refused(_altered(key, bundle.digest))
    return bundle


_NAMED = ("what the ledger names is kept", "the versions of the object in {store} hold what stood there")
_PUBLISHED = ("a release is fetched by the digest that it was published under", "publish it: cci task run publish")


def _get(store: ObjectStore, key: str, texts: tuple[str, str] = _NAMED) -> bytes:
    try:
        return store.get(key)
    except Absent as error:
        rule, fix = texts
        where = Place(f"{store.name}/{key}")
        raise Refused(Problem(f"{key} is missing", rule, fix.format(store=store.name), where)) from error


def _put(store: ObjectStore, key: str, data: Callable[[], bytes]) -> None:
    if store.head(key) is None:
        try:
            store.put(key, data(), if_absent=True)
        except Taken:
            return  # another run stored the same digest just now


def _altered(key: str, digest: str) -> Problem:
    return Problem(
        f"{key} was altered: it has the digest {digest}",
        "only what has the digest that names it is deployed",
        "see the bucket's access log for who wrote there; its versions hold what stood there",
        Place(key),
    )
