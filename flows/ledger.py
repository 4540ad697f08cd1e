"""The ledger: what was done to which org, append-only and hash-chained, one object an entry.

`orgs/<org>/<00000001>.json` holds the SHA-256 of the entry before it, so an altered, missing or reordered one is
found. The newest has no successor to vouch for it: `heads/<org>.json`, in another bucket, does. What an org holds
after a success is an object of its own, `indexes/<SHA-256>.json`, which entries name.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flows.components import ComponentKey
from flows.objectstore import Absent, Buckets, ObjectStore, Taken
from flows.plan import State, state_bytes
from kit.problems import Place, Problem, Refused
from kit.redaction import redact

VERSION = 1
_LISTS = ("problems", "differs", "accepted", "approvals", "waived", "overridden", "earlier", "packages", "excluded")
GENESIS = ""


class Event(StrEnum):
    """What an entry says. `STARTED`, `VALIDATING` and `DEPLOYING` are open: a run that died there is resumed."""

    STARTED = "started"
    VALIDATING = "validating"
    DEPLOYING = "deploying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        """Whether a run that ends here still has something to do."""
        return self not in {Event.SUCCEEDED, Event.FAILED}


@dataclass(frozen=True, slots=True)
class Record:
    """What a run has to say, before it has its place in the chain. Digests are SHA-256 in hex.

    `validation` and `deployment` are ids of deploy requests in the org; `seconds` is how long each step took;
    `index` is the digest of what the org holds afterwards (only of a success), `held` that of what it gave back of
    it (also of a run that was deployed and failed in verification). `snapshot` is the digest of what the org held
    before of all that the run touches. `accepted` are components changed by hand that someone agreed to overwrite.
    `rollback_to` is the entry whose state a rollback restores, 0 being that before the first; None for a promote.
    `holder` is who has the org, as `flows.lock` knows it.
    `approvals` are who signed the plan's digest, with their keys' fingerprints; `waived` the gates' findings that
    someone let pass, and why; `emergency` the reason that headquarters signed, and `overridden` what it went against.
    `release` is the digest of the release that the bundle came out of, "" for a bundle composed for this run. A plan of
    several deployments says which of its `parts` this is (from 1; 0 and 0 for an undivided one), the ids of the
    `earlier` ones, and the `limits` that it was parted by. `packages` are those that the run installed before it
    deployed: each with its version, the one before ("" for none), and "installing" until the org has it. `excluded` are
    components that the org didn't get, since its edition lacks what they need. `tried` is the sandbox that accepted an
    assertion before production's sign-on was changed, and when.
    """

    event: Event
    run: str
    bundle: str
    plan: str
    counts: Mapping[str, int] = field(default_factory=dict)
    validation: str = ""
    deployment: str = ""
    index: str = ""
    tests: Mapping[str, object] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    snapshot: str = ""
    held: str = ""
    accepted: tuple[str, ...] = ()
    rollback_to: int | None = None
    holder: str = ""
    approvals: tuple[Mapping[str, str], ...] = ()
    waived: tuple[Mapping[str, str], ...] = ()
    emergency: str = ""
    overridden: tuple[str, ...] = ()
    release: str = ""
    part: int = 0
    parts: int = 0
    earlier: tuple[Mapping[str, str], ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    packages: tuple[Mapping[str, str], ...] = ()
    excluded: tuple[Mapping[str, str], ...] = ()
    tried: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place: entry `sequence` (from 1) of `org`, after the one whose bytes hash to `previous`."""

    org: str
    sequence: int
    previous: str
    at: str
    by: str
    record: Record
    digest: str


class Overtaken(Refused):
    """Another run wrote the entry that was to be ours: it holds the org now."""

    def __init__(self, org: str, sequence: int, who: str = "") -> None:
        super().__init__(
            Problem(
                f"another run wrote entry {sequence} of {org} at the same moment" + (f": {who}" if who else ""),
                "one run at a time changes an org",
                f"let the other run end, then try again; `sfoa ledger show --org {org} --all` says who and how far",
            )
        )


class Ledger:
    """The ledger of all orgs. `store` is the bucket under retention; `heads` another one."""

    def __init__(
        self, store: ObjectStore, heads: ObjectStore, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._heads = heads
        self._now = now

    @classmethod
    def of(cls, buckets: Buckets) -> Ledger:
        """Return the ledger that lives in the landing zone's buckets."""
        return cls(buckets.ledger, buckets.releases)

    @property
    def place(self) -> str:
        """Where the ledger is, for people."""
        return f"oss://{self._store.name}/orgs/"

    def orgs(self) -> list[str]:
        """Return the names of the orgs that have entries."""
        return sorted({key.split("/")[1] for key in self._store.list("orgs/")})

    def entries(self, org: str) -> list[Entry]:
        """Return all entries of an org, oldest first. Raises `Refused` when one can't be read."""
        return [self._entry(key) for key in self._keys(org)]

    def last(self, org: str) -> Entry | None:
        """Return the newest entry of an org. Raises `Refused` when the ledger ends before its head."""
        keys = self._keys(org)
        newest = self._entry(keys[-1]) if keys else None
        if problem := self._head_problem(org, newest):
            raise Refused(problem)
        return newest

    def last_success(self, org: str) -> Entry | None:
        """Return the newest entry of an org that says it succeeded."""
        return self._newest(org, lambda record: record.event is Event.SUCCEEDED)

    def last_change(self, org: str) -> Entry | None:
        """Return the newest entry of an org that says what it then held: a success, or a failure after some parts."""
        return self._newest(org, lambda record: bool(record.index))

    def state_of(self, org: str) -> dict[ComponentKey, str]:
        """Return what the org last received: the digest of each component; empty when it never received any."""
        self.last(org)
        change = self.last_change(org)
        return self.index(change.record.index) if change else {}

    def state_at(self, org: str, sequence: int) -> dict[ComponentKey, str]:
        """Return what an org held of ours after entry `sequence`, which names an index; after 0, nothing."""
        return self.index(self._entry(_key(org, sequence)).record.index) if sequence else {}

    def held_by(self, org: str) -> dict[ComponentKey, str]:
        """Return what the org gave back of each component after the last run that changed it, a success or one that
        was deployed and failed in verification, as digests of snapshots are."""
        for key in reversed(self._keys(org)):
            record = self._entry(key).record
            if record.held or record.event is Event.SUCCEEDED:
                return self.index(record.held) if record.held else {}
        return {}

    def index(self, digest: str) -> dict[ComponentKey, str]:
        """Return the state that an entry's `index` names. Raises `Refused` when it is lost or altered."""
        key = f"indexes/{digest}.json"
        try:
            data = self._store.get(key)
        except Absent as error:
            raise Refused(_broken(key, "is missing")) from error
        if _sha256(data) != digest:
            raise Refused(_broken(key, "was altered: its bytes don't have the digest that names it"))
        return {ComponentKey.parse(text): value for text, value in json.loads(data).items()}

    def put_index(self, state: State) -> str:
        """Keep a state and return its digest, for the record of a success."""
        data = state_bytes(state)
        digest = _sha256(data)
        try:
            self._store.put(f"indexes/{digest}.json", data, if_absent=True)
        except Taken:
            self.index(digest)
        return digest

    def append(self, org: str, record: Record, after: int | None = None) -> Entry:
        """Write the next entry of an org: the one after entry `after`, if given. Raises `Overtaken` when another
        run wrote one there."""
        last = self.last(org)
        sequence = last.sequence + 1 if last else 1
        if last and after is not None and last.sequence != after:
            raise Overtaken(org, last.sequence, f"{last.by} at {last.at}")
        record = replace(record, problems=tuple(redact(problem) for problem in record.problems))
        body = {
            "version": VERSION,
            "org": org,
            "sequence": sequence,
            "previous": last.digest if last else GENESIS,
            "at": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "by": actor(),
            **asdict(record),
        }
        data = json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True).encode()
        key = _key(org, sequence)
        try:
            self._store.put(key, data, if_absent=True)
        except Taken as error:
            # The answer to our own write may have been lost and the write repeated: then what stands there is ours.
            if self._store.get(key) != data:
                raise Overtaken(org, sequence, self._who(key)) from error
        head = {"sequence": sequence, "sha256": _sha256(data)}
        self._heads.put(f"heads/{org}.json", json.dumps(head).encode())
        return _parse(key, data)

    def verify(self, org: str | None = None) -> tuple[int, list[Problem]]:
        """Check the chain of one org or of all, and return how many entries were read and what is wrong."""
        names = [org] if org else sorted({*self.orgs(), *self._headed()})
        count, problems = 0, []
        for name in names:
            read, found = self._verify_org(name)
            count += read
            problems += found
        return count, problems

    def _verify_org(self, org: str) -> tuple[int, list[Problem]]:
        problems: list[Problem] = []
        previous, expected, entry = GENESIS, 1, None
        keys = self._keys(org)
        for key in keys:
            try:
                entry = self._entry(key)
            except Refused as refused:
                problems.extend(refused.problems)
                previous, expected = _sha256(self._store.get(key)), expected + 1
                continue
            if key != _key(org, expected):
                problems.append(_broken(key, f"stands where entry {expected} should: one is missing"))
                expected = entry.sequence
            if (entry.org, key) != (org, _key(org, entry.sequence)):
                problems.append(_broken(key, f"says that it is entry {entry.sequence} of {entry.org}"))
            if entry.previous != previous:
                problems.append(_broken(key, "doesn't follow the entry before it: one of the two was altered"))
            for digest in filter(None, (entry.record.index, entry.record.held)):
                try:
                    self.index(digest)
                except Refused as refused:
                    problems.extend(refused.problems)
            previous, expected = entry.digest, expected + 1
        if not problems and (problem := self._head_problem(org, entry)):
            problems.append(problem)
        return len(keys), problems

    def _head_problem(self, org: str, newest: Entry | None) -> Problem | None:
        """Return what is wrong with the end of the chain. A head behind it is not: the run died in between."""
        try:
            head = json.loads(self._heads.get(f"heads/{org}.json"))
        except Absent:
            return None
        sequence = newest.sequence if newest else 0
        if head["sequence"] > sequence:
            return _broken(
                _key(org, head["sequence"]), "is missing, though the org's head, in another bucket, names it"
            )
        key = _key(org, head["sequence"])
        if _sha256(self._store.get(key)) != head["sha256"]:
            return _broken(key, "was altered: the org's head, in another bucket, knows other bytes")
        return None

    def _headed(self) -> list[str]:
        return [key.removeprefix("heads/").removesuffix(".json") for key in self._heads.list("heads/")]

    def _newest(self, org: str, wanted: Callable[[Record], bool]) -> Entry | None:
        found = (self._entry(key) for key in reversed(self._keys(org)))
        return next((entry for entry in found if wanted(entry.record)), None)

    def _keys(self, org: str) -> list[str]:
        return self._store.list(f"orgs/{org}/")

    def _who(self, key: str) -> str:
        """Return who wrote an entry and when, "" when it can't be read."""
        try:
            entry = self._entry(key)
        except Refused:
            return ""
        return f"{entry.by} at {entry.at}"

    def _entry(self, key: str) -> Entry:
        return _parse(key, self._store.get(key))


def actor() -> str:
    """Return who runs this: $SFOA_ACTOR (a CI system's user), else the login name; and on which machine."""
    try:
        user = os.environ.get("SFOA_ACTOR") or getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return f"{user}@{platform.node()}"


def _parse(key: str, data: bytes) -> Entry:
    try:
        body: dict[str, Any] = json.loads(data)
        if body.pop("version") != VERSION:
            raise ValueError("written by another version of the kit")
        own = {name: body.pop(name) for name in ("org", "sequence", "previous", "at", "by")}
        body["event"] = Event(body["event"])
        body |= {name: tuple(body.get(name, ())) for name in _LISTS}
        return Entry(**own, record=Record(**body), digest=_sha256(data))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(_broken(key, f"can't be read: {error}")) from error


def _broken(key: str, what: str) -> Problem:
    return Problem(
        f"{key} {what}",
        "entries of the ledger are never altered, removed or reordered",
        "see the bucket's access log for who wrote there; the object's versions hold what stood there",
        Place(key),
    )


def _key(org: str, sequence: int) -> str:
    return f"orgs/{org}/{sequence:08d}.json"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
