"""Objects in buckets: what bundles and ledger need of OSS, and the same in memory for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from infra.outputs import LandingZoneOutputs


class Absent(KeyError):
    """There is no object of that key."""


class Taken(Exception):
    """There is an object of that key already, and the write asked that there be none."""


class ObjectStore(Protocol):
    """One bucket. Every call raises `Refused` when the bucket is out of reach or denies it."""

    @property
    def name(self) -> str:
        """The bucket's name."""
        ...

    def get(self, key: str) -> bytes:
        """Return the object. Raises `Absent`."""
        ...

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Write the object. With `if_absent`, raises `Taken` when there is one already."""
        ...

    def list(self, prefix: str = "") -> list[str]:
        """Return the keys that start with `prefix`, sorted."""
        ...

    def head(self, key: str) -> int | None:
        """Return the object's size in bytes, or None when there is none."""
        ...


@dataclass
class MemoryStore:
    """A bucket in memory."""

    name: str = "memory"
    objects: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes:
        """Return the object. Raises `Absent`."""
        try:
            return self.objects[key]
        except KeyError:
            raise Absent(key) from None

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Write the object. With `if_absent`, raises `Taken` when there is one already."""
        if if_absent and key in self.objects:
            raise Taken(key)
        self.objects[key] = data

    def list(self, prefix: str = "") -> list[str]:
        """Return the keys that start with `prefix`, sorted."""
        return sorted(key for key in self.objects if key.startswith(prefix))

    def head(self, key: str) -> int | None:
        """Return the object's size in bytes, or None when there is none."""
        return len(self.objects[key]) if key in self.objects else None


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a landing zone that a release writes to."""

    releases: ObjectStore
    ledger: ObjectStore
    backups: ObjectStore


def buckets_of(outputs: LandingZoneOutputs) -> Buckets:
    """Return the buckets that the outputs name, with the credentials of the environment.

    Those are OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN, or ALIBABA_CLOUD_ACCESS_KEY_ID,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN. Raises `Refused` when there are none.
    """
    from flows.ossbucket import connect  # loading the SDK takes longer than most commands that don't need it

    return connect(outputs)
